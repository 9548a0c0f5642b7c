package accum

import "context"

// flush is one Flush call that waits.
type flush struct {
	epoch uint64        // batches opened in this epoch or before are waited for
	next  int           // first batch that was not yet seen without them
	wake  chan struct{} // capacity 1
}

// Flush makes everything that was accepted before the call ready and waits
// until it has an outcome and its callbacks have run. It waits for nothing
// that is accepted later, so it ends under continuous load.
//
// A batch remembers the epoch in which it was opened and Flush begins a new
// one. A record that was accepted before is in a batch of an older epoch; a
// split keeps its parent's slot until all pieces have an outcome.
func (a *Accumulator) Flush(ctx context.Context) error {
	f := &flush{epoch: a.epoch.Add(1), wake: make(chan struct{}, 1)}
	for _, p := range a.Partitions() {
		p.SealOpen()
	}
	a.flushMu.Lock()
	a.flushes[f] = struct{}{}
	a.flushMu.Unlock()
	a.flushers.Add(1)
	defer func() {
		a.flushers.Add(-1)
		a.flushMu.Lock()
		delete(a.flushes, f)
		a.flushMu.Unlock()
	}()
	for !a.flushed(f) {
		select {
		case <-f.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// flushed looks at the batches from where it stopped the last time. A batch
// that was seen free, or in a later epoch, can not come back into f's.
func (a *Accumulator) flushed(f *flush) bool {
	var all bool
	f.next, all = a.everyBatch(f.next, func(b *Batch) bool {
		e := b.live.Load()
		return e == 0 || e > f.epoch
	})
	return all
}

// wakeFlushers is called after a batch was released. Register-then-look in
// Flush against release-then-load here: one of the two sees the other.
func (a *Accumulator) wakeFlushers() {
	a.flushMu.Lock()
	defer a.flushMu.Unlock()
	for f := range a.flushes {
		select {
		case f.wake <- struct{}{}:
		default:
		}
	}
}
