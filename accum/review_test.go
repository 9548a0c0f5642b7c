package accum

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/kring-go/kring/wire"
)

// halfRoll is a goroutine that stands in the middle of roll: its batch is
// prepared, and not installed.
type halfRoll struct {
	p    *Partition
	b    *Batch
	r    *Record
	size int
	w    word
	gen  uint32
}

func beginRoll(t *testing.T, p *Partition, value []byte) *halfRoll {
	t.Helper()
	h := &halfRoll{p: p, r: record(value), w: p.open.load()}
	_, total := wire.RecordSize(h.r.Payload, 0, 0)
	h.size = wire.BatchHeaderSize + total
	b, err := p.acc.acquire(context.Background(), h.size, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	h.b = b
	h.gen = p.prepare(b, h.r, h.size)
	p.acc.live.Add(1)
	return h
}

// end does the rest of roll and reports whether the batch was installed.
func (h *halfRoll) end() bool {
	self := makeWord(h.gen, h.b.index)
	if !h.p.install(h.w, self) {
		h.p.acc.withdraw(h.b, h.gen)
		return false
	}
	h.p.encodeFirst(h.b, h.r, h.size)
	h.p.commitFirst(h.b, self)
	return true
}

// startFlush begins a Flush and returns when it waits.
func startFlush(t *testing.T, a *Accumulator) <-chan error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- a.Flush(context.Background()) }()
	for end := time.Now().Add(time.Minute); a.flushers.Load() == 0; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("Flush does not wait")
		}
	}
	return done
}

// sendAll drains p and acknowledges everything.
func sendAll(p *Partition, lane *Lane) {
	env := Env{MaxInFlight: 1}
	for {
		env.Now++
		b, w := p.Next(&env)
		if w != Go {
			return
		}
		p.Take(b, &env)
		p.Drop(b, true)
		p.Finish(b, Outcome{BaseOffset: -1, LogAppendTime: -1}, lane)
	}
}

func endsSoon(t *testing.T, what string, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("%s does not return", what)
	}
}

// TestFlushHearsOfWithdrawnBatch: what Flush saw as live was never installed.
// No batch ends afterwards that would wake it by accident.
func TestFlushHearsOfWithdrawnBatch(t *testing.T) {
	a, parts, _ := newTest(t, Config{BatchSize: 512, BufferMemory: 8 * 512, Linger: time.Hour}, 1)
	h := beginRoll(t, parts[0], []byte("slow"))
	if _, err := parts[0].Append(context.Background(), record([]byte("fast")), 0); err != nil {
		t.Fatal(err)
	}
	lane := NewLane(nil, nil)
	done := startFlush(t, a) // seals the fast one
	for a.Live() > 1 {
		sendAll(parts[0], lane)
		runtime.Gosched()
	}
	time.Sleep(10 * time.Millisecond) // Flush has looked: the slow one is live
	if _, err := parts[0].Append(context.Background(), record([]byte("later")), 0); err != nil {
		t.Fatal(err)
	}
	if h.end() {
		t.Fatal("the slow opener installed its batch")
	}
	endsSoon(t, "Flush", done)
}

// TestFlushSealsWhatItsEpochOpens: a batch that was prepared before Flush, and
// installed after Flush looked for open batches, is one that Flush waits for.
func TestFlushSealsWhatItsEpochOpens(t *testing.T) {
	a, parts, ready := newTest(t, Config{BatchSize: 512, BufferMemory: 8 * 512, Linger: time.Hour}, 1)
	h := beginRoll(t, parts[0], []byte("slow"))
	done := startFlush(t, a)
	if !h.end() {
		t.Fatal("nobody else has opened a batch")
	}
	select {
	case p := <-ready:
		p.Unmark()
	case <-time.After(10 * time.Second):
		t.Fatal("Flush waits for a batch that lingers")
	}
	sendAll(parts[0], NewLane(nil, nil))
	endsSoon(t, "Flush", done)
}

// TestShortageIsSeenAgain: the timer ends a shortage before a waiter is in the
// queue.
func TestShortageIsSeenAgain(t *testing.T) {
	a, parts, ready := newTest(t, Config{BatchSize: 512, BufferMemory: 8 * 512, Linger: time.Hour}, 1)
	a.relieve() // the waiter
	a.Tick()    // the timer: much is free, nobody waits
	if _, err := parts[0].Append(context.Background(), record([]byte("lingers")), 0); err != nil {
		t.Fatal(err)
	}
	dst := make([]uint32, 8)
	got := make(chan error, 1)
	go func() { got <- a.slab.Get(context.Background(), time.Minute, dst) }()
	select {
	case p := <-ready:
		p.Unmark()
	case <-time.After(10 * time.Second):
		t.Fatal("somebody waits for memory that lingers")
	}
	sendAll(parts[0], NewLane(nil, nil))
	endsSoon(t, "Get", got)
	for _, i := range dst {
		a.slab.ReleaseRecord(i)
	}
}

// TestShortageIsOverWhenTheSenderLooks: a batch was opened in a shortage, which
// has ended when the sender comes to look. The timer brings it back.
func TestShortageIsOverWhenTheSenderLooks(t *testing.T) {
	var l *Lingers
	a, parts, ready := newTest(t, Config{
		BatchSize: 1024, BufferMemory: 8 << 10, Linger: time.Millisecond,
		LingerStarted: func(q *Strand) { l.Start(q) },
	}, 1)
	l = NewLingers(a)
	a.relieve() // somebody found no memory
	if _, err := parts[0].Append(context.Background(), record([]byte("x")), 0); err != nil {
		t.Fatal(err)
	}
	a.relax() // and has gone
	q := <-ready
	q.Unmark()
	if _, w := q.Next(&Env{Now: parts[0].Head().Created(), MaxInFlight: 5}); w != WaitLinger {
		t.Fatalf("Next: %v, want that it lingers", w)
	}
	l.Fire(parts[0].Head().Created() + int64(time.Millisecond))
	select {
	case p := <-ready:
		p.Unmark()
	default:
		t.Error("its linger is over, and nobody marks it")
	}
}

// TestShortageEndsBehindAWaiter: relax saw nobody wait, then somebody came and
// found the shortage still standing, then relax ends it.
func TestShortageEndsBehindAWaiter(t *testing.T) {
	a, parts, ready := newTest(t, Config{BatchSize: 512, BufferMemory: 2 * 512, Linger: time.Hour}, 1)
	a.relieve()
	dst := make([]uint32, 2)
	if !a.slab.Try(dst[:1]) { // the other slot is the batch's
		t.Fatal("no slot")
	}
	got := make(chan error, 1)
	if _, err := parts[0].Append(context.Background(), record([]byte("lingers")), 0); err != nil {
		t.Fatal(err)
	}
	<-ready // the shortage was seen by the opener
	parts[0].Unmark()
	go func() { got <- a.slab.Get(context.Background(), time.Minute, dst[1:]) }()
	for a.slab.Waiting() == 0 {
		runtime.Gosched()
	}
	a.endShortage()
	select {
	case p := <-ready:
		p.Unmark()
	case <-time.After(10 * time.Second):
		t.Fatal("somebody waits for memory that lingers")
	}
	if !a.Pressed() {
		t.Error("the shortage has ended although somebody waits")
	}
	sendAll(parts[0], NewLane(nil, nil))
	endsSoon(t, "Get", got)
	for _, i := range dst {
		a.slab.ReleaseRecord(i)
	}
}

// TestOrphansAreNotSentTwice: two batches are in the socket of a connection
// that ends while the broker stands still. The first one expires, the second
// is sent again over a new connection and the broker looks at it first: out of
// order. Then it looks at what lay in the old socket.
func TestOrphansAreNotSentTwice(t *testing.T) {
	_, parts, _ := newTest(t, Config{BatchSize: 130, BufferMemory: 64 * minSlot}, 1)
	m := &model{
		t: t, p: parts[0], id: Identity{ID: 7}, broker: modelBroker{id: NoIdentity()},
		env: Env{Idempotent: true, MaxInFlight: 5}, state: make(map[uint64]string), lane: NewLane(nil, nil),
	}
	one := func() {
		if _, err := m.p.Append(context.Background(), record(numbered(0, m.next, 60)), 0); err != nil {
			t.Fatal(err)
		}
		m.state[m.next] = ""
		m.next++
		m.p.SealOpen()
	}
	ok := func() { // the broker serves the oldest request, and the answer arrives
		x := m.wire[0]
		m.wire = m.wire[1:]
		m.back, m.backAs = append(m.back, x), append(m.backAs, m.broker.append(x))
		m.answer()
	}
	one()
	m.send()
	ok() // proven
	one()
	one()
	m.send()
	m.send()
	if len(m.wire) != 2 {
		t.Fatalf("%d requests are out, want 2", len(m.wire))
	}
	orphans := m.wire
	m.wire = nil
	for _, x := range orphans { // the client gives up the connection
		x.b.Sender.Ambiguous, x.b.Sender.Orphaned = true, true
		m.p.Requeue(x.b, m.env.Now)
		x.b.ReleaseSocket()
	}
	m.fail(orphans[0].b, orphans[0].vals) // it expires
	m.send()
	ok() // the second: out of order
	for _, x := range orphans {
		m.broker.append(x)
	}
	for range 10 {
		if m.send(); len(m.wire) > 0 {
			ok()
		}
	}
	m.check()
}
