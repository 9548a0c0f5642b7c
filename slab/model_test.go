package slab

import (
	"flag"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/kring-go/kring/internal/invariant"
)

var seedFlag = flag.Int64("seed", 0, "seed of the random tests; 0 takes one from the clock")

// newRand returns a generator whose seed is in the log, so that a failure can
// be repeated with -seed.
func newRand(t testing.TB) *rand.Rand {
	seed := *seedFlag
	if seed == 0 {
		seed = time.Now().UnixNano()
	}
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(uint64(seed), 0))
}

// poisonForTest stands for what release does to a slot on its way home.
func poisonForTest(s *Slab, i uint32) {
	if invariant.Enabled {
		s.poison(i)
	}
}

// model is a slab that is too simple to be wrong: a stack, and the sides that
// are held.
type model struct {
	stack []uint32
	sides []word
}

func newModel(slots int) *model {
	m := &model{sides: make([]word, slots)}
	for i := slots; i > 0; i-- {
		m.stack = append(m.stack, uint32(i-1))
	}
	return m
}

// step plays one operation on both and compares. Misuse is left out: with the
// tag invariants it panics, and other tests are there for it.
func (m *model) step(t *testing.T, s *Slab, op, arg byte) {
	t.Helper()
	i := uint32(arg) % uint32(len(m.sides))
	switch op % 4 {
	case 0:
		dst := make([]uint32, 1+int(arg)%4)
		ok := s.Try(dst)
		if want := len(dst) <= len(m.stack); ok != want {
			t.Fatalf("Try of %d slots = %t, want %t; %s", len(dst), ok, want, s.state())
		}
		if !ok {
			return
		}
		rest := len(m.stack) - len(dst)
		top := slices.Clone(m.stack[rest:])
		slices.Reverse(top)
		if !slices.Equal(dst, top) {
			t.Fatalf("Try = %v, want %v, last in first out; %s", dst, top, s.state())
		}
		m.stack = m.stack[:rest]
		for _, i := range dst {
			m.sides[i] = recordSide
		}
	case 1:
		if m.sides[i] == recordSide {
			s.HoldSocket(i)
			m.sides[i] |= socketSide
		}
	case 2:
		m.release(i, recordSide, s.ReleaseRecord)
	case 3:
		m.release(i, socketSide, s.ReleaseSocket)
	}
	if s.Free() != len(m.stack) {
		t.Fatalf("Free() = %d, want %d; %s", s.Free(), len(m.stack), s.state())
	}
}

func (m *model) release(i uint32, side word, release func(uint32)) {
	if m.sides[i]&side == 0 {
		return
	}
	release(i)
	if m.sides[i] &^= side; m.sides[i] == 0 {
		m.stack = append(m.stack, i)
	}
}

// home lets go of everything.
func (m *model) home(s *Slab) {
	for i := range m.sides {
		m.release(uint32(i), socketSide, s.ReleaseSocket)
		m.release(uint32(i), recordSide, s.ReleaseRecord)
	}
}

func TestAgainstModel(t *testing.T) {
	rnd := newRand(t)
	rounds := 1000
	if testing.Short() {
		rounds = 100
	}
	for range rounds {
		slots := 1 + rnd.IntN(9)
		s := newAt(int64(slots)*16, 16, math.MaxUint32-uint32(rnd.IntN(300)))
		m := newModel(slots)
		for range 1000 {
			m.step(t, s, byte(rnd.Uint32()), byte(rnd.Uint32()))
		}
		m.home(s)
		checkHome(t, s)
	}
}

func FuzzAgainstModel(f *testing.F) {
	f.Add(uint8(2), uint32(0), []byte{0, 0, 1, 0, 2, 0, 3, 0})
	f.Add(uint8(3), uint32(math.MaxUint32), []byte{0, 3, 0, 2, 2, 0, 2, 1, 0, 1})
	f.Fuzz(func(t *testing.T, slots uint8, tag uint32, ops []byte) {
		n := 1 + int(slots)%16
		s := newAt(int64(n)*16, 16, tag)
		m := newModel(n)
		for ; len(ops) >= 2; ops = ops[2:] {
			m.step(t, s, ops[0], ops[1])
		}
		m.home(s)
		checkHome(t, s)
	})
}
