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
	WaitDeadline                // records must not be sent any more: Cull, and ask again
)

func (w Wait) String() string {
	return [...]string{
		"ready", "empty", "linger", "writers", "compression", "in flight", "retry backoff",
		"no producer id", "epoch bump", "not yet in the transaction", "records past their deadline",
	}[w]
}

type senderSide struct {
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

// headReady returns a batch that is the oldest of its strand, due and complete.
// Strands take turns.
func (p *Partition) headReady(now int64) (*Batch, Wait) {
	own := p.ownStrands()
	if len(own) == 0 {
		return p.Strand.ready(now)
	}
	why := WaitEmpty
	for range len(own) + 1 {
		q := &p.Strand
		if p.strands.turn > 0 {
			q = own[p.strands.turn-1]
		}
		p.strands.turn = (p.strands.turn + 1) % (len(own) + 1)
		b, wait := q.ready(now)
		if b != nil {
			return b, Go
		}
		if wait == WaitDeadline {
			// Before others have their turn: where one always has a batch, nobody
			// would be told, and q would stand still.
			return nil, wait
		}
		why = max(why, wait)
	}
	return nil, why
}

// Head returns the batch that was opened first of those that were not taken,
// open or not; nil if none is published.
func (p *Partition) Head() (b *Batch) {
	p.each(func(q *Strand) bool {
		if first := q.oldest(); first != nil && (b == nil || first.Created() < b.Created()) {
			b = first
		}
		return true
	})
	return b
}

func (p *Partition) due(b *Batch, now int64) bool {
	a := p.acc
	linger := int64(p.Linger())
	return linger == 0 || now-b.created.Load() >= linger || b.hurried.Load() == b.state.load().gen()+1 || a.pressure.Load() || a.closed.Load() || p.pressed()
}

// Take moves b, which Next returned, from the queue into flight and assigns
// its sequence if it has none.
func (p *Partition) Take(b *Batch, e *Env) {
	s := &p.sender
	if len(s.retry) > 0 && s.retry[0] == b {
		s.retry = removeFirst(s.retry)
	} else {
		b.strand.advance(b)
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

// InFlight is the number of batches that were sent and have no answer.
func (p *Partition) InFlight() int { return len(p.sender.inflight) }

// Retrying is the oldest batch that waits to be sent again, or nil.
func (p *Partition) Retrying() *Batch {
	if len(p.sender.retry) == 0 {
		return nil
	}
	return p.sender.retry[0]
}

// Queued counts the batches that were not taken, or wait for a retry; at most
// limit of them.
func (p *Partition) Queued(limit int) int {
	n := len(p.sender.retry)
	p.each(func(q *Strand) bool {
		n += q.backlog(limit - n)
		return n < limit
	})
	return n
}

// Backlog is Queued, but however many strands have batches, the last ones of all
// count as one: they are open, mostly, and fill side by side. It is what the
// partition has to send before what is accepted now.
func (p *Partition) Backlog(limit int) int {
	n, last := len(p.sender.retry), 0
	p.each(func(q *Strand) bool {
		if k := q.backlog(limit - n); k > 0 {
			n, last = n+k-1, 1
		}
		return n < limit
	})
	return min(n+last, limit)
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

// Expired takes the oldest batch of a strand out without sending it, if it was
// opened at before or earlier and nobody writes to it any more; nil if not. It
// was never sent and has no sequence.
func (p *Partition) Expired(before int64) (b *Batch) {
	p.each(func(q *Strand) bool {
		b = q.expired(before)
		return b == nil
	})
	if b != nil {
		p.sender.order += orderStep
		b.Sender.Order = p.sender.order // behind all that was sent, see Finish
	}
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
