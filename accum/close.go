package accum

// Refuse makes every call that waits for memory fail, and every batch ready.
// Records that need no new batch may still be accepted until CloseEmpty.
func (a *Accumulator) Refuse() {
	// Under the mutex: a partition that is added meanwhile is born closed, or
	// CloseEmpty finds it.
	a.mu.Lock()
	a.closed.Store(true)
	a.mu.Unlock()
	a.slab.Close()
}

// CloseEmpty closes every partition that has no open batch, for ever, and
// reports whether that is all of them: then nothing can be accepted any more.
func (a *Accumulator) CloseEmpty() bool {
	all := true
	for _, p := range a.Partitions() {
		if !p.close() {
			all = false
		}
	}
	return all
}

// Idle says that p holds no record without an outcome, at this moment, as far
// as others than the sender can see.
func (p *Partition) Idle() bool { return p.open.load().empty() && p.first.load().empty() }
