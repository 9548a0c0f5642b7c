package kring_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestFlushUnderLoad is B8: Flush returns while others go on producing.
func TestFlushUnderLoad(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 2})
	p := caseProducer(t, b.Addrs())
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := p.Produce(context.Background(), kring.Record{Topic: "t", Value: make([]byte, 100)}, func(kring.Delivery) {}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 20 {
		var done atomic.Bool
		if err := p.Produce(patient(t), kring.Record{Topic: "t"}, func(kring.Delivery) { done.Store(true) }); err != nil {
			t.Fatal(err)
		}
		if err := p.Flush(patient(t)); err != nil || !done.Load() {
			t.Fatalf("flush: %v; the record before it is done: %t", err, done.Load())
		}
	}
	close(stop)
	all.Wait()
}

// TestFlushIgnoresWhatComesLater is B8, step by step: Flush waits for a record;
// others are accepted meanwhile and stay stuck. When the first is done, so is
// Flush.
func TestFlushIgnoresWhatComesLater(t *testing.T) {
	b := caseBroker(t, broker.Config{Brokers: 2, Partitions: 2})
	first, later := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(later) })
	t.Cleanup(release)
	b.SetHook(func(info *broker.ProduceInfo) broker.Action {
		if info.Node == 1 {
			return broker.Action{Stall: first}
		}
		return broker.Action{Stall: later}
	})
	p := caseProducer(t, b.Addrs(), kring.BatchSize(512), kring.BufferMemory(8<<10))
	got := newOutcomes()
	produceTags(t, p, 0, 0, 1, got)
	flushed := make(chan error, 1)
	go func() { flushed <- p.Flush(patient(t)) }()
	pause := time.NewTimer(100 * time.Millisecond) // for Flush to begin
	<-pause.C
	for range 15 { // every other slot
		if err := p.Produce(patient(t), kring.Record{Topic: "t", Partition: kring.On(1), Value: make([]byte, 400)}, got.take); err != nil {
			t.Fatal(err)
		}
	}
	close(first)
	if err := <-flushed; err != nil {
		t.Errorf("flush: %v", err)
	}
	if n := len(got.all()); n != 1 {
		t.Errorf("%d deliveries when Flush returned, want 1", n)
	}
	release()
}

// TestLinger is B9 and B13: a lone record waits for its linger and no longer; a
// full batch, a Flush and a ProduceSync do not wait.
func TestLinger(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	t.Run("an hour", func(t *testing.T) {
		p := caseProducer(t, b.Addrs(), kring.Linger(time.Hour), kring.DeliveryTimeout(2*time.Hour), kring.BatchSize(1000))
		got := newOutcomes()
		if err := p.Produce(patient(t), kring.Record{Topic: "t"}, got.take); err != nil {
			t.Fatal(err)
		}
		if err := p.Flush(patient(t)); err != nil || len(got.all()) != 1 {
			t.Fatalf("flush: %v; %d deliveries", err, len(got.all()))
		}
		for range 3 { // two fit a batch: the third closes it
			if err := p.Produce(patient(t), kring.Record{Topic: "t", Value: make([]byte, 400)}, got.take); err != nil {
				t.Fatal(err)
			}
		}
		got.wait(t, 3)
		if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t"}); err != nil {
			t.Fatal(err)
		}
		got.wait(t, 4)
	})
	for _, linger := range []time.Duration{0, 5 * time.Millisecond, 100 * time.Millisecond} {
		t.Run(linger.String(), func(t *testing.T) {
			p := caseProducer(t, b.Addrs(), kring.Linger(linger))
			if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t"}); err != nil {
				t.Fatal(err)
			}
			got := newOutcomes()
			start := time.Now()
			if err := p.Produce(patient(t), kring.Record{Topic: "t"}, got.take); err != nil {
				t.Fatal(err)
			}
			got.wait(t, 1)
			if took := time.Since(start); took < linger || took > linger+3*time.Second {
				t.Errorf("delivered after %v with a linger of %v", took, linger)
			}
		})
	}
}

// TestFlushAgain is B11: a Flush that gave up leaves everything intact.
func TestFlushAgain(t *testing.T) {
	b, release := stalled(t, broker.Config{})
	p := caseProducer(t, b.Addrs())
	got := newOutcomes()
	produceTags(t, p, 0, 0, 50, got)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	checkText(t, p.Flush(ctx), context.DeadlineExceeded, "flush is not complete")
	release()
	if err := p.Flush(patient(t)); err != nil || len(got.all()) != 50 {
		t.Errorf("second flush: %v; %d deliveries", err, len(got.all()))
	}
	wantLog(t, b, 0, 50)
}

// TestEverythingAtOnce is B12: Flush, Flush, Produce, cancelled Produce and
// Close at once, many times.
func TestEverythingAtOnce(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 2})
	rounds := 300
	if testing.Short() {
		rounds = 60
	}
	for i := range rounds {
		codec := []kring.Codec{kring.NoCompression, kring.Snappy}[i%2]
		p, err := kring.New(quick(b.Addrs(), kring.BufferMemory(2<<10), kring.BatchSize(512), kring.Compression(codec))...)
		if err != nil {
			t.Fatal(err)
		}
		var accepted, delivered atomic.Int64
		var all sync.WaitGroup
		ctx, cancel := context.WithCancel(context.Background())
		for range 4 {
			all.Go(func() {
				for i := 0; ; i++ {
					use := context.Background()
					if i%2 == 0 {
						use = ctx
					}
					err := p.Produce(use, kring.Record{Topic: "t", Value: make([]byte, 150)}, func(kring.Delivery) { delivered.Add(1) })
					if err == nil {
						accepted.Add(1)
					} else if errors.Is(err, kring.ErrClosed) {
						return
					} else if !errors.Is(err, context.Canceled) {
						t.Error(err)
						return
					}
				}
			})
		}
		for range 2 {
			all.Go(func() {
				if err := p.Flush(patient(t)); err != nil {
					t.Errorf("flush: %v", err)
				}
			})
		}
		until(t, "something is accepted", func() bool { return accepted.Load() > 3 })
		cancel()
		closeEmpty(t, p)
		all.Wait()
		if accepted.Load() != delivered.Load() {
			t.Fatalf("%d accepted, %d delivered", accepted.Load(), delivered.Load())
		}
	}
}

// TestExpiryBehindAFullWindow is B14: a record that waits behind one in flight
// ends at its own delivery timeout, not when a connection ends; it was never
// sent, and the records after it go on without a gap.
func TestExpiryBehindAFullWindow(t *testing.T) {
	b, release := stalled(t, broker.Config{})
	p := caseProducer(t, b.Addrs(), oneByOne(), kring.RequestTimeout(2*time.Second), kring.DeliveryTimeout(2100*time.Millisecond))
	got := newOutcomes()
	watch := startStopwatch(t)
	produceTags(t, p, 0, 0, 6, got)
	for i, d := range got.wait(t, 6) {
		pe := produceError(t, d)
		if d.Tag != uint64(i) || (i > 0) != (pe.Certainty == kring.NotPersisted) {
			t.Errorf("delivery %d: tag %d, %v", i, d.Tag, d.Err)
		}
		checkText(t, d.Err, kring.ErrDeliveryTimeout, `topic "t" partition 0`)
	}
	if took := watch.took(); took > 3500*time.Millisecond {
		t.Errorf("failed after %v with a delivery timeout of 2.1 s", took)
	}
	release()
	b.SetHook(nil)
	if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Value: []byte("after")}); err != nil {
		t.Fatal(err)
	}
	if log := logValues(t, b, "t", 0); log[len(log)-1] != "after" || len(log) > 2 || strings.Contains(strings.Join(log[1:], ""), "1") {
		t.Errorf("log: %q", log)
	}
}

// TestExpiredBytesStay is B15 and G14 (CVE-2026-35554): a record expires while
// half of it is in the socket. Its memory is not used for other topics before
// the connection is done with it, however much is produced meanwhile.
func TestExpiredBytesStay(t *testing.T) {
	b := caseBroker(t, broker.Config{Brokers: 2, Partitions: 2})
	open := make(chan struct{})
	b.SetHook(func(info *broker.ProduceInfo) broker.Action {
		if strings.HasSuffix(string(info.Partitions[0].Records), "first\x00") {
			return broker.Action{WaitAnswer: 1500 * time.Millisecond}
		}
		if info.Partitions[0].Topic == "flood" { // keeps the flood in memory
			return broker.Action{Stall: open}
		}
		return broker.Action{}
	})
	release := sync.OnceFunc(func() { close(open) })
	x := newProxy(t, nil)
	node1 := b.Addrs()[0]
	slow, err := x.route(node1)
	if err != nil {
		t.Fatal(err)
	}
	x.plan = func(int) fault {
		f := honest()
		reads := 0
		f.stallUp = func() {
			if reads++; reads > 6 { // the two small requests pass
				<-open
			}
		}
		return f
	}
	direct := newProxy(t, func(int) fault { return honest() })
	direct.routes[node1] = slow
	t.Cleanup(release) // before the proxies close
	p := caseProducer(t, b.Addrs(), direct.dialer(), kring.SendBuffer(8<<10), kring.BatchSize(512<<10), kring.BufferMemory(4<<20),
		kring.MaxInFlight(1), kring.RequestTimeout(2*time.Second), kring.DeliveryTimeout(2050*time.Millisecond))
	value := func(canary string) []byte { return []byte(strings.Repeat(canary, 400<<10/len(canary))) }
	got := newOutcomes()
	send := func(topic string, partition int32, v []byte) {
		t.Helper()
		if err := p.Produce(patient(t), kring.Record{Topic: topic, Partition: kring.On(partition), Value: v}, got.take); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Partition: kring.On(0), Value: []byte("warm")}); err != nil {
		t.Fatal(err)
	}
	send("t", 0, []byte("first")) // answered after 1.5 s
	until(t, "it is under way", func() bool { return p.Stats().Requests == 2 })
	for range 3 {
		send("t", 0, value("victim|")) // one is sent then, and expires in the socket
	}
	list := got.wait(t, 4)
	expired := 0
	for _, d := range list {
		if d.Err != nil {
			expired++
			checkText(t, d.Err, kring.ErrDeliveryTimeout, `topic "t" partition 0`)
		}
	}
	if expired == 0 {
		t.Fatal("nothing expired: the case did not happen")
	}
	until(t, "the memory of what was only queued is free", func() bool { return p.Stats().BufferFree >= 7*512<<10 })
	send("flood", 1, value("flood00|"))
	flooded := 1
	for ; p.TryProduce(kring.Record{Topic: "flood", Partition: kring.On(1), Value: value(fmt.Sprintf("flood%02d|", flooded))}, nil) == nil; flooded++ {
	}
	if n := p.Stats().Disconnects; n != 0 {
		t.Fatalf("%d disconnects: the case did not happen", n)
	}
	release()
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	closeEmpty(t, p)
	t.Logf("%d of 3 expired, %d records of the topic in the log, %d of the flood", expired, len(logValues(t, b, "t", 0)), flooded)
	if flooded != 7 {
		t.Errorf("the flood got %d of 8 slots, want all but the one that the socket still needs", flooded)
	}
	for topic, canary := range map[string]string{"t": "victim|", "flood": "flood"} {
		for part := range int32(2) {
			for _, v := range logValues(t, b, topic, part) {
				if small := v == "first" || v == "warm"; !small && (!strings.HasPrefix(v, canary) || topic == "t" && v != string(value(canary))) {
					t.Errorf("topic %s[%d] has a record that begins with %.20q", topic, part, v)
				}
			}
		}
	}
	if s := b.Stats(); s.CRCErrors+s.BatchErrors+s.Malformed != 0 {
		t.Errorf("%+v", s)
	}
}
