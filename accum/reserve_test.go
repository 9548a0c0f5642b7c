package accum

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring/slab"
	"github.com/kring-go/kring/wire"
)

// reserved is a record with room for a value of size bytes.
func reserved(key []byte, size int) *Record {
	return &Record{Key: key, Payload: wire.PayloadSizeAround(key, size, nil)}
}

func reserve(t *testing.T, q *Strand, size int) (*Record, *Reserved) {
	t.Helper()
	r, x := reserved([]byte("k"), size), new(Reserved)
	if err := q.Reserve(context.Background(), r, size, 0, x); err != nil {
		t.Fatal(err)
	}
	return r, x
}

// TestReserve: what is written into reserved room is sent, at its length, and
// what is taken back leaves no trace between its neighbours.
func TestReserve(t *testing.T) {
	_, parts, _ := newTest(t, Config{BatchSize: 16 << 10, BufferMemory: 1 << 16, Linger: time.Hour, AlwaysComplete: true}, 1)
	p := parts[0]
	q := p.NewStrand()
	var want []string
	for _, step := range []struct {
		size, n int // n below 0: taken back
	}{{0, 0}, {5, 5}, {100, -1}, {9000, 3}, {200, 200}, {300, 100}, {70, 0}, {5000, -1}, {1, 1}} {
		r, x := reserve(t, q, step.size)
		v := x.Value(step.size)
		if len(v) != step.size || cap(v) != step.size {
			t.Fatalf("room of %d bytes, cap %d, want %d", len(v), cap(v), step.size)
		}
		for i := range v {
			v[i] = byte('a' + i%26)
		}
		if step.n < 0 {
			x.Abort()
			continue
		}
		want = append(want, string(v[:step.n]))
		r.Done.Tag = uint64(step.n)
		x.Commit(r, step.n)
		own(t, q, "between")
		want = append(want, "between")
	}
	q.sealOpen()
	env := &Env{Now: 1, MaxInFlight: 1}
	b, why := p.Next(env)
	if b == nil {
		t.Fatal(why)
	}
	got := values(t, b)
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i, v := range got {
		if string(v) != want[i] {
			t.Errorf("record %d: %.20q (%d bytes), want %.20q (%d)", i, v, len(v), want[i], len(want[i]))
		}
	}
	if tag := b.tagOf(2); tag != 5 {
		t.Errorf("tag %d, want 5", tag)
	}
}

// TestReserveHolds: an open reservation keeps its batch, sealed or not, and only
// its own.
func TestReserveHolds(t *testing.T) {
	a, parts, _ := newTest(t, Config{BatchSize: 512, BufferMemory: 8 * 512}, 1)
	p := parts[0]
	q := p.NewStrand()
	own(t, q, "before")
	r, x := reserve(t, q, 10)
	own(t, &p.Strand, "other")
	p.SealOpen()
	env := &Env{Now: 1, MaxInFlight: 9}
	p.sender.seq.proven = true
	b, _ := p.Next(env)
	if b == nil || string(values(t, b)[0]) != "other" {
		t.Fatal("the other strand has to wait")
	}
	p.Take(b, env)
	if b, why := p.Next(env); b != nil || why != WaitWriters {
		t.Fatalf("%v, %v", b, why)
	}
	if b := p.Expired(1 << 40); b != nil {
		t.Fatal("expired under its writer")
	}
	copy(x.Value(10), "0123456789")
	x.Commit(r, 4)
	b, why := p.Next(env)
	if b == nil {
		t.Fatal(why)
	}
	if got := values(t, b); len(got) != 2 || string(got[1]) != "0123" {
		t.Errorf("got %q", got)
	}
	if _, err := q.Append(context.Background(), record([]byte("after")), 0); err != nil {
		t.Error(err)
	}
	if a.Live() != 3 {
		t.Errorf("%d batches live", a.Live())
	}
}

// TestReserveAborted: a batch whose only record is taken back goes home, however
// the sender meets it, and a Flush does not wait for it for ever.
func TestReserveAborted(t *testing.T) {
	for _, tc := range []struct {
		name     string
		compress bool
		sealed   bool // by a Flush, before the record is taken back
		expire   bool
	}{
		{name: "plain"},
		{name: "sealed", sealed: true},
		{name: "expired", expire: true},
		{name: "compressed", compress: true},
		{name: "compressed and sealed", compress: true, sealed: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := Config{BatchSize: 512, BufferMemory: 8 * 512, Linger: time.Hour}
			if tc.compress {
				cfg = compressed(t, cfg)
			}
			a, parts, ready := newTest(t, cfg, 1)
			p := parts[0]
			q, ratio := p.NewStrand(), p.topic.ratio.estimate()
			_, x := reserve(t, q, 100)
			flushed := make(chan error, 1)
			if tc.sealed {
				go func() { flushed <- a.Flush(context.Background()) }()
				for !x.b.state.load().sealed() {
					time.Sleep(time.Millisecond)
				}
			}
			x.Abort()
			if !tc.sealed { // it waits for the next record
				if x.b.state.load().sealed() || len(ready) != 0 {
					t.Error("sealed, and nobody asked for it")
				}
				_, y := reserve(t, q, 100)
				if y.first || y.b != x.b || y.index != 0 {
					t.Errorf("the next record is not the first of the same batch: %+v", y)
				}
				y.Abort()
				q.sealOpen()
			}
			select {
			case <-ready:
				p.Unmark()
			case <-time.After(time.Minute):
				t.Fatal("nobody was told")
			}
			if tc.expire {
				if b := p.Expired(1 << 60); b != nil {
					t.Fatal("expired")
				}
			} else if b, why := p.Next(&Env{Now: 1 << 60, MaxInFlight: 1}); b != nil || why != WaitEmpty {
				t.Fatalf("%v, %v", b, why)
			}
			if tc.sealed {
				if err := <-flushed; err != nil {
					t.Error(err)
				}
			}
			if a.Live() != 0 || a.slab.Leaked() != 0 || !p.Idle() {
				t.Errorf("%d live, %d slots away, idle %t", a.Live(), a.slab.Leaked(), p.Idle())
			}
			if after := p.topic.ratio.estimate(); after != ratio || p.topic.ratio.misses.Load() != 0 {
				t.Errorf("nothing was compressed to %v of its size, want %v as before", after, ratio)
			}
			own(t, q, "next")
			q.sealOpen()
			b := p.Head()
			if tc.compress {
				b.compress()
			}
			if got := values(t, b); len(got) != 1 || string(got[0]) != "next" {
				t.Errorf("got %q", got)
			}
		})
	}
}

// TestReserveRefuses what Append refuses, and what has no room in one slot.
func TestReserveRefuses(t *testing.T) {
	a, parts, _ := newTest(t, Config{BatchSize: 512, BufferMemory: 2 * 512, Linger: time.Hour}, 1)
	q := parts[0].NewStrand()
	x := new(Reserved)
	err := q.Reserve(context.Background(), reserved(nil, 512), 512, 0, x)
	if !errors.Is(err, slab.ErrTooLarge) {
		t.Errorf("a record of a slot: %v", err)
	}
	for range 2 {
		r, x := reserve(t, q, 400)
		copy(x.Value(400), strings.Repeat("x", 400))
		x.Commit(r, 400)
	}
	if err := q.Reserve(context.Background(), reserved(nil, 400), 400, 0, x); !errors.Is(err, slab.ErrTimeout) {
		t.Errorf("memory is full: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := q.Reserve(ctx, reserved(nil, 400), 400, time.Minute, x); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	a.Refuse()
	if err := q.Reserve(context.Background(), reserved(nil, 400), 400, time.Minute, x); !errors.Is(err, slab.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	b, _ := parts[0].Next(&Env{Now: 1, MaxInFlight: 1})
	if got := values(t, b); !bytes.Equal(got[0], bytes.Repeat([]byte("x"), 400)) {
		t.Errorf("got %.10q", got)
	}
}
