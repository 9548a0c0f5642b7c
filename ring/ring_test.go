package ring

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"unsafe"
)

// starts are positions from which a test passes the wrap of 32 bits, of the
// sign bit, and of 64 bits, besides the ordinary start.
var starts = []struct {
	name string
	pos  uint64
}{
	{name: "zero", pos: 0},
	{name: "before 2^32", pos: math.MaxUint32 - 4},
	{name: "before 2^63", pos: math.MaxInt64 - 4},
	{name: "before 2^64", pos: math.MaxUint64 - 4},
}

func TestNewCapacityIsExact(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 1000, 1023, 1024, 1025} {
		for _, start := range starts {
			t.Run(fmt.Sprintf("capacity=%d/start=%s", capacity, start.name), func(t *testing.T) {
				r := newAt[int](capacity, start.pos)
				if got := r.Cap(); got != capacity {
					t.Fatalf("Cap() = %d, want %d", got, capacity)
				}
				for lap := range 3 {
					fillAndDrain(t, r, lap*capacity)
				}
			})
		}
	}
}

// fillAndDrain pushes base, base+1, ... until the ring is full, and takes them
// all again.
func fillAndDrain(t *testing.T, r *Ring[int], base int) {
	t.Helper()
	for i := range r.Cap() {
		if !r.TryPush(base + i) {
			t.Fatalf("TryPush number %d of %d: refused; %s", i, r.Cap(), r.state())
		}
	}
	if r.TryPush(-1) {
		t.Fatalf("TryPush into a full ring: accepted; %s", r.state())
	}
	if got := r.Len(); got != r.Cap() {
		t.Fatalf("Len() of a full ring = %d, want %d", got, r.Cap())
	}
	for i := range r.Cap() {
		got, ok := r.TryPop()
		if !ok || got != base+i {
			t.Fatalf("TryPop number %d = %d, %t, want %d, true; %s", i, got, ok, base+i, r.state())
		}
	}
	if got, ok := r.TryPop(); ok || got != 0 {
		t.Fatalf("TryPop of an empty ring = %d, %t, want 0, false", got, ok)
	}
	if got := r.Len(); got != 0 {
		t.Fatalf("Len() of an empty ring = %d, want 0", got)
	}
}

func TestNewPanics(t *testing.T) {
	for _, capacity := range []int{math.MinInt, -1, 0, MaxCapacity + 1, math.MaxInt} {
		t.Run(fmt.Sprintf("capacity=%d", capacity), func(t *testing.T) {
			defer func() {
				got := fmt.Sprint(recover())
				if want := fmt.Sprintf("ring: got capacity %d", capacity); !strings.Contains(got, want) {
					t.Errorf("New(%d) panics with %q, want %q in it", capacity, got, want)
				}
			}()
			New[int](capacity)
		})
	}
}

func TestSlotCount(t *testing.T) {
	for _, tc := range []struct{ capacity, want int }{
		{1, 2}, {2, 2}, {3, 4}, {4, 4}, {5, 8}, {MaxCapacity - 1, MaxCapacity}, {MaxCapacity, MaxCapacity},
	} {
		if got := slotCount(tc.capacity); got != tc.want {
			t.Errorf("slotCount(%d) = %d, want %d", tc.capacity, got, tc.want)
		}
	}
}

// A producer that stalls between claim and publish holds back the consumer,
// but no producer until the ring is full; and nothing half-written is read.
func TestProducerStalledBeforePublish(t *testing.T) {
	for _, start := range starts {
		t.Run(start.name, func(t *testing.T) {
			r := newAt[int](4, start.pos)
			stalled, ok := r.claim()
			if !ok {
				t.Fatalf("claim in an empty ring: refused")
			}
			for i := 1; i < 4; i++ {
				if !r.TryPush(i) {
					t.Fatalf("TryPush(%d) behind a stalled producer: refused; %s", i, r.state())
				}
			}
			if r.TryPush(4) {
				t.Fatalf("TryPush into a full ring: accepted; %s", r.state())
			}
			if v, ok := r.TryPop(); ok {
				t.Fatalf("TryPop past an unpublished claim = %d, want nothing", v)
			}
			if got := r.Len(); got != 4 {
				t.Fatalf("Len() = %d, want 4, the unpublished claim included", got)
			}
			r.publish(stalled, 0)
			for i := range 4 {
				if v, ok := r.TryPop(); !ok || v != i {
					t.Fatalf("TryPop = %d, %t, want %d, true", v, ok, i)
				}
			}
		})
	}
}

// A stale view of tail must not make a ring with room look full.
func TestClaimInterleavedWithWholeLaps(t *testing.T) {
	r := newAt[int](2, math.MaxUint64-3)
	for lap := range 100 {
		pos, ok := r.claim()
		if !ok {
			t.Fatalf("lap %d: claim refused; %s", lap, r.state())
		}
		if !r.TryPush(2*lap + 1) {
			t.Fatalf("lap %d: TryPush refused; %s", lap, r.state())
		}
		r.publish(pos, 2*lap)
		for i := range 2 {
			if v, ok := r.TryPop(); !ok || v != 2*lap+i {
				t.Fatalf("lap %d: TryPop = %d, %t, want %d, true", lap, v, ok, 2*lap+i)
			}
		}
	}
}

func TestPopKeepsNoReference(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 4, 5} {
		r := New[*int](capacity)
		for range 3 * capacity {
			r.TryPush(new(int))
			if v, ok := r.TryPop(); !ok || v == nil {
				t.Fatalf("capacity %d: TryPop = %v, %t, want a pointer, true", capacity, v, ok)
			}
		}
		for i := range r.slots {
			if r.slots[i].value != nil {
				t.Errorf("capacity %d: slot %d still holds a reference after TryPop", capacity, i)
			}
		}
	}
}

// Nothing that the other side writes may share two lines with a cursor.
func TestCursorsArePadded(t *testing.T) {
	var r Ring[int]
	read, tail, head := unsafe.Offsetof(r.pause), unsafe.Offsetof(r.tail), unsafe.Offsetof(r.head)
	if tail < read+cacheLine {
		t.Errorf("tail at offset %d, want at least %d behind the constant fields at %d", tail, cacheLine, read)
	}
	if head < tail+cacheLine {
		t.Errorf("head at offset %d, want at least %d behind tail at %d", head, cacheLine, tail)
	}
	if size := unsafe.Sizeof(r); size < head+cacheLine {
		t.Errorf("size %d, want at least %d behind head at %d", size, cacheLine, head)
	}
}

// state prints what a failed test needs to see. It is for a ring at rest, but
// harmless at any time.
func (r *Ring[T]) state() string {
	var b strings.Builder
	head, tail := r.head.pos.Load(), r.tail.pos.Load()
	fmt.Fprintf(&b, "capacity %d, head %d, tail %d, seq-head:", r.capacity, head, tail)
	for i := range min(uint64(len(r.slots)), 16) {
		fmt.Fprintf(&b, " %d", int64(r.slots[(head+i)&r.mask].seq.Load()-head))
	}
	return b.String()
}
