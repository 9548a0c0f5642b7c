package kring_test

import (
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestLatencies: a linger, a slow broker and a slow callback show where they
// are, and nowhere else.
func TestLatencies(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 1, Delay: 40 * time.Millisecond})
	p := caseProducer(t, b.Addrs(), kring.Linger(20*time.Millisecond))
	if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t"}); err != nil {
		t.Fatal(err)
	}
	before := p.Latencies()
	const n = 5
	for range n {
		done := make(chan struct{})
		if err := p.Produce(patient(t), kring.Record{Topic: "t"}, func(kring.Delivery) { time.Sleep(30 * time.Millisecond); close(done) }); err != nil {
			t.Fatal(err)
		}
		<-done
	}
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	l := p.Latencies().Since(before)
	for _, tc := range []struct {
		name string
		l    kring.Latency
		lo   time.Duration
	}{{"fill", l.Fill, 19 * time.Millisecond}, {"queue", l.Queue, 0}, {"write", l.Write, 0}, {"ack", l.Ack, 39 * time.Millisecond}, {"callback", l.Callback, 29 * time.Millisecond}} {
		if tc.l.Count() != n || tc.l.Quantile(0) < tc.lo || tc.l.Mean() > tc.lo+10*time.Second {
			t.Errorf("%s: %d times, at least %v, %v on average; want %d times and at least %v",
				tc.name, tc.l.Count(), tc.l.Quantile(0), tc.l.Mean(), n, tc.lo)
		}
	}
	if l.Ack.Sum() < n*39*time.Millisecond || l.Ack.Below(time.Millisecond) != 0 {
		t.Errorf("ack: %v in all, %d below 1 ms", l.Ack.Sum(), l.Ack.Below(time.Millisecond))
	}
}
