package kring_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestPartitions: what the cluster says of a topic is told before anything was
// produced to it.
func TestPartitions(t *testing.T) {
	b := caseBroker(t, broker.Config{Brokers: 2, NoAutoCreate: true})
	if err := b.CreateTopic("t", 4); err != nil {
		t.Fatal(err)
	}
	p := caseProducer(t, b.Addrs(), kring.MaxBlock(patience), kring.MetadataMaxAge(10*time.Millisecond))
	got, err := p.Topic("t").Partitions(patient(t))
	if err != nil || got.Count() != 4 || got.Available() != 4 {
		t.Fatalf("%+v, %v", got, err)
	}
	if err := b.SetLeader("t", 2, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Partition: kring.On(0)}); err != nil { // or the view is not refreshed
		t.Fatal(err)
	}
	until(t, "it is known that partition 2 has no leader", func() bool {
		got, err := p.Topic("t").Partitions(patient(t))
		return err == nil && got.Count() == 4 && got.Available() == 3 && !got.IsAvailable(2)
	})
	if err := b.SetLeader("t", 2, 1); err != nil {
		t.Fatal(err)
	}
	answers := make(chan error, 2)
	if err := p.Produce(patient(t), kring.Record{Topic: "t", Partition: kring.On(0)}, func(kring.Delivery) {
		_, err := p.Topic("t").Partitions(patient(t))
		answers <- err
		_, err = p.Topic("other").Partitions(patient(t))
		answers <- err
	}); err != nil {
		t.Fatal(err)
	}
	if known, unknown := <-answers, <-answers; known != nil || !errors.Is(unknown, kring.ErrInCallback) {
		t.Errorf("in a callback: %v, %v", known, unknown)
	}
}

// TestPartitionsFails: every way in which there is no answer.
func TestPartitionsFails(t *testing.T) {
	b := caseBroker(t, broker.Config{NoAutoCreate: true})
	p := caseProducer(t, b.Addrs(), kring.MaxBlock(50*time.Millisecond))
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, tc := range []struct {
		name string
		ctx  context.Context
		want error
		text string
	}{
		{"absent", patient(t), kring.ErrUnknownTopic, "UNKNOWN_TOPIC_OR_PARTITION"},
		{"absent", patient(t), kring.ErrMaxBlock, "after MaxBlock of 50ms"},
		{"never", ended, context.Canceled, `topic "never" is not known`},
		{"a b", patient(t), kring.ErrInvalidTopic, "a b"},
	} {
		if got, err := p.Topic(tc.name).Partitions(tc.ctx); !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.text) || got.Count() != 0 {
			t.Errorf("%s: %+v, %v, want %v", tc.name, got, err, tc.want)
		}
	}
	if err := p.Close(patient(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Topic("absent").Partitions(patient(t)); !errors.Is(err, kring.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
