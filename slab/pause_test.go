//go:build invariants

package slab

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// While a popper stands between its walk and its CAS, others pop two slots and
// push the first one back: the popper must start again.
func TestPauseABA(t *testing.T) {
	for _, tag := range tags {
		t.Run(fmt.Sprintf("tag=%d", tag), func(t *testing.T) {
			s := newAt(3*8, 8, tag)
			others := make([]uint32, 2)
			once := true
			s.list.pause = func(p point) {
				if p != afterWalk || !once {
					return
				}
				once = false
				if !s.Try(others) {
					t.Errorf("Try of the others failed")
				}
				s.ReleaseRecord(others[0])
			}
			mine := make([]uint32, 1)
			if !s.Try(mine) || mine[0] != others[0] {
				t.Fatalf("Try = %v, want slot %d, which is home", mine, others[0])
			}
			s.ReleaseRecord(mine[0])
			s.ReleaseRecord(others[1])
			checkHome(t, s)
		})
	}
}

// A walk that others tear apart can look short, although at every moment there
// were enough slots.
func TestPauseTornWalkIsNotShort(t *testing.T) {
	s := newAt(4*8, 8, math.MaxUint32)
	held := make([]uint32, 3)
	if !s.Try(held) {
		t.Fatalf("Try failed")
	}
	once := true
	s.list.pause = func(p point) {
		if p == afterWalk && once {
			once = false
			releaseAll(s, held)
		}
	}
	// The walk sees one slot of two; the others come home before it gives up.
	two := make([]uint32, 2)
	if !s.Try(two) {
		t.Fatalf("Try failed with 4 slots home; %s", s.state())
	}
	releaseAll(s, two)
	checkHome(t, s)
}

// A slot comes home at each point at which a lost wake-up could hide.
func TestPauseWakeUp(t *testing.T) {
	for _, tc := range []struct {
		name string
		at   point
	}{
		{name: "waiter has seen an empty list", at: afterWalk},
		{name: "waiter is in the queue", at: afterRegister},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, held := full(t, 1)
				done := make(chan struct{})
				once := true
				s.list.pause = func(p point) {
					if p != tc.at || !once {
						return
					}
					once = false
					go func() { // It may need the mutex, which a waiter holds.
						s.ReleaseRecord(held[0])
						close(done)
					}()
					for s.Free() == 0 {
						runtime.Gosched()
					}
				}
				results := make(chan outcome, 1)
				s.get(t.Context(), 0, 1, time.Minute, results)
				<-done
				releaseAll(s, want(t, results, 0, nil).slots)
				checkHome(t, s)
			})
		})
	}
}

// The release stops before its push, or before it looks for waiters; meanwhile
// a Get comes and waits.
func TestPauseRelease(t *testing.T) {
	for _, at := range []point{beforePush, afterPush} {
		t.Run(fmt.Sprintf("point=%d", at), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, held := full(t, 1)
				results := make(chan outcome, 1)
				once := true
				s.list.pause = func(p point) {
					if p == at && once {
						once = false
						s.get(t.Context(), 0, 1, time.Minute, results)
					}
				}
				s.ReleaseRecord(held[0])
				releaseAll(s, want(t, results, 0, nil).slots)
				checkHome(t, s)
			})
		})
	}
}

// While one release has seen both sides held, the other side goes, or the same
// one: the first must look again.
func TestPauseBothSidesLetGo(t *testing.T) {
	for _, tc := range []struct {
		name   string
		socket bool // whether the socket side is held as well
		inside func(*Slab, uint32)
		twice  bool // whether the outer release is then one too many
	}{
		{name: "the other side", socket: true, inside: (*Slab).ReleaseSocket},
		{name: "the same side of two", socket: true, inside: (*Slab).ReleaseRecord, twice: true},
		{name: "the same side, the last", inside: (*Slab).ReleaseRecord, twice: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, held := full(t, 1)
			if tc.socket {
				s.HoldSocket(held[0])
			}
			once := true
			s.list.pause = func(p point) {
				if p == beforeLetGo && once {
					once = false
					tc.inside(s, held[0])
				}
			}
			if tc.twice {
				expectMisuse(t, s, func() { s.ReleaseRecord(held[0]) })
			} else {
				s.ReleaseRecord(held[0])
			}
			if tc.twice && tc.socket {
				s.ReleaseSocket(held[0])
			}
			checkHome(t, s)
		})
	}
}

func TestSlotInTwoHandsPanics(t *testing.T) {
	s := New(8, 8)
	one := make([]uint32, 1)
	if !s.Try(one) {
		t.Fatalf("Try failed")
	}
	s.list.head.u.Store(uint64(makeHead(one[0], 1))) // What a broken list would do.
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "on the free list with sides 01 held") {
			t.Errorf("panic %q, want the slot and its sides", got)
		}
	}()
	_ = s.Get(context.Background(), 0, one)
	t.Errorf("a slot was handed out twice")
}

// The stress of the plain build, with goroutines put off at every point.
func TestPauseStress(t *testing.T) {
	for _, slots := range []int{1, 2, 3} {
		t.Run(fmt.Sprintf("slots=%d", slots), func(t *testing.T) {
			s := newAt(int64(slots)*24, 24, math.MaxUint32-100)
			s.list.pause = func(point) {
				if rand.IntN(4) == 0 {
					runtime.Gosched()
				}
			}
			stress(t, s, 6, stressOps()/20)
		})
	}
}
