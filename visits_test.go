package kring_test

import (
	"errors"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// onReader produces record after record until act was called on the goroutine
// that waits for answers. That is where a lone record's callback runs unless
// the completion goroutine is awake for another reason.
func onReader(t *testing.T, p *kring.Producer, act func()) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere the reader has other work")
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		done := make(chan bool, 1)
		err := p.Produce(patient(t), kring.Record{Topic: "t"}, func(kring.Delivery) {
			visit := false
			defer func() { done <- visit }() // before act is over, if it ends the goroutine
			if visit = strings.Contains(string(debug.Stack()), "parkReader"); visit {
				act()
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if <-done {
			return
		}
	}
	t.Fatal("no callback ran on a reader")
}

// TestCallsInVisit: what would wait for itself is refused there too.
func TestCallsInVisit(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs(), kring.Linger(0))
	onReader(t, p, func() {
		_, err := p.ProduceSync(patient(t), kring.Record{Topic: "t"})
		for call, err := range map[string]error{"Flush": p.Flush(patient(t)), "Close": p.Close(patient(t)), "ProduceSync": err} {
			if !errors.Is(err, kring.ErrInCallback) {
				t.Errorf("%s in a callback: %v, want ErrInCallback", call, err)
			}
		}
	})
}

// TestBlockedVisit: a callback that does not return keeps the reader, and the
// sender goes on: records are written and acknowledged meanwhile.
func TestBlockedVisit(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 2})
	p := caseProducer(t, b.Addrs(), kring.Linger(0), kring.BatchSize(1<<10), kring.BufferMemory(1<<20))
	got := newOutcomes()
	const n = 200
	onReader(t, p, func() {
		before := p.Stats().AckedRecords
		go func() { // with pauses: no answer is found by the next caller
			for i := range uint64(n) {
				if err := p.Produce(patient(t), kring.Record{Topic: "t", Tag: i, Partition: kring.On(0)}, got.take); err != nil {
					t.Error(err)
				}
				if i%20 == 0 {
					until(t, "the record is acknowledged", func() bool { return p.Stats().AckedRecords >= before+i+1 })
				}
			}
		}()
		until(t, "all are acknowledged", func() bool { return p.Stats().AckedRecords >= before+n })
		if len(got.all()) > 0 {
			t.Error("a callback overtook one that has not returned")
		}
	})
	for i, d := range got.wait(t, n) {
		if d.Tag != uint64(i) || d.Err != nil {
			t.Errorf("delivery %d: tag %d, %v", i, d.Tag, d.Err)
		}
	}
}

// TestGoexitInVisit: a callback that ends the reader's goroutine (t.FailNow
// does) costs nothing but itself.
func TestGoexitInVisit(t *testing.T) {
	defer goleak.VerifyNone(t)
	b, err := broker.Start(broker.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p, err := kring.New(quick(b.Addrs(), kring.Linger(0))...)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		onReader(t, p, runtime.Goexit)
	}
	until(t, "all three are reported", func() bool { return p.Stats().CallbackPanics == 3 })
	if n := p.Stats().Disconnects; n != 0 {
		t.Errorf("%d connections were lost", n)
	}
	closeEmpty(t, p)
}
