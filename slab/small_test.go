package slab

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/kring-go/kring/internal/invariant"
)

// newSmall is a slab of slots of 8 bytes, to be cut in four, whose lists are
// about to wrap.
func newSmall(slots int) *Slab {
	s := newAt(int64(slots)*8, 8, math.MaxUint32-50)
	s.cutIntoAt(4, math.MaxUint32-50)
	return s
}

// wholeAgain takes all memory as whole slots, and gives it back.
func wholeAgain(t *testing.T, s *Slab) {
	t.Helper()
	all := make([]uint32, s.Slots())
	if !s.Try(all) {
		t.Fatalf("at rest: not all slots are whole; %s, cut %d, whole %d, small free %d",
			s.state(), s.small.cut.Load(), s.small.whole.Load(), s.small.list.free())
	}
	for _, i := range all {
		s.ReleaseRecord(i)
	}
	if s.small.cut.Load() != 0 || s.small.whole.Load() != 0 || s.small.list.free() != 0 {
		t.Fatalf("at rest: cut %d, whole %d, small free %d", s.small.cut.Load(), s.small.whole.Load(), s.small.list.free())
	}
	checkHome(t, s)
}

func TestCutAndJoin(t *testing.T) {
	s := newSmall(2)
	if s.SmallSize() != 2 || s.PerSlot() != 4 {
		t.Fatalf("small slots of %d bytes, %d per slot; want 2, 4", s.SmallSize(), s.PerSlot())
	}
	if _, ok := s.TrySmall(false); ok {
		t.Fatal("a small slot, and nothing was cut")
	}
	var got []uint32
	for n := range 8 {
		i, ok := s.TrySmall(true)
		if !ok || len(s.Bytes(i)) != 2 || cap(s.Bytes(i)) != 2 {
			t.Fatalf("small slot %d of 8: %d, %t", n, i, ok)
		}
		got = append(got, i)
		if want := int64(16 - 2*len(got)); s.FreeBytes() != want || s.Leaked() != len(got) {
			t.Fatalf("%d bytes free and %d slots out, want %d and %d", s.FreeBytes(), s.Leaked(), want, len(got))
		}
	}
	sorted := slices.Sorted(slices.Values(got))
	if want := []uint32{2, 3, 4, 5, 6, 7, 8, 9}; !slices.Equal(sorted, want) {
		t.Fatalf("got %v, want %v", sorted, want)
	}
	for k, i := range sorted {
		if b := s.Bytes(i); &b[0] != &s.arena[2*k] {
			t.Errorf("slot %d is not at offset %d", i, 2*k)
		}
	}
	if _, ok := s.TrySmall(true); ok {
		t.Fatal("a ninth small slot")
	}
	if _, err := s.GetSmall(context.Background(), 0); !errors.Is(err, ErrTimeout) {
		t.Fatalf("GetSmall = %v, want a timeout", err)
	}
	dst := make([]uint32, 1)
	for _, i := range sorted[:3] { // three of the four of slot 0, so it stays cut
		s.ReleaseRecord(i)
	}
	s.ReleaseRecord(sorted[4])
	if s.Try(dst) {
		t.Fatal("a whole slot, and none is home with all its small ones")
	}
	s.HoldSocket(sorted[3])
	s.ReleaseRecord(sorted[3])
	if s.Try(dst) {
		t.Fatal("a whole slot, and the socket side of a part of it is held")
	}
	s.ReleaseSocket(sorted[3])
	if !s.Try(dst) || dst[0] != 0 {
		t.Fatalf("no whole slot, and all of slot 0 is home; %s", s.state())
	}
	s.ReleaseRecord(dst[0])
	for _, i := range sorted[5:] {
		s.ReleaseRecord(i)
	}
	i, ok := s.TrySmall(false)
	if n := s.small.whole.Load(); !ok || n != 0 {
		t.Fatalf("%t, and %d slots can be joined, want none: a small slot of the only one is out", ok, n)
	}
	s.ReleaseRecord(i)
	wholeAgain(t, s)
}

// A cut slot is nobody's, and small slots of a slot that is not cut neither.
func TestSmallMisuse(t *testing.T) {
	if invariant.Enabled {
		t.Skip("misuse panics")
	}
	s := newSmall(2)
	i, _ := s.TrySmall(true)
	for n, f := range []func(){
		func() { s.ReleaseRecord(0) },
		func() { s.ReleaseSocket(0) },
		func() { s.HoldSocket(0) },
		func() { s.ReleaseRecord(i + 1) },
		func() { s.ReleaseRecord(2 + 7) },
		func() { s.ReleaseRecord(2 + 8) },
	} {
		f()
		if s.Misused() != uint64(n+1) {
			t.Fatalf("call %d was not noticed; %s", n, s.state())
		}
	}
	s.misused.Store(0)
	s.ReleaseRecord(i)
	wholeAgain(t, s)
}

func TestCutIntoPanics(t *testing.T) {
	for _, per := range []int{-1, 0, 1, 9} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("CutInto(%d) of slots of 8 bytes did not panic", per)
				}
			}()
			New(80, 8).CutInto(per)
		}()
	}
}

// TestSmallAgainstModel plays random operations on a slab and on a book of bytes.
func TestSmallAgainstModel(t *testing.T) {
	rnd := newRand(t)
	s := newSmall(3)
	var held []uint32
	out := make([]bool, len(s.arena)/2) // by small slot
	units := func(i uint32) []bool {
		b := s.Bytes(i)
		from := (cap(s.arena) - cap(s.arena[offset(s, b):])) / 2
		return out[from : from+len(b)/2]
	}
	take := func(i uint32) {
		for k, u := range units(i) {
			if u {
				t.Fatalf("slot %d was handed out, and part %d of it is out; %s", i, k, s.state())
			}
			units(i)[k] = true
		}
		held = append(held, i)
	}
	wholeFree := func() (n int) {
		for at := 0; at < len(out); at += 4 {
			if !slices.Contains(out[at:at+4], true) {
				n++
			}
		}
		return n
	}
	for range stressOps() / 4 {
		switch rnd.IntN(4) {
		case 0:
			dst := make([]uint32, 1+rnd.IntN(2))
			want := wholeFree() >= len(dst)
			if ok := s.Try(dst); ok != want {
				t.Fatalf("Try of %d slots = %t, want %t: %v; %s", len(dst), ok, want, out, s.state())
			} else if ok {
				for _, i := range dst {
					take(i)
				}
			}
		case 1:
			want := slices.Contains(out, false)
			if i, ok := s.TrySmall(true); ok != want {
				t.Fatalf("TrySmall = %t, want %t: %v; %s", ok, want, out, s.state())
			} else if ok {
				take(i)
			}
		default:
			if len(held) > 0 {
				at := rnd.IntN(len(held))
				i := held[at]
				held = slices.Delete(held, at, at+1)
				clear(units(i))
				s.ReleaseRecord(i)
			}
		}
	}
	for _, i := range held {
		s.ReleaseRecord(i)
	}
	wholeAgain(t, s)
}

// offset is where b begins in the arena.
func offset(s *Slab, b []byte) int {
	for i := range s.arena {
		if &s.arena[i] == &b[0] {
			return i
		}
	}
	return -1
}
