package kring_test

import (
	"hash/fnv"
	"testing"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestCompatiblePartitioners: known values, and what is left to the built-in
// partitioner. The modules tests and bench/peers/librdkafka compare with the
// libraries themselves.
func TestCompatiblePartitioners(t *testing.T) {
	at := kring.NewPartitions(12)
	s, l := kring.SaramaPartitioner(), kring.LibrdkafkaPartitioner()
	h := fnv.New32a()
	_, _ = h.Write([]byte("orders"))
	want := int32(h.Sum32()) % 12
	if got := s.Partition(kring.Record{Key: []byte("orders")}, at); got != max(want, -want) {
		t.Errorf("sarama: partition %d, want %d", got, max(want, -want))
	}
	// The check value of CRC-32 is 0xcbf43926.
	if got := l.Partition(kring.Record{Key: []byte("123456789")}, at); got != 0xcbf43926%12 {
		t.Errorf("librdkafka: partition %d, want %d", got, 0xcbf43926%12)
	}
	for _, tc := range []struct {
		name string
		by   kring.Partitioner
		key  []byte
		own  bool
	}{
		{"sarama without a key", s, nil, false},
		{"sarama with an empty one", s, []byte{}, true},
		{"librdkafka without a key", l, nil, false},
		{"librdkafka with an empty one", l, []byte{}, false},
	} {
		if got := tc.by.Partition(kring.Record{Key: tc.key}, at); (got != kring.BuiltInPartition) != tc.own {
			t.Errorf("%s: %d", tc.name, got)
		}
	}
}

// TestBuiltInPartition: what a partitioner leaves to the built-in one goes where
// it would have gone without it.
func TestBuiltInPartition(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 7})
	p := caseProducer(t, b.Addrs(), kring.PartitionBy(kring.PartitionerFunc(func(kring.Record, kring.Partitions) int32 {
		return kring.BuiltInPartition
	})))
	for _, key := range []string{"a", "bb", "ccc", "dddd", ""} {
		d, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Key: []byte(key)})
		if err != nil {
			t.Fatal(err)
		}
		if want := kring.NewPartitions(7).ByKey([]byte(key)); d.Partition != want {
			t.Errorf("key %q: partition %d, want %d", key, d.Partition, want)
		}
	}
	if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t"}); err != nil {
		t.Error(err)
	}
}
