package kring_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// drainNow drains without waiting for what can not be sent.
func drainNow(t *testing.T, p *kring.Producer) []kring.Undelivered {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	list, err := p.Drain(ctx)
	if err != nil {
		t.Fatalf("Drain: %v", err)
	}
	return list
}

// TestDrainHandsBack: what was not delivered comes back byte for byte, in order,
// with what is known about it; every callback runs once and says so.
func TestDrainHandsBack(t *testing.T) {
	stall := make(chan struct{})
	b := caseBroker(t, broker.Config{Partitions: 2, Hook: func(*broker.ProduceInfo) broker.Action { return broker.Action{Stall: stall} }})
	defer close(stall)
	o := newOutcomes()
	p := openProducer(t, b.Addrs(), kring.BatchSize(1024), kring.Linger(time.Hour), kring.DeliveryTimeout(24*time.Hour))
	at := time.UnixMilli(1_600_000_000_123)
	in := []kring.Record{
		{Value: []byte("first")},
		{Key: []byte{}, Value: nil, Timestamp: at, Tag: 2, Headers: []kring.Header{{Key: "h", Value: []byte("1")}, {Key: "null"}}},
		{Key: []byte("k"), Value: bytes.Repeat([]byte("large"), 3000), Tag: 3}, // a chain of slots
		{Key: []byte("k"), Value: []byte("last"), Tag: 4},
	}
	for i, r := range in {
		r.Topic, r.Partition = "t", kring.On(1)
		cb := o.take
		if i == 0 {
			cb = nil
		}
		if err := p.Produce(patient(t), r, cb); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "a request is out", func() bool { return p.Stats().Requests > 0 })
	got := drainNow(t, p)
	if len(got) != len(in) {
		t.Fatalf("%d records handed back, want %d: %+v", len(got), len(in), got)
	}
	for i, u := range got {
		want := in[i]
		if u.Topic != "t" || u.Partition != kring.On(1) || !bytes.Equal(u.Key, want.Key) || !bytes.Equal(u.Value, want.Value) ||
			(u.Key == nil) != (want.Key == nil) || (u.Value == nil) != (want.Value == nil) || u.Tag != want.Tag || len(u.Headers) != len(want.Headers) {
			t.Errorf("record %d is %+v, want %+v", i, u, want)
		}
		if i == 1 && (!u.Timestamp.Equal(at) || u.Headers[0].Key != "h" || string(u.Headers[0].Value) != "1" || u.Headers[1].Value != nil) {
			t.Errorf("timestamp %v, headers %+v", u.Timestamp, u.Headers)
		}
		// The first batch is out, and those behind it were never sent.
		if want := i < 2; (u.Certainty == kring.PossiblyPersisted) != want || !errors.Is(u.Err, kring.ErrDrained) {
			t.Errorf("record %d: %v: %v", i, u.Certainty, u.Err)
		}
	}
	calls := o.all()
	if len(calls) != 3 {
		t.Fatalf("%d callbacks, want 3", len(calls))
	}
	for _, d := range calls {
		if !errors.Is(d.Err, kring.ErrDrained) || produceError(t, d).Partition != 1 {
			t.Errorf("callback: %+v", d)
		}
	}
	// It is closed now.
	if err := p.Close(patient(t)); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := p.Drain(patient(t)); !errors.Is(err, kring.ErrClosed) {
		t.Errorf("second Drain: %v", err)
	}
	if err := p.Produce(patient(t), kring.Record{Topic: "t"}, nil); !errors.Is(err, kring.ErrClosed) {
		t.Errorf("Produce: %v", err)
	}
}

// TestDrainDelivers what it can: nothing is handed back that the log has.
func TestDrainDelivers(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := openProducer(t, b.Addrs(), kring.Linger(time.Hour), kring.DeliveryTimeout(24*time.Hour))
	o := newOutcomes()
	for range 10 {
		if err := p.Produce(patient(t), kring.Record{Topic: "t", Value: []byte("v")}, o.take); err != nil {
			t.Fatal(err)
		}
	}
	list, err := p.Drain(patient(t))
	if err != nil || len(list) != 0 || len(logValues(t, b, "t", 0)) != 10 || len(o.all()) != 10 {
		t.Errorf("%d handed back, error %v, %d callbacks", len(list), err, len(o.all()))
	}
}

// TestDrainAndProduceAgain: what comes back can be produced by another producer
// as it is, and then the log has every record, in order.
func TestDrainAndProduceAgain(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 3, Hook: func(r *broker.ProduceInfo) broker.Action {
		if r.ClientID == "first" {
			return refuse(kring.NotEnoughReplicas)
		}
		return broker.Action{}
	}})
	for _, compressed := range []string{"none", "gzip"} {
		t.Run(compressed, func(t *testing.T) {
			properties, err := kring.FromProperties(map[string]string{"compression.type": compressed})
			if err != nil {
				t.Fatal(err)
			}
			p := openProducer(t, b.Addrs(), kring.BatchSize(512), kring.ClientID("first"), properties)
			topic := "t-" + compressed
			for i := range 300 {
				if err := p.Produce(patient(t), kring.Record{Topic: topic, Partition: kring.On(int32(i % 3)), Value: fmt.Append(nil, i)}, nil); err != nil {
					t.Fatal(err)
				}
			}
			list := drainNow(t, p)
			second := caseProducer(t, b.Addrs())
			for _, u := range list {
				if u.Certainty == kring.PossiblyPersisted && !errors.Is(u.Err, kring.ErrDrained) {
					t.Errorf("%+v", u)
				}
				if err := second.Produce(patient(t), u.Record, nil); err != nil {
					t.Fatal(err)
				}
			}
			if err := second.Flush(patient(t)); err != nil {
				t.Fatal(err)
			}
			for partition := range int32(3) {
				values := logValues(t, b, topic, partition)
				for i, v := range values {
					if v != fmt.Sprint(i*3+int(partition)) {
						t.Fatalf("partition %d, record %d is %s", partition, i, v)
					}
				}
				if len(values) != 100 {
					t.Errorf("partition %d has %d records", partition, len(values))
				}
			}
		})
	}
}

// TestDrainWhileProducing: every accepted record is acknowledged or handed back,
// never both and never neither, whatever is going on.
func TestDrainWhileProducing(t *testing.T) {
	var requests atomic.Int64
	b := caseBroker(t, broker.Config{Brokers: 2, Partitions: 4, Hook: func(*broker.ProduceInfo) broker.Action {
		if requests.Add(1)%3 == 0 {
			return refuse(kring.NotEnoughReplicas)
		}
		return broker.Action{}
	}})
	p := openProducer(t, b.Addrs(), kring.BatchSize(512), kring.BufferMemory(64<<10), kring.RetryBackoff(time.Millisecond, time.Millisecond))
	var acked, failed sync.Map
	var accepted [4]uint64
	var producers sync.WaitGroup
	cb := func(d kring.Delivery) {
		into := &acked
		if d.Err != nil {
			into = &failed
		}
		if _, twice := into.LoadOrStore(d.Tag, d.Err); twice {
			t.Errorf("tag %d has two outcomes", d.Tag)
		}
	}
	for g := range uint64(4) {
		producers.Go(func() {
			for {
				r := kring.Record{Topic: "t", Partition: kring.On(int32(g)), Value: make([]byte, 50), Tag: g<<32 | accepted[g]}
				if err := p.Produce(context.Background(), r, cb); err != nil {
					if !errors.Is(err, kring.ErrClosed) {
						t.Error(err)
					}
					return
				}
				accepted[g]++
			}
		})
	}
	until(t, "some are acknowledged", func() bool { return p.Stats().AckedRecords > 2000 })
	list := drainNow(t, p)
	producers.Wait()
	back := map[uint64]bool{}
	for _, u := range list {
		if back[u.Tag] {
			t.Errorf("tag %d was handed back twice", u.Tag)
		}
		back[u.Tag] = true
	}
	for g := range uint64(4) {
		for i := range accepted[g] {
			tag := g<<32 | i
			_, ok := acked.Load(tag)
			_, bad := failed.Load(tag)
			if ok == bad || bad != back[tag] {
				t.Fatalf("tag %x: acknowledged %t, failed %t, handed back %t", tag, ok, bad, back[tag])
			}
		}
	}
	if len(back) == 0 {
		t.Log("nothing was left to be handed back")
	}
}

// TestDrainInCallback would wait for itself.
func TestDrainInCallback(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs())
	got := make(chan error, 2)
	if err := p.Produce(patient(t), kring.Record{Topic: "t"}, func(kring.Delivery) {
		_, err := p.Drain(context.Background())
		got <- err
		got <- p.Warmup(context.Background(), "t")
	}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-got; !errors.Is(err, kring.ErrInCallback) {
			t.Errorf("error %v, want ErrInCallback", err)
		}
	}
}
