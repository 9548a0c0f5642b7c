package kring_test

import (
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestLanesKeepOrder: callbacks of a partition run one at a time and in order,
// those of others beside them.
func TestLanesKeepOrder(t *testing.T) {
	const partitions, per = 7, 400
	b := caseBroker(t, broker.Config{Partitions: partitions})
	var mu sync.Mutex
	var inside [partitions]atomic.Int32
	next := make([]uint64, partitions)
	var all sync.WaitGroup
	all.Add(partitions * per)
	p := caseProducer(t, b.Addrs(), kring.CompletionLanes(3), kring.BatchSize(512), kring.OnDelivery(func(d kring.Delivery) {
		if inside[d.Partition].Add(1) != 1 {
			t.Errorf("partition %d: two callbacks at once", d.Partition)
		}
		mu.Lock()
		if next[d.Partition] != d.Tag {
			t.Errorf("partition %d: record %d, want %d", d.Partition, d.Tag, next[d.Partition])
		}
		next[d.Partition] = d.Tag + 1
		mu.Unlock()
		inside[d.Partition].Add(-1)
		all.Done()
	}))
	for i := range partitions * per {
		r := kring.Record{Topic: "t", Partition: kring.On(int32(i % partitions)), Tag: uint64(i / partitions), Value: make([]byte, 20)}
		if err := p.Produce(patient(t), r, nil); err != nil {
			t.Fatal(err)
		}
	}
	within(t, "all callbacks", all.Wait)
}

// TestLaneHoldsBackItsOwnOnly: one callback blocks, those of the other lane run;
// and in each of them the producer knows that it is in a callback.
func TestLaneHoldsBackItsOwnOnly(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 4})
	p := caseProducer(t, b.Addrs(), kring.CompletionLanes(2))
	release := make(chan struct{})
	held, free := make(chan error, 2), make(chan error, 2)
	say := func(to chan error, block bool) kring.Callback {
		return func(kring.Delivery) {
			if block {
				<-release
			}
			to <- p.Flush(patient(t))
		}
	}
	for i, cb := range []kring.Callback{say(held, true), say(free, false), say(held, false), say(free, false)} {
		if err := p.Produce(patient(t), kring.Record{Topic: "t", Partition: kring.On(int32(i))}, cb); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		select {
		case err := <-free:
			if err != kring.ErrInCallback {
				t.Errorf("Flush in a callback: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("a callback of the other lane waits for one that blocks")
		}
	}
	if len(held) != 0 {
		t.Error("a callback overtook the one that blocks in its lane")
	}
	close(release)
	for range 2 {
		if err := <-held; err != kring.ErrInCallback {
			t.Errorf("Flush in a callback: %v", err)
		}
	}
}

// TestStuckCallbackIsReported, once, with its lane, and once more when it goes on.
func TestStuckCallbackIsReported(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for more than five seconds")
	}
	b := caseBroker(t, broker.Config{Partitions: 2})
	var log lockedBuffer
	p := caseProducer(t, b.Addrs(), kring.CompletionLanes(2), kring.Logger(slog.New(slog.NewTextHandler(&log, nil))))
	release := make(chan struct{})
	if err := p.Produce(patient(t), kring.Record{Topic: "t", Partition: kring.On(1)}, func(kring.Delivery) { <-release }); err != nil {
		t.Fatal(err)
	}
	until(t, "a report", func() bool { return strings.Contains(log.String(), "does not return") })
	if s := log.String(); strings.Count(s, "does not return") != 1 || !strings.Contains(s, `lane="1 of 2"`) {
		t.Errorf("logged %s", s)
	}
	close(release)
	until(t, "the end of it", func() bool { return strings.Contains(log.String(), "callbacks go on") })
	if n := p.Stats().StuckCallbacks; n != 1 {
		t.Errorf("%d reports", n)
	}
	if n := strings.Count(log.String(), "does not return"); n != 1 {
		t.Errorf("reported %d times", n)
	}
}

func TestLaneOptions(t *testing.T) {
	for _, tc := range []struct {
		opts []kring.Option
		want string
	}{
		{[]kring.Option{kring.CompletionLanes(0)}, "CompletionLanes(0): want 1 to 256"},
		{[]kring.Option{kring.CompletionLanes(257)}, "CompletionLanes(257): want 1 to 256"},
		{[]kring.Option{kring.CompletionLanes(2), kring.InlineDelivery()}, "either inline or on lanes"},
	} {
		if _, err := kring.New(append(tc.opts, kring.Brokers("127.0.0.1:1"))...); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v, want %q", err, tc.want)
		}
	}
	if _, err := kring.FromProperties(map[string]string{"kring.completion.lanes": "many"}); err == nil {
		t.Error("kring.completion.lanes=many was accepted")
	}
}
