package accum

import (
	"context"
	"time"

	"github.com/kring-go/kring/wire"
)

// roll opens a new batch with r as its first record and installs it behind the
// batch that w names (a sealed one, or none). done is false when another
// goroutine was faster: the caller tries that batch.
func (q *Strand) roll(ctx context.Context, w word, r *Record, wait time.Duration) (t Ticket, done bool, err error) {
	b, self, err := q.openBatch(ctx, w, r, wait)
	if b == nil {
		return 0, false, err
	}
	q.encodeFirst(b, r, firstSize(r))
	q.commitFirst(b, self)
	if r.Deadline != 0 {
		q.p.markIfHurried(b, self.gen())
	}
	return Ticket(self), true, nil
}

// firstSize is the size of a batch that holds r and nothing else.
func firstSize(r *Record) int {
	_, total := wire.RecordSize(r.Payload, 0, 0)
	return wire.BatchHeaderSize + total
}

// openBatch is roll as far as the new batch is installed, with r reserved and
// not written. b is nil when another goroutine was faster.
func (q *Strand) openBatch(ctx context.Context, w word, r *Record, wait time.Duration) (b *Batch, self word, err error) {
	if !w.empty() && q.help(w) {
		return nil, 0, nil
	}
	a := q.acc
	size := firstSize(r)
	b, err = q.p.acquire(ctx, size, wait, q.wantsSmall(w, size))
	if err != nil {
		return nil, 0, err
	}
	// Acquiring may have taken long. Whoever opened a batch meanwhile has
	// room for this record too, most likely.
	if q.open.load() != w {
		a.putBack(b)
		return nil, 0, nil
	}
	gen := q.prepare(b, r, size)
	self = makeWord(gen, b.index)
	q.p.began()
	if !q.install(w, self) {
		a.withdraw(b, gen)
		return nil, 0, nil
	}
	return b, self, nil
}

// began and ended count a batch's life.
func (p *Partition) began() {
	p.acc.live.Add(1)
	if p.acc.cfg.CountBatches {
		p.incomplete.Add(1)
	}
}

func (p *Partition) ended() {
	p.acc.live.Add(-1)
	if p.acc.cfg.CountBatches {
		p.incomplete.Add(-1)
	}
}

// withdraw ends the life of a batch that was prepared and could not be
// installed.
func (a *Accumulator) withdraw(b *Batch, gen uint32) {
	b.part.ended()
	b.live.Store(0)
	b.state.store(makeState(gen, 0, 0, 0) | sealedBit)
	a.putBack(b)
	if a.flushers.Load() > 0 {
		a.wakeFlushers() // one may have seen b live, and nobody else will end it
	}
}

// commitFirst commits the record that opened b and tells who has to know.
//
// A Flush that began after prepare waits for b, and may have looked for open
// batches before b was one: then b is sealed here. Flush counts the epoch and
// then looks; b was published before the epoch is read. One sees the other.
func (q *Strand) commitFirst(b *Batch, self word) {
	epoch := b.epoch // b may be somebody else's after the commit
	s := b.state.commit()
	if q.acc.epoch.Load() != epoch {
		q.p.Seal(Ticket(self))
	}
	q.opened(b, s)
}

// prepare starts a new life of b with r's bytes reserved. Nobody else sees b.
func (q *Strand) prepare(b *Batch, r *Record, size int) (gen uint32) {
	p := q.p
	a := p.acc
	now, ms := a.cfg.Clock.Read()
	ts := ms
	if r.HasTimestamp {
		ts = r.TimestampMs
	}
	b.baseTs.Store(ts)
	b.maxTs.Store(ts)
	if b.mixed.Load() {
		b.mixed.Store(false)
	}
	b.created.Store(now)
	b.part, b.strand = p, q
	b.epoch = a.epoch.Load()
	b.Sender = SenderState{Sequence: -1, ProducerID: -1, ProducerEpoch: -1}
	b.outcome = Outcome{BaseOffset: -1, LogAppendTime: -1}
	if b.done.used.Load() {
		b.done.used.Store(false)
	}
	if a.keepsCompletion(r) {
		b.done.ensure(0)
	}
	if b.deadline.Load() != 0 {
		b.forgetDeadlines()
	}
	if r.Deadline != 0 {
		b.ensureDeadline(0)
	}
	gen = (b.state.load().gen() + 1) & genMask
	b.unpack(gen)
	if n := int64(p.limitNow()); p.limit.Load() != n {
		p.limit.Store(n)
	}
	b.link.store(emptyLink(gen))
	b.live.Store(b.epoch + 1)
	s := makeState(gen, min(size, maxOffset), 1, 1)
	if len(b.chain) > 0 { // an oversize record travels alone
		b.heapSize = size
		s |= sealedBit
	} else {
		b.heapSize = 0
	}
	b.state.store(s)
	return gen
}

// install publishes self as the successor of the batch that w names, or as the
// first batch if w is none. False: somebody else was faster.
//
// From a batch, the link goes first and the open word follows; whoever meets
// the link helps. The sender closes the link of the last batch before it takes
// it, so a batch can not get a successor after it left the chain.
//
// From none, the open word goes first and first follows. Between the two the
// sender finds nothing; the MarkReady that follows makes it look again. The
// open word can not become none again before first was taken, so there is
// never more than one unpublished first.
func (q *Strand) install(w, self word) bool {
	if w.empty() {
		if !q.open.cas(w, self) {
			return false
		}
		q.first.store(self)
		return true
	}
	b := q.acc.batch(w.index())
	if !b.link.cas(emptyLink(w.gen()), makeWord(w.gen(), self.index())) {
		return false
	}
	q.open.cas(w, self)
	return true
}

// help moves the open word away from the sealed batch that w names if its link
// says where to. False: the batch has no successor yet.
func (q *Strand) help(w word) bool {
	b := q.acc.batch(w.index())
	l := b.link.load()
	if l.gen() != w.gen() {
		return true // w is stale: b has begun another life
	}
	switch {
	case l.closed():
		q.open.cas(w, noBatch)
		return true
	case l.empty():
		return false
	}
	q.swing(w, l)
	return true
}

// swing moves the open word from w to the successor that w's link names. The
// successor's life is read from its state: it can not end before the open word
// has left w, so the CAS fails if the life that was read is a later one.
func (q *Strand) swing(w, link word) {
	next := link.index()
	q.open.cas(w, makeWord(q.acc.batch(next).state.load().gen(), next))
}

// encodeFirst writes the record that opened b.
func (q *Strand) encodeFirst(b *Batch, r *Record, size int) {
	body, _ := wire.RecordSize(r.Payload, 0, 0)
	if len(b.chain) == 0 {
		wire.PutRecord(b.buf[wire.BatchHeaderSize:size], body, 0, 0, r.Key, r.Value, r.Headers)
	} else {
		q.encodeChain(b, r, body)
	}
	if q.acc.keepsCompletion(r) {
		b.done.set(0, r.Done)
	}
	if r.Deadline != 0 {
		b.setDeadline(0, b.state.load().gen(), r.Deadline)
	}
}

// opened tells the sender and the timer about a new batch b, whose state after
// the first commit is s.
func (q *Strand) opened(b *Batch, s state) {
	a := q.acc
	if a.cfg.Awake != nil {
		a.cfg.Awake()
	}
	switch {
	case s.complete():
		q.p.handOver(b, s.gen())
		return
	case q.p.Linger() == 0:
		q.p.MarkReady()
		return
	case s.sealed(): // somebody sealed it meanwhile; the last one out marks
		return
	}
	// The timer hears of it in a shortage too: the shortage may be over when the
	// sender looks, and then nobody else would come back to it.
	if q.lingering.Load() == 0 && q.lingering.CompareAndSwap(0, 1) {
		a.cfg.LingerStarted(q)
	}
	if a.pressure.Load() || q.p.pressed() { // last, see relieve
		q.p.MarkReady()
	}
}
