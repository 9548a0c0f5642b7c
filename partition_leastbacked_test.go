package kring_test

import (
	"testing"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestLeastBackedUp: what a broker that stands still has is all that it gets;
// without trouble every partition has its turns.
func TestLeastBackedUp(t *testing.T) {
	b := caseBroker(t, broker.Config{Brokers: 2, Partitions: 4})
	hold := make(chan struct{})
	p := caseProducer(t, b.Addrs(), kring.LeastBackedUpPartitioning(), kring.BatchSize(200), kring.DisableIdempotence())
	if err := p.Warmup(patient(t), "t"); err != nil {
		t.Fatal(err)
	}
	got := newOutcomes()
	produce := func(n int) {
		for range n {
			if err := p.Produce(patient(t), kring.Record{Topic: "t", Value: make([]byte, 50)}, got.take); err != nil {
				t.Fatal(err)
			}
		}
	}
	produce(4000)
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	for i := range int32(4) {
		if n := len(logValues(t, b, "t", i)); n < 400 {
			t.Errorf("partition %d got %d of 4000 records", i, n)
		}
	}
	slow := int32(0) // node of partition 0
	b.SetHook(func(r *broker.ProduceInfo) broker.Action {
		for _, q := range r.Partitions {
			if q.Partition == 0 {
				slow = r.Node
			}
		}
		return broker.Action{}
	})
	if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Partition: kring.On(0)}); err != nil {
		t.Fatal(err)
	}
	b.SetHook(func(r *broker.ProduceInfo) broker.Action {
		if r.Node == slow {
			return broker.Action{Stall: hold}
		}
		return broker.Action{}
	})
	before := map[int32]int{}
	for i := range int32(4) {
		before[i] = len(logValues(t, b, "t", i))
	}
	all := len(got.all())
	for range 400 {
		produce(1)
		// All but what stands still has its outcome, so that one backlog is
		// longer than the other by what is seen here and not by chance.
		until(t, "the others go on", func() bool { return p.Stats().IncompleteBatch <= 12 })
	}
	close(hold)
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	got.wait(t, all+400)
	stuck := 0
	for i := range int32(4) {
		n := len(logValues(t, b, "t", i)) - before[i]
		if e, err := p.Explain("t", i); err == nil && e.Broker == slow {
			stuck += n
		} else if n < 100 {
			t.Errorf("partition %d of the broker that works got %d of 400 records", i, n)
		}
	}
	if stuck > 50 {
		t.Errorf("the broker that stood still got %d of 400 records", stuck)
	}
}
