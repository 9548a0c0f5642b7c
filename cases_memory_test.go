package kring_test

import (
	"context"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestFewSlotsFill: a buffer of four batches in front of a slow broker. Whoever
// waits for memory makes the open batches leave; those that are opened when
// nobody waits any more have to fill again. (With more partitions than slots that
// come home together, each record may have to wait, and Java's batches do not fill
// either.)
func TestFewSlotsFill(t *testing.T) {
	b, err := broker.Start(broker.Config{Partitions: 1, Delay: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	p, err := kring.New(kring.Brokers(b.Addrs()...), kring.BufferMemory(64<<10), kring.BatchSize(16<<10),
		kring.Linger(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const records = 1500 // 12 full batches
	for i := range records {
		r := kring.Record{Topic: "t", Value: make([]byte, 100), Tag: uint64(i)}
		if err := p.Produce(ctx, r, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Close(ctx); err != nil {
		t.Fatal(err)
	}
	s := p.Stats()
	if s.AckedRecords != records || s.BlockedCalls == 0 {
		t.Fatalf("%d records acknowledged, %d calls waited", s.AckedRecords, s.BlockedCalls)
	}
	if s.Batches > 60 {
		t.Errorf("%d records in %d batches: they did not fill", records, s.Batches)
	}
}
