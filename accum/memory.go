package accum

import (
	"context"
	"time"

	"github.com/kring-go/kring/slab"
)

// This file is how a batch gets its memory, and what happens when there is
// none: a shortage, during which every batch is ready.

// acquire gets the slots for a batch of size bytes: the first one becomes the
// batch, the rest its chain. It blocks up to wait; 0 fails at once.
//
// small prefers a small slot. And if no whole one is free, a small one that is
// serves as well: smaller batches are better than to wait.
func (a *Accumulator) acquire(ctx context.Context, size int, wait time.Duration, small bool) (*Batch, error) {
	if small {
		return a.acquireSmall(ctx, wait)
	}
	if n := a.slots(size); n > 1 {
		return a.acquireChain(ctx, n, wait)
	}
	var one [1]uint32
	if a.slab.Try(one[:]) {
		return a.single(one[0]), nil
	}
	if b := a.leftover(size); b != nil {
		return b, nil
	}
	if err := a.get(ctx, wait, one[:]); err != nil {
		return nil, err
	}
	return a.single(one[0]), nil
}

// slots is how many slots a batch of size bytes takes.
func (a *Accumulator) slots(size int) int {
	slot := a.slab.SlotSize()
	return (size + slot - 1) / slot
}

func (a *Accumulator) single(i uint32) *Batch {
	b := a.batch(i)
	if b.chain != nil {
		b.chain = nil
	}
	return b
}

func (a *Accumulator) acquireChain(ctx context.Context, slots int, wait time.Duration) (*Batch, error) {
	dst := make([]uint32, slots)
	if !a.slab.Try(dst) {
		if err := a.get(ctx, wait, dst); err != nil {
			return nil, err
		}
	}
	b := a.batch(dst[0])
	b.chain = dst[1:]
	return b, nil
}

// get waits for slots when there are none. With wait 0 it only makes room.
func (a *Accumulator) get(ctx context.Context, wait time.Duration, dst []uint32) error {
	if len(dst) > a.slab.Slots() {
		return slab.ErrTooLarge
	}
	return a.wait(wait, func() error { return a.slab.Get(ctx, wait, dst) })
}

// wait calls f, which waits for slots: it calls relieve when it is in the queue.
func (a *Accumulator) wait(wait time.Duration, f func() error) error {
	switch {
	case a.closed.Load():
		return slab.ErrClosed
	case wait <= 0:
		a.relieve()
		return slab.ErrTimeout
	}
	err := f()
	if a.slab.Slots() <= fewSlots && len(a.Partitions()) <= fewPartitions {
		a.relax()
	}
	return err
}

// With few slots a shortage ends with its last waiter, as it does in Java. Were
// it to last until the next tick, nearly every batch would be opened in it and
// leave with its first record. With many more slots than requests in flight
// that does no harm: what is ready and can not leave yet fills up meanwhile. As
// every shortage begins with a look at all partitions, these have to be few too.
const (
	fewSlots      = 256
	fewPartitions = 1024
)

// relieve makes every open batch ready because somebody needs its memory. The
// flag stays up as long as relax lets it, so the scan runs once per shortage
// and not once per waiter.
//
// The race to win, waiter W against opener O:
//
//	[O] publishes batch N, loads pressure=false, so N lingers
//	[W] stores pressure=true, scans: must see N
//
// Go's atomics are sequentially consistent: if O loaded false, its publication
// came before W's store, and W's scan sees it. Otherwise O marks N itself.
func (a *Accumulator) relieve() {
	if a.pressure.Swap(true) {
		return
	}
	for _, p := range a.Partitions() {
		if !p.each(func(q *Strand) bool { return q.open.load().empty() }) {
			p.MarkReady()
		}
	}
}

// relax ends a shortage if nobody waits.
//
// The race to win, against a waiter W:
//
//	[R] sees nobody wait
//	[W] enters the queue, swaps: pressure was up, so it does not scan
//	[R] stores pressure=false; batches linger, W waits for them
//
// W's swap came before R's store, so R's second look sees W in the queue.
func (a *Accumulator) relax() {
	if a.pressure.Load() && !a.waited() {
		a.endShortage()
	}
}

func (a *Accumulator) endShortage() {
	a.pressure.Store(false)
	if a.waited() {
		a.relieve()
	}
}

// waited says that somebody waits for batches to end.
func (a *Accumulator) waited() bool { return a.slab.Waiting() > 0 || a.pressing.Load() > 0 }

// Press is for who waits until records have an outcome, whatever memory there
// is: as in a shortage every batch is ready, until Unpress and the next Tick.
func (a *Accumulator) Press() {
	a.pressing.Add(1) // before relieve, see relax
	a.relieve()
}

// Unpress ends a Press.
func (a *Accumulator) Unpress() { a.pressing.Add(-1) }

// Tick ends a shortage that relax left standing, when an eighth of the memory
// is free and nobody waits.
func (a *Accumulator) Tick() {
	if a.slab.FreeBytes() > a.slab.TotalBytes()/8 {
		a.relax()
	}
}

// Pressed says that memory is short: every batch is ready, linger or not.
func (a *Accumulator) Pressed() bool { return a.pressure.Load() }

// putBack returns a batch that was acquired and never published.
func (a *Accumulator) putBack(b *Batch) {
	b.leaveShares()
	chain := b.chain
	b.chain = nil
	for _, i := range chain {
		a.slab.ReleaseRecord(i)
	}
	a.slab.ReleaseRecord(b.index)
}
