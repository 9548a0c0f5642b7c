package accum

// Callbacks of a partition run in the order in which its records were accepted.
// Answers come in another order when a batch is retried while younger ones are
// acknowledged: the broker had appended it and said that it had not yet enough
// replicas, say. Then the outcomes of the younger ones are held back. There are
// never more of them than may be in flight.

// Finish gives b its outcome, once, and hands it to lane as soon as every older
// batch of p has one. b was taken out of flight or of the retries (Drop), or
// stays in flight as expired. The caller must not touch b after it unless it
// holds the socket side.
func (p *Partition) Finish(b *Batch, o Outcome, lane *Lane) {
	s := &p.sender
	if b.within {
		b.parent.settleMissed(o.Err)
		return
	}
	b.Sender.Finished = true
	if len(s.held) == 0 && !s.olderThan(b) {
		b.Finish(o, lane)
		return
	}
	b.outcome = o
	s.held = insertByOrder(s.held, b)
	for len(s.held) > 0 && !s.olderThan(s.held[0]) {
		b = s.held[0]
		s.held = removeFirst(s.held)
		b.Finish(b.outcome, lane)
	}
}

// olderThan says that a batch older than b has no outcome yet. Both lists are
// sorted, so only their first batches without one matter.
func (s *senderSide) olderThan(b *Batch) bool {
	return firstOpen(s.inflight, b.Sender.Order) || firstOpen(s.retry, b.Sender.Order)
}

func firstOpen(list []*Batch, before uint64) bool {
	for _, x := range list {
		if x.Sender.Order >= before {
			return false
		}
		if !x.Sender.Finished {
			return true
		}
	}
	return false
}
