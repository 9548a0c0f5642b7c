//go:build !race

package kring_test

import (
	"context"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestSteadyStateAllocatesNothing is P11: after a warm-up that touches every
// slot, a record costs no allocation, and neither does a request.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	for name, deadline := range map[string]time.Time{"": {}, "with deadlines": time.Now().Add(time.Hour)} {
		t.Run(name, func(t *testing.T) { allocatesNothing(t, deadline) })
	}
}

func allocatesNothing(t *testing.T, deadline time.Time) {
	b, err := broker.Start(broker.Config{Partitions: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx := context.Background()
	p, err := kring.New(kring.Brokers(b.Addrs()...), kring.BufferMemory(1<<20), kring.OnDelivery(func(d kring.Delivery) {
		if d.Err != nil {
			t.Error(d.Err)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(ctx)
	h := p.Topic("t")
	key, value := []byte("key"), make([]byte, 100)
	headers := []kring.Header{{Key: "k", Value: []byte("v")}}
	var tag uint64
	produce := func() {
		for range 1000 {
			tag++
			r := kring.Record{Value: value, Headers: headers, Tag: tag, Deadline: deadline}
			if tag%2 == 0 {
				r.Key = key
			}
			if err := h.Produce(ctx, r, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 300 {
		produce()
	}
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	before := p.Stats()
	const runs = 300
	perRun := testing.AllocsPerRun(runs, produce)
	after := p.Stats()
	// Whatever else the process does (the embedded broker in it, the
	// runtime's own timers) is allowed one object per ten thousand records.
	if perRun > 0.1 {
		t.Errorf("%v allocations per 1000 records, %d requests in %d runs", perRun, after.Requests-before.Requests, runs)
	}
}
