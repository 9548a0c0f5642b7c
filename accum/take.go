package accum

// This file is the sender's side of a strand, for the role's holder.

// oldest returns the first batch of the chain, open or not; nil if none is
// published. For the role's holder.
func (q *Strand) oldest() *Batch {
	if q.head.empty() {
		w := q.first.load()
		if w.empty() {
			return nil
		}
		q.first.store(noBatch)
		q.head = w
	}
	return q.acc.batch(q.head.index())
}

// advance takes b, complete and at the head, out of the chain, and notes how
// large it became.
//
// If b has no successor its link is closed first, so that none can be added to
// a batch that is about to be recycled; then the open word is emptied. If a
// successor was linked meanwhile, the open word is helped along: it must not
// name b any more when b's next life begins.
func (q *Strand) advance(b *Batch) {
	if n := int32(min(b.rawSize(), maxOffset)); q.fill.last.Load() != n {
		q.fill.last.Store(n)
	}
	w := q.head
	if b.link.cas(emptyLink(w.gen()), closedLink(w.gen())) {
		q.open.cas(w, noBatch)
		q.head = noBatch
		return
	}
	next := b.link.load().index()
	q.head = makeWord(q.acc.batch(next).state.load().gen(), next)
	q.open.cas(w, q.head)
}

// backlog counts the queued batches, at most limit of them.
func (q *Strand) backlog(limit int) (n int) {
	for b, w := q.oldest(), q.head; b != nil && n < limit; n++ {
		l := b.link.load()
		if l.empty() || l.closed() || l.gen() != w.gen() {
			return n + 1
		}
		next := l.index()
		b = q.acc.batch(next)
		w = makeWord(b.state.load().gen(), next)
	}
	return n
}

// ready returns the oldest batch of q if it is due and complete.
func (q *Strand) ready(now int64) (*Batch, Wait) {
	for {
		b := q.oldest()
		if b == nil {
			return nil, WaitEmpty
		}
		st := b.state.load()
		if !st.sealed() {
			if !q.p.due(b, now) {
				return nil, WaitLinger
			}
			st, _ = b.seal(q.head.gen(), now)
		}
		switch {
		case !st.complete():
			return nil, WaitWriters
		case st.count() == 0:
			q.discard(b)
		case b.late(now):
			if b.pack.load().phase() == busy {
				return nil, WaitPacking
			}
			return nil, WaitDeadline
		case !b.isPacked():
			return nil, WaitPacking
		default:
			return b, Go
		}
	}
}

// discard ends the life of a batch whose only record was taken back.
func (q *Strand) discard(b *Batch) {
	q.advance(b)
	b.release()
}

// expired takes the oldest batch out as Partition.Expired does.
func (q *Strand) expired(before int64) *Batch {
	for {
		b := q.oldest()
		if b == nil || b.created.Load() > before {
			return nil
		}
		b.state.seal(q.head.gen())
		st := b.state.load()
		if st.complete() && st.count() == 0 {
			q.discard(b)
			continue
		}
		if !st.complete() || !b.neverSent() {
			return nil // the last writer, or who compresses it, marks the partition
		}
		q.advance(b)
		return b
	}
}
