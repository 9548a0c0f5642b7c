package kring_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestBusyConnectionFollowsTheAddress: a broker gets another address (its id was
// given to another machine, or the client has bootstrapped anew) while the old
// machine goes on answering, and there is always a request in flight. The
// connection to the old one must end all the same.
func TestBusyConnectionFollowsTheAddress(t *testing.T) {
	const partitions = 4
	before := caseBroker(t, broker.Config{Partitions: partitions, Delay: 50 * time.Millisecond})
	after := besideBroker(t, broker.Config{Partitions: partitions})
	if err := after.CreateTopic("t", partitions); err != nil {
		t.Fatal(err)
	}
	p := caseProducer(t, before.Addrs(), kring.AdaptiveDepth(false), kring.DisableIdempotence())
	ctx, cancel := context.WithCancel(patient(t))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for i := range int32(partitions) {
		wg.Go(func() {
			for ctx.Err() == nil {
				_ = p.Produce(ctx, kring.Record{Topic: "t", Partition: kring.On(i), Value: make([]byte, 100)}, nil)
				time.Sleep(time.Millisecond)
			}
		})
	}
	until(t, "the first answers", func() bool { return p.Stats().AckedRecords > 100 })
	requests := before.Stats().Requests
	until(t, "a request to the new address", func() bool {
		// Does nothing, unless an answer of the old machine that was on its way
		// has taken the address back meanwhile.
		p.MoveBroker(1, after.Addrs()[0])
		return after.Stats().Records > 0
	})
	// What was in flight, and what was about to be, had not been counted.
	if n := before.Stats().Requests - requests; n > 10 {
		t.Errorf("%d more requests to the old address", n)
	}
}
