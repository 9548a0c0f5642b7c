package accum

// This file is the sender's side of a partition. Every method here may be
// called only by the holder of the role of the broker that is the partition's
// home; the fields need no atomics because the role passes from one goroutine
// to the next through one.

// Identity is the producer id and epoch under which sequences count.
type Identity struct {
	ID    int64
	Epoch int16
}

// NoIdentity is the identity of a producer that has none (yet).
func NoIdentity() Identity { return Identity{ID: -1, Epoch: -1} }

func (i Identity) valid() bool { return i.ID >= 0 && i.Epoch >= 0 }

// Env is what the sender knows when it asks for a batch.
type Env struct {
	Now         int64 // monotonic ns
	Idempotent  bool
	Identity    Identity
	MaxInFlight int // per partition; 1 keeps the order without idempotence
}

// Wait says why a partition has nothing to send now, and so who will call
// MarkReady, or what the sender must do.
type Wait uint8

// The reasons, in the words of a person who asks why a record is not sent.
const (
	Go              Wait = iota // there is a batch
	WaitEmpty                   // nothing queued, or an opener is about to publish
	WaitLinger                  // the open batch may still fill; the timer marks
	WaitWriters                 // sealed, but a goroutine is still writing; it marks
	WaitPacking                 // being compressed; whoever does so marks
	WaitInFlight                // an answer must come first; the sender looks again then
	WaitBackoff                 // the head batch failed a moment ago; look again later
	WaitIdentity                // no producer id yet; look again when there is one
	WaitBump                    // sequences must restart: bump the epoch and ask again
	WaitTransaction             // not in the transaction yet; whoever adds it marks
)

func (w Wait) String() string {
	return [...]string{
		"ready", "empty", "linger", "writers", "compression", "in flight", "retry backoff",
		"no producer id", "epoch bump", "not yet in the transaction",
	}[w]
}

type senderSide struct {
	head     word     // oldest batch of the chain; none: look at first
	retry    []*Batch // drained before, failed, to be sent first; by Order
	inflight []*Batch // sent, no answer yet; by Order
	held     []*Batch // with an outcome, behind an older one without; by Order
	order    uint64
	seq      sequences
}

// orderStep leaves room for the children of a split between two batches: a
// child's order is its parent's plus the index of its first record.
const orderStep = maxCount + 1

func (s *senderSide) init() { s.seq.id = NoIdentity() }

// Next returns the batch that should be sent now, or why there is none. It
// seals the open batch if its time has come.
func (p *Partition) Next(e *Env) (*Batch, Wait) {
	s := &p.sender
	if e.Idempotent {
		if w := p.settle(e); w != Go {
			return nil, w
		}
	}
	if len(s.retry) > 0 {
		b := s.retry[0]
		switch {
		case b.Sender.RetryAt > e.Now:
			return nil, WaitBackoff
		case len(s.inflight) > 0:
			// Until the gap is closed only its first batch may be out: with
			// idempotence because of the sequences, without it because a
			// second refusal would put it behind those that follow.
			return nil, WaitInFlight
		case !b.isPacked(): // the child of a split
			return nil, WaitPacking
		}
		return b, Go
	}
	if len(s.inflight) > 0 {
		// The first batch to a leader goes alone: a broker that does not serve
		// the partition yet refuses it, and what is pipelined may be accepted.
		if len(s.inflight) >= e.MaxInFlight || !s.seq.proven || e.Idempotent && !s.mayPipeline(e) {
			return nil, WaitInFlight
		}
	}
	return p.headReady(e.Now)
}

// dedupWindow is how many of a producer's last batches a broker remembers for
// each partition.
const dedupWindow = 5

// mayPipeline says whether a batch with a new sequence may follow those in
// flight. Counted from the oldest without an answer, it must stay among the
// batches that the broker remembers: if younger ones were answered and pushed
// the oldest out of the broker's memory, its retry would not be recognised.
func (s *senderSide) mayPipeline(e *Env) bool {
	return s.seq.mayPipeline(e) &&
		s.order-s.inflight[0].Sender.Order < (dedupWindow-1)*orderStep
}

// headReady returns the oldest batch of the chain if it is due and complete.
func (p *Partition) headReady(now int64) (*Batch, Wait) {
	b := p.Head()
	if b == nil {
		return nil, WaitEmpty
	}
	st := b.state.load()
	if !st.sealed() {
		if !p.due(b, now) {
			return nil, WaitLinger
		}
		b.sealing(now)
		st, _ = b.state.seal(p.sender.head.gen())
	}
	if !st.complete() {
		return nil, WaitWriters
	}
	if !b.isPacked() {
		return nil, WaitPacking
	}
	return b, Go
}

// Head returns the oldest batch of the chain, open or not; nil if none is
// published.
func (p *Partition) Head() *Batch {
	s := &p.sender
	if s.head.empty() {
		w := p.first.load()
		if w.empty() {
			return nil
		}
		p.first.store(noBatch)
		s.head = w
	}
	return &p.acc.batches[s.head.index()]
}

func (p *Partition) due(b *Batch, now int64) bool {
	a := p.acc
	linger := a.linger.Load()
	return linger == 0 || now-b.created.Load() >= linger || a.pressure.Load() || a.closed.Load()
}

// Take moves b, which Next returned, from the queue into flight and assigns
// its sequence if it has none.
func (p *Partition) Take(b *Batch, e *Env) {
	s := &p.sender
	if len(s.retry) > 0 && s.retry[0] == b {
		s.retry = removeFirst(s.retry)
	} else {
		p.advance(b)
		b.taken(e.Now)
		s.order += orderStep
		b.Sender.Order = s.order
		if e.Idempotent {
			s.seq.assign(b)
		}
	}
	b.Sender.Attempts++
	s.inflight = insertByOrder(s.inflight, b)
}

// advance takes b, complete and at the head, out of the chain.
//
// If b has no successor its link is closed first, so that none can be added to
// a batch that is about to be recycled; then the open word is emptied. If a
// successor was linked meanwhile, the open word is helped along: it must not
// name b any more when b's next life begins.
func (p *Partition) advance(b *Batch) {
	s := &p.sender
	w := s.head
	if b.link.cas(emptyLink(w.gen()), closedLink(w.gen())) {
		p.open.cas(w, noBatch)
		s.head = noBatch
		return
	}
	next := b.link.load().index()
	s.head = makeWord(p.acc.batches[next].state.load().gen(), next)
	p.open.cas(w, s.head)
}

// InFlight is the number of batches that were sent and have no answer.
func (p *Partition) InFlight() int { return len(p.sender.inflight) }

// Retrying is the oldest batch that waits to be sent again, or nil.
func (p *Partition) Retrying() *Batch {
	if len(p.sender.retry) == 0 {
		return nil
	}
	return p.sender.retry[0]
}

// Backlog counts the queued batches, at most limit of them; for the adaptive
// partitioner.
func (p *Partition) Backlog(limit int) int {
	n := len(p.sender.retry)
	for b, w := p.Head(), p.sender.head; b != nil && n < limit; n++ {
		l := b.link.load()
		if l.empty() || l.closed() || l.gen() != w.gen() {
			return n + 1
		}
		next := l.index()
		b = &p.acc.batches[next]
		w = makeWord(b.state.load().gen(), next)
	}
	return n
}

// Requeue puts b, which was in flight, back in front of everything younger.
func (p *Partition) Requeue(b *Batch, retryAt int64) {
	s := &p.sender
	s.inflight = remove(s.inflight, b)
	b.Sender.RetryAt = retryAt
	s.retry = insertByOrder(s.retry, b)
	s.seq.proven = false // what failed must succeed before others follow
}

// Drop forgets b, which has an outcome: it was in flight or waited for a retry.
// persisted says that the broker has it.
func (p *Partition) Drop(b *Batch, persisted bool) {
	s := &p.sender
	s.inflight = remove(s.inflight, b)
	s.retry = remove(s.retry, b)
	if b.Sender.Sequence >= 0 {
		s.seq.resolved(b, persisted, len(s.inflight)+len(s.retry) > 0)
	}
}

// Expired takes the oldest batch of the chain out without sending it, if it was
// opened at before or earlier and nobody writes to it any more; nil if not. It
// was never sent and has no sequence.
func (p *Partition) Expired(before int64) *Batch {
	b := p.Head()
	if b == nil || b.created.Load() > before {
		return nil
	}
	gen := p.sender.head.gen()
	b.state.seal(gen)
	if !b.state.load().complete() || !b.neverSent() {
		return nil // the last writer, or who compresses it, marks the partition
	}
	p.advance(b)
	p.sender.order += orderStep
	b.Sender.Order = p.sender.order // behind all that was sent, see Finish
	return b
}

func insertByOrder(list []*Batch, b *Batch) []*Batch {
	list = append(list, b)
	for i := len(list) - 1; i > 0 && list[i-1].Sender.Order > b.Sender.Order; i-- {
		list[i], list[i-1] = list[i-1], list[i]
	}
	return list
}

func removeFirst(list []*Batch) []*Batch {
	n := copy(list, list[1:])
	list[n] = nil
	return list[:n]
}

func remove(list []*Batch, b *Batch) []*Batch {
	for i, x := range list {
		if x == b {
			n := i + copy(list[i:], list[i+1:])
			list[n] = nil
			return list[:n]
		}
	}
	return list
}
