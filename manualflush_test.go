package kring_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// wantHeld looks at partition 0 of "t" twice: the turn of the first look has
// ended when the second begins, so that what it could send has been sent.
func wantHeld(t *testing.T, p *kring.Producer, requests uint64) {
	t.Helper()
	for range 2 {
		e, err := p.Explain("t", 0)
		if err != nil || e.Reason != kring.ReasonManualFlush {
			t.Fatalf("Explain: %v, %v; want ReasonManualFlush", e, err)
		}
	}
	if n := p.Stats().Requests; n != requests {
		t.Fatalf("%d requests were sent, want %d", n, requests)
	}
}

// TestManualFlush: full batches wait, and lingers that are over; what comes after
// a Flush waits for the next.
func TestManualFlush(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs(), kring.ManualFlush(), kring.BatchSize(200))
	if err := p.Warmup(patient(t), "t"); err != nil {
		t.Fatal(err)
	}
	if e, err := p.Explain("t", 0); err != nil || e.Reason != kring.ReasonEmpty {
		t.Fatalf("Explain of nothing: %v, %v", e, err)
	}
	got := newOutcomes()
	produceTags(t, p, 0, 0, 100, got)
	wantHeld(t, p, 0)
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	got.wait(t, 100)
	wantLog(t, b, 0, 100)
	sent := p.Stats().Requests
	produceTags(t, p, 0, 100, 50, got)
	wantHeld(t, p, sent)
	if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Partition: kring.On(0), Value: []byte("150")}); err != nil {
		t.Fatal(err)
	}
	produceTags(t, p, 0, 151, 7, got)
	wantHeld(t, p, p.Stats().Requests)
	closeEmpty(t, p)
	wantLog(t, b, 0, 158)
}

// TestManualFlushIsShutAgain: a Flush that was given up lets nothing through
// afterwards, and one that others still need is not ended by it.
func TestManualFlushIsShutAgain(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	hold := make(chan struct{})
	b.SetHook(func(*broker.ProduceInfo) broker.Action { return broker.Action{Stall: hold} })
	p := caseProducer(t, b.Addrs(), kring.ManualFlush(), kring.MaxInFlight(1))
	if err := p.Warmup(patient(t), "t"); err != nil {
		t.Fatal(err)
	}
	got := newOutcomes()
	produceTags(t, p, 0, 0, 1, got)
	short, cancel := context.WithCancel(patient(t))
	flushed := make(chan error)
	go func() { flushed <- p.Flush(short) }()
	until(t, "the first record is on its way", func() bool { return p.Stats().Requests == 1 })
	produceTags(t, p, 0, 1, 1, got)
	cancel()
	if err := <-flushed; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	close(hold)
	got.wait(t, 1)
	wantHeld(t, p, 1)
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	wantLog(t, b, 0, 2)
}

// TestManualFlushOfFullMemory: nobody waits for what only Flush can bring, be it
// bytes or records.
func TestManualFlushOfFullMemory(t *testing.T) {
	for _, test := range []struct {
		name string
		opts []kring.Option
	}{
		{"bytes", []kring.Option{kring.BatchSize(1 << 10), kring.BufferMemory(8 << 10)}},
		{"records", []kring.Option{kring.MaxBufferedRecords(20)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := caseBroker(t, broker.Config{})
			p := caseProducer(t, b.Addrs(), append(test.opts, kring.ManualFlush(), kring.MaxBlock(time.Hour))...)
			if err := p.Warmup(patient(t), "t"); err != nil {
				t.Fatal(err)
			}
			got, accepted := newOutcomes(), 0
			one := kring.Record{Topic: "t", Partition: kring.On(0), Value: make([]byte, 500)}
			err := p.Produce(patient(t), one, got.take)
			for ; err == nil && accepted < 100; accepted++ {
				err = p.Produce(patient(t), one, got.take)
			}
			checkText(t, err, kring.ErrBufferFull, "call Flush", `topic "t"`)
			if err := p.TryProduce(one, got.take); !errors.Is(err, kring.ErrBufferFull) {
				t.Errorf("TryProduce: %v", err)
			}
			if err := p.Flush(patient(t)); err != nil {
				t.Fatal(err)
			}
			if err := p.Produce(patient(t), one, got.take); err != nil {
				t.Fatal(err)
			}
			closeEmpty(t, p)
			if n := len(got.all()); n != accepted+1 || accepted < 5 {
				t.Errorf("%d outcomes, want %d, at least 6", n, accepted+1)
			}
		})
	}
}

// TestManualFlushInTime: what nobody flushes has its DeliveryTimeout.
func TestManualFlushInTime(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs(), kring.ManualFlush(), kring.RequestTimeout(50*time.Millisecond), kring.DeliveryTimeout(100*time.Millisecond))
	if err := p.Warmup(patient(t), "t"); err != nil {
		t.Fatal(err)
	}
	got := newOutcomes()
	produceTags(t, p, 0, 0, 3, got)
	for _, d := range got.wait(t, 3) {
		if pe := produceError(t, d); !errors.Is(d.Err, kring.ErrDeliveryTimeout) || pe.Certainty != kring.NotPersisted {
			t.Errorf("%+v", d)
		}
	}
	if n := p.Stats().Requests; n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}
