package slab

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kring-go/kring/internal/invariant"
)

// What Get returns besides the error of its context.
var (
	ErrTimeout  = errors.New("slab: no memory became free in time")
	ErrClosed   = errors.New("slab: closed")
	ErrTooLarge = errors.New("slab: more than the whole memory was asked for")
)

// Slab is an arena of slots. It must be made by New, and it must not be copied.
type Slab struct {
	// These never change; the bytes of a slot belong to the holders of its
	// sides.
	arena    []byte
	slotSize int

	misused atomic.Uint64

	waits func() // see OnWait

	// gate is written under mu and read by every Try and release. It stands
	// before the padding of list, away from the words that these write.
	gate atomicGate

	list list

	small small

	mu    sync.Mutex
	queue queue   // guarded by mu
	spare *waiter // guarded by mu; waiters to be used again
}

// New makes a slab of memory/slotSize slots. If memory is smaller than one
// slot, it makes one slot of that size: what is handed out never exceeds
// memory, so ask SlotSize. It panics if one of the two is below 1, or if memory
// is beyond what an int can count. The number of slots is limited to 2^31-1.
func New(memory int64, slotSize int) *Slab {
	return newAt(memory, slotSize, 0)
}

// newAt makes a slab whose free list has already counted tag pops.
func newAt(memory int64, slotSize int, tag uint32) *Slab {
	if memory < 1 || int64(int(memory)) != memory {
		panic(fmt.Sprintf("slab: got memory %d, want 1 to %d", memory, math.MaxInt))
	}
	if slotSize < 1 {
		panic(fmt.Sprintf("slab: got slot size %d, want at least 1", slotSize))
	}
	size := min(int64(slotSize), memory)
	slots := int(min(memory/size, maxSlots))
	s := &Slab{
		// Slots are not padded to cache lines: each is written by one
		// goroutine after the other, and the sum has to be exact.
		arena:    make([]byte, slots*int(size)),
		slotSize: int(size),
	}
	s.list.fill(slots, tag)
	if invariant.Enabled {
		for i := range slots {
			s.poison(uint32(i))
		}
	}
	return s
}

// OnWait has f called by every Get that has to wait, after it is in the queue
// and before it parks: whoever sees the effects of f sees the waiter in Waiting.
// It must be called before the slab is used.
func (s *Slab) OnWait(f func()) { s.waits = f }

// Slots is the number of slots.
func (s *Slab) Slots() int { return len(s.list.words) }

// SlotSize is the number of bytes of a slot.
func (s *Slab) SlotSize() int { return s.slotSize }

// Free is the number of slots that are home and on the free list. What a waiter
// has collected so far is not free.
func (s *Slab) Free() int { return s.list.free() }

// TotalBytes is all the memory.
func (s *Slab) TotalBytes() int64 { return int64(len(s.arena)) }

// FreeBytes is the memory that is home, small slots included.
func (s *Slab) FreeBytes() int64 {
	return int64(s.Free())*int64(s.slotSize) + int64(s.small.list.free())*int64(s.small.size)
}

// Leaked is the number of slots, small ones included, that are not home; after
// the last release it has to be 0.
func (s *Slab) Leaked() int {
	cut := int(s.small.cut.Load())
	return s.Slots() - s.Free() - cut + cut*s.small.per - s.small.list.free()
}

// Waiting is the number of calls of Get that wait.
func (s *Slab) Waiting() int { return s.gate.load().waiting() }

// Bytes are the bytes of slot i. They belong to the holders of its sides.
func (s *Slab) Bytes(i uint32) []byte {
	from, size := int(i)*s.slotSize, s.slotSize
	if slots := len(s.list.words); int(i) >= slots {
		from, size = s.small.at(int(i)-slots, s.slotSize), s.small.size
	}
	return s.arena[from : from+size : from+size]
}

// Try fills dst with slots whose record side is held, all or none, and reports
// which. It fails if so many are not free at this moment, and also if somebody
// waits: nobody overtakes. It never blocks. It works after Close as well, so
// that a batch can still be split while the last ones are being sent.
func (s *Slab) Try(dst []uint32) bool {
	if s.gate.load().waiting() != 0 {
		return false
	}
	for s.list.take(dst, len(dst)) < len(dst) {
		if !s.join() {
			return false
		}
	}
	s.holdRecord(dst)
	return true
}

// Get is Try, except that it waits its turn, parked, for up to wait. It returns
// ErrTimeout when that has passed (at once, if wait is not above 0), the
// context's error when the context ends, ErrClosed after Close, and ErrTooLarge
// if dst is longer than Slots. After an error dst holds nothing. If slots are
// free, the context is not looked at.
func (s *Slab) Get(ctx context.Context, wait time.Duration, dst []uint32) error {
	if len(dst) > s.Slots() {
		return ErrTooLarge
	}
	if s.gate.load().closed() {
		return ErrClosed
	}
	if s.Try(dst) {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if wait <= 0 {
		return ErrTimeout
	}
	return s.wait(ctx, wait, dst, false)
}

// Close ends the waiting: every Get that waits, and every later one, returns
// ErrClosed. Slots that are out stay valid and can be released.
func (s *Slab) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gate.close()
	for w := s.queue.first; w != nil; w = s.queue.first {
		s.dismiss(w, ErrClosed)
	}
}
