package slab

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"
)

// tags are tags from which a test passes the wrap, besides the ordinary one.
var tags = []uint32{0, math.MaxUint32 - 2, math.MaxUint32}

func newList(slots int, tag uint32) *list {
	l := &list{}
	l.fill(slots, tag)
	return l
}

// taken is the result of a take that may be short.
func (l *list) taken(n, least int) []uint32 {
	dst := make([]uint32, n)
	return dst[:l.take(dst, least)]
}

func TestListIsLastInFirstOut(t *testing.T) {
	for _, tag := range tags {
		t.Run(fmt.Sprintf("tag=%d", tag), func(t *testing.T) {
			l := newList(5, tag)
			if got := l.taken(5, 5); !slices.Equal(got, []uint32{0, 1, 2, 3, 4}) {
				t.Fatalf("take of all = %v, want 0 to 4", got)
			}
			for _, i := range []uint32{3, 1, 4} {
				l.push(i)
			}
			if got := l.taken(1, 1); !slices.Equal(got, []uint32{4}) {
				t.Fatalf("take = %v, want the slot that was pushed last, 4", got)
			}
			if got := l.taken(2, 2); !slices.Equal(got, []uint32{1, 3}) {
				t.Fatalf("take = %v, want [1 3]", got)
			}
			if got := l.taken(1, 1); len(got) != 0 {
				t.Fatalf("take of an empty list = %v, want nothing", got)
			}
		})
	}
}

func TestListTake(t *testing.T) {
	for _, tc := range []struct {
		name           string
		slots, n       int
		least          int
		want, wantFree int
	}{
		{name: "one of one", slots: 1, n: 1, least: 1, want: 1, wantFree: 0},
		{name: "exactly all", slots: 3, n: 3, least: 3, want: 3, wantFree: 0},
		{name: "one too many", slots: 3, n: 4, least: 4, want: 0, wantFree: 3},
		{name: "as many as there are", slots: 3, n: 4, least: 0, want: 3, wantFree: 0},
		{name: "at least, and there are", slots: 3, n: 4, least: 3, want: 3, wantFree: 0},
		{name: "at least, and there are not", slots: 2, n: 4, least: 3, want: 0, wantFree: 2},
		{name: "none", slots: 2, n: 0, least: 0, want: 0, wantFree: 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newList(tc.slots, math.MaxUint32)
			got := l.taken(tc.n, tc.least)
			if len(got) != tc.want {
				t.Errorf("take = %v, want %d slots", got, tc.want)
			}
			if free := l.free(); free != tc.wantFree {
				t.Errorf("free = %d, want %d", free, tc.wantFree)
			}
			if rest := l.taken(tc.slots, 0); len(rest) != tc.wantFree {
				t.Errorf("then the list holds %v, want %d slots", rest, tc.wantFree)
			}
		})
	}
}

// A popper loads the head and what lies below it; then others pop two slots
// and push the first one back. The head has the same index again, but what the
// popper believes to lie below is in other hands.
func TestListStalePopFails(t *testing.T) {
	for _, tag := range tags {
		t.Run(fmt.Sprintf("tag=%d", tag), func(t *testing.T) {
			l := newList(3, tag)
			stale := l.head.load()
			below := l.words[stale.index()].load().below()

			others := l.taken(2, 2)
			l.push(others[0])
			if now := l.head.load(); now.index() != stale.index() {
				t.Fatalf("head is slot %d, want the same slot %d for the test to mean anything", now.index(), stale.index())
			}
			if l.head.cas(stale, stale.afterPop(below)) {
				t.Fatalf("a stale pop succeeded: slot %d is on the list and in other hands", below)
			}
		})
	}
}

// A push between a popper's load and its CAS must make the CAS fail as well.
func TestListPopAfterForeignPushFails(t *testing.T) {
	l := newList(3, math.MaxUint32)
	first := l.taken(1, 1)[0]
	stale := l.head.load()
	l.push(first)
	if l.head.cas(stale, stale.afterPop(l.words[stale.index()].load().below())) {
		t.Errorf("a stale pop succeeded, and slot %d is lost", first)
	}
}

// The line that every push and pop writes holds nothing that others only read.
func TestListIsPadded(t *testing.T) {
	var s Slab
	head := unsafe.Offsetof(s.list) + unsafe.Offsetof(s.list.head)
	if before := unsafe.Offsetof(s.gate) + unsafe.Sizeof(s.gate); head < before+cacheLine {
		t.Errorf("head at offset %d, want at least %d behind gate, which ends at %d", head, cacheLine, before)
	}
	if mu := unsafe.Offsetof(s.mu); mu < head+cacheLine {
		t.Errorf("mu at offset %d, want at least %d behind head at %d", mu, cacheLine, head)
	}
}
