package accum

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kring-go/kring/wire"
)

var errLate = errors.New("late")

// never is a time that a deadline of these tests can be past.
const never = int64(1) << 60

// dated is a record that is late at never, or not.
func dated(value string, late bool) *Record {
	r := record([]byte(value))
	r.Deadline = never + 1
	if late {
		r.Deadline = never
	}
	return r
}

// cullAll finishes what is late at never.
func cullAll(p *Partition, l *Lane, sending bool) (n int) {
	for b := p.Cull(never, sending); b != nil; b = p.Cull(never, sending) {
		p.Finish(b, Outcome{BaseOffset: -1, LogAppendTime: -1, Err: errLate}, l)
		n++
	}
	return n
}

// TestCullLeavesTheRestAsItWas: keys, values, headers and timestamps of what
// stays are those that were appended, and each callback gets its own, in order.
func TestCullLeavesTheRestAsItWas(t *testing.T) {
	_, parts, _ := newTest(t, Config{BatchSize: 64 << 10, BufferMemory: 1 << 16, Linger: time.Hour}, 1)
	p, l := parts[0], NewLane(nil, nil)
	type content struct {
		key, value []byte
		headers    []wire.Header
		ts         int64
	}
	all := []content{
		{nil, nil, nil, 5000},
		{[]byte{}, []byte{}, nil, 4000},
		{[]byte("k"), nil, []wire.Header{{Key: "a", Value: []byte("1")}, {Key: "null"}, {Key: "", Value: []byte{}}}, 9000},
		{nil, bytes.Repeat([]byte("v"), 300), nil, 7000},
		{bytes.Repeat([]byte("k"), 200), []byte("v"), nil, 6000},
	}
	const n = 400 // so that offsets and chunks of completions need more than a byte
	var want []string
	var told []Delivery
	late := func(i int) bool { return i < 3 || i%7 == 2 || i > 390 && i < 399 }
	for i := range n {
		c := all[i%len(all)]
		r := &Record{Key: c.key, Value: c.value, Headers: c.headers, Payload: wire.PayloadSize(c.key, c.value, c.headers), HasTimestamp: true, TimestampMs: c.ts + int64(i)}
		if late(i) {
			r.Deadline = never
		} else if i%2 == 0 {
			r.Deadline = never + int64(i)
		}
		if !late(i) {
			want = append(want, fmt.Sprintf("%q %t %q %t %v %d", c.key, c.key == nil, c.value, c.value == nil, c.headers, r.TimestampMs))
		}
		if i%5 != 4 { // without a callback
			r.Done = Completion{Tag: uint64(i), Callback: func(d Delivery) { told = append(told, d) }}
		}
		mustAppend(t, p, r)
	}
	if p.Head().state.load().sealed() {
		t.Fatal("they need one batch")
	}
	p.SealOpen()
	env := &Env{Now: never, MaxInFlight: 1}
	if _, w := p.Next(env); w != WaitDeadline {
		t.Fatalf("Next: %v", w)
	}
	if k := cullAll(p, l, true); k != 2 {
		t.Errorf("taken out in %d pieces, want the front and the rest", k)
	}
	drainLane(l)
	if len(told) != 3 { // the front is not held back
		t.Errorf("%d callbacks before the batch is sent, want 3", len(told))
	}
	b := takeOne(t, p, env)
	values(t, b) // checks the bytes
	var got []string
	if err := b.Salvage(func(_ int, r *Salvaged) {
		got = append(got, fmt.Sprintf("%q %t %q %t %v %d", r.Key, r.Key == nil, r.Value, r.Value == nil, r.AppendHeaders(nil), r.TimestampMs))
	}); err != nil || !slices.Equal(got, want) {
		t.Errorf("%d records, %v; want %d:\n%v\n%v", len(got), err, len(want), got, want)
	}
	// 387, 392 and 397 are late, so the latest timestamp is that of 382.
	if latest := b.maxTs.Load(); latest != 9000+382 {
		t.Errorf("maxTs %d", latest)
	}
	p.Drop(b, true)
	p.Finish(b, Outcome{BaseOffset: 1000, LogAppendTime: -1}, l)
	b.ReleaseSocket()
	drainLane(l)
	next, offset := 0, int64(1000)
	for i := range n {
		if i%5 != 4 {
			d := told[next]
			next++
			wantErr, wantOffset := error(nil), offset
			if late(i) {
				wantErr, wantOffset = errLate, -1
			}
			if d.Tag != uint64(i) || d.Err != wantErr || d.Offset != wantOffset || d.Timestamp != all[i%len(all)].ts+int64(i) {
				t.Fatalf("record %d: %+v, want offset %d, error %v", i, d, wantOffset, wantErr)
			}
		}
		if !late(i) {
			offset++
		}
	}
	if next != len(told) {
		t.Errorf("%d callbacks, want %d", len(told), next)
	}
	// The deadlines are those of this life only.
	mustAppend(t, p, record([]byte("x")))
	if again := p.Head(); again != b || again.deadline.Load() != 0 || again.deadlineOf(0) != 0 || again.outcomes() != 1 {
		t.Errorf("the next life has deadline %d, %d outcomes", again.deadline.Load(), again.outcomes())
	}
	for i := range n {
		if d := b.deadlineOf(i); d != 0 {
			t.Fatalf("deadline %d of record %d is left over", d, i)
		}
	}
}

// TestCullCallbacksThatPanic: each callback is called once, whoever panics.
func TestCullCallbacksThatPanic(t *testing.T) {
	_, parts, _ := newTest(t, Config{BatchSize: 600, BufferMemory: 8 * 600, Linger: time.Hour}, 1)
	panics := 0
	p, l := parts[0], NewLane(nil, func(string, int32, any) { panics++ })
	var told []uint64
	for i := range 6 {
		r := dated("v", i%2 == 1)
		r.Done = Completion{Tag: uint64(i), Callback: func(d Delivery) { told = append(told, d.Tag); panic("planted") }}
		mustAppend(t, p, r)
	}
	p.SealOpen()
	cullAll(p, l, true)
	b := takeOne(t, p, &Env{Now: never, MaxInFlight: 1})
	finishOne(p, b, l)
	drainLane(l)
	if !slices.Equal(told, []uint64{0, 1, 2, 3, 4, 5}) || panics != 6 {
		t.Errorf("called back for %v, %d panics", told, panics)
	}
}

// TestCullWhileNothingCanBeSent takes what is late at the front, at once, and
// leaves the others where they are.
func TestCullWhileNothingCanBeSent(t *testing.T) {
	_, parts, _ := newTest(t, Config{BatchSize: 600, BufferMemory: 8 * 600, Linger: time.Hour}, 1)
	p := parts[0]
	var told []string
	l := NewLane(func(d Delivery) { told = append(told, fmt.Sprint(d.Tag, d.Err)) }, nil)
	p.acc.cfg.AlwaysComplete = true
	for i, late := range []bool{true, true, false, true, false} {
		r := dated("v", late)
		r.Done.Tag = uint64(i)
		mustAppend(t, p, r)
	}
	for range 2 {
		cullAll(p, l, false)
		drainLane(l)
		if !slices.Equal(told, []string{"0 late", "1 late"}) {
			t.Errorf("told of %v", told)
		}
	}
	if b := p.Head(); b.Records() != 3 || !b.late(never) {
		t.Errorf("%d records are left", b.Records())
	}
	// Then all of it is too late: one batch, with no outcome before.
	b := p.Cull(never+1, false)
	if b == nil || b.lent || b.Records() != 3 || p.Head() != nil {
		t.Fatalf("%+v", b)
	}
	p.Finish(b, Outcome{BaseOffset: -1, LogAppendTime: -1, Err: errLate}, l)
	drainLane(l)
	if len(told) != 5 || p.acc.Live() != 0 || p.acc.slab.Leaked() != 0 {
		t.Errorf("told of %v; %d live, %d slots are not home", told, p.acc.Live(), p.acc.slab.Leaked())
	}
}

// TestCullThenSplit: the piece in front holds nothing of its batch, however late
// its callbacks run, and the others go with the records that they come before.
func TestCullThenSplit(t *testing.T) {
	a, parts, _ := newTest(t, Config{BatchSize: 600, BufferMemory: 8 * 600, Linger: time.Hour, AlwaysComplete: true}, 1)
	p := parts[0]
	var told []uint64
	l := NewLane(func(d Delivery) { told = append(told, d.Tag) }, nil)
	for i := range 9 {
		r := dated("v", i%2 == 0)
		r.Done.Tag = uint64(i)
		mustAppend(t, p, r)
	}
	p.SealOpen()
	cullAll(p, l, true)
	env := &Env{Now: never, MaxInFlight: 1}
	b := takeOne(t, p, env)
	if err := p.Split(b); err != nil {
		t.Fatal(err)
	}
	b.ReleaseSocket()
	drainLane(l)
	finishOne(p, takeOne(t, p, env), l)
	drainLane(l)
	if a.Live() != 1 {
		t.Errorf("%d batches live while a piece has no outcome", a.Live())
	}
	finishOne(p, takeOne(t, p, env), l)
	drainLane(l)
	if !slices.Equal(told, []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8}) || a.Live() != 0 || a.slab.Leaked() != 0 {
		t.Errorf("told of %v; %d live, %d slots are not home", told, a.Live(), a.slab.Leaked())
	}
}

// TestCullLeavesOthersTheirWork: a batch that is being written to or compressed
// is passed by, and what was sent once is never taken out.
func TestCullLeavesOthersTheirWork(t *testing.T) {
	for _, alone := range []bool{true, false} {
		t.Run(fmt.Sprintf("alone=%t", alone), func(t *testing.T) { cullBesideOthers(t, alone) })
	}
}

func cullBesideOthers(t *testing.T, alone bool) {
	a, parts, _ := newTest(t, compressed(t, Config{BatchSize: 600, BufferMemory: 1 << 20, Linger: time.Hour}), 1)
	p, l := parts[0], NewLane(nil, nil)
	q := p.NewStrand()
	r, x := reserve(t, q, 5)
	r.Deadline = never
	if cullAll(p, l, true) != 0 {
		t.Error("a batch with a writer was taken")
	}
	x.Commit(r, 5)
	if !alone {
		own(t, q, "undated")
	}
	r, x = reserve(t, q, 5)
	r.Deadline = never
	if cullAll(p, l, true) != 0 || !q.oldest().state.load().sealed() {
		t.Error("a batch with a writer was taken, or stays open")
	}
	x.Abort()
	b := q.oldest()
	if b.pack.load().phase() != packed {
		t.Fatalf("phase %d: the last writer compresses it", b.pack.load().phase())
	}
	b.pack.store(packStateOf(b.state.load().gen(), busy)) // as if a packer were at it
	if cullAll(p, l, true) != 0 {
		t.Error("a batch was taken from under a packer")
	}
	if _, w := p.Next(&Env{Now: never, MaxInFlight: 1}); w != WaitPacking {
		t.Errorf("Next: %v", w)
	}
	b.compress()
	env := &Env{Now: never - 1, MaxInFlight: 1}
	sent := takeOne(t, p, env)
	p.Requeue(sent, 0)
	sent.ReleaseSocket()
	env.Now = never
	if cullAll(p, l, true) != 0 || takeOne(t, p, env) != sent {
		t.Error("a batch that was sent was taken out")
	}
	finishOne(p, sent, l)
	drainLane(l)
	if a.Live() != 0 {
		t.Errorf("%d live", a.Live())
	}
}

// TestCullEdges: records that are alone, taken back, or larger than a slot, in
// shares and strands; and everything comes home.
func TestCullEdges(t *testing.T) {
	a, p, _, _ := shared(t, Config{BatchSize: 512, BufferMemory: 64 * 512, Linger: time.Hour, AlwaysComplete: true}, 16*512)
	late := 0
	l := NewLane(func(d Delivery) {
		if d.Err != errLate {
			t.Errorf("%+v", d)
		}
		late++
	}, nil)
	mustAppend(t, p, dated("alone", true))
	own, other := p.NewStrand(), p.NewStrand()
	if _, err := own.Append(context.Background(), dated(string(make([]byte, 2000)), true), 0); err != nil {
		t.Fatal(err)
	}
	r, x := reserve(t, other, 5)
	r.Deadline = never
	x.Abort()
	if cullAll(p, l, false) != 2 {
		t.Error("want the one that is alone, and the chain of slots")
	}
	run := []Record{*dated("a", true), *record([]byte("b")), *dated("c", true)}
	if n := other.AppendRun(run); n != 3 { // into the batch that is empty again
		t.Fatalf("a run of %d", n)
	}
	flushed := make(chan error, 1)
	go func() { flushed <- a.Flush(context.Background()) }()
	for a.flushers.Load() == 0 {
		time.Sleep(time.Microsecond)
	}
	cullAll(p, l, true)
	drainLane(l)
	select {
	case err := <-flushed:
		t.Errorf("Flush is over while a record has no outcome: %v", err)
	default:
	}
	b := takeOne(t, p, &Env{Now: never, MaxInFlight: 1})
	if got := values(t, b); len(got) != 1 || string(got[0]) != "b" {
		t.Errorf("sent: %q", got)
	}
	p.Drop(b, false)
	p.Finish(b, Outcome{BaseOffset: -1, LogAppendTime: -1, Err: errLate}, l)
	b.ReleaseSocket()
	drainLane(l)
	if err := <-flushed; err != nil {
		t.Error(err)
	}
	if used, _ := p.topic.share.Used(); late != 5 || used != 0 || a.Live() != 0 || a.slab.Leaked() != 0 {
		t.Errorf("%d late; %d bytes of the share are used, %d live, %d slots are not home", late, used, a.Live(), a.slab.Leaked())
	}
}

// TestCullDoesNotWaitForOtherStrands: a strand that always has a batch does not
// keep what is late in another one, and what stands beside it, waiting.
func TestCullDoesNotWaitForOtherStrands(t *testing.T) {
	_, parts, _ := newTest(t, Config{BatchSize: 600, BufferMemory: 64 * 600, Linger: time.Hour}, 1)
	p, l, env := parts[0], NewLane(nil, nil), &Env{Now: never, MaxInFlight: 1}
	other := p.NewStrand()
	for i, late := range []bool{false, true} {
		if _, err := other.Append(context.Background(), dated(fmt.Sprint("other", i), late), 0); err != nil {
			t.Fatal(err)
		}
	}
	for turn := range 4 {
		mustAppend(t, p, record([]byte("busy")))
		p.SealOpen()
		b, w := p.Next(env)
		for ; w == WaitDeadline; b, w = p.Next(env) {
			cullAll(p, l, true)
		}
		if w != Go {
			t.Fatalf("Next: %v", w)
		}
		p.Take(b, env)
		b.HoldSocket()
		v := string(values(t, b)[0])
		p.Drop(b, true)
		p.Finish(b, Outcome{BaseOffset: 0, LogAppendTime: -1}, l)
		b.ReleaseSocket()
		drainLane(l)
		if v == "other0" {
			return
		}
		t.Logf("turn %d: %s", turn, v)
	}
	t.Error("the other strand waits for ever")
}

// TestDeadlineEndsLinger: a record that would die of lingering does not linger,
// and another is not hurried; who has no deadlines has no memory for them.
func TestDeadlineEndsLinger(t *testing.T) {
	for name, put := range map[string]func(t *testing.T, p *Partition, r *Record){
		"append": func(t *testing.T, p *Partition, r *Record) { mustAppend(t, p, r) },
		"run": func(t *testing.T, p *Partition, r *Record) {
			if p.AppendRun([]Record{*record([]byte("x")), *r}) != 2 {
				mustAppend(t, p, r)
			}
		},
		"reserved": func(t *testing.T, p *Partition, r *Record) {
			var x Reserved
			if err := p.Reserve(context.Background(), r, len(r.Value), 0, &x); err != nil {
				t.Fatal(err)
			}
			x.Commit(r, len(r.Value))
		},
	} {
		for _, first := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, first=%t", name, first), func(t *testing.T) {
				_, parts, ready := newTest(t, Config{BatchSize: 600, BufferMemory: 8 * 600, Linger: time.Hour}, 1)
				p := parts[0]
				if !first {
					mustAppend(t, p, record([]byte("undated")))
					if p.Head().deadlines.table.Load() != nil {
						t.Error("memory for deadlines that nobody has")
					}
				}
				r := record([]byte("later"))
				r.Deadline = p.acc.cfg.Clock.Now() + int64(2*time.Hour)
				put(t, p, r)
				env := &Env{Now: p.acc.cfg.Clock.Now(), MaxInFlight: 1}
				if _, w := p.Next(env); w != WaitLinger || len(ready) != 0 {
					t.Errorf("Next: %v, %d marked", w, len(ready))
				}
				r.Value, r.Deadline = []byte("sooner"), env.Now+int64(time.Minute)
				r.Payload = wire.PayloadSize(nil, r.Value, nil)
				put(t, p, r)
				if len(ready) != 1 {
					t.Fatal("nobody is told")
				}
				if _, w := p.Next(env); w != Go {
					t.Errorf("Next: %v", w)
				}
			})
		}
	}
}

// TestDeadlineEndsLingerOfItsOwnBatch: of a batch that it opens, too.
func TestDeadlineEndsLingerOfItsOwnBatch(t *testing.T) {
	_, parts, ready := newTest(t, Config{BatchSize: 600, BufferMemory: 8 * 600, Linger: time.Hour}, 1)
	r := record([]byte("x"))
	r.Deadline = parts[0].acc.cfg.Clock.Now() + int64(time.Minute)
	mustAppend(t, parts[0], r)
	if len(ready) != 1 {
		t.Error("nobody is told")
	}
}
