package senders

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kring-go/kring/tests/ledger"
)

// franz is a franz-go producer.
type franz struct {
	client *kgo.Client
	topic  string
	acks   string
	done   func(ledger.Completion)
}

func openFranz(bootstrap []string, topic string, o Options, done func(ledger.Completion)) (ledger.Sender, error) {
	opts := []kgo.Opt{
		kgo.SeedBrokers(bootstrap...),
		kgo.RecordPartitioner(namedOrKeyed{}),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.AllowAutoTopicCreation(),
		kgo.UnknownTopicRetries(-1), // a topic may be late
	}
	switch o.Acks {
	case "1":
		opts = append(opts, kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite())
	case "0":
		opts = append(opts, kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite())
	}
	if o.MetadataMaxAge > 0 {
		opts = append(opts, kgo.MetadataMaxAge(o.MetadataMaxAge), kgo.MetadataMinAge(o.MetadataMaxAge/2))
	}
	if o.Linger != 0 {
		opts = append(opts, kgo.ProducerLinger(max(0, o.Linger)))
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("franz-go: %w", err)
	}
	return &franz{client: client, topic: topic, acks: o.Acks, done: done}, nil
}

// Send copies the record, because franz-go keeps its slices.
func (f *franz) Send(ctx context.Context, id ledger.ID, r *ledger.Record) error {
	record := &kgo.Record{
		Topic: f.topic, Partition: r.Partition,
		Key: bytes.Clone(r.Key), Value: bytes.Clone(r.Value),
	}
	for _, h := range r.Headers {
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: h.Key, Value: bytes.Clone(h.Value)})
	}
	if r.Timestamp != 0 {
		record.Timestamp = time.UnixMilli(r.Timestamp)
	}
	f.client.Produce(ctx, record, func(r *kgo.Record, err error) {
		if err != nil {
			// franz-go does not say whether a broker may have it.
			f.done(ledger.Completion{ID: id, Outcome: ledger.PossiblyPersisted, Offset: -1, Timestamp: -1})
			return
		}
		offset := r.Offset
		if f.acks == "0" {
			offset = -1 // franz-go says 0, and nobody answered
		}
		f.done(ledger.Completion{
			ID: id, Outcome: ledger.Acked, Partition: r.Partition, Offset: offset, Timestamp: r.Timestamp.UnixMilli(),
		})
	})
	return nil
}

func (f *franz) Close(ctx context.Context) error {
	defer f.client.Close()
	return f.client.Flush(ctx)
}

// KeyPartition is franz-go's opinion of where Java puts a key.
func KeyPartition(key []byte, partitions int32) int32 {
	topic := kgo.StickyKeyPartitioner(nil).ForTopic("")
	return int32(topic.Partition(&kgo.Record{Key: key}, int(partitions)))
}

// namedOrKeyed takes the partition that the record names, else its key's, else
// franz-go's sticky one.
type namedOrKeyed struct{}

func (namedOrKeyed) ForTopic(topic string) kgo.TopicPartitioner {
	return &topicPartitioner{inner: kgo.StickyKeyPartitioner(nil).ForTopic(topic)}
}

type topicPartitioner struct{ inner kgo.TopicPartitioner }

func (p *topicPartitioner) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition >= 0 || p.inner.RequiresConsistency(r)
}

func (p *topicPartitioner) Partition(r *kgo.Record, n int) int {
	if r.Partition >= 0 {
		return int(r.Partition)
	}
	return p.inner.Partition(r, n)
}

func (p *topicPartitioner) OnNewBatch() {
	if inner, ok := p.inner.(kgo.TopicPartitionerOnNewBatch); ok {
		inner.OnNewBatch()
	}
}
