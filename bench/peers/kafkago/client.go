package main

import (
	"context"
	"sync"

	"github.com/kring-go/kring/bench"
	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/semaphore"
)

// item travels with a message: the balancer reads the partition, Completion the
// tag and what the message holds of the buffer.
type item struct {
	tag       uint64
	size      int64
	partition int
}

// client drives one Writer.
type client struct {
	writer  *kafka.Writer
	buffer  *semaphore.Weighted // bytes that may wait
	limit   int64
	offsets bool // the broker tells them
	done    bench.Done
	items   sync.Pool
}

func start(plan *bench.Config, done bench.Done) (bench.Client, map[string]string, error) {
	writer, limit, props, err := settings(plan)
	if err != nil {
		return nil, nil, bench.UsageError(err)
	}
	c := &client{
		writer: writer, buffer: semaphore.NewWeighted(limit), limit: limit, offsets: writer.RequiredAcks != kafka.RequireNone, done: done,
		items: sync.Pool{New: func() any { return new(item) }},
	}
	writer.Completion = c.end
	return c, props, nil
}

// messageRoom is what a message takes beside its key and value, as Java counts
// it.
const messageRoom = 21

// Produce waits while the buffer is full.
func (c *client) Produce(ctx context.Context, r *bench.Record) error {
	size := min(int64(len(r.Key)+len(r.Value)+messageRoom), c.limit)
	if !c.buffer.TryAcquire(size) {
		if err := c.buffer.Acquire(ctx, size); err != nil {
			return err
		}
	}
	it := c.items.Get().(*item)
	*it = item{tag: r.Tag, size: size, partition: int(r.Partition)}
	// An Async Writer takes the message or returns an error, never both.
	err := c.writer.WriteMessages(ctx, kafka.Message{Key: r.Key, Value: r.Value, WriterData: it})
	if err != nil {
		c.buffer.Release(size)
		c.items.Put(it)
	}
	return err
}

// end is every batch's completion.
func (c *client) end(messages []kafka.Message, err error) {
	size := int64(0)
	for i := range messages {
		m := &messages[i]
		it := m.WriterData.(*item)
		tag, offset := it.tag, m.Offset
		size += it.size
		c.items.Put(it)
		if err != nil || !c.offsets {
			offset = -1
		}
		c.done(tag, int32(m.Partition), offset, err)
	}
	c.buffer.Release(size)
}

// Flush waits until nothing holds any of the buffer: a Writer knows no flush
// but its end, and batches leave by themselves.
func (c *client) Flush(ctx context.Context) error {
	if err := c.buffer.Acquire(ctx, c.limit); err != nil {
		return err
	}
	c.buffer.Release(c.limit)
	return nil
}

// Close waits for whatever is left, in a goroutine: the Writer's own has no end.
func (c *client) Close(ctx context.Context) error {
	closed := make(chan error, 1)
	go func() { closed <- c.writer.Close() }()
	select {
	case err := <-closed:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
