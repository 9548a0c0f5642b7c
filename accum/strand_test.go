package accum

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/kring-go/kring/slab"
)

// own appends values to q, which must take them.
func own(t *testing.T, q *Strand, values ...string) {
	t.Helper()
	for _, v := range values {
		if _, err := q.Append(context.Background(), record([]byte(v)), 0); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStrandsTakeTurns: a strand that always has a batch does not keep the
// others waiting, and what one strand holds keeps its order.
func TestStrandsTakeTurns(t *testing.T) {
	_, parts, _ := newTest(t, Config{BatchSize: 0, BufferMemory: 1 << 16}, 1)
	p := parts[0]
	x, y := p.NewStrand(), p.NewStrand()
	own(t, &p.Strand, "a0", "a1", "a2")
	own(t, x, "x0", "x1", "x2")
	own(t, y, "y0")
	for _, tc := range []struct{ limit, queued, backlog int }{{100, 7, 5}, {5, 5, 5}, {4, 4, 4}, {2, 2, 2}, {1, 1, 1}} {
		if n := p.Queued(tc.limit); n != tc.queued {
			t.Errorf("Queued(%d) = %d, want %d", tc.limit, n, tc.queued)
		}
		if n := p.Backlog(tc.limit); n != tc.backlog {
			t.Errorf("Backlog(%d) = %d, want %d", tc.limit, n, tc.backlog)
		}
	}
	env := &Env{Now: 1 << 40, MaxInFlight: 100}
	p.sender.seq.proven = true
	var got string
	for {
		b, why := p.Next(env)
		if b == nil {
			if why != WaitEmpty {
				t.Errorf("at the end: %v", why)
			}
			break
		}
		p.Take(b, env)
		got += fmt.Sprintf("%s ", values(t, b)[0])
	}
	if want := "a0 x0 y0 a1 x1 a2 x2 "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestStrandsAreSeen: what looks after the open batch of a partition looks
// after that of a strand, too.
func TestStrandsAreSeen(t *testing.T) {
	var l *Lingers
	a, parts, ready := newTest(t, Config{
		BatchSize: 512, BufferMemory: 8 * 512, Linger: time.Second,
		LingerStarted: func(q *Strand) { l.Start(q) },
	}, 1)
	l = NewLingers(a)
	p := parts[0]
	q := p.NewStrand()
	own(t, q, "one")
	b := p.Head()
	if b == nil || b.strand != q || p.Idle() {
		t.Fatalf("head %v, idle %t", b, p.Idle())
	}
	marked := func(what string, want bool) {
		t.Helper()
		select {
		case <-ready:
			p.Unmark()
			if !want {
				t.Errorf("%s: marked", what)
			}
		default:
			if want {
				t.Errorf("%s: not marked", what)
			}
		}
	}
	if due := l.Fire(b.Created()); due != b.Created()+int64(time.Second) {
		t.Errorf("linger ends at %d", due)
	}
	marked("before the end of the linger", false)
	l.Fire(b.Created() + int64(time.Second))
	marked("at the end of the linger", true)
	q.lingering.Store(0)
	l.overflow.Store(true)
	l.Fire(b.Created() + int64(time.Second))
	marked("after an overflow", true)
	a.relieve()
	marked("in a shortage", true)
	a.pressure.Store(false)
	if p.Expired(b.Created()-1) != nil {
		t.Error("expired too early")
	}
	p.SealOpen()
	marked("sealed", true)
	if got := p.Expired(b.Created()); got != b || b.Sender.Order == 0 {
		t.Errorf("expired %v, order %d", got, b.Sender.Order)
	}
	if !p.Idle() {
		t.Error("not idle at the end")
	}
}

// TestStrandsClose: Close waits for the batches of strands, and a strand that
// is made later is closed from the beginning.
func TestStrandsClose(t *testing.T) {
	a, parts, _ := newTest(t, Config{BatchSize: 512, BufferMemory: 8 * 512, Linger: time.Hour}, 1)
	p := parts[0]
	q := p.NewStrand()
	own(t, q, "last")
	a.Refuse()
	if a.CloseEmpty() {
		t.Error("closed over an open batch")
	}
	if _, err := p.Append(context.Background(), record(nil), 0); !errors.Is(err, slab.ErrClosed) {
		t.Errorf("the partition: %v", err)
	}
	env := &Env{Now: 1, MaxInFlight: 1}
	b, why := p.Next(env)
	if b == nil {
		t.Fatal(why)
	}
	p.Take(b, env)
	if !a.CloseEmpty() {
		t.Error("not closed")
	}
	for _, s := range []*Strand{q, p.NewStrand()} {
		if _, err := s.Append(context.Background(), record(nil), 0); !errors.Is(err, slab.ErrClosed) {
			t.Errorf("a strand: %v", err)
		}
	}
}

// TestStrandsAreReused: strands that are given back serve again, so writers that
// come and go cost nothing.
func TestStrandsAreReused(t *testing.T) {
	_, parts, _ := newTest(t, Config{BatchSize: 512, BufferMemory: 8 * 512}, 1)
	p := parts[0]
	seen := map[*Strand]bool{}
	for range 10 {
		x, y := p.NewStrand(), p.NewStrand()
		if x == y {
			t.Fatal("two owners of one strand")
		}
		seen[x], seen[y] = true, true
		p.GiveBack(x)
		p.GiveBack(y)
	}
	if len(seen) != 2 || len(p.ownStrands()) != 2 {
		t.Errorf("%d strands, %d listed", len(seen), len(p.ownStrands()))
	}
}
