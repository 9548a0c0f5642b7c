package accum

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring/compress"
)

// TestSetLinger: what lingers leaves, also by the timer's entry of before.
func TestSetLinger(t *testing.T) {
	var l *Lingers
	a, parts, ready := newTest(t, Config{
		BatchSize: 512, BufferMemory: 1 << 16, Linger: time.Hour,
		LingerStarted: func(q *Strand) { l.Start(q) },
	}, 1)
	l = NewLingers(a)
	p := parts[0]
	appendAll(t, p, "one")
	now := p.Head().Created()
	if next := l.Fire(now); next != now+int64(time.Hour) {
		t.Fatalf("next at %d", next-now)
	}
	a.SetLinger(time.Millisecond)
	l.Restart()
	<-ready
	p.Unmark()
	b := next(t, p)
	if a.Linger() != time.Millisecond {
		t.Errorf("linger %v", a.Linger())
	}
	p.Drop(b, true)
	b.Finish(Outcome{}, nil)
	// The next batch has its own entry, and does not wait for the old one.
	appendAll(t, p, "two")
	now = p.Head().Created()
	l.Fire(now)
	if next := l.Fire(now); next != now+int64(time.Millisecond) {
		t.Errorf("next in %v, want 1ms", time.Duration(next-now))
	}
	a.SetLinger(0)
	<-ready
	p.Unmark()
	next(t, p)
	appendAll(t, p, "three")
	<-ready // at once
}

func TestSetBatchSize(t *testing.T) {
	a, parts, _ := newTest(t, Config{BatchSize: 4096, BufferMemory: 1 << 16, Linger: time.Hour}, 1)
	p := parts[0]
	fill := func() int {
		for p.Head() == nil || !p.Head().state.load().sealed() {
			appendAll(t, p, strings.Repeat("x", 100))
		}
		b := next(t, p)
		size := b.Size()
		p.Drop(b, true)
		b.Finish(Outcome{}, nil)
		p.SealOpen() // the one behind it
		rest := next(t, p)
		p.Drop(rest, true)
		rest.Finish(Outcome{}, nil)
		return size
	}
	if n := fill(); n < 3900 || n > 4096 {
		t.Errorf("a batch of %d bytes, want nearly 4096", n)
	}
	if err := a.SetBatchSize(1024); err != nil {
		t.Fatal(err)
	}
	if n := fill(); n < 900 || n > 1024 {
		t.Errorf("a batch of %d bytes, want nearly 1024", n)
	}
	if err := a.SetBatchSize(4097); err == nil {
		t.Error("a batch larger than its slot")
	}
}

// TestSetCompressor: on, off and on again, with batches open meanwhile.
func TestSetCompressor(t *testing.T) {
	a, parts, _ := newTest(t, Config{BatchSize: 4096, BufferMemory: 1 << 16, Linger: time.Hour}, 1)
	p := parts[0]
	z, err := compress.New(compress.Snappy, compress.DefaultLevel)
	if err != nil {
		t.Fatal(err)
	}
	send := func(want bool) {
		t.Helper()
		appendAll(t, p, repetitive(1), repetitive(2), repetitive(3))
		p.Seal(Ticket(p.open.load()))
		b := next(t, p)
		if got := b.attributes != 0; got != want || (b.Size() < b.rawSize()) != want {
			t.Errorf("compressed %v, want %v", got, want)
		}
		if n := len(values(t, b)); n != 3 {
			t.Errorf("%d records", n)
		}
		p.Drop(b, true)
		b.Finish(Outcome{}, nil)
	}
	send(false)
	a.SetCompressor(z, int16(compress.Snappy))
	send(true)
	send(true)
	a.SetCompressor(nil, 0)
	send(false)
	if n := int(p.limit.Load()); n != 4096 {
		t.Errorf("limit %d", n)
	}
	a.SetCompressor(z, int16(compress.Snappy))
	send(true)
}

// TestCompressorGoneAtSend: a batch was complete while there was a compressor,
// and is looked at when there is none: nobody may claim it then.
func TestCompressorGoneAtSend(t *testing.T) {
	a, parts, _ := newTest(t, compressed(t, Config{BatchSize: 512, BufferMemory: 1 << 16, Linger: time.Hour}), 1)
	p := parts[0]
	if _, err := p.Append(context.Background(), record([]byte(repetitive(1))), 0); err != nil {
		t.Fatal(err)
	}
	w := p.open.load()
	p.Head().state.seal(w.gen()) // its sealer has not come to claim it yet
	a.packing.method.Store(nil)
	b := next(t, p)
	if b.claim(w.gen()) {
		t.Error("claimed while it is in flight")
	}
}
