package kring_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestWriters: Writers and others fill the same partitions at the same time.
// Every record is in the log once, where its callback says, and what one
// goroutine produced to a partition stands there in its order.
func TestWriters(t *testing.T) {
	const partitions, goroutines, each = 3, 6, 2000
	b := caseBroker(t, broker.Config{Partitions: partitions})
	p := caseProducer(t, b.Addrs(), kring.BatchSize(1<<10), kring.BufferMemory(64<<10))
	topic := p.Topic("t")
	got := newOutcomes()
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(g), 1))
			produce := topic.Produce
			w := topic.NewWriter()
			defer w.Close()
			if g%3 > 0 {
				produce = w.Produce
			}
			for i := range each {
				r := kring.Record{Tag: uint64(g*each + i), Value: fmt.Appendf(nil, "%d %d %0*d", g, i, rnd.IntN(100), 0)}
				switch rnd.IntN(3) {
				case 0:
					r.Partition = kring.On(rnd.Int32N(partitions))
				case 1:
					r.Key = fmt.Append(nil, rnd.IntN(5))
				}
				if err := produce(patient(t), r, got.take); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	at := make(map[uint64]kring.Delivery)
	for _, d := range got.wait(t, goroutines*each) {
		if _, twice := at[d.Tag]; twice || d.Err != nil {
			t.Fatalf("%+v, twice: %v", d, twice)
		}
		at[d.Tag] = d
	}
	total := 0
	for part := range int32(partitions) {
		last := [goroutines]int{-1, -1, -1, -1, -1, -1}
		for offset, v := range logValues(t, b, "t", part) {
			var g, i int
			if _, err := fmt.Sscan(v, &g, &i); err != nil {
				t.Fatal(err)
			}
			if i <= last[g] {
				t.Fatalf("partition %d: record %d of goroutine %d behind %d", part, i, g, last[g])
			}
			last[g] = i
			if d := at[uint64(g*each+i)]; d.Partition != part || d.Offset != int64(offset) {
				t.Fatalf("record %d of goroutine %d is at %d[%d], its callback said %+v", i, g, part, offset, d)
			}
			total++
		}
	}
	if total != goroutines*each {
		t.Errorf("%d records in the log, want %d", total, goroutines*each)
	}
}

// TestWriterOwnBatch: what a Writer accepts does not go into the batch of the
// others, and both leave together.
func TestWriterOwnBatch(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 2})
	p := caseProducer(t, b.Addrs(), kring.Linger(30*time.Second))
	topic := p.Topic("t")
	if err := p.Warmup(patient(t), "t"); err != nil {
		t.Fatal(err)
	}
	w := topic.NewWriter()
	got := newOutcomes()
	for i := range 10 {
		for _, produce := range []func(kring.Record, kring.Callback) error{topic.TryProduce, w.TryProduce} {
			if err := produce(kring.Record{Partition: kring.On(1), Value: fmt.Append(nil, i)}, got.take); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.Close()
	w.Close()
	if w.Topic() != topic {
		t.Error("another topic")
	}
	if err := w.TryProduce(kring.Record{}, nil); !errors.Is(err, kring.ErrWriterClosed) {
		t.Errorf("TryProduce after Close: %v", err)
	}
	if err := w.Produce(patient(t), kring.Record{}, nil); !errors.Is(err, kring.ErrWriterClosed) {
		t.Errorf("Produce after Close: %v", err)
	}
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	got.wait(t, 20)
	if n := p.Stats().Batches; n != 2 {
		t.Errorf("%d batches, want one of the topic and one of the Writer", n)
	}
}

// TestWriterElsewhere: an interceptor sends a Writer's record to another topic,
// with more partitions than the Writer's has.
func TestWriterElsewhere(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 3})
	p := caseProducer(t, b.Addrs(), kring.Interceptors(elsewhere{}))
	w := p.Topic("here").NewWriter()
	defer w.Close()
	for i := range 9 {
		if err := w.Produce(patient(t), kring.Record{Partition: kring.On(int32(i % 3)), Value: fmt.Append(nil, i)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		topic string
		want  string
	}{{"here", "[0 3 6]"}, {"there", "[1 4 7]"}} {
		part := int32(0)
		if tc.topic == "there" {
			part = 1
		}
		if got := fmt.Sprint(logValues(t, b, tc.topic, part)); got != tc.want {
			t.Errorf("%s[%d]: %s, want %s", tc.topic, part, got, tc.want)
		}
	}
}

// elsewhere moves the records of partition 1.
type elsewhere struct{}

func (elsewhere) OnSend(r kring.Record) kring.Record {
	if r.Partition == kring.On(1) {
		r.Topic = "there"
	}
	return r
}
func (elsewhere) OnAcknowledgement(kring.Delivery) {}
