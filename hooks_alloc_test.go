//go:build !race

package kring_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// countingHook has every method.
type countingHook struct{ requests, records atomic.Uint64 }

func (h *countingHook) OnBrokerConnect(kring.BrokerConnect)       {}
func (h *countingHook) OnBrokerDisconnect(kring.BrokerDisconnect) {}
func (h *countingHook) OnRequestSent(kring.RequestSent)           { h.requests.Add(1) }
func (h *countingHook) OnRequestAnswered(e kring.RequestAnswered) { h.requests.Add(1) }
func (h *countingHook) OnBatchFinished(e kring.BatchFinished)     { h.records.Add(uint64(e.Records)) }

// TestHooksAllocateNothing: an event costs no allocation, neither where it is
// seen nor where it is told.
func TestHooksAllocateNothing(t *testing.T) {
	b, err := broker.Start(broker.Config{Partitions: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx := context.Background()
	h := &countingHook{}
	p, err := kring.New(kring.Brokers(b.Addrs()...), kring.BufferMemory(1<<20), kring.Hooks(h))
	if err != nil {
		t.Fatal(err)
	}
	topic, value := p.Topic("t"), make([]byte, 100)
	produce := func() {
		for range 1000 {
			if err := topic.Produce(ctx, kring.Record{Value: value}, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 300 {
		produce()
	}
	const runs = 300
	perRun := testing.AllocsPerRun(runs, produce)
	if err := p.Close(ctx); err != nil {
		t.Fatal(err)
	}
	s := p.HookStats()
	if perRun > 0.1 {
		t.Errorf("%v allocations per 1000 records; %+v", perRun, s)
	}
	if want := uint64((300 + runs + 1) * 1000); s.Lost == 0 && h.records.Load() != want {
		t.Errorf("the hook heard of %d records in batches, want %d; %+v", h.records.Load(), want, s)
	}
}
