package accum

import "sync/atomic"

// Strand is a chain of batches of one partition in the order in which they were
// opened: the batch that callers append to, and behind it those that are full.
//
//	first ──► batch ──link──► batch ──link──► open batch ◄── open
//	 ▲ sender takes here                       ▲ callers append here
//
// The chain is intrusive, so a strand costs no memory of its own per queued
// batch, and it is bounded by the slab.
//
// A partition has one strand that anybody appends to. Whoever produces from one
// goroutine at a time can have another one, in which nobody else writes: two
// cores then share no line of memory per record. Records of one strand keep
// their order in the log; those of two strands have none between them, as the
// sender takes whichever is ready.
type Strand struct {
	// Immutable.
	p   *Partition
	acc *Accumulator

	_ [48]byte
	// open names the batch that is appended to: none, a batch in one of its
	// lives, or closed for ever. Moved by CAS only: from none to a new batch
	// (opener), from a batch to its successor (anyone who meets it, after
	// the link says so), from a batch to none (anyone, after the link is
	// closed), from none to closed (Close).
	open wordCell
	_    [120]byte
	// first is the batch after which the sender has nothing: written by the
	// goroutine that opened a batch from none, taken by the sender.
	first wordCell
	// lingering is 1 while the timer has an entry for the strand.
	lingering atomic.Uint32
	_         [108]byte

	head word // oldest batch of the chain; none: look at first. The role's
	fill fill
}

// strands is what a partition has beside the strand of everybody.
type strands struct {
	// own only grows. The list that was loaded stays as it is.
	own atomic.Pointer[[]*Strand]
	// idle are those of own that nobody has; guarded by Accumulator.mu.
	idle []*Strand
	// turn is where the sender looks first; the role's.
	turn int
}

// NewStrand gives the caller a strand of p for itself. GiveBack returns it.
func (p *Partition) NewStrand() *Strand {
	a := p.acc
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := len(p.strands.idle); n > 0 {
		q := p.strands.idle[n-1]
		p.strands.idle = p.strands.idle[:n-1]
		return q
	}
	q := &Strand{p: p, acc: a}
	if a.closed.Load() {
		q.open.store(closedIndex)
	}
	// Whoever holds the list has its own length, see Publish.
	own := append(p.ownStrands(), q)
	p.strands.own.Store(&own)
	a.strands.Add(1)
	return q
}

// GiveBack returns a strand of NewStrand. What was appended is sent as it would
// have been.
func (p *Partition) GiveBack(q *Strand) {
	p.acc.mu.Lock()
	defer p.acc.mu.Unlock()
	p.strands.idle = append(p.strands.idle, q)
}

func (p *Partition) ownStrands() []*Strand {
	if own := p.strands.own.Load(); own != nil {
		return *own
	}
	return nil
}

// each calls f for every strand of p until it returns false.
func (p *Partition) each(f func(q *Strand) bool) bool {
	if !f(&p.Strand) {
		return false
	}
	for _, q := range p.ownStrands() {
		if !f(q) {
			return false
		}
	}
	return true
}

// sealOpen seals the open batch, if there is one.
func (q *Strand) sealOpen() {
	w := q.open.load()
	if w.empty() || w.closed() {
		return
	}
	b := q.acc.batch(w.index())
	if s, won := b.seal(w.gen(), q.acc.cfg.Clock.Now()); won && s.complete() {
		q.p.handOverLater(b, w.gen())
	}
}

// close makes q refuse new batches for ever. False: a batch is open; it must
// be sealed and sent first.
func (q *Strand) close() bool {
	w := q.open.load()
	return w.closed() || w.empty() && q.open.cas(w, closedIndex)
}

// idleNow says that q holds no batch, as far as others than the sender can see.
func (q *Strand) idleNow() bool { return q.open.load().empty() && q.first.load().empty() }
