package kring_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// spy is an interceptor of functions that counts its calls.
type spy struct {
	send   func(kring.Record) kring.Record
	ack    func(kring.Delivery)
	sent   atomic.Int64
	acked  atomic.Int64
	closed atomic.Int64
	fault  error
}

func (s *spy) OnSend(r kring.Record) kring.Record {
	s.sent.Add(1)
	if s.send != nil {
		return s.send(r)
	}
	return r
}

func (s *spy) OnAcknowledgement(d kring.Delivery) {
	s.acked.Add(1)
	if s.ack != nil {
		s.ack(d)
	}
}

func (s *spy) Close() error {
	s.closed.Add(1)
	return s.fault
}

// TestInterceptorChangesRecords: what OnSend returns is what is partitioned and
// sent, topic included; one that panics passes the last good record on.
func TestInterceptorChangesRecords(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 2})
	var log lockedBuffer
	suffix := func(s string) func(kring.Record) kring.Record {
		return func(r kring.Record) kring.Record {
			r.Value = append(bytes.Clone(r.Value), s...)
			return r
		}
	}
	first := &spy{send: suffix("a"), ack: func(kring.Delivery) { panic("boom") }}
	wrong := &spy{send: func(r kring.Record) kring.Record {
		r.Value = []byte("lost")
		if r.Topic != "" { // always
			panic("boom")
		}
		return r
	}}
	last := &spy{send: func(r kring.Record) kring.Record {
		if r.Topic == "old" {
			r.Topic, r.Partition = "new", kring.On(1)
		}
		return suffix("c")(r)
	}}
	p := caseProducer(t, b.Addrs(), kring.Interceptors(first, wrong), kring.Interceptors(last),
		kring.Logger(slog.New(slog.NewTextHandler(&log, nil))))
	value := []byte("v")
	d, err := p.ProduceSync(patient(t), kring.Record{Topic: "old", Value: value})
	if err != nil || d.Topic != "new" || d.Partition != 1 {
		t.Errorf("delivery %+v, error %v, want new[1]", d, err)
	}
	if _, err := p.Topic("other").ProduceSync(patient(t), kring.Record{Value: value, Partition: kring.On(0)}); err != nil {
		t.Error(err)
	}
	for _, want := range []struct {
		topic     string
		partition int32
	}{{"new", 1}, {"other", 0}} {
		if got := logValues(t, b, want.topic, want.partition); len(got) != 1 || got[0] != "vac" {
			t.Errorf("%s[%d] has %q, want vac", want.topic, want.partition, got)
		}
	}
	if string(value) != "v" {
		t.Errorf("the caller's value is now %q", value)
	}
	for i, s := range []*spy{first, wrong, last} {
		if s.sent.Load() != 2 || s.acked.Load() != 2 {
			t.Errorf("interceptor %d: %d sent, %d acknowledged, want 2 each", i, s.sent.Load(), s.acked.Load())
		}
	}
	if text := log.String(); strings.Count(text, "an interceptor panicked") != 4 || !strings.Contains(text, "OnSend") || !strings.Contains(text, "boom") {
		t.Errorf("log: %s", text)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestInterceptorHearsOnce: every record that was given to OnSend has exactly
// one OnAcknowledgement, before its callback, whatever became of it; a retry is
// none of its business.
func TestInterceptorHearsOnce(t *testing.T) {
	var fails atomic.Int64
	b := caseBroker(t, broker.Config{Hook: func(*broker.ProduceInfo) broker.Action {
		if fails.Add(1) <= 3 {
			return refuse(kring.NotEnoughReplicas)
		}
		return broker.Action{}
	}})
	var order sync.Map // tag → whether the interceptor has heard
	var unheard atomic.Int64
	s := &spy{ack: func(d kring.Delivery) { order.Store(d.Tag, true) }}
	check := func(d kring.Delivery) {
		if _, ok := order.Load(d.Tag); !ok {
			unheard.Add(1)
		}
	}
	var general atomic.Int64
	p := caseProducer(t, b.Addrs(), kring.Interceptors(s), kring.OnDelivery(func(d kring.Delivery) {
		general.Add(1)
		check(d)
	}))
	const n = 200
	var own atomic.Int64
	for i := range uint64(n) {
		var cb kring.Callback
		if i%2 == 0 {
			cb = func(d kring.Delivery) {
				own.Add(1)
				check(d)
			}
		}
		if err := p.Produce(patient(t), kring.Record{Topic: "t", Value: []byte("v"), Tag: i}, cb); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	if s.sent.Load() != n || s.acked.Load() != n || own.Load() != n/2 || general.Load() != n/2 || unheard.Load() != 0 {
		t.Errorf("sent %d, acknowledged %d, own callbacks %d, OnDelivery %d, before the interceptor %d",
			s.sent.Load(), s.acked.Load(), own.Load(), general.Load(), unheard.Load())
	}
	if p.Stats().Retries == 0 {
		t.Error("nothing was retried, so nothing was shown")
	}
}

// TestInterceptorHearsRefusals: a record that Produce refuses has an
// OnAcknowledgement too, as in Java, and no callback.
func TestInterceptorHearsRefusals(t *testing.T) {
	// A topic that is created on demand could be there before a wait of nothing ends.
	b := caseBroker(t, broker.Config{NoAutoCreate: true})
	if err := b.CreateTopic("t", 2); err != nil {
		t.Fatal(err)
	}
	var last kring.Delivery
	s := &spy{ack: func(d kring.Delivery) { last = d }}
	p := caseProducer(t, b.Addrs(), kring.Interceptors(s), kring.MaxBlock(0))
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for i, c := range []struct {
		name      string
		ctx       context.Context //nolint:containedctx // a table of contexts
		r         kring.Record
		want      error
		partition int32
	}{
		{"topic", context.Background(), kring.Record{Topic: "a/b", Tag: 7}, kring.ErrInvalidTopic, -1},
		{"too large", context.Background(), kring.Record{Topic: "t", Value: make([]byte, 2<<20)}, kring.ErrRecordTooLarge, -1},
		{"context", ended, kring.Record{Topic: "t", Partition: kring.On(1)}, context.Canceled, 1},
		{"metadata", context.Background(), kring.Record{Topic: "unknown"}, kring.ErrMaxBlock, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := p.Produce(c.ctx, c.r, func(kring.Delivery) { t.Error("called back") })
			if !errors.Is(err, c.want) || !errors.Is(last.Err, c.want) {
				t.Errorf("Produce: %v, interceptor: %v, want %v", err, last.Err, c.want)
			}
			if last.Partition != c.partition || last.Offset != -1 || last.Topic != c.r.Topic || last.Tag != c.r.Tag {
				t.Errorf("delivery %+v", last)
			}
			if got := s.acked.Load(); got != int64(i+1) || s.sent.Load() != got {
				t.Errorf("%d sent, %d acknowledged, want %d", s.sent.Load(), got, i+1)
			}
		})
	}
}

// TestInterceptorEndsGoroutine: the callback runs all the same.
func TestInterceptorEndsGoroutine(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	s := &spy{ack: func(kring.Delivery) { runtime.Goexit() }}
	p := caseProducer(t, b.Addrs(), kring.Interceptors(s))
	o := newOutcomes()
	for i := range uint64(3) {
		if err := p.Produce(patient(t), kring.Record{Topic: "t", Tag: i}, o.take); err != nil {
			t.Fatal(err)
		}
	}
	if got := o.wait(t, 3); got[2].Tag != 2 || got[2].Err != nil {
		t.Errorf("deliveries %+v", got)
	}
}

// TestInterceptorsAreClosed with the producer, once, and their errors show.
func TestInterceptorsAreClosed(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	good, bad := &spy{}, &spy{fault: errors.New("no disk")}
	p, err := kring.New(quick(b.Addrs(), kring.Interceptors(good, bad))...)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.Close(patient(t)); !errors.Is(err, bad.fault) {
			t.Errorf("Close: %v, want the interceptor's error", err)
		}
	}
	if good.closed.Load() != 1 || bad.closed.Load() != 1 {
		t.Errorf("closed %d and %d times, want once", good.closed.Load(), bad.closed.Load())
	}
	if _, err := kring.New(kring.Brokers("h:1"), kring.Interceptors(nil)); !errors.Is(err, kring.ErrConfig) {
		t.Errorf("nil interceptor: %v", err)
	}
}
