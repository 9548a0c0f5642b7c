package slab

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kring-go/kring/internal/invariant"
)

// expectMisuse runs a call that breaks the rules: it panics with the tag
// invariants, and is counted without it.
func expectMisuse(t *testing.T, s *Slab, call func()) {
	t.Helper()
	before := s.Misused()
	defer func() {
		t.Helper()
		got := fmt.Sprint(recover())
		if invariant.Enabled {
			if !strings.HasPrefix(got, "slab: ") {
				t.Errorf("panic %q, want one of package slab", got)
			}
			return
		}
		if got != "<nil>" {
			t.Errorf("panic %q, want none without the tag", got)
		}
		if n := s.Misused(); n != before+1 {
			t.Errorf("Misused() = %d, want %d", n, before+1)
		}
	}()
	call()
}

func TestSides(t *testing.T) {
	for _, tc := range []struct {
		name  string
		steps string // H hold socket, S release socket, R release record
	}{
		{name: "never sent", steps: "R"},
		{name: "sent, then complete", steps: "HSR"},
		{name: "complete while being written", steps: "HRS"},
		{name: "sent twice", steps: "HSHSR"},
		{name: "expired during the second write", steps: "HSHRS"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newAt(64, 64, math.MaxUint32)
			slot := make([]uint32, 1)
			if !s.Try(slot) {
				t.Fatalf("Try failed")
			}
			for n, step := range tc.steps {
				if s.Free() != 0 {
					t.Fatalf("slot is home before step %d of %s", n, tc.steps)
				}
				switch step {
				case 'H':
					s.HoldSocket(slot[0])
				case 'S':
					s.ReleaseSocket(slot[0])
				case 'R':
					s.ReleaseRecord(slot[0])
				}
			}
			checkHome(t, s)
		})
	}
}

func TestMisuse(t *testing.T) {
	for _, tc := range []struct {
		name  string
		steps string // after Try; the last one is the misuse
	}{
		{name: "record released twice", steps: "RR"},
		{name: "record released twice beside the socket", steps: "HRR"},
		{name: "socket never held", steps: "S"},
		{name: "socket released twice", steps: "HSS"},
		{name: "socket released when home", steps: "RS"},
		{name: "socket held twice", steps: "HH"},
		{name: "socket held when home", steps: "RH"},
		{name: "socket held without the record", steps: "HRH"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := New(2*64, 64)
			slot := make([]uint32, 1)
			if !s.Try(slot) {
				t.Fatalf("Try failed")
			}
			i := slot[0]
			step := map[rune]func(){
				'H': func() { s.HoldSocket(i) },
				'S': func() { s.ReleaseSocket(i) },
				'R': func() { s.ReleaseRecord(i) },
			}
			last := len(tc.steps) - 1
			for _, c := range tc.steps[:last] {
				step[c]()
			}
			free, word := s.Free(), s.list.words[i].load()
			expectMisuse(t, s, step[rune(tc.steps[last])])
			if now := s.list.words[i].load(); s.Free() != free || now != word {
				t.Errorf("a misuse changed the slab: free %d to %d, word %#x to %#x", free, s.Free(), word, now)
			}
			checkEachSlotOnce(t, s)
		})
	}
}

// checkEachSlotOnce takes what is free, and fails if a slot comes twice.
func checkEachSlotOnce(t *testing.T, s *Slab) {
	t.Helper()
	seen := map[uint32]bool{}
	one := make([]uint32, 1)
	for want := s.Free(); want > 0; want-- {
		if !s.Try(one) {
			t.Fatalf("Try failed with %d slots free; %s", want, s.state())
		}
		if seen[one[0]] {
			t.Fatalf("slot %d handed out twice; %s", one[0], s.state())
		}
		seen[one[0]] = true
	}
	if s.Try(one) {
		t.Fatalf("slot %d handed out, but none was free; %s", one[0], s.state())
	}
}

func TestForeignIndex(t *testing.T) {
	s := New(3*64, 64)
	other := New(5*64, 64)
	foreign := make([]uint32, 5)
	if !other.Try(foreign) {
		t.Fatalf("Try of the other slab failed")
	}
	for _, i := range []uint32{3, foreign[4], math.MaxInt32, math.MaxInt32 + 1, noIndex - 1, noIndex} {
		t.Run(fmt.Sprintf("index=%d", i), func(t *testing.T) {
			expectMisuse(t, s, func() { s.ReleaseRecord(i) })
			expectMisuse(t, s, func() { s.ReleaseSocket(i) })
			expectMisuse(t, s, func() { s.HoldSocket(i) })
			if s.Free() != 3 {
				t.Errorf("Free() = %d, want 3", s.Free())
			}
		})
	}
	checkEachSlotOnce(t, s)
}

// Many goroutines let go of the same side at once: one of them is right.
func TestConcurrentDoubleRelease(t *testing.T) {
	rounds := 20_000
	if testing.Short() {
		rounds = 2_000
	}
	const callers = 3
	s := newAt(2*64, 64, math.MaxUint32-1000)
	slot := make([]uint32, 1)
	for round := range rounds {
		if !s.Try(slot) {
			t.Fatalf("round %d: Try failed; %s", round, s.state())
		}
		before := s.Misused()
		var panics atomic.Uint64
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				defer func() {
					if recover() != nil {
						panics.Add(1)
					}
				}()
				s.ReleaseRecord(slot[0])
			})
		}
		wg.Wait()
		if got := s.Misused() - before + panics.Load(); got != callers-1 {
			t.Fatalf("round %d: %d of %d releases refused, want all but one; %s", round, got, callers, s.state())
		}
		if s.Free() != 2 {
			t.Fatalf("round %d: Free() = %d, want 2; %s", round, s.Free(), s.state())
		}
	}
	checkEachSlotOnce(t, s)
}

func TestUseAfterReleaseIsFound(t *testing.T) {
	s := New(64, 64)
	slot := make([]uint32, 1)
	if !s.Try(slot) {
		t.Fatalf("Try failed")
	}
	kept := s.Bytes(slot[0])
	s.ReleaseRecord(slot[0])
	if invariant.Enabled && (kept[0] != poisonByte || kept[63] != poisonByte) {
		t.Errorf("bytes after the release are %x, want all %x", kept, poisonByte)
	}
	kept[63] = 1
	defer func() {
		got := fmt.Sprint(recover())
		if found := strings.Contains(got, "written after its release"); found != invariant.Enabled {
			t.Errorf("Try after a late write: panic %q, want one only with the tag invariants", got)
		}
	}()
	s.Try(slot)
}
