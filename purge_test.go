package kring_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// purged counts the deliveries that were thrown away with the certainty.
func purged(all []kring.Delivery, certainty kring.Certainty) (n int) {
	for _, d := range all {
		var pe *kring.ProduceError
		if errors.Is(d.Err, kring.ErrPurged) && errors.As(d.Err, &pe) && pe.Certainty == certainty {
			n++
		}
	}
	return n
}

// TestPurge: what was not sent is thrown away, be it complete, lingering or in a
// batch behind one that is on its way; what is on its way is waited for, and the
// producer goes on.
func TestPurge(t *testing.T) {
	hour := []kring.Option{kring.Linger(time.Hour), kring.DeliveryTimeout(2 * time.Hour)}
	for _, test := range []struct {
		name   string
		window int
		opts   []kring.Option
	}{
		{"as it comes", 1, nil},
		{"lingering", 1, hour},
		{"bounded", 1, []kring.Option{kring.MaxBufferedRecords(101)}},
		{"behind a full window", 5, hour}, // nothing looks at such a partition before an answer
	} {
		t.Run(test.name, func(t *testing.T) {
			b := caseBroker(t, broker.Config{})
			hold := make(chan struct{})
			p := caseProducer(t, b.Addrs(), append(test.opts, kring.BatchSize(100), kring.MaxInFlight(test.window), kring.AdaptiveDepth(false))...)
			syncAll(t, p, 1) // before a first success one batch goes alone
			b.SetHook(func(*broker.ProduceInfo) broker.Action { return broker.Action{Stall: hold} })
			got := newOutcomes()
			produceTags(t, p, 0, 1, 99, got)
			until(t, "what may be is on its way", func() bool { return p.Stats().Requests == uint64(test.window)+1 })
			done := make(chan error, 1)
			go func() { done <- p.Purge(patient(t)) }()
			until(t, "records are thrown away", func() bool { return p.Stats().FailedRecords > 20 })
			select {
			case err := <-done:
				t.Fatalf("Purge did not wait for what is on its way: %v", err)
			default:
			}
			close(hold)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			all := got.all()
			lost := purged(all, kring.NotPersisted)
			if len(all) != 99 {
				t.Fatalf("%d outcomes when Purge has returned, want 99", len(all))
			}
			wantLog(t, b, 0, 100-lost)
			produceTags(t, p, 0, 100-lost, 50, got)
			if err := p.Flush(patient(t)); err != nil {
				t.Fatal(err)
			}
			wantLog(t, b, 0, 150-lost)
		})
	}
}

// TestPurgeInsteadOfRetry: what would have to be sent again is thrown away, and
// told whether it may be in the log; what comes next is stored once.
func TestPurgeInsteadOfRetry(t *testing.T) {
	tests := []struct {
		name      string
		action    broker.Action
		certainty kring.Certainty
		stored    int
	}{
		{"refused", refuse(kring.NotEnoughReplicas), kring.NotPersisted, 0},
		{"no answer", broker.Action{DropAfter: true}, kring.PossiblyPersisted, 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := caseBroker(t, broker.Config{})
			var well atomic.Bool
			b.SetHook(func(*broker.ProduceInfo) broker.Action {
				if well.Load() {
					return broker.Action{}
				}
				return test.action
			})
			p := caseProducer(t, b.Addrs(), kring.RetryBackoff(time.Hour, time.Hour), kring.Linger(time.Second),
				kring.DeliveryTimeout(2*time.Hour))
			if err := p.Warmup(patient(t), "t"); err != nil {
				t.Fatal(err)
			}
			got := newOutcomes()
			produceTags(t, p, 0, 0, 3, got)
			short, cancel := context.WithCancel(patient(t))
			flushed := make(chan error, 1)
			go func() { flushed <- p.Flush(short) }()
			until(t, "the first attempt has failed", func() bool { return p.Stats().Retries == 1 })
			well.Store(true)
			if err := p.Purge(patient(t)); err != nil {
				t.Fatal(err)
			}
			if err := <-flushed; err != nil {
				t.Errorf("Flush: %v", err)
			}
			cancel()
			if n := purged(got.all(), test.certainty); n != 3 {
				t.Errorf("%d of 3 were thrown away as %v: %+v", n, test.certainty, got.all())
			}
			produceTags(t, p, 0, test.stored, 20, got)
			if err := p.Flush(patient(t)); err != nil {
				t.Fatal(err)
			}
			wantLog(t, b, 0, test.stored+20)
		})
	}
}

// TestPurgeUnreachable: also what waits for a broker that is not there.
func TestPurgeUnreachable(t *testing.T) {
	b := caseBroker(t, broker.Config{Brokers: 2, Partitions: 2})
	p := caseProducer(t, b.Addrs())
	if err := p.Warmup(patient(t), "t"); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	got := newOutcomes()
	produceTags(t, p, 0, 0, 10, got)
	produceTags(t, p, 1, 10, 10, got)
	if err := p.Purge(patient(t)); err != nil {
		t.Fatal(err)
	}
	if all := got.all(); purged(all, kring.NotPersisted)+purged(all, kring.PossiblyPersisted) != 20 {
		t.Errorf("%+v", all)
	}
}

// TestPurgeIsRefused: where it could never return, or would do harm.
func TestPurgeIsRefused(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs())
	told := make(chan error, 1)
	if err := p.Produce(patient(t), kring.Record{Topic: "t"}, func(kring.Delivery) { told <- p.Purge(context.Background()) }); err != nil {
		t.Fatal(err)
	}
	if err := <-told; !errors.Is(err, kring.ErrInCallback) {
		t.Errorf("in a callback: %v", err)
	}
	gone, cancel := context.WithCancel(patient(t))
	cancel()
	hold := make(chan struct{})
	b.SetHook(func(*broker.ProduceInfo) broker.Action { return broker.Action{Stall: hold} })
	got := newOutcomes()
	produceTags(t, p, 0, 0, 1, got)
	until(t, "it is on its way", func() bool { return p.Stats().Requests == 2 })
	checkText(t, p.Purge(gone), context.Canceled, "purge is not complete")
	close(hold)
	got.wait(t, 1)
	closeEmpty(t, p)
	if err := p.Purge(patient(t)); !errors.Is(err, kring.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
