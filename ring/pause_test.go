//go:build invariants

package ring

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

// While a producer stands before its look at the slot, or before its CAS, other
// producers fill the ring and the consumer empties it. There is room all the
// same: the producer must start again, and succeed.
func TestPauseTailMoves(t *testing.T) {
	for _, at := range []point{afterTail, afterLoad} {
		for laps := range 4 {
			t.Run(fmt.Sprintf("point=%d/laps=%d", at, laps), func(t *testing.T) {
				r := newAt[int](2, starts[3].pos+3)
				nested := false
				r.pause = func(p point) {
					if p != at || nested {
						return
					}
					nested = true
					for i := range laps {
						fillAndDrain(t, r, 10*i)
					}
					if !r.TryPush(1) {
						t.Errorf("nested TryPush refused; %s", r.state())
					}
				}
				if !r.TryPush(2) {
					t.Fatalf("TryPush refused; %s", r.state())
				}
				for want := 1; want <= 2; want++ {
					if v, ok := r.TryPop(); !ok || v != want {
						t.Fatalf("TryPop = %d, %t, want %d, true", v, ok, want)
					}
				}
			})
		}
	}
}

// Until the consumer has let go of the slot, there is no room for its next lap.
func TestPauseFullUntilRoomIsMade(t *testing.T) {
	for capacity := 1; capacity <= 5; capacity++ {
		r := New[int](capacity)
		for i := range capacity {
			r.TryPush(i)
		}
		refused := false
		r.pause = func(p point) {
			if p == afterTake {
				refused = !r.TryPush(-1)
				if got := r.Len(); got != capacity-1 {
					t.Errorf("capacity %d: Len() = %d after a value was taken, want %d", capacity, got, capacity-1)
				}
			}
		}
		if v, ok := r.TryPop(); !ok || v != 0 {
			t.Fatalf("capacity %d: TryPop = %d, %t, want 0, true", capacity, v, ok)
		}
		if !refused {
			t.Errorf("capacity %d: a push got the slot that the consumer was reading", capacity)
		}
	}
}

func TestSecondConsumerPanics(t *testing.T) {
	r := New[int](2)
	r.TryPush(1)
	var got string
	r.pause = func(p point) {
		if p != afterTake {
			return
		}
		defer func() { got = fmt.Sprint(recover()) }()
		r.TryPop()
	}
	r.TryPop()
	if !strings.Contains(got, "two consumers") {
		t.Errorf("second consumer: panic %q, want \"two consumers\" in it", got)
	}
}

// The stress of the plain build, with goroutines put off at every point.
func TestPauseStress(t *testing.T) {
	perProducer := 20_000
	if testing.Short() {
		perProducer = 2_000
	}
	for _, capacity := range []int{1, 2, 3, 4} {
		t.Run(fmt.Sprintf("capacity=%d", capacity), func(t *testing.T) {
			r := newAt[item](capacity, starts[3].pos)
			r.pause = func(point) {
				if rand.IntN(4) == 0 {
					runtime.Gosched()
				}
			}
			stress(t, r, 4, perProducer)
		})
	}
}
