package ring

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"
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

// model is a bounded queue that is too simple to be wrong: claims in order,
// published in any order, taken in order.
type model struct {
	capacity  int
	taken     int // values 0 .. taken-1 were taken
	claimed   int // values taken .. claimed-1 are inside
	published map[int]bool
}

// check plays ops against a ring and the model. Value i is the i-th claim.
func (m *model) check(t *testing.T, r *Ring[int], start uint64, ops []byte) {
	t.Helper()
	for n, op := range ops {
		switch op % 8 {
		case 0, 1, 2:
			if ok, want := r.TryPush(m.claimed), m.claimed-m.taken < m.capacity; ok != want {
				t.Fatalf("op %d: TryPush = %t, want %t; %s", n, ok, want, r.state())
			} else if ok {
				m.published[m.claimed] = true
				m.claimed++
			}
		case 3: // A producer claims, and stalls.
			pos, ok := r.claim()
			if want := m.claimed-m.taken < m.capacity; ok != want {
				t.Fatalf("op %d: claim = %t, want %t; %s", n, ok, want, r.state())
			} else if ok {
				if pos != start+uint64(m.claimed) {
					t.Fatalf("op %d: claim = position %d, want %d", n, pos, start+uint64(m.claimed))
				}
				m.claimed++
			}
		case 4: // A stalled producer goes on; op says which.
			if inside := m.claimed - m.taken; inside > 0 {
				v := m.taken + int(op/8)%inside
				if !m.published[v] {
					r.publish(start+uint64(v), v)
					m.published[v] = true
				}
			}
		default:
			v, ok := r.TryPop()
			if want := m.published[m.taken]; ok != want || ok && v != m.taken {
				t.Fatalf("op %d: TryPop = %d, %t, want %d, %t; %s", n, v, ok, m.taken, want, r.state())
			} else if ok {
				delete(m.published, v)
				m.taken++
			}
		}
		if got, want := r.Len(), m.claimed-m.taken; got != want {
			t.Fatalf("op %d: Len() = %d, want %d", n, got, want)
		}
	}
}

func TestAgainstModel(t *testing.T) {
	rnd := newRand(t)
	rounds := 2000
	if testing.Short() {
		rounds = 200
	}
	for range rounds {
		capacity := 1 + rnd.IntN(9)
		start := starts[rnd.IntN(len(starts))].pos - uint64(rnd.IntN(20))
		ops := make([]byte, 200)
		for i := range ops {
			ops[i] = byte(rnd.Uint32())
		}
		m := model{capacity: capacity, published: map[int]bool{}}
		m.check(t, newAt[int](capacity, start), start, ops)
	}
}

func FuzzAgainstModel(f *testing.F) {
	f.Add(uint8(1), uint64(0), []byte{0, 7, 0, 7})
	f.Add(uint8(3), ^uint64(0), []byte{3, 0, 0, 0, 4, 7, 7, 7, 7})
	f.Fuzz(func(t *testing.T, capacity uint8, start uint64, ops []byte) {
		m := model{capacity: 1 + int(capacity), published: map[int]bool{}}
		m.check(t, newAt[int](m.capacity, start), start, ops)
	})
}
