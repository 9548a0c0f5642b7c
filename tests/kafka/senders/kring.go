package senders

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kring-go/kring"

	"github.com/kring-go/kring/tests/ledger"
)

// ours is a kring producer. One delivery callback serves all records: the tag
// names them.
type ours struct {
	producer *kring.Producer
	topic    string
	handle   *kring.Topic
}

func openKring(bootstrap []string, topic string, o Options, done func(ledger.Completion)) (ledger.Sender, error) {
	opts := []kring.Option{
		kring.Brokers(bootstrap...),
		kring.OnDelivery(func(d kring.Delivery) { done(completion(d)) }),
	}
	switch o.Acks {
	case "1":
		opts = append(opts, kring.RequireAcks(kring.AcksLeader), kring.DisableIdempotence())
	case "0":
		opts = append(opts, kring.RequireAcks(kring.AcksNone), kring.DisableIdempotence())
	}
	if o.Plain {
		opts = append(opts, kring.DisableIdempotence())
	}
	if o.Dial != nil {
		opts = append(opts, kring.WithDialer(o.Dial))
	}
	if o.MetadataMaxAge > 0 {
		opts = append(opts, kring.MetadataMaxAge(o.MetadataMaxAge))
	}
	if o.Linger != 0 {
		opts = append(opts, kring.Linger(max(0, o.Linger)))
	}
	if o.Compression != "" {
		compression, err := kring.FromProperties(map[string]string{"compression.type": o.Compression})
		if err != nil {
			return nil, fmt.Errorf("senders: %w", err)
		}
		opts = append(opts, compression)
	}
	p, err := kring.New(opts...)
	if err != nil {
		return nil, fmt.Errorf("senders: %w", err)
	}
	return &ours{producer: p, topic: topic, handle: p.Topic(topic)}, nil
}

// Record is the ledger's record as kring takes it, with id as its tag.
func Record(id ledger.ID, r *ledger.Record) kring.Record {
	record := kring.Record{Key: r.Key, Value: r.Value, Tag: uint64(id)}
	if r.Partition >= 0 {
		record.Partition = kring.On(r.Partition)
	}
	for _, h := range r.Headers {
		record.Headers = append(record.Headers, kring.Header{Key: h.Key, Value: h.Value})
	}
	if r.Timestamp != 0 {
		record.Timestamp = time.UnixMilli(r.Timestamp)
	}
	return record
}

func completion(d kring.Delivery) ledger.Completion {
	c := ledger.Completion{ID: ledger.ID(d.Tag), Outcome: ledger.Acked, Partition: d.Partition, Offset: d.Offset, Timestamp: d.Timestamp}
	if d.Err == nil {
		return c
	}
	c.Outcome, c.Offset = ledger.PossiblyPersisted, -1
	var produce *kring.ProduceError
	if errors.As(d.Err, &produce) && produce.Certainty == kring.NotPersisted {
		c.Outcome = ledger.NotPersisted
	}
	return c
}

// Send passes the ledger's own buffers: kring promises that they are free when
// Produce returns, and the next record overwrites them. Half of the goroutines
// go through the topic handle.
func (o *ours) Send(ctx context.Context, id ledger.ID, r *ledger.Record) error {
	record := Record(id, r)
	if id.Goroutine()%2 == 0 {
		return o.handle.Produce(ctx, record, nil)
	}
	record.Topic = o.topic
	return o.producer.Produce(ctx, record, nil)
}

func (o *ours) Close(ctx context.Context) error { return o.producer.Close(ctx) }
