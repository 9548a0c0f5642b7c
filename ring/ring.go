package ring

import (
	"fmt"
	"sync/atomic"

	"github.com/kring-go/kring/internal/invariant"
)

// MaxCapacity bounds the capacity of a ring. It keeps the rounding up to a
// power of two inside an int of 32 bits.
const MaxCapacity = 1 << 30

// Ring is a bounded queue of many producers and one consumer. It must be made
// by New, and it must not be copied.
type Ring[T any] struct {
	// slots, mask and capacity never change.
	slots    []slot[T]
	mask     uint64
	capacity uint64

	// popping is 1 while the consumer is inside TryPop. It is used only with
	// the tag invariants, to catch a second consumer.
	popping atomic.Uint32

	// pause is called between two atomic steps, so that a test can stop
	// there. It is used only with the tag invariants; nil otherwise.
	pause func(point)

	_    [cacheLine]byte
	tail cursor // the next position to claim; written by producers
	head cursor // the next position to take; written by the consumer only
}

// slot holds the value of one position. seq says whose it is; see doc.go.
type slot[T any] struct {
	seq atomic.Uint64

	// value is written by the producer that claimed the position, before P3,
	// and read and cleared by the consumer between C1 and C3.
	value T
}

// point is a place between two atomic steps.
type point uint8

const (
	afterTail  point = iota // a producer has loaded tail, and not yet looked at the slot
	afterLoad               // a producer has looked at the slot, and not claimed it
	afterClaim              // a producer has claimed its position, and not published it
	afterTake               // the consumer has taken a value, and not made room
)

// New makes a ring for exactly capacity values. It panics unless capacity is
// between 1 and MaxCapacity.
func New[T any](capacity int) *Ring[T] {
	return newAt[T](capacity, 0)
}

// newAt makes an empty ring that stands at position start, as if start values
// had gone through it.
func newAt[T any](capacity int, start uint64) *Ring[T] {
	if capacity < 1 || capacity > MaxCapacity {
		panic(fmt.Sprintf("ring: got capacity %d, want 1 to %d", capacity, MaxCapacity))
	}
	size := slotCount(capacity)
	r := &Ring[T]{
		slots:    make([]slot[T], size),
		mask:     uint64(size) - 1,
		capacity: uint64(capacity),
	}
	for i := range uint64(size) {
		pos := start + i
		seq := pos
		if i >= r.capacity {
			// There is no room for pos yet: the slot looks as it does after
			// the previous lap, published and taken.
			seq = pos - uint64(size) + 1
		}
		r.slots[pos&r.mask].seq.Store(seq)
	}
	r.tail.pos.Store(start)
	r.head.pos.Store(start)
	return r
}

// slotCount is capacity rounded up to a power of two, and at least 2: with a
// single slot, "published at pos" and "free for pos+1" would be the same seq.
func slotCount(capacity int) int {
	size := 2
	for size < capacity {
		size *= 2
	}
	return size
}

// TryPush appends v and reports whether there was room. Any goroutine may call
// it. Once it has returned true, v is visible to the consumer, behind the
// values that were claimed before it.
func (r *Ring[T]) TryPush(v T) bool {
	pos, ok := r.claim()
	if !ok {
		return false
	}
	r.publish(pos, v)
	return true
}

// claim takes the next position for the caller, who must publish it. It
// reports false if the ring is full.
func (r *Ring[T]) claim() (uint64, bool) {
	for {
		pos := r.tail.pos.Load()
		if invariant.Enabled {
			r.at(afterTail)
		}
		seq := r.slots[pos&r.mask].seq.Load() // P1
		if invariant.Enabled {
			r.at(afterLoad)
		}
		switch lag := int64(seq - pos); {
		case lag < 0:
			// No room for pos, so nobody can have claimed it, and tail still
			// was pos when we loaded seq: the ring was full at that moment.
			return 0, false
		case lag > 0:
			// Another producer claimed pos after our load of tail.
			continue
		}
		if r.tail.pos.CompareAndSwap(pos, pos+1) { // P2
			return pos, true
		}
	}
}

// publish hands the claimed position to the consumer.
func (r *Ring[T]) publish(pos uint64, v T) {
	if invariant.Enabled {
		r.at(afterClaim)
	}
	s := &r.slots[pos&r.mask]
	s.value = v
	s.seq.Store(pos + 1) // P3
}

// TryPop takes the oldest value. It reports false if there is none, or if the
// oldest one is not yet published (then Len is not 0). One goroutine at a time
// may call it.
func (r *Ring[T]) TryPop() (T, bool) {
	if invariant.Enabled {
		r.enterPop()
		defer r.popping.Store(0)
	}
	var zero T
	pos := r.head.pos.Load()
	s := &r.slots[pos&r.mask]
	seq := s.seq.Load() // C1
	if invariant.Enabled && seq != pos && seq != pos+1 {
		panic(fmt.Sprintf("ring: slot %d has seq %d, want %d or %d", pos&r.mask, seq, pos, pos+1))
	}
	if seq != pos+1 {
		return zero, false
	}
	v := s.value
	s.value = zero            // The ring must not keep alive what it has handed out.
	r.head.pos.Store(pos + 1) // C2
	if invariant.Enabled {
		r.at(afterTake)
	}
	free := pos + r.capacity
	r.slots[free&r.mask].seq.Store(free) // C3
	return v, true
}

// Len is the number of values that are claimed and not taken, at one moment of
// the call. It is always between 0 and Cap. Any goroutine may call it.
func (r *Ring[T]) Len() int {
	for {
		head := r.head.pos.Load()
		tail := r.tail.pos.Load()
		// An unchanged head says that the two belong together. Else the
		// consumer has taken something in the meantime, and we look again.
		if r.head.pos.Load() == head {
			return int(tail - head)
		}
	}
}

// Cap is the number of values that the ring can hold.
func (r *Ring[T]) Cap() int {
	return int(r.capacity)
}

// at runs the test's pause, if there is one.
func (r *Ring[T]) at(p point) {
	if r.pause != nil {
		r.pause(p)
	}
}

// enterPop panics if another goroutine is inside TryPop.
func (r *Ring[T]) enterPop() {
	if !r.popping.CompareAndSwap(0, 1) {
		panic(fmt.Sprintf("ring: got two consumers at position %d, want one", r.head.pos.Load()))
	}
}
