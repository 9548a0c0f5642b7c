package kring_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestProduceMany: with every kind of placement in one slice, each record goes
// where Produce puts it, in order, and is called back for once.
func TestProduceMany(t *testing.T) {
	const partitions, n = 5, 3000
	b := caseBroker(t, broker.Config{Verify: broker.VerifyFull, Partitions: partitions})
	p := caseProducer(t, b.Addrs(), kring.BatchSize(2<<10))
	rnd := rand.New(rand.NewPCG(1, 2))
	rs := make([]kring.Record, n)
	want := make([][]string, partitions) // of those whose partition is known
	for i := 0; i < n; {
		kind := rnd.IntN(3)
		part := rnd.Int32N(partitions)
		for range min(1+rnd.IntN(50), n-i) {
			r := kring.Record{Tag: uint64(i), Value: fmt.Appendf(nil, "%d %0*d", i, rnd.IntN(200), 0)}
			switch kind {
			case 0:
				r.Partition = kring.On(part)
				want[part] = append(want[part], string(r.Value))
			case 1:
				r.Key = fmt.Append(nil, rnd.IntN(3))
				k := kring.NewPartitions(partitions).ByKey(r.Key)
				want[k] = append(want[k], string(r.Value))
			}
			if rnd.IntN(4) == 0 {
				r.Timestamp = time.UnixMilli(1_700_000_000_000 + int64(i))
			}
			rs[i] = r
			i++
		}
	}
	got := newOutcomes()
	topic := p.Topic("t")
	for i := 0; i < n; {
		k := min(1+rnd.IntN(200), n-i)
		m, err := topic.ProduceMany(patient(t), rs[i:i+k], got.take)
		if err != nil || m != k {
			t.Fatalf("%d of %d: %v", m, k, err)
		}
		i += k
	}
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	at := make(map[uint64]kring.Delivery)
	for _, d := range got.wait(t, n) {
		if _, twice := at[d.Tag]; twice || d.Err != nil {
			t.Fatalf("%+v, twice: %v", d, twice)
		}
		at[d.Tag] = d
	}
	total := 0
	for part := range int32(partitions) {
		log := logValues(t, b, "t", part)
		total += len(log)
		last := -1
		k := 0
		for offset, v := range log {
			var i int
			if _, err := fmt.Sscan(v, &i); err != nil {
				t.Fatal(err)
			}
			if i <= last {
				t.Fatalf("partition %d: record %d behind %d", part, i, last)
			}
			last = i
			if d := at[uint64(i)]; d.Partition != part || d.Offset != int64(offset) {
				t.Fatalf("record %d is at %d[%d], its callback said %+v", i, part, offset, d)
			}
			if !rs[i].Timestamp.IsZero() && at[uint64(i)].Timestamp != rs[i].Timestamp.UnixMilli() {
				t.Fatalf("record %d: timestamp %d", i, at[uint64(i)].Timestamp)
			}
			if rs[i].Key != nil || rs[i].Partition != (kring.Record{}).Partition {
				if v != want[part][k] {
					t.Fatalf("partition %d: %.20q, want %.20q", part, v, want[part][k])
				}
				k++
			}
		}
		if k != len(want[part]) {
			t.Errorf("partition %d has %d of the %d records that belong there", part, k, len(want[part]))
		}
	}
	if total != n {
		t.Errorf("%d records in the log, want %d", total, n)
	}
}

// TestProduceManyStops at the first record that is not accepted.
func TestProduceManyStops(t *testing.T) {
	b := caseBroker(t, broker.Config{Verify: broker.VerifyFull, Partitions: 1})
	p := caseProducer(t, b.Addrs(), kring.Interceptors())
	topic := p.Topic("t")
	rs := []kring.Record{{Value: []byte("a")}, {Value: []byte("b")}, {Value: make([]byte, 2<<20)}, {Value: []byte("c")}}
	for range 2 { // without an open batch, and with one
		if n, err := topic.ProduceMany(patient(t), rs, nil); n != 2 || !errors.Is(err, kring.ErrRecordTooLarge) {
			t.Errorf("%d, %v; want 2 and that the third is too large", n, err)
		}
	}
	if n, err := topic.ProduceMany(patient(t), nil, nil); n != 0 || err != nil {
		t.Errorf("nothing: %d, %v", n, err)
	}
	rs[0].Timestamp = time.UnixMilli(-5)
	if n, err := topic.ProduceMany(patient(t), rs, nil); n != 0 || !errors.Is(err, kring.ErrInvalidRecord) {
		t.Errorf("%d, %v; want that the first is invalid", n, err)
	}
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	if got := logValues(t, b, "t", 0); len(got) != 4 {
		t.Errorf("the log has %d records, want 4", len(got))
	}
}

// TestIgnoreKeys: with it a key decides nothing, one by one or many at once.
func TestIgnoreKeys(t *testing.T) {
	for _, many := range []bool{false, true} {
		t.Run(fmt.Sprintf("many=%t", many), func(t *testing.T) {
			b := caseBroker(t, broker.Config{Partitions: 3})
			p := caseProducer(t, b.Addrs(), kring.BatchSize(1<<10), kring.IgnoreKeys())
			topic, got := p.Topic("t"), newOutcomes()
			const n = 1000
			for sent := 0; sent < n; {
				rs := make([]kring.Record, 10)
				for i := range rs {
					rs[i] = kring.Record{Key: []byte("one"), Value: make([]byte, 100)}
				}
				var err error
				if many {
					_, err = topic.ProduceMany(patient(t), rs, got.take)
				} else {
					for _, r := range rs {
						err = errors.Join(err, topic.Produce(patient(t), r, got.take))
					}
				}
				if err != nil {
					t.Fatal(err)
				}
				sent += len(rs)
			}
			used := map[int32]bool{}
			for _, d := range got.wait(t, n) {
				used[d.Partition] = true
			}
			if len(used) < 2 {
				t.Errorf("every record went to %v", used)
			}
		})
	}
}
