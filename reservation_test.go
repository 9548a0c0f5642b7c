package kring_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestReserve: records that are written into their batch, whole or in part, are
// in the log as records that were produced are, between those, in their order.
func TestReserve(t *testing.T) {
	for _, tc := range []struct {
		name    string
		options []kring.Option
		largest int
	}{
		{"into the batch", nil, 300},
		{"some larger than a batch", nil, 3000},
		{"interceptors", []kring.Option{kring.Interceptors(elsewhere{})}, 300},
		{"a partitioner", []kring.Option{kring.PartitionBy(kring.RoundRobin())}, 300},
	} {
		t.Run(tc.name, func(t *testing.T) {
			const partitions, n = 3, 2000
			b := caseBroker(t, broker.Config{Partitions: partitions})
			p := caseProducer(t, b.Addrs(), append(tc.options, kring.BatchSize(1<<10))...)
			w := p.Topic("t").NewWriter()
			defer w.Close()
			rnd := rand.New(rand.NewPCG(1, 1))
			got, sent := newOutcomes(), map[uint64]string{}
			for i := range uint64(n) {
				r := kring.Record{Tag: i}
				switch rnd.IntN(3) {
				case 0:
					r.Key = fmt.Append(nil, rnd.IntN(9))
				case 1:
					r.Partition = kring.On(2)
				}
				v := fmt.Appendf(nil, "%d %0*d", i, rnd.IntN(tc.largest), 0)
				slack := rnd.IntN(2) * rnd.IntN(200)
				if rnd.IntN(4) == 0 {
					if r.Value = v; w.Produce(patient(t), r, got.take) != nil {
						t.Fatal("Produce")
					}
					sent[i] = string(v)
					continue
				}
				x, err := w.Reserve(patient(t), r, len(v)+slack)
				if err != nil {
					t.Fatal(err)
				}
				if room := x.Value(); len(room) != len(v)+slack {
					t.Fatalf("room for %d bytes, want %d", len(room), len(v)+slack)
				}
				copy(x.Value(), v)
				if rnd.IntN(5) == 0 {
					x.Abort()
					continue
				}
				if err := x.Commit(len(v), got.take); err != nil {
					t.Fatal(err)
				}
				sent[i] = string(v)
			}
			if err := p.Flush(patient(t)); err != nil {
				t.Fatal(err)
			}
			log := make([][]string, partitions)
			for part := range log {
				log[part] = logValues(t, b, "t", int32(part))
			}
			last := [partitions]int64{-1, -1, -1}
			for _, d := range got.wait(t, len(sent)) {
				if d.Err != nil || d.Offset <= last[d.Partition] && d.Topic == "t" {
					t.Fatalf("%+v behind offset %d", d, last[d.Partition])
				}
				if d.Topic != "t" {
					continue
				}
				last[d.Partition] = d.Offset
				if v := log[d.Partition][d.Offset]; v != sent[d.Tag] {
					t.Fatalf("record %d: %.30q, want %.30q", d.Tag, v, sent[d.Tag])
				}
			}
		})
	}
}

// TestReserveMisuse: what can be done wrong with a Reservation is an error, and
// hurts no other record.
func TestReserveMisuse(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 1})
	p := caseProducer(t, b.Addrs())
	w := p.Topic("t").NewWriter()
	want := func(what string, err, is error) {
		t.Helper()
		if !errors.Is(err, is) {
			t.Errorf("%s: %v, want %v", what, err, is)
		}
	}
	_, err := w.Reserve(patient(t), kring.Record{}, -1)
	want("room for -1 bytes", err, kring.ErrInvalidRecord)
	for _, size := range []int{2 << 20, math.MaxInt - 100, math.MaxInt} {
		_, err = w.Reserve(patient(t), kring.Record{}, size)
		want(fmt.Sprint("room for ", size), err, kring.ErrRecordTooLarge)
	}
	_, err = w.Reserve(patient(t), kring.Record{Timestamp: time.UnixMilli(-1)}, 3)
	want("before 1970", err, kring.ErrInvalidRecord)
	x, err := w.Reserve(patient(t), kring.Record{}, 3)
	want("Reserve", err, nil)
	want("Produce meanwhile", w.Produce(patient(t), kring.Record{}, nil), kring.ErrReservation)
	want("TryProduce meanwhile", w.TryProduce(kring.Record{}, nil), kring.ErrReservation)
	_, err = w.Reserve(patient(t), kring.Record{}, 3)
	want("Reserve meanwhile", err, kring.ErrReservation)
	want("Commit of 4", x.Commit(4, nil), kring.ErrInvalidRecord)
	want("Commit afterwards", x.Commit(3, nil), kring.ErrReservation)
	x.Abort()
	if x.Value() != nil {
		t.Error("room without a reservation")
	}
	x, err = w.Reserve(patient(t), kring.Record{}, 3)
	want("Reserve", err, nil)
	copy(x.Value(), "abc")
	want("Commit", x.Commit(3, nil), nil)
	if x, err = w.Reserve(patient(t), kring.Record{}, 100); err != nil {
		t.Fatal(err)
	}
	w.Close() // takes it back
	_, err = w.Reserve(patient(t), kring.Record{}, 3)
	want("Reserve after Close", err, kring.ErrWriterClosed)
	want("Commit after Close", x.Commit(1, nil), kring.ErrReservation)
	want("Flush", p.Flush(patient(t)), nil)
	if got := logValues(t, b, "t", 0); len(got) != 1 || got[0] != "abc" {
		t.Errorf("the log has %q", got)
	}
}

// TestReserveForgotten: Close waits for an open Reservation as long as its
// context lets it, and says why it gave up. What was committed before, in
// another batch, is delivered.
func TestReserveForgotten(t *testing.T) {
	b, err := broker.Start(broker.Config{Partitions: 2, Verify: broker.VerifyFull})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p, err := kring.New(quick(b.Addrs())...)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Partition: kring.On(1), Value: []byte("kept")}); err != nil {
		t.Fatalf("%+v: %v", d, err)
	}
	w := p.Topic("t").NewWriter()
	x, err := w.Reserve(patient(t), kring.Record{Partition: kring.On(0)}, 10)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := p.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "Reservation") {
		t.Errorf("Close: %v", err)
	}
	copy(x.Value(), "too late, ")
	if err := x.Commit(10, nil); !errors.Is(err, kring.ErrClosed) {
		t.Errorf("Commit after Close: %v", err)
	}
	if got := logValues(t, b, "t", 1); len(got) != 1 {
		t.Errorf("the log has %q", got)
	}
	if got := logValues(t, b, "t", 0); len(got) != 0 {
		t.Errorf("the log has %q", got)
	}
}

// TestReserveOwnsItsRoom: a value of the largest size does not touch its
// neighbours.
func TestReserveOwnsItsRoom(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 1})
	p := caseProducer(t, b.Addrs(), kring.Linger(10*time.Second))
	w := p.Topic("t").NewWriter()
	defer w.Close()
	for i := range 20 {
		x, err := w.Reserve(patient(t), kring.Record{Key: []byte("key"), Headers: []kring.Header{{Key: "h", Value: []byte("v")}}}, 100)
		if err != nil {
			t.Fatal(err)
		}
		v := x.Value()
		if cap(v) != 100 {
			t.Fatalf("room with cap %d", cap(v))
		}
		copy(v, bytes.Repeat([]byte{byte('a' + i)}, 100))
		if err := x.Commit(100-i, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	for i, v := range logValues(t, b, "t", 0) {
		if v != strings.Repeat(string(rune('a'+i)), 100-i) {
			t.Errorf("value %d is %q", i, v)
		}
	}
}

// TestReserveEmpty: a value of no bytes is empty and not null, which would delete
// a key, whichever way it takes.
func TestReserveEmpty(t *testing.T) {
	for name, options := range map[string][]kring.Option{"direct": nil, "buffer": {kring.Interceptors(elsewhere{})}} {
		t.Run(name, func(t *testing.T) {
			b := caseBroker(t, broker.Config{Partitions: 1})
			p := caseProducer(t, b.Addrs(), options...)
			w := p.Topic("t").NewWriter()
			defer w.Close()
			for _, size := range []int{0, 5} {
				x, err := w.Reserve(patient(t), kring.Record{Key: []byte("k")}, size)
				if err != nil {
					t.Fatal(err)
				}
				if err := x.Commit(0, nil); err != nil {
					t.Fatal(err)
				}
			}
			if err := p.Flush(patient(t)); err != nil {
				t.Fatal(err)
			}
			log, err := b.Log("t", 0)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for r := range log.Records() {
				if n++; r.Value == nil || len(r.Value) != 0 || string(r.Key) != "k" {
					t.Errorf("key %q, value %q, null %t", r.Key, r.Value, r.Value == nil)
				}
			}
			if n != 2 {
				t.Errorf("%d records", n)
			}
		})
	}
}

// TestReserveAbortedAlone: aborts take no memory, also while there is no broker
// to send anything to.
func TestReserveAbortedAlone(t *testing.T) {
	b, err := broker.Start(broker.Config{Partitions: 1})
	if err != nil {
		t.Fatal(err)
	}
	p := caseProducer(t, b.Addrs(), kring.MaxBlock(patience), kring.DeliveryTimeout(time.Second), kring.RequestTimeout(500*time.Millisecond))
	if err := p.Warmup(patient(t), "t"); err != nil {
		t.Fatal(err)
	}
	_ = b.Close()
	w := p.Topic("t").NewWriter()
	defer w.Close()
	before := p.Stats().BufferFree
	for range 1000 {
		x, err := w.Reserve(patient(t), kring.Record{Partition: kring.On(0)}, 100)
		if err != nil {
			t.Fatal(err)
		}
		x.Abort()
	}
	if s := p.Stats(); before-s.BufferFree > 2*16<<10 {
		t.Errorf("%d bytes are in use, and nothing was accepted", before-s.BufferFree)
	}
	if err := p.Flush(patient(t)); err != nil {
		t.Errorf("Flush of nothing: %v", err)
	}
}
