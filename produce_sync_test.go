package kring_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// waitingContext counts who waits for its end: callers of ProduceSync whose
// record was accepted.
type waitingContext struct {
	context.Context
	waiting atomic.Int32
}

func (c *waitingContext) Done() <-chan struct{} {
	c.waiting.Add(1)
	return c.Context.Done()
}

// TestProduceSyncTogether: while the connection is full, callers of ProduceSync
// share a batch, and none of them waits for the linger.
func TestProduceSyncTogether(t *testing.T) {
	for _, linger := range []time.Duration{0, time.Hour} {
		t.Run(linger.String(), func(t *testing.T) {
			b := caseBroker(t, broker.Config{Partitions: 1})
			release := make(chan struct{})
			b.SetHook(func(*broker.ProduceInfo) broker.Action { return broker.Action{StallAnswer: release} })
			p := caseProducer(t, b.Addrs(), kring.Linger(linger), kring.MaxInFlight(1))
			var done sync.WaitGroup
			sync := func(ctx context.Context) {
				if _, err := p.ProduceSync(ctx, kring.Record{Topic: "t", Value: []byte("v")}); err != nil {
					t.Error(err)
				}
			}
			done.Go(func() { sync(patient(t)) }) // waits for the topic as well
			until(t, "the first request", func() bool { return p.Stats().Requests == 1 })
			ctx := &waitingContext{Context: patient(t)}
			for range 16 {
				done.Go(func() { sync(ctx) })
			}
			until(t, "16 more records", func() bool { return ctx.waiting.Load() == 16 })
			close(release)
			done.Wait()
			if n := p.Stats().Batches; n != 2 {
				t.Errorf("%d batches, want 2", n)
			}
		})
	}
}
