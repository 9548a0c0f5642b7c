package accum

// sequences is the idempotent state of one partition: which sequence comes
// next, under which identity, and whether the broker's idea of it is certain.
// Sequences are 64-bit here and wrap only on the wire, so that comparing them
// is never wrong.
//
// The rules (SEMANTICS of Kafka's broker, KIP-98, KIP-360):
//
//   - A sequence is assigned when a batch is drained, and a retry keeps it.
//   - A new identity starts at 0, and only when nothing of the old one is out.
//   - Until the first success under an identity and leader one batch is out:
//     the broker takes any first sequence from a producer it does not know.
//   - A batch that failed for good leaves a gap. What comes after it is retried
//     unchanged until the broker's answer says whether the failed batch is in
//     the log after all: success means yes, OUT_OF_ORDER_SEQUENCE for the
//     oldest one means no. In the second case everything restarts at 0 under a
//     bumped epoch.
type sequences struct {
	id       Identity
	next     int64 // next logical sequence to assign
	proven   bool  // the present leader has acked something under id
	gap      bool  // a sequenced batch failed; nothing new until resolved
	gapAt    int64 // its first sequence
	renumber bool  // everything outstanding is refused: restart at 0
}

// mayPipeline says whether a batch with a new sequence may follow others that
// are in flight.
func (q *sequences) mayPipeline(e *Env) bool {
	return q.proven && !q.gap && !q.renumber && q.id == e.Identity
}

func (q *sequences) assign(b *Batch) {
	b.Sender.ProducerID, b.Sender.ProducerEpoch = q.id.ID, q.id.Epoch
	b.Sender.Sequence = q.next
	q.next += int64(b.Records())
}

// settle adopts the producer's identity when it must and may. Go: Next may go
// on (it checks what is in flight itself).
func (p *Partition) settle(e *Env) Wait {
	s := &p.sender
	q := &s.seq
	out := len(s.inflight) > 0
	switch {
	case q.renumber:
		if out {
			return WaitInFlight
		}
	case q.gap:
		if out || len(s.retry) > 0 {
			return p.settleByRetry()
		}
	case q.id == e.Identity:
		if !q.id.valid() {
			return WaitIdentity
		}
		return Go
	case out || len(s.retry) > 0:
		return p.settleByRetry()
	}
	if !e.Identity.valid() {
		return WaitIdentity
	}
	if q.id == e.Identity {
		return WaitBump
	}
	p.adopt(e.Identity)
	return Go
}

// settleByRetry lets what is outstanding be sent again as it is, and nothing
// new.
func (p *Partition) settleByRetry() Wait {
	if len(p.sender.retry) > 0 {
		return Go
	}
	return WaitInFlight
}

// adopt restarts the sequences at 0 under id. Nothing is in flight, and what
// waits for a retry is certainly not in the log.
func (p *Partition) adopt(id Identity) {
	s := &p.sender
	s.seq = sequences{id: id}
	for _, b := range s.retry {
		s.seq.assign(b)
		b.Sender.Ambiguous, b.Sender.Rejected = false, false
	}
}

// NewLeader must be called when the partition moves to another broker: the
// first request there goes alone.
func (p *Partition) NewLeader() { p.sender.seq.proven = false }

// Proven must be called when the leader has acked a batch.
func (p *Partition) Proven(b *Batch) {
	q := &p.sender.seq
	if b.Sender.ProducerID == q.id.ID && b.Sender.ProducerEpoch == q.id.Epoch {
		q.proven = true
	}
}

// Gap says that a batch of p failed for good whose fate is not certain yet: that
// the broker refuses what comes after it says no more than that it is not there.
func (p *Partition) Gap() bool { return p.sender.seq.gap }

// MustNotRestart says that b, whose sequence the broker has just refused, can not
// be sent under a new epoch: it is the oldest one out, so that would be next, but
// a copy of it may still reach the broker, and be accepted, before the new epoch
// does. (The copy of the batch before it, which failed for good, comes first.)
func (p *Partition) MustNotRestart(b *Batch) bool { return b.Sender.Orphaned && p.oldest(b) }

// Oldest says that no batch of p that is older than b is outstanding.
func (p *Partition) Oldest(b *Batch) bool { return p.oldest(b) }

// oldest says that no batch older than b is outstanding.
func (p *Partition) oldest(b *Batch) bool {
	for _, list := range [...][]*Batch{p.sender.inflight, p.sender.retry} {
		if len(list) > 0 && list[0].Sender.Order < b.Sender.Order {
			return false
		}
	}
	return true
}

// SequenceRefused puts b back after the broker refused its sequence (or its
// producer id or epoch). If b is the oldest one out, the refusal is certain
// and everything restarts under a new epoch; otherwise b only followed one
// that failed, and is sent again after it.
func (p *Partition) SequenceRefused(b *Batch, retryAt int64) (restart bool) {
	s := &p.sender
	oldest := p.oldest(b)
	p.Requeue(b, retryAt)
	if oldest {
		b.Sender.Rejected = true
		s.seq.renumber = true
	}
	return oldest
}

// resolved is told the outcome of a sequenced batch. others says that more are
// outstanding.
func (q *sequences) resolved(b *Batch, persisted, others bool) {
	if b.Sender.ProducerID != q.id.ID || b.Sender.ProducerEpoch != q.id.Epoch {
		return // of an identity that is history
	}
	end := b.Sender.Sequence + int64(b.Records())
	switch {
	case persisted:
		if q.gap && b.Sender.Sequence >= q.gapAt {
			q.gap = false // the broker went past the gap, so it was none
		}
	case !b.Sender.Ambiguous && !others && end == q.next:
		q.next = b.Sender.Sequence // refused for certain and the last: use it again
	default:
		q.gap, q.gapAt = true, b.Sender.Sequence
	}
}
