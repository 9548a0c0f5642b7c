package slab

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/kring-go/kring/internal/invariant"
)

// small is the small slots. A slot that is home can be cut into them, and they
// are joined to it again when all of them are home and whole slots are short:
//
//	whole, home ──cut──► per small slots: handed out, home, handed out, …
//	     ▲                                    │ all are home
//	     └────────────────join────────────────┘
//
// The index of small slot k of slot i is Slots + i·per + k. While a slot is cut
// it is on no list, and no side of it is held: whoever releases it meets the
// check for misuse. The small slots of a slot that is not cut are just so.
//
//	C1 add home ........ a small slot comes home, before its push (L3)
//	C2 add home ........ it was popped (L2), and leaves
//	C3 add whole ....... with the C1 that was the last, the C2 that was the first
//
// So home is never below what of a slot is on the list, and a join that pops
// them all has the slot to itself. It may miss one that is between C1 and L3;
// whoever pushes that one looks for waiters after it (W2), and they join then.
type small struct {
	per  int // small slots of a slot; 0: slots are not cut
	size int // bytes
	list list

	home  []atomic.Int32 // by slot, while it is cut: its small slots that are home
	whole atomic.Int32   // slots that are cut, and home with all of their small ones; for a moment also others, and below 0
	cut   atomic.Int32   // slots that are cut

	popped []uint32 // joinLocked's; guarded by mu
	count  []uint16 // by slot, all 0 outside of joinLocked; guarded by mu
}

// CutInto allows slots to be cut into per small slots each, for TrySmall and
// GetSmall. It must be called before the slab is used. It panics if per is not
// between 2 and what fits: 65535 per slot, one byte each, 2^31-1 in all.
func (s *Slab) CutInto(per int) { s.cutIntoAt(per, 0) }

// cutIntoAt is CutInto, and the list of small slots has counted tag pops.
func (s *Slab) cutIntoAt(per int, tag uint32) {
	slots := len(s.list.words)
	if per < 2 || per > min(s.slotSize, math.MaxUint16, maxSlots/(slots+1)) {
		panic(fmt.Sprintf("slab: got %d small slots for each of %d slots of %d bytes", per, slots, s.slotSize))
	}
	s.small.per, s.small.size = per, s.slotSize/per
	s.small.home = make([]atomic.Int32, slots)
	s.small.list.words = make([]atomicWord, slots*per) // pages that nobody touches before a cut
	s.small.list.head.u.Store(uint64(makeHead(noIndex, tag)))
}

// SmallSize is the number of bytes of a small slot; 0 without CutInto.
func (s *Slab) SmallSize() int { return s.small.size }

// PerSlot is the number of small slots that a slot is cut into; 0 without
// CutInto.
func (s *Slab) PerSlot() int { return s.small.per }

// at is where small slot i begins in the arena.
func (c *small) at(i, slotSize int) int { return i/c.per*slotSize + i%c.per*c.size }

// comesHome is C1, with C3.
func (c *small) comesHome(i uint32) {
	if c.home[int(i)/c.per].Add(1) == int32(c.per) {
		c.whole.Add(1)
	}
}

// leaves is C2, with C3.
func (c *small) leaves(i uint32) {
	if c.home[int(i)/c.per].Add(-1) == int32(c.per-1) {
		c.whole.Add(-1)
	}
}

// TrySmall hands out a small slot, its record side held. If none is home and cut
// is true, a whole slot is cut. It fails as Try does, and may fail for the moment
// in which small slots are being joined.
func (s *Slab) TrySmall(cut bool) (uint32, bool) {
	if s.gate.load().waiting() != 0 {
		return 0, false
	}
	i, ok := s.popSmall()
	if !ok && cut {
		// Whoever came to wait since the look above found nothing, and the rest
		// of what is cut here is free.
		if i, ok = s.cutOne(); ok {
			s.wakeWaiters()
		}
	}
	if ok {
		s.holdRecord([]uint32{i})
	}
	return i, ok
}

// GetSmall is Get for one small slot.
func (s *Slab) GetSmall(ctx context.Context, wait time.Duration) (uint32, error) {
	if s.gate.load().closed() {
		return 0, ErrClosed
	}
	if i, ok := s.TrySmall(true); ok {
		return i, nil
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if wait <= 0 {
		return 0, ErrTimeout
	}
	var dst [1]uint32
	err := s.wait(ctx, wait, dst[:], true)
	return dst[0], err
}

// popSmall takes a small slot that is home. No side of it is held.
func (s *Slab) popSmall() (uint32, bool) {
	var one [1]uint32
	if s.small.list.take(one[:], 1) == 0 {
		return 0, false
	}
	s.small.leaves(one[0])
	return uint32(len(s.list.words)) + one[0], true
}

// cutOne cuts a slot and takes one of its small ones; the others come home. The
// caller wakes who waits for them.
func (s *Slab) cutOne() (uint32, bool) {
	c := &s.small
	var one [1]uint32
	if s.list.take(one[:], 1) == 0 {
		return 0, false
	}
	before := s.list.words[one[0]].swap(0)
	if invariant.Enabled {
		s.checkHome(one[0], before)
		s.list.at(beforeCut)
	}
	c.home[one[0]].Store(int32(c.per - 1))
	c.cut.Add(1)
	first := one[0] * uint32(c.per)
	for k := uint32(c.per) - 1; k > 0; k-- {
		c.list.push(first + k)
	}
	return uint32(len(s.list.words)) + first, true
}

// join makes whole slots of small ones, if it can, and reports whether it did.
func (s *Slab) join() bool {
	if s.small.whole.Load() <= 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.joinLocked() // Nobody to wake: who waits has tried to join as well.
}

// joinLocked pops the small slots, makes those whole that are there with all of
// their slot, and pushes the others again. What comes home meanwhile is not
// looked at: with it, this might not end.
func (s *Slab) joinLocked() bool {
	c := &s.small
	if c.whole.Load() <= 0 {
		return false
	}
	if c.count == nil {
		c.count = make([]uint16, len(s.list.words))
	}
	c.popAll()
	for _, i := range c.popped {
		c.count[int(i)/c.per]++
	}
	joined := false
	for n := len(c.popped); n > 0; n-- {
		i := c.popped[n-1]
		slot := int(i) / c.per
		switch {
		case int(c.count[slot]) < c.per:
			c.list.push(i)
		case int(i)%c.per == 0: // once for each slot
			c.whole.Add(-1)
			c.cut.Add(-1)
			s.list.push(uint32(slot))
			joined = true
		}
	}
	for _, i := range c.popped {
		c.count[int(i)/c.per] = 0
	}
	return joined
}

// popAll moves the small slots that are home at this moment to popped, in the
// order of the list.
func (c *small) popAll() {
	const atOnce = 64 // a longer walk is more often torn
	left := c.list.free()
	c.popped = c.popped[:0]
	for left > 0 {
		n := len(c.popped)
		c.popped = append(c.popped, make([]uint32, min(left, atOnce))...)
		got := c.list.take(c.popped[n:], 0)
		c.popped = c.popped[:n+got]
		if got == 0 {
			return
		}
		left -= got
	}
}
