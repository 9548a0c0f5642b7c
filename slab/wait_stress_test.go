package slab

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// barrier lets two goroutines start a round as closely together as can be.
type barrier struct{ arrived atomic.Int64 }

func (b *barrier) meet(round int) {
	b.arrived.Add(1)
	for b.arrived.Load() < int64(2*round) {
		runtime.Gosched()
	}
}

// One slot, one release, one waiter, and then nothing: a wake-up that is lost
// is not made good by the next arrival, as it would be in a stream.
func TestNoWakeUpIsLost(t *testing.T) {
	s := newAt(8, 8, math.MaxUint32-1000)
	rounds := stressOps() / 2
	var meet barrier
	var wg sync.WaitGroup
	var lost atomic.Pointer[error]
	back := make(chan uint32)
	wg.Go(func() {
		defer close(back)
		dst := make([]uint32, 1)
		for round := 1; round <= rounds; round++ {
			meet.meet(round)
			if err := s.Get(context.Background(), stallLimit/8, dst); err != nil {
				lost.Store(&err)
				return
			}
			back <- dst[0]
		}
	})
	slot := make([]uint32, 1)
	if !s.Try(slot) {
		t.Fatalf("Try failed")
	}
	for round := 1; round <= rounds; round++ {
		meet.meet(round)
		for range round % 64 { // Moves the release over the whole of Get.
			_ = s.gate.load()
		}
		s.ReleaseRecord(slot[0])
		var ok bool
		if slot[0], ok = <-back; !ok {
			t.Fatalf("round %d: the waiter beside a free slot got %v; %s", round, *lost.Load(), s.state())
		}
	}
	s.ReleaseRecord(slot[0])
	join(t, s, &wg)
	checkHome(t, s)
}

// The first waiter's context ends as its grant arrives. Whoever of the two
// waiters gets the slot, the second one must not be left behind.
func TestCancelAgainstGrant(t *testing.T) {
	s := newAt(2*8, 8, math.MaxUint32-1000)
	rounds := stressOps() / 20
	cancelled := 0
	for round := 1; round <= rounds; round++ {
		held := make([]uint32, 2)
		if !s.Try(held) {
			t.Fatalf("round %d: Try failed; %s", round, s.state())
		}
		var meet barrier
		var wg sync.WaitGroup
		ctx, cancel := context.WithCancel(context.Background())
		var first, second error
		wg.Go(func() {
			dst := make([]uint32, 2)
			if first = s.Get(ctx, stallLimit/8, dst); first == nil {
				releaseAll(s, dst)
			}
		})
		for s.Waiting() < 1 {
			runtime.Gosched()
		}
		wg.Go(func() {
			dst := make([]uint32, 1)
			if second = s.Get(context.Background(), stallLimit/8, dst); second == nil {
				releaseAll(s, dst)
			}
		})
		for s.Waiting() < 2 {
			runtime.Gosched()
		}
		s.ReleaseRecord(held[0]) // The first waiter has half of what it wants.
		wg.Go(func() {
			meet.meet(1)
			cancel()
		})
		meet.meet(1)
		if round%2 == 0 {
			runtime.Gosched()
		}
		s.ReleaseRecord(held[1])
		join(t, s, &wg)
		if first != nil && !errors.Is(first, context.Canceled) {
			t.Fatalf("round %d: first waiter got %v; %s", round, first, s.state())
		}
		if second != nil {
			t.Fatalf("round %d: second waiter got %v, first %v; %s", round, second, first, s.state())
		}
		if first != nil {
			cancelled++
		}
		checkHome(t, s)
	}
	t.Logf("%d of %d rounds went to the cancellation", cancelled, rounds)
}

// Close comes while slots are released and waiters come and go.
func TestCloseAgainstRelease(t *testing.T) {
	for round := range stressOps() / 200 {
		s := newAt(3*8, 8, math.MaxUint32)
		held := make([]uint32, 3)
		if !s.Try(held) {
			t.Fatalf("Try failed")
		}
		var wg sync.WaitGroup
		var odd atomic.Pointer[error]
		for n := range 6 {
			wg.Go(func() {
				dst := make([]uint32, 1+n%3)
				switch err := s.Get(context.Background(), stallLimit/8, dst); {
				case err == nil:
					releaseAll(s, dst)
				case !errors.Is(err, ErrClosed):
					odd.Store(&err)
				}
			})
		}
		wg.Go(func() { releaseAll(s, held) })
		wg.Go(s.Close)
		join(t, s, &wg)
		if err := odd.Load(); err != nil {
			t.Fatalf("round %d: Get = %v, want %v; %s", round, *err, ErrClosed, s.state())
		}
		checkHome(t, s)
	}
}
