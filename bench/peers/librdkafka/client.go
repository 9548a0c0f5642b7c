//go:build cgo

package main

import (
	"context"
	"errors"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/kring-go/kring/bench"
)

// client drives one Producer.
type client struct {
	producer *kafka.Producer
	offsets  bool // the broker tells them
	done     bench.Done
	ended    chan struct{} // the reader of events is done
}

func start(plan *bench.Config, done bench.Done) (bench.Client, map[string]string, error) {
	config, props := settings(plan)
	if err := secure(config, &plan.Settings); err != nil {
		return nil, nil, err
	}
	producer, err := kafka.NewProducer(config)
	if err != nil {
		return nil, nil, bench.UsageError(err)
	}
	c := &client{producer: producer, offsets: plan.Settings.Acks != "0", done: done, ended: make(chan struct{})}
	go c.read()
	return c, props, nil
}

// fullPause is how long Produce waits before it asks a full queue again.
// librdkafka tells nobody that there is room.
const fullPause = 200 * time.Microsecond

// Produce copies the record into librdkafka's queue, and waits while that is
// full.
func (c *client) Produce(ctx context.Context, r *bench.Record) error {
	m := kafka.Message{
		TopicPartition: kafka.TopicPartition{Topic: &r.Topic, Partition: r.Partition}, // -1 is any partition here, too
		Key:            r.Key, Value: r.Value, Opaque: r.Tag,
	}
	err := c.producer.Produce(&m, nil)
	if err == nil || !full(err) {
		return err
	}
	timer := time.NewTimer(fullPause)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := c.producer.Produce(&m, nil); err == nil || !full(err) {
			return err
		}
		timer.Reset(fullPause)
	}
}

func full(err error) bool {
	var e kafka.Error
	return errors.As(err, &e) && e.Code() == kafka.ErrQueueFull
}

// read ends the records. Other events tell of connections, which librdkafka
// looks after itself.
func (c *client) read() {
	defer close(c.ended)
	for event := range c.producer.Events() {
		m, ok := event.(*kafka.Message)
		if !ok {
			continue
		}
		offset := int64(m.TopicPartition.Offset)
		if m.TopicPartition.Error != nil || !c.offsets || offset < 0 {
			offset = -1
		}
		c.done(m.Opaque.(uint64), m.TopicPartition.Partition, offset, m.TopicPartition.Error)
	}
}

// flushStep bounds one call of librdkafka's flush, which knows no context.
const flushStep = 100 // milliseconds

func (c *client) Flush(ctx context.Context) error {
	for c.producer.Flush(flushStep) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) Close(ctx context.Context) error {
	go c.producer.Close()
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
