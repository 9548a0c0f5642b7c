//go:build cgo

package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestSamePartitions asks librdkafka where keys go, and kring's
// LibrdkafkaPartitioner.
func TestSamePartitions(t *testing.T) {
	const partitions = 17
	b, err := broker.Start(broker.Config{Partitions: partitions})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	p, err := kafka.NewProducer(&kafka.ConfigMap{"bootstrap.servers": b.Addrs()[0], "linger.ms": 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	const n = 500
	done := make(chan kafka.Event, n)
	topic := "t"
	for i := range n {
		key := []byte(strings.Repeat(fmt.Sprint(i), 1+i%7) + string([]byte{byte(i), byte(i >> 3)}))
		err := p.Produce(&kafka.Message{
			TopicPartition: kafka.TopicPartition{Topic: &topic, Partition: kafka.PartitionAny}, Key: key,
		}, done)
		if err != nil {
			t.Fatal(err)
		}
	}
	ours, at := kring.LibrdkafkaPartitioner(), kring.NewPartitions(partitions)
	for range n {
		m, ok := (<-done).(*kafka.Message)
		if !ok || m.TopicPartition.Error != nil {
			t.Fatalf("got %v", m)
		}
		if got := ours.Partition(kring.Record{Key: m.Key}, at); got != m.TopicPartition.Partition {
			t.Errorf("key %q: partition %d, librdkafka's is %d", m.Key, got, m.TopicPartition.Partition)
		}
	}
}
