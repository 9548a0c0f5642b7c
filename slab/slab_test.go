package slab

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNew(t *testing.T) {
	for _, tc := range []struct {
		name      string
		memory    int64
		slotSize  int
		wantSlots int
		wantSize  int
	}{
		{name: "one byte", memory: 1, slotSize: 1, wantSlots: 1, wantSize: 1},
		{name: "slots of one byte", memory: 100, slotSize: 1, wantSlots: 100, wantSize: 1},
		{name: "exactly one slot", memory: 16384, slotSize: 16384, wantSlots: 1, wantSize: 16384},
		{name: "one byte short of two", memory: 2*16384 - 1, slotSize: 16384, wantSlots: 1, wantSize: 16384},
		{name: "exactly two", memory: 2 * 16384, slotSize: 16384, wantSlots: 2, wantSize: 16384},
		{name: "odd size", memory: 1000, slotSize: 333, wantSlots: 3, wantSize: 333},
		{name: "memory below a slot", memory: 1000, slotSize: 16384, wantSlots: 1, wantSize: 1000},
		{name: "Java's defaults", memory: 32 << 20, slotSize: 16384, wantSlots: 2048, wantSize: 16384},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := New(tc.memory, tc.slotSize)
			if s.Slots() != tc.wantSlots || s.SlotSize() != tc.wantSize {
				t.Fatalf("New(%d, %d) = %d slots of %d bytes, want %d of %d",
					tc.memory, tc.slotSize, s.Slots(), s.SlotSize(), tc.wantSlots, tc.wantSize)
			}
			if used := int64(s.Slots()) * int64(s.SlotSize()); used > tc.memory {
				t.Errorf("%d bytes in slots, want at most %d", used, tc.memory)
			}
			checkHome(t, s)
			all := make([]uint32, s.Slots())
			if !s.Try(all) {
				t.Fatalf("Try of all %d slots failed", len(all))
			}
			if s.Free() != 0 || s.Leaked() != s.Slots() {
				t.Errorf("Free() = %d, Leaked() = %d, want 0, %d", s.Free(), s.Leaked(), s.Slots())
			}
			slices.Sort(all)
			for i, got := range all {
				if int(got) != i {
					t.Fatalf("Try of all slots = %v, want each once", all)
				}
				s.ReleaseRecord(got)
			}
			checkHome(t, s)
		})
	}
}

// checkHome fails the test unless every slot is home, nobody waits, and nobody
// has misused the slab.
func checkHome(t *testing.T, s *Slab) {
	t.Helper()
	if s.Free() != s.Slots() || s.Leaked() != 0 || s.Waiting() != 0 || s.Misused() != 0 {
		t.Fatalf("at rest: want all home; %s", s.state())
	}
	seen := make([]bool, s.Slots())
	n := 0
	for at := s.list.head.load().index(); at != noIndex; at = s.list.words[at].load().below() {
		if seen[at] {
			t.Fatalf("slot %d is on the free list twice; %s", at, s.state())
		}
		seen[at] = true
		n++
	}
	if n != s.Slots() {
		t.Fatalf("%d slots on the free list, want %d; %s", n, s.Slots(), s.state())
	}
}

// state prints what a failed test needs to see.
func (s *Slab) state() string {
	var b strings.Builder
	h := s.list.head.load()
	fmt.Fprintf(&b, "free %d of %d, waiting %d, closed %t, misused %d, head %d tag %d, sides",
		s.Free(), s.Slots(), s.Waiting(), s.gate.load().closed(), s.Misused(), int32(h.index()), h.tag())
	for i := range min(s.Slots(), 16) {
		fmt.Fprintf(&b, " %02b", s.list.words[i].load()>>62)
	}
	return b.String()
}

func TestNewPanics(t *testing.T) {
	for _, tc := range []struct {
		name     string
		memory   int64
		slotSize int
		want     string
	}{
		{name: "no memory", memory: 0, slotSize: 1, want: "slab: got memory 0"},
		{name: "negative memory", memory: -1, slotSize: 1, want: "slab: got memory -1"},
		{name: "no slot size", memory: 1, slotSize: 0, want: "slab: got slot size 0"},
		{name: "negative slot size", memory: 1, slotSize: math.MinInt, want: "slab: got slot size -"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, tc.want) {
					t.Errorf("panic %q, want %q in it", got, tc.want)
				}
			}()
			New(tc.memory, tc.slotSize)
		})
	}
}

func TestBytesAreApart(t *testing.T) {
	for _, size := range []int{1, 7, 64, 333} {
		s := New(int64(5*size), size)
		for i := range uint32(5) {
			b := s.Bytes(i)
			if len(b) != size || cap(b) != size {
				t.Fatalf("Bytes(%d) has length %d, capacity %d, want %d", i, len(b), cap(b), size)
			}
			for n := range b {
				b[n] = byte(i + 1)
			}
		}
		for i := range uint32(5) {
			for n, c := range s.Bytes(i) {
				if c != byte(i+1) {
					t.Fatalf("Bytes(%d)[%d] = %d, want %d: the slots overlap", i, n, c, i+1)
				}
			}
		}
	}
}

func TestTryIsAllOrNone(t *testing.T) {
	s := newAt(4*64, 64, math.MaxUint32-1)
	chain := make([]uint32, 3)
	if !s.Try(chain) {
		t.Fatalf("Try of 3 of 4 slots failed; %s", s.state())
	}
	if two := make([]uint32, 2); s.Try(two) {
		t.Fatalf("Try of 2 slots = %v with only one free", two)
	}
	if got := s.Free(); got != 1 {
		t.Fatalf("Free() = %d after a Try that failed, want 1", got)
	}
	one := make([]uint32, 1)
	if !s.Try(one) || slices.Contains(chain, one[0]) {
		t.Fatalf("Try of the last slot = %v, want the one that is not in %v", one, chain)
	}
	for _, i := range append(chain, one...) {
		s.ReleaseRecord(i)
	}
	if five := make([]uint32, 5); s.Try(five) {
		t.Fatalf("Try of 5 of 4 slots = %v", five)
	}
	if !s.Try(nil) {
		t.Errorf("Try of no slots failed")
	}
	checkHome(t, s)
}

func TestGetWithoutWaiting(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tc := range []struct {
		name string
		ctx  context.Context
		wait time.Duration
		n    int
		full bool // somebody holds all the slots
		shut bool // closed
		want error
	}{
		{name: "free", ctx: t.Context(), n: 1},
		{name: "all of them", ctx: t.Context(), n: 2},
		{name: "free, and nothing to wait for", ctx: cancelled, n: 1},
		{name: "too large", ctx: t.Context(), wait: time.Hour, n: 3, want: ErrTooLarge},
		{name: "too large and full", ctx: t.Context(), wait: time.Hour, n: 3, full: true, want: ErrTooLarge},
		{name: "full, no wait", ctx: t.Context(), n: 1, full: true, want: ErrTimeout},
		{name: "full, negative wait", ctx: t.Context(), wait: -1, n: 1, full: true, want: ErrTimeout},
		{name: "full, context ended", ctx: cancelled, wait: time.Hour, n: 1, full: true, want: context.Canceled},
		{name: "closed", ctx: t.Context(), wait: time.Hour, n: 1, shut: true, want: ErrClosed},
		{name: "closed and full", ctx: t.Context(), wait: time.Hour, n: 1, full: true, shut: true, want: ErrClosed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := New(2*64, 64)
			all := make([]uint32, 2)
			if tc.full && !s.Try(all) {
				t.Fatalf("Try of all slots failed")
			}
			if tc.shut {
				s.Close()
			}
			dst := make([]uint32, tc.n)
			if err := s.Get(tc.ctx, tc.wait, dst); !errors.Is(err, tc.want) {
				t.Fatalf("Get = %v, want %v", err, tc.want)
			}
			if tc.want == nil {
				for _, i := range dst {
					s.ReleaseRecord(i)
				}
			}
			if tc.full {
				s.ReleaseRecord(all[0])
				s.ReleaseRecord(all[1])
			}
			checkHome(t, s)
		})
	}
}

func TestTryWorksAfterClose(t *testing.T) {
	s := New(64, 64)
	s.Close()
	s.Close()
	dst := make([]uint32, 1)
	if !s.Try(dst) {
		t.Fatalf("Try after Close failed: a batch could not be split")
	}
	s.ReleaseRecord(dst[0])
	checkHome(t, s)
}
