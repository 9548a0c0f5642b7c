package accum

// Refuse makes every call that waits for memory fail, and every batch ready.
// Records that need no new batch may still be accepted until CloseEmpty.
func (a *Accumulator) Refuse() {
	// Under the mutex: a partition that is added meanwhile is born closed, or
	// CloseEmpty finds it.
	a.mu.Lock()
	if !a.closed.Swap(true) {
		close(a.refused)
	}
	a.mu.Unlock()
	a.slab.Close()
}

// CloseEmpty closes every strand that has no open batch, for ever, and
// reports whether that is all of them: then nothing can be accepted any more.
func (a *Accumulator) CloseEmpty() bool {
	all := true
	for _, p := range a.Partitions() {
		p.each(func(q *Strand) bool {
			all = q.close() && all
			return true
		})
	}
	return all
}

// Idle says that p holds no record without an outcome, at this moment, as far
// as others than the sender can see.
func (p *Partition) Idle() bool { return p.each((*Strand).idleNow) }
