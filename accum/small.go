package accum

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/kring-go/kring/wire"
)

// Where many partitions share the memory, each with little in it, a slot of
// batch.size for every open batch soon uses up all slots, and what is in them
// leaves a record at a time. So while memory is scarce, the next batch of a
// strand whose last one was small is opened in a small slot. Its records are
// fewer; else it is a batch as every other. docs/adr/0017 has the figures.
const (
	perSlot = 8
	// minSmall is the least for which a batch of its own is worth having.
	minSmall = 1024
	// fullsToGrow small batches in a row that were full say that the strand has
	// become busy. It gets a whole slot then, if there is one.
	fullsToGrow = 4
	// crowd is how many slots each strand should have, or slots are small. Few
	// strands use up all memory with batches that are full, or about to be.
	crowd = 4
	// minRecord is the bytes of a record without key, value and headers.
	minRecord = 7
)

// smallBatches are the batches of small slots, by the slot that is cut. They are
// made when it is cut for the first time, and stay.
type smallBatches struct {
	of  []atomic.Pointer[[perSlot]Batch]
	gen uint32 // of the life before the first
}

// cutSlots allows for small slots, if they would not be too small.
func (a *Accumulator) cutSlots() {
	if a.slab.SlotSize()/perSlot < minSmall {
		return
	}
	a.slab.CutInto(perSlot)
	a.small.of = make([]atomic.Pointer[[perSlot]Batch], a.slab.Slots())
}

// batch is the batch with an index, as words have it.
func (a *Accumulator) batch(i uint32) *Batch {
	if int(i) < len(a.batches) {
		return &a.batches[i]
	}
	return a.smallBatch(int(i) - len(a.batches))
}

// smallBatch is for an index that somebody was given: so its batch is made.
func (a *Accumulator) smallBatch(i int) *Batch {
	return &a.small.of[i/perSlot].Load()[i%perSlot]
}

// makeSmall is smallBatch for whoever was given small slot i, by its slab's
// index; it may be the first of its slot.
func (a *Accumulator) makeSmall(i uint32) *Batch {
	at := (int(i) - len(a.batches)) / perSlot
	if a.small.of[at].Load() == nil {
		made := new([perSlot]Batch)
		maxRecords := min(a.maxRecords, max(a.slab.SmallSize()/minRecord, 1))
		a.initBatches(made[:], len(a.batches)+at*perSlot, maxRecords, a.small.gen)
		a.small.of[at].CompareAndSwap(nil, made)
	}
	return a.batch(i)
}

// everyBatch calls f for the batches from index i on, as long as it returns
// true: all says that it did for each, and next is the index of the one for
// which it did not. Batches that were never used are passed by.
func (a *Accumulator) everyBatch(i int, f func(b *Batch) bool) (next int, all bool) {
	for ; i < len(a.batches); i++ {
		if !f(&a.batches[i]) {
			return i, false
		}
	}
	for k := i - len(a.batches); k < len(a.small.of)*perSlot; k++ {
		if made := a.small.of[k/perSlot].Load(); made == nil {
			k += perSlot - 1
		} else if !f(&made[k%perSlot]) {
			return k + len(a.batches), false
		}
	}
	return a.mostBatches(), true
}

// mostBatches is how many batches there can be, if every slot is cut once.
func (a *Accumulator) mostBatches() int { return len(a.batches) + len(a.small.of)*perSlot }

// fill is how a strand uses its batches. It is an estimate: those who write it
// at once lose what the other knew.
type fill struct {
	last  atomic.Int32 // bytes of the batch that was taken last
	fulls atomic.Int32 // small batches in a row that were full
}

// wantsSmall says that the batch of q that succeeds the one that w names, and
// begins with size bytes, should be a small one.
func (q *Strand) wantsSmall(w word, size int) bool {
	small := q.acc.slab.SmallSize()
	if size > small {
		return false // of every size, if slots are not cut
	}
	last := int(q.fill.last.Load())
	if !w.empty() {
		if s := q.acc.batch(w.index()).state.load(); s.gen() == w.gen() {
			last = s.offset()
		}
	}
	if last > small {
		return false
	}
	if last+size-wire.BatchHeaderSize <= small {
		if q.fill.fulls.Load() != 0 {
			q.fill.fulls.Store(0)
		}
	} else if q.fill.fulls.Load() < fullsToGrow {
		q.fill.fulls.Add(1)
	} else {
		return false
	}
	return q.acc.scarce()
}

// scarce says that less than half of the memory is home, and that there are so
// many strands that small slots are of use.
func (a *Accumulator) scarce() bool {
	if int(a.strands.Load())*crowd <= a.slab.Slots() {
		return false
	}
	return 2*a.slab.FreeBytes() < a.slab.TotalBytes()
}

// acquireSmall gets a small slot, and cuts a whole one for it if need be.
func (a *Accumulator) acquireSmall(ctx context.Context, wait time.Duration) (*Batch, error) {
	i, ok := a.slab.TrySmall(true)
	if ok {
		return a.makeSmall(i), nil
	}
	err := a.wait(wait, func() (err error) {
		i, err = a.slab.GetSmall(ctx, wait)
		return err
	})
	if err != nil {
		return nil, err
	}
	return a.makeSmall(i), nil
}

// leftover is a small slot in place of a whole one, of which there is none: it
// was cut before, and is home.
func (a *Accumulator) leftover(size int) *Batch {
	if size > a.slab.SmallSize() {
		return nil
	}
	if i, ok := a.slab.TrySmall(false); ok {
		return a.makeSmall(i)
	}
	return nil
}
