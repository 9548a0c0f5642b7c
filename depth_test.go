package kring_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// callers are goroutines that each wait for their record before they send the
// next one; not by ProduceSync, which closes the batch that others could share.
// They end with the test, or with the function returned.
func callers(t *testing.T, p *kring.Producer, n int) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			done := make(chan error, 1)
			for k := 0; ctx.Err() == nil; k++ {
				r := kring.Record{Topic: "t", Partition: kring.On(0), Value: fmt.Appendf(nil, "%d-%d", i, k)}
				err := p.Produce(context.Background(), r, func(d kring.Delivery) { done <- d.Err })
				if err == nil {
					err = <-done
				}
				if err != nil {
					t.Errorf("caller %d, record %d: %v", i, k, err)
					return
				}
			}
		})
	}
	stop = sync.OnceFunc(func() { cancel(); all.Wait() })
	t.Cleanup(stop)
	return stop
}

// depthOf is where the only connection stands; 0 without one.
func depthOf(t *testing.T, p *kring.Producer) int {
	t.Helper()
	switch d := p.Stats().Depths; len(d) {
	case 0:
		return 0
	case 1:
		return d[0].Depth
	default:
		t.Fatalf("depths of one broker: %+v", d)
		return 0
	}
}

// answered waits for so many more requests than there were.
func answered(t *testing.T, p *kring.Producer, requests uint64) {
	t.Helper()
	from := p.Stats().Requests
	until(t, fmt.Sprint(requests, " requests"), func() bool { return p.Stats().Requests >= from+requests })
}

// TestDepthFollowsTheBroker: behind one that serves its requests one by one the
// depth falls to 1; where only the way is long it does not; switched off it is
// MaxInFlight.
func TestDepthFollowsTheBroker(t *testing.T) {
	t.Run("queue", func(t *testing.T) {
		b := caseBroker(t, broker.Config{Service: 2 * time.Millisecond})
		p := caseProducer(t, b.Addrs())
		callers(t, p, 16)
		until(t, "depth 1", func() bool { return depthOf(t, p) == 1 })
	})
	t.Run("far", func(t *testing.T) {
		b := caseBroker(t, broker.Config{Delay: 20 * time.Millisecond})
		p := caseProducer(t, b.Addrs())
		callers(t, p, 16)
		answered(t, p, 300)
		if d := depthOf(t, p); d < 2 || d > 5 {
			t.Errorf("depth %d on a long way, want 2 to 5", d)
		}
	})
	t.Run("off", func(t *testing.T) {
		b := caseBroker(t, broker.Config{Service: 2 * time.Millisecond})
		p := caseProducer(t, b.Addrs(), kring.AdaptiveDepth(false), kring.MaxInFlight(4))
		callers(t, p, 16)
		answered(t, p, 300)
		if d := depthOf(t, p); d != 4 {
			t.Errorf("depth %d while switched off, want MaxInFlight, 4", d)
		}
	})
}

// TestDepthHoldsBackNothingForEver: at depth 1, records that come while a
// request is under way leave with the answer; full batches do not wait for it.
func TestDepthHoldsBackNothingForEver(t *testing.T) {
	for _, tc := range []struct {
		name    string
		more    []kring.Option
		records int // of 400 bytes, while the first one is held up
		want    int // requests in flight meanwhile
	}{
		{"a few records", nil, 3, 1},
		{"full batches", []kring.Option{kring.BatchSize(1024)}, 40, 5},
		{"used up memory", []kring.Option{kring.BatchSize(1024), kring.BufferMemory(16 << 10)}, 100, 5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := caseBroker(t, broker.Config{Service: 2 * time.Millisecond})
			p := caseProducer(t, b.Addrs(), tc.more...)
			for depth := 0; depth != 1; depth = depthOf(t, p) { // a probe may be under way when they stop
				stop := callers(t, p, 16)
				until(t, "depth 1", func() bool { return depthOf(t, p) == 1 })
				stop()
				if err := p.Flush(patient(t)); err != nil {
					t.Fatal(err)
				}
			}
			release := make(chan struct{})
			free := sync.OnceFunc(func() { close(release) })
			t.Cleanup(free)
			b.SetHook(func(*broker.ProduceInfo) broker.Action { return broker.Action{Stall: release} })
			record := kring.Record{Topic: "t", Partition: kring.On(0), Value: make([]byte, 400)}
			if err := p.Produce(patient(t), record, nil); err != nil {
				t.Fatal(err)
			}
			inFlight(t, p, 1) // else the others could share its request
			var sending sync.WaitGroup
			sending.Go(func() {
				for range tc.records { // with little memory it waits for the answers
					if err := p.Produce(patient(t), record, nil); err != nil {
						t.Error(err)
					}
				}
			})
			inFlight(t, p, tc.want)
			if tc.want == 1 {
				reasonOf(t, p, kring.ReasonConnectionFull)
			}
			free()
			sending.Wait()
			if err := p.Flush(patient(t)); err != nil {
				t.Fatalf("%v\n%s", err, p.DebugState())
			}
		})
	}
}

func inFlight(t *testing.T, p *kring.Producer, want int) {
	t.Helper()
	until(t, fmt.Sprint(want, " requests in flight"), func() bool {
		e, err := p.Explain("t", 0)
		if err != nil {
			t.Fatal(err)
		}
		return e.RequestsInFlight >= want
	})
}
