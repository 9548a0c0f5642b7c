package kring_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestTopicAcks: each request asks for what its topics want, and for one thing
// only; records without acknowledgement have no offset, the others have.
func TestTopicAcks(t *testing.T) {
	want := map[string]int16{"none": 0, "leader": 1, "all": -1, "plain": 1}
	var mu sync.Mutex
	mixed, bare := 0, map[int16]int{}
	b := caseBroker(t, broker.Config{Brokers: 1, Partitions: 3, Hook: func(r *broker.ProduceInfo) broker.Action {
		mu.Lock()
		defer mu.Unlock()
		bare[r.Acks]++
		for _, p := range r.Partitions {
			if want[p.Topic] != r.Acks {
				mixed++
			}
		}
		return broker.Action{}
	}})
	p := caseProducer(t, b.Addrs(), kring.DisableIdempotence(), kring.RequireAcks(kring.AcksLeader), kring.Linger(time.Millisecond),
		kring.TopicSettings("none", kring.TopicAcks(kring.AcksNone)), kring.TopicSettings("all", kring.TopicAcks(kring.AcksAll)))
	if err := p.Warmup(patient(t), "none", "leader", "all", "plain"); err != nil {
		t.Fatal(err)
	}
	got := newOutcomes()
	const n = 300
	for i := range n {
		for topic := range want {
			r := kring.Record{Topic: topic, Partition: kring.On(int32(i % 3)), Value: []byte("v")}
			if err := p.Produce(patient(t), r, got.take); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	for _, d := range got.wait(t, n*len(want)) {
		if known := d.Offset >= 0; d.Err != nil || known != (want[d.Topic] != 0) {
			t.Fatalf("%+v", d)
		}
	}
	for topic := range want {
		for i := range int32(3) {
			until(t, "all of "+topic+" is in the log", func() bool { return len(logValues(t, b, topic, i)) == n/3 })
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if mixed != 0 || bare[0] == 0 || bare[1] == 0 || bare[-1] == 0 {
		t.Errorf("%d batches with the wrong acks; requests by acks: %v", mixed, bare)
	}
}

// TestTopicDeliveryTimeout: each topic's records fail after its own time, on
// their way and before it; nobody else's do.
func TestTopicDeliveryTimeout(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 1})
	hold := make(chan struct{})
	b.SetHook(func(*broker.ProduceInfo) broker.Action { return broker.Action{Stall: hold} })
	p := caseProducer(t, b.Addrs(), kring.MaxInFlight(1), kring.RequestTimeout(50*time.Millisecond), kring.DeliveryTimeout(time.Hour),
		kring.TopicSettings("short", kring.TopicDeliveryTimeout(100*time.Millisecond)))
	if err := p.Warmup(patient(t), "t", "short"); err != nil {
		t.Fatal(err)
	}
	got := newOutcomes()
	for range 3 {
		produceTags(t, p, 0, 0, 1, got)
		if err := p.Produce(patient(t), kring.Record{Topic: "short", Value: []byte("x")}, got.take); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range got.wait(t, 3) {
		if d.Topic != "short" || !errors.Is(d.Err, kring.ErrDeliveryTimeout) || !strings.Contains(d.Err.Error(), "100ms") {
			t.Errorf("%+v", d)
		}
	}
	close(hold)
	for _, d := range got.wait(t, 6)[3:] {
		if d.Topic != "t" || d.Err != nil {
			t.Errorf("%+v", d)
		}
	}
}

// TestTopicDeliveryTimeoutOfRetries: a topic's time may also be the longer one.
func TestTopicDeliveryTimeoutOfRetries(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 1})
	ctx, cancel := context.WithCancel(patient(t))
	b.SetHook(func(*broker.ProduceInfo) broker.Action {
		if ctx.Err() != nil {
			return broker.Action{}
		}
		return refuse(kring.NotEnoughReplicas)
	})
	p := caseProducer(t, b.Addrs(), kring.RequestTimeout(20*time.Millisecond), kring.DeliveryTimeout(50*time.Millisecond),
		kring.TopicSettings("long", kring.TopicDeliveryTimeout(time.Hour)))
	got := newOutcomes()
	if err := p.Produce(patient(t), kring.Record{Topic: "long"}, got.take); err != nil {
		t.Fatal(err)
	}
	produceTags(t, p, 0, 0, 1, got)
	if d := got.wait(t, 1)[0]; d.Topic != "t" || !errors.Is(d.Err, kring.ErrDeliveryTimeout) {
		t.Errorf("%+v", d)
	}
	retries := p.Stats().Retries
	until(t, "the other is tried again", func() bool { return p.Stats().Retries > retries+2 })
	cancel()
	if d := got.wait(t, 2)[1]; d.Topic != "long" || d.Err != nil {
		t.Errorf("%+v", d)
	}
}

// TestBadTopicDelivery: what can not be is refused, also later by Reconfigure.
func TestBadTopicDelivery(t *testing.T) {
	_, err := kring.New(kring.Brokers("127.0.0.1:1"),
		kring.TopicSettings("a", kring.TopicAcks(kring.AcksLeader)), kring.TopicSettings("b", kring.TopicAcks(7)),
		kring.TopicSettings("c", kring.TopicDeliveryTimeout(time.Second)), kring.TopicSettings("d", kring.TopicDeliveryTimeout(-1)),
		kring.TopicSettings("e", kring.TopicDeliveryTimeout(40*time.Second), kring.TopicLinger(11*time.Second)))
	for _, want := range []string{
		`TopicSettings("a"): TopicAcks(1) needs DisableIdempotence()`, `TopicSettings("b"): TopicAcks(7): want AcksAll`,
		`TopicSettings("c"): TopicDeliveryTimeout(1s) must be linger + request timeout = 30.005s to`, `TopicDeliveryTimeout(-1ns) must be`,
		`TopicSettings("e"): TopicLinger(11s) must be 0 to delivery timeout - request timeout = 10s`,
	} {
		if !errors.Is(err, kring.ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
	p, err := kring.New(kring.Brokers("127.0.0.1:1"), kring.TopicSettings("a", kring.TopicDeliveryTimeout(40*time.Second)),
		kring.TopicSettings("b", kring.TopicDeliveryTimeout(31*time.Second), kring.TopicLinger(0)))
	if err != nil {
		t.Fatal(err)
	}
	defer closeEmpty(t, p)
	if err := p.Reconfigure(kring.Linger(11 * time.Second)); !errors.Is(err, kring.ErrConfig) || !strings.Contains(err.Error(), "= 10s") {
		t.Errorf("a linger beyond a topic's delivery timeout: %v", err)
	}
	if err := p.Reconfigure(kring.Linger(10 * time.Second)); err != nil {
		t.Error(err)
	}
}
