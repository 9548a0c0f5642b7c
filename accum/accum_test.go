package accum

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring/slab"
)

func mustAppend(t *testing.T, p *Partition, r *Record) Ticket {
	t.Helper()
	ticket, err := p.Append(context.Background(), r, 0)
	if err != nil {
		t.Fatal(err)
	}
	return ticket
}

// takeOne drains one batch, or fails.
func takeOne(t *testing.T, p *Partition, e *Env) *Batch {
	t.Helper()
	b, w := p.Next(e)
	if w != Go {
		t.Fatalf("Next: %v, want a batch; %s", w, p.Debug())
	}
	p.Take(b, e)
	b.HoldSocket()
	return b
}

func finishOne(p *Partition, b *Batch, l *Lane) {
	p.Drop(b, true)
	b.Finish(Outcome{BaseOffset: 0, LogAppendTime: -1}, l)
	b.ReleaseSocket()
}

func drainLane(l *Lane) {
	for b := l.pop(); b != nil; b = l.pop() {
		l.complete(b)
	}
}

// S3: a record that does not fit closes the batch, also for smaller ones.
func TestRecordThatDoesNotFitClosesTheBatch(t *testing.T) {
	_, parts, _ := newTest(t, Config{BatchSize: 600, BufferMemory: 8 * 600, Linger: time.Hour}, 1)
	p := parts[0]
	first := mustAppend(t, p, record(make([]byte, 400)))
	second := mustAppend(t, p, record(make([]byte, 400)))
	third := mustAppend(t, p, record(make([]byte, 10)))
	if first == second || second != third {
		t.Errorf("tickets %x %x %x: want the small record in the second batch", first, second, third)
	}
}

// B1: the batch is full at batch.size to the byte.
func TestBatchLimit(t *testing.T) {
	for _, tc := range []struct {
		name string
		size int // of the second value
		same bool
	}{{"fits exactly", 600 - 61 - 107 - 9, true}, {"one too many", 600 - 61 - 107 - 9 + 1, false}} {
		t.Run(tc.name, func(t *testing.T) {
			_, parts, _ := newTest(t, Config{BatchSize: 600, BufferMemory: 8 * 600, Linger: time.Hour}, 1)
			a := mustAppend(t, parts[0], record(make([]byte, 98))) // 107 bytes
			b := mustAppend(t, parts[0], record(make([]byte, tc.size)))
			if (a == b) != tc.same {
				t.Errorf("same batch = %t, want %t (value of %d)", a == b, tc.same, tc.size)
			}
		})
	}
}

func TestLingerHoldsAndEnds(t *testing.T) {
	a, parts, ready := newTest(t, Config{BatchSize: 600, BufferMemory: 8 * 600, Linger: 10 * time.Millisecond}, 1)
	l := NewLingers(a)
	a.cfg.LingerStarted = l.Start
	p := parts[0]
	mustAppend(t, p, record([]byte("x")))
	e := &Env{Now: a.cfg.Clock.Now(), MaxInFlight: 5}
	created := p.Head().Created()
	e.Now = created + int64(9*time.Millisecond)
	if _, w := p.Next(e); w != WaitLinger {
		t.Fatalf("before linger: %v", w)
	}
	if next := l.Fire(e.Now); next != created+int64(10*time.Millisecond) || len(ready) != 0 {
		t.Fatalf("Fire = %d, %d ready", next-created, len(ready))
	}
	e.Now = created + int64(10*time.Millisecond)
	if next := l.Fire(e.Now); next != 0 || len(ready) != 1 {
		t.Fatalf("Fire at the end = %d, %d ready", next, len(ready))
	}
	finishOne(p, takeOne(t, p, e), NewLane(nil, nil))
}

func TestTryNeverBlocksAndErrors(t *testing.T) {
	a, parts, ready := newTest(t, Config{BatchSize: 512, BufferMemory: 2 * 512, Linger: time.Hour}, 3)
	mustAppend(t, parts[0], record([]byte("x")))
	mustAppend(t, parts[1], record([]byte("x")))
	if _, err := parts[2].Append(context.Background(), record([]byte("x")), 0); !errors.Is(err, slab.ErrTimeout) {
		t.Errorf("full: %v", err)
	}
	if len(ready) != 2 {
		t.Errorf("exhaustion made %d partitions ready, want 2", len(ready))
	}
	if _, err := parts[2].Append(context.Background(), record(make([]byte, 1100)), 0); !errors.Is(err, slab.ErrTooLarge) {
		t.Errorf("larger than memory: %v", err)
	}
	a.Refuse()
	if _, err := parts[2].Append(context.Background(), record([]byte("x")), time.Hour); !errors.Is(err, slab.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// KAFKA-19479: a flush that waits for a batch waits for its pieces too.
func TestFlushWaitsForThePiecesOfASplit(t *testing.T) {
	a, parts, _ := newTest(t, Config{BatchSize: 600, BufferMemory: 8 * 600, Linger: time.Hour}, 1)
	p, l := parts[0], NewLane(nil, nil)
	var offsets []int64
	for range 4 {
		r := record(make([]byte, 50))
		r.Done.Callback = func(d Delivery) { offsets = append(offsets, d.Offset) }
		mustAppend(t, p, r)
	}
	p.SealOpen()
	e := &Env{MaxInFlight: 5}
	b := takeOne(t, p, e)
	if err := p.Split(b); err != nil {
		t.Fatal(err)
	}
	b.ReleaseSocket()
	f := &flush{epoch: a.epoch.Add(1)}
	for i := range 2 {
		if a.flushed(f) {
			t.Fatalf("flushed with %d pieces to go", 2-i)
		}
		piece := takeOne(t, p, e)
		p.Drop(piece, true)
		piece.Finish(Outcome{BaseOffset: int64(10 * (i + 1)), LogAppendTime: -1}, l)
		drainLane(l)
	}
	if !a.flushed(f) {
		t.Error("not flushed after both pieces")
	}
	if want := []int64{10, 11, 20, 21}; len(offsets) != 4 || offsets[0] != want[0] || offsets[1] != want[1] || offsets[2] != want[2] || offsets[3] != want[3] {
		t.Errorf("offsets %v, want %v", offsets, want)
	}
	if a.slab.Leaked() != 0 {
		t.Error("the parent's slot is not home")
	}
}

// A callback must be forgotten after its call: a later life of the batch must
// neither call it again nor keep it alive.
func TestCompletionIsForgotten(t *testing.T) {
	_, parts, _ := newTest(t, Config{BatchSize: 512, BufferMemory: 512}, 1)
	p, l := parts[0], NewLane(nil, nil)
	calls := 0
	e := &Env{MaxInFlight: 5}
	for life := range 3 {
		r := record([]byte("x"))
		if life == 0 {
			r.Done.Callback = func(Delivery) { calls++ }
		}
		mustAppend(t, p, r)
		second := record([]byte("y"))
		second.Done.Callback = func(Delivery) {}
		mustAppend(t, p, second)
		finishOne(p, takeOne(t, p, e), l)
		drainLane(l)
	}
	if calls != 1 {
		t.Errorf("%d calls, want 1", calls)
	}
}

// H4: a callback that panics ends itself and nothing else.
func TestPanickingCallback(t *testing.T) {
	a, parts, _ := newTest(t, Config{BatchSize: 512, BufferMemory: 512}, 1)
	p := parts[0]
	var said string
	l := NewLane(nil, func(topic string, _ int32, v any) { said = topic + ": " + v.(string) })
	var called []int
	for i := range 5 {
		r := record([]byte("x"))
		r.Done.Callback = func(Delivery) {
			called = append(called, i)
			if i == 2 {
				panic("ouch")
			}
		}
		mustAppend(t, p, r)
	}
	finishOne(p, takeOne(t, p, &Env{MaxInFlight: 5}), l)
	drainLane(l)
	if len(called) != 5 || !strings.Contains(said, "t: ouch") {
		t.Errorf("called %v, reported %q", called, said)
	}
	if a.slab.Leaked() != 0 {
		t.Error("slot not home after a panic")
	}
}

// Flush waits for what was accepted before it and for nothing else.
func TestFlushIsASnapshot(t *testing.T) {
	a, parts, _ := newTest(t, Config{BatchSize: 512, BufferMemory: 8 * 512, Linger: time.Hour}, 2)
	mustAppend(t, parts[0], record([]byte("before")))
	f := &flush{epoch: a.epoch.Add(1)}
	parts[0].SealOpen()
	mustAppend(t, parts[0], record([]byte("after")))
	mustAppend(t, parts[1], record([]byte("after")))
	e := &Env{MaxInFlight: 5}
	b := takeOne(t, parts[0], e)
	if a.flushed(f) {
		t.Error("flushed before the outcome")
	}
	finishOne(parts[0], b, NewLane(nil, nil))
	if !a.flushed(f) {
		t.Error("waits for records that came later")
	}
}

func TestCloseEmpty(t *testing.T) {
	a, parts, _ := newTest(t, Config{BatchSize: 512, BufferMemory: 8 * 512, Linger: time.Hour}, 2)
	mustAppend(t, parts[0], record([]byte("x")))
	if a.CloseEmpty() {
		t.Error("closed with an open batch")
	}
	if _, err := parts[1].Append(context.Background(), record([]byte("x")), 0); !errors.Is(err, slab.ErrClosed) {
		t.Errorf("empty partition after CloseEmpty: %v", err)
	}
	mustAppend(t, parts[0], record([]byte("still open")))
	parts[0].SealOpen()
	finishOne(parts[0], takeOne(t, parts[0], &Env{MaxInFlight: 5}), NewLane(nil, nil))
	if !a.CloseEmpty() {
		t.Errorf("not closed: %s", parts[0].Debug())
	}
}

// An expired batch that was never sent leaves without a sequence.
func TestExpiredHasNoSequence(t *testing.T) {
	_, parts, _ := newTest(t, Config{BatchSize: 512, BufferMemory: 8 * 512, Linger: time.Hour}, 1)
	p := parts[0]
	mustAppend(t, p, record([]byte("x")))
	created := p.Head().Created()
	if b := p.Expired(created - 1); b != nil {
		t.Fatal("expired too early")
	}
	b := p.Expired(created)
	if b == nil || b.Sender.Sequence != -1 {
		t.Fatalf("expired batch %+v", b)
	}
	p.Drop(b, false)
	b.Finish(Outcome{BaseOffset: -1, LogAppendTime: -1}, NewLane(nil, nil))
	mustAppend(t, p, record([]byte("y")))
	p.SealOpen()
	e := &Env{Idempotent: true, Identity: Identity{ID: 1}, MaxInFlight: 5}
	if b := takeOne(t, p, e); b.Sender.Sequence != 0 {
		t.Errorf("the next batch has sequence %d, want 0", b.Sender.Sequence)
	}
}

// Without idempotence the first batch to a leader goes alone, and so does one
// that failed: what was pipelined behind a refusal could be accepted.
func TestPlainOrderAfterRefusal(t *testing.T) {
	_, parts, _ := newTest(t, Config{BatchSize: 1, BufferMemory: 8 * minSlot}, 1)
	p, l, e := parts[0], NewLane(nil, nil), &Env{MaxInFlight: 5}
	for range 4 {
		mustAppend(t, p, record([]byte("x")))
	}
	first := takeOne(t, p, e)
	if _, w := p.Next(e); w != WaitInFlight {
		t.Fatalf("behind the first batch: %v, want to wait for its answer", w)
	}
	p.Requeue(first, 0) // a broker that does not serve the partition yet
	first.ReleaseSocket()
	if again := takeOne(t, p, e); again != first {
		t.Fatal("the refused batch does not go first")
	}
	p.Proven(first)
	finishOne(p, first, l)
	second, third := takeOne(t, p, e), takeOne(t, p, e) // pipelined now
	p.Requeue(second, 0)
	second.ReleaseSocket()
	if _, w := p.Next(e); w != WaitInFlight {
		t.Fatalf("retry beside a younger batch in flight: %v", w)
	}
	finishOne(p, third, l)
	if again := takeOne(t, p, e); again != second {
		t.Fatal("the refused batch does not go next")
	}
	if _, w := p.Next(e); w != WaitInFlight {
		t.Fatalf("behind a retry: %v, want to wait for its answer", w)
	}
	p.Proven(second)
	finishOne(p, second, l)
	finishOne(p, takeOne(t, p, e), l)
}
