package kring_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// pass waits until the time d is over.
func pass(d time.Time) {
	pause := time.NewTimer(time.Until(d) + time.Millisecond)
	<-pause.C
}

// wantLate checks the delivery of a record whose deadline has passed.
func wantLate(t *testing.T, d kring.Delivery) {
	t.Helper()
	pe := produceError(t, d)
	if !errors.Is(d.Err, kring.ErrRecordDeadline) || !errors.Is(d.Err, kring.ErrDeliveryTimeout) ||
		pe.Certainty != kring.NotPersisted || pe.Attempts != 0 || d.Offset != -1 || pe.Topic != "t" {
		t.Errorf("%+v", d)
	}
	checkText(t, d.Err, kring.ErrRecordDeadline, "never sent", "not in the log")
}

// ways are all ways to produce a record.
func ways(t *testing.T, p *kring.Producer) map[string]func(r kring.Record, cb kring.Callback) error {
	ctx := patient(t)
	w, other := p.Topic("t").NewWriter(), p.Topic("t").NewWriter()
	t.Cleanup(func() { w.Close(); other.Close() })
	sync := func(f func(context.Context, kring.Record) (kring.Delivery, error)) func(kring.Record, kring.Callback) error {
		return func(r kring.Record, cb kring.Callback) error {
			d, err := f(ctx, r)
			if err == nil {
				cb(d)
			}
			return err
		}
	}
	typed := kring.NewTyped(p, "t", kring.BytesSerializer{}, kring.BytesSerializer{})
	return map[string]func(r kring.Record, cb kring.Callback) error{
		"Produce":             func(r kring.Record, cb kring.Callback) error { return p.Produce(ctx, r, cb) },
		"ProduceRecord":       func(r kring.Record, cb kring.Callback) error { return p.ProduceRecord(ctx, &r, cb) },
		"TryProduce":          p.TryProduce,
		"ProduceSync":         sync(p.ProduceSync),
		"Topic.Produce":       func(r kring.Record, cb kring.Callback) error { return p.Topic("t").Produce(ctx, r, cb) },
		"Topic.ProduceRecord": func(r kring.Record, cb kring.Callback) error { return p.Topic("t").ProduceRecord(ctx, &r, cb) },
		"Topic.TryProduce":    p.Topic("t").TryProduce,
		"Topic.ProduceSync":   sync(p.Topic("t").ProduceSync),
		"ProduceMany": func(r kring.Record, cb kring.Callback) error {
			_, err := p.Topic("t").ProduceMany(ctx, []kring.Record{r}, cb)
			return err
		},
		"Writer.Produce":       func(r kring.Record, cb kring.Callback) error { return w.Produce(ctx, r, cb) },
		"Writer.ProduceRecord": func(r kring.Record, cb kring.Callback) error { return w.ProduceRecord(ctx, &r, cb) },
		"Writer.TryProduce":    w.TryProduce,
		"Reserve": func(r kring.Record, cb kring.Callback) error {
			x, err := other.Reserve(ctx, r, len(r.Value))
			if err != nil {
				return err
			}
			return x.Commit(copy(x.Value(), r.Value), cb)
		},
		"Typed": func(r kring.Record, cb kring.Callback) error {
			return typed.Produce(ctx, kring.TypedRecord[[]byte, []byte]{Key: r.Key, Value: r.Value, Deadline: r.Deadline, Tag: r.Tag}, cb)
		},
	}
}

// TestDeadlineEveryWay: a deadline that is far away changes nothing but that the
// record does not linger longer; one that has passed is refused at once. So with
// each way to produce, and compressed too.
func TestDeadlineEveryWay(t *testing.T) {
	for _, codec := range []kring.Codec{kring.NoCompression, kring.Zstd} {
		t.Run(codec.String(), func(t *testing.T) {
			b := caseBroker(t, broker.Config{})
			p := caseProducer(t, b.Addrs(), kring.Linger(time.Minute), kring.Compression(codec))
			if err := p.Warmup(patient(t), "t"); err != nil {
				t.Fatal(err)
			}
			for name, produce := range ways(t, p) {
				got := newOutcomes()
				r := kring.Record{Topic: "t", Value: []byte(name), Deadline: time.Now().Add(30 * time.Second)}
				if err := produce(r, got.take); err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if d := got.wait(t, 1)[0]; d.Err != nil || d.Offset < 0 {
					t.Errorf("%s: %+v", name, d)
				}
				r.Deadline = time.Now().Add(-time.Second)
				if err := produce(r, got.take); !errors.Is(err, kring.ErrRecordDeadline) || !strings.Contains(err.Error(), "not accepted") {
					t.Errorf("%s after the deadline: %v", name, err)
				}
				r.Deadline = time.Unix(1<<40, 0) // thousands of years
				if err := produce(r, got.take); err != nil {
					t.Errorf("%s, far away: %v", name, err)
				}
				if err := p.Flush(patient(t)); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestDeadlineBehindAStall: the broker holds the first request. What is late when
// it goes on is never sent, its neighbours are, and the sequences have no gap: a
// producer that left one would get OUT_OF_ORDER_SEQUENCE and a new epoch.
func TestDeadlineBehindAStall(t *testing.T) {
	for _, codec := range []kring.Codec{kring.NoCompression, kring.LZ4} {
		t.Run(codec.String(), func(t *testing.T) {
			b := caseBroker(t, broker.Config{})
			arrived, stall := make(chan struct{}), make(chan struct{})
			b.SetHook(func(info *broker.ProduceInfo) broker.Action {
				if info.Request == 1 {
					close(arrived)
					return broker.Action{Stall: stall}
				}
				return broker.Action{}
			})
			h := &told{}
			p := hooked(t, b, []kring.Hook{h}, kring.BatchSize(4096), kring.Compression(codec))
			defer closeEmpty(t, p)
			got := newOutcomes()
			if err := p.Produce(patient(t), kring.Record{Topic: "t", Value: []byte("first"), Deadline: time.Now().Add(time.Minute)}, got.take); err != nil {
				t.Fatal(err)
			}
			<-arrived
			deadline := time.Now().Add(500 * time.Millisecond)
			const n = 500
			want := []string{"first"}
			for i := range n {
				r := kring.Record{Topic: "t", Value: fmt.Appendf(nil, "%d %s", i, strings.Repeat("x", i%50)), Tag: uint64(i + 1)}
				switch i % 3 {
				case 0:
					r.Deadline = deadline
				case 1:
					r.Deadline = deadline.Add(time.Minute)
				}
				if i%3 != 0 {
					want = append(want, string(r.Value))
				}
				if err := p.Produce(patient(t), r, got.take); err != nil {
					t.Fatal(err)
				}
			}
			pass(deadline)
			if len(got.all()) != 0 {
				t.Errorf("%d callbacks before that of the first record", len(got.all()))
			}
			close(stall)
			for i, d := range got.wait(t, n+1) {
				switch {
				case d.Tag != uint64(i):
					t.Fatalf("callback %d is that of record %d", i, d.Tag)
				case i > 0 && (i-1)%3 == 0:
					wantLate(t, d)
				case d.Err != nil:
					t.Fatalf("record %d: %v", i, d.Err)
				case codec == kring.NoCompression && want[d.Offset] != string(logValues(t, b, "t", 0)[d.Offset]):
					t.Fatalf("record %d at offset %d", i, d.Offset)
				}
			}
			if log := logValues(t, b, "t", 0); codec == kring.NoCompression && !slices.Equal(log, want) {
				t.Errorf("%d records in the log, want %d", len(log), len(want))
			}
			const late = (n + 2) / 3
			if s := p.Stats(); s.EpochBumps != 0 || s.Retries != 0 || s.FailedRecords != late || s.AckedRecords != n+1-late {
				t.Errorf("%+v", s)
			}
			until(t, "the hooks know", func() bool {
				failed := 0
				for _, e := range eventsOf[kring.BatchFinished](h) {
					if errors.Is(e.Err, kring.ErrRecordDeadline) {
						failed += e.Records
					}
				}
				return failed == late
			})
		})
	}
}

// leaderless is a broker with a topic "t" without a leader.
func leaderless(t *testing.T) *broker.Broker {
	t.Helper()
	b := caseBroker(t, broker.Config{})
	p := openProducer(t, b.Addrs())
	if err := p.Warmup(patient(t), "t"); err != nil {
		t.Fatal(err)
	}
	if err := b.SetLeader("t", 0, -1); err != nil {
		t.Fatal(err)
	}
	return b
}

// awaitTopic waits until p knows "t", which may have no leader.
func awaitTopic(t *testing.T, p *kring.Producer) {
	t.Helper()
	until(t, "the topic is known", func() bool {
		return errors.Is(p.TryProduce(kring.Record{Topic: "t", Partition: kring.On(99)}, nil), kring.ErrInvalidPartition)
	})
}

// TestDeadlineWithoutLeader: nothing can be sent, and each record has its outcome
// soon after its deadline, in order, long before DeliveryTimeout.
func TestDeadlineWithoutLeader(t *testing.T) {
	b := leaderless(t)
	p := caseProducer(t, b.Addrs(), kring.Linger(5*time.Millisecond))
	awaitTopic(t, p)
	got := newOutcomes()
	started := time.Now()
	const n = 40
	for i := range n {
		r := kring.Record{Topic: "t", Value: []byte("v"), Tag: uint64(i), Deadline: time.Now().Add(100 * time.Millisecond * time.Duration(1+i/10))}
		if err := p.Produce(patient(t), r, got.take); err != nil {
			t.Fatal(err)
		}
	}
	for i, d := range got.wait(t, n) {
		if d.Tag != uint64(i) {
			t.Fatalf("callback %d is that of record %d", i, d.Tag)
		}
		wantLate(t, d)
	}
	if took := time.Since(started); took < 400*time.Millisecond {
		t.Errorf("it took only %v", took)
	}
	// What is not late waits for the leader.
	if err := p.Produce(patient(t), kring.Record{Topic: "t", Value: []byte("after"), Deadline: time.Now().Add(time.Minute)}, got.take); err != nil {
		t.Fatal(err)
	}
	if err := b.SetLeader("t", 0, 1); err != nil {
		t.Fatal(err)
	}
	if d := got.wait(t, n+1)[n]; d.Err != nil {
		t.Errorf("%+v", d)
	}
	if log := logValues(t, b, "t", 0); !slices.Equal(log, []string{"after"}) {
		t.Errorf("the log has %q", log)
	}
}

// TestDeadlineOnceSent: a record that was put into a request once is not taken
// back, and is sent again after its deadline.
func TestDeadlineOnceSent(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	arrived, hold := make(chan struct{}), make(chan struct{})
	b.SetHook(func(info *broker.ProduceInfo) broker.Action {
		if info.Request == 1 {
			close(arrived)
			act := refuse(kring.NotEnoughReplicas)
			act.Stall = hold
			return act
		}
		return broker.Action{}
	})
	p := caseProducer(t, b.Addrs())
	got := newOutcomes()
	first := time.Now().Add(time.Second)
	if err := p.Produce(patient(t), kring.Record{Topic: "t", Value: []byte("v"), Deadline: first}, got.take); err != nil {
		t.Fatal(err)
	}
	<-arrived
	deadline := time.Now().Add(500 * time.Millisecond)
	w := p.Topic("t").NewWriter()
	defer w.Close()
	for range 3 {
		if err := w.Produce(patient(t), kring.Record{Value: []byte("late"), Deadline: deadline}, got.take); err != nil {
			t.Fatal(err)
		}
	}
	pass(deadline)
	pass(first)
	close(hold)
	all := got.wait(t, 4)
	if all[0].Err != nil || p.Stats().Retries == 0 {
		t.Errorf("%+v", all[0])
	}
	for _, d := range all[1:] {
		wantLate(t, d)
	}
	wantValues := []string{"v"}
	if log := logValues(t, b, "t", 0); !slices.Equal(log, wantValues) {
		t.Errorf("the log has %q", log)
	}
}
