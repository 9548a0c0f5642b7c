package main

import (
	"context"
	"sync"

	"github.com/IBM/sarama"
	"github.com/kring-go/kring/bench"
)

// item is a message that knows its tag, with its key and value in place: an
// Encoder behind a pointer is no allocation.
type item struct {
	message    sarama.ProducerMessage
	tag        uint64
	key, value text
}

// text is bytes as sarama wants them.
type text []byte

func (t *text) Encode() ([]byte, error) { return *t, nil }
func (t *text) Length() int             { return len(*t) }

// client drives one AsyncProducer.
type client struct {
	producer sarama.AsyncProducer
	input    chan<- *sarama.ProducerMessage
	offsets  bool // the broker tells them
	done     bench.Done
	items    sync.Pool
	close    sync.Once
	ended    chan struct{} // every message has come back
}

func start(plan *bench.Config, done bench.Done) (bench.Client, map[string]string, error) {
	config, props, err := settings(plan)
	if err != nil {
		return nil, nil, bench.UsageError(err)
	}
	producer, err := sarama.NewAsyncProducer(plan.Settings.Brokers, config)
	if err != nil {
		return nil, nil, err
	}
	c := &client{
		producer: producer, input: producer.Input(), offsets: plan.Settings.Acks != "0", done: done,
		items: sync.Pool{New: func() any { return new(item) }}, ended: make(chan struct{}),
	}
	var readers sync.WaitGroup
	readers.Go(func() {
		for m := range producer.Successes() {
			c.end(m, nil)
		}
	})
	readers.Go(func() {
		for e := range producer.Errors() {
			c.end(e.Msg, e.Err)
		}
	})
	go func() {
		readers.Wait()
		close(c.ended)
	}()
	return c, props, nil
}

// Produce waits while sarama's channels are full.
func (c *client) Produce(ctx context.Context, r *bench.Record) error {
	it := c.items.Get().(*item)
	it.tag, it.key, it.value = r.Tag, r.Key, r.Value
	it.message = sarama.ProducerMessage{Topic: r.Topic, Value: &it.value, Metadata: it}
	if r.Key != nil {
		it.message.Key = &it.key
	}
	if r.Partition >= 0 {
		it.message.Partition = r.Partition
	}
	// A select of one channel is much cheaper than one of two.
	select {
	case c.input <- &it.message:
		return nil
	default:
	}
	select {
	case c.input <- &it.message:
		return nil
	case <-ctx.Done():
		c.items.Put(it)
		return ctx.Err()
	}
}

// end takes a message back.
func (c *client) end(m *sarama.ProducerMessage, err error) {
	it := m.Metadata.(*item)
	tag, partition, offset := it.tag, m.Partition, m.Offset
	if err != nil || !c.offsets {
		offset = -1
	}
	*it = item{}
	c.items.Put(it)
	c.done(tag, partition, offset, err)
}

// Flush is the end of the producer: sarama has no other. The harness flushes
// once, behind the last record.
func (c *client) Flush(ctx context.Context) error {
	c.close.Do(c.producer.AsyncClose)
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *client) Close(ctx context.Context) error { return c.Flush(ctx) }
