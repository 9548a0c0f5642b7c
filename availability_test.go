package kring_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestAvailabilityTimeout: a broker stops answering. Records without a key avoid
// it after the timeout, and come back when it answers again.
func TestAvailabilityTimeout(t *testing.T) {
	b := caseBroker(t, broker.Config{Brokers: 2, Partitions: 4})
	stall := make(chan struct{})
	var stalled atomic.Bool
	b.SetHook(func(info *broker.ProduceInfo) broker.Action {
		if len(info.Partitions) > 0 && stalled.Load() && info.Node == 1 {
			return broker.Action{Stall: stall}
		}
		return broker.Action{}
	})
	p := caseProducer(t, b.Addrs(), kring.BatchSize(512), kring.PartitionAvailabilityTimeout(50*time.Millisecond))
	// round reports whether all of a round were acknowledged although one broker
	// may be silent, and how many partitions they went to.
	round := func() (all bool, spread int) {
		const n = 40
		var partitions [4]atomic.Int32
		var acked atomic.Int32
		for range n {
			if err := p.Produce(patient(t), kring.Record{Topic: "t", Value: make([]byte, 200)}, func(d kring.Delivery) {
				partitions[d.Partition].Add(1)
				acked.Add(1)
			}); err != nil {
				t.Fatal(err)
			}
		}
		for end := time.Now().Add(300 * time.Millisecond); acked.Load() < n && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		for i := range partitions {
			if partitions[i].Load() > 0 {
				spread++
			}
		}
		return acked.Load() == n, spread
	}
	until(t, "all partitions are used", func() bool { _, n := round(); return n == 4 })
	stalled.Store(true)
	until(t, "some records get stuck", func() bool { all, _ := round(); return !all })
	until(t, "the silent broker is avoided", func() bool {
		for range 5 {
			if all, _ := round(); !all {
				return false
			}
		}
		return true
	})
	stalled.Store(false)
	close(stall)
	until(t, "all partitions are used again", func() bool { _, n := round(); return n == 4 })
}
