package slab

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// TestSmallStress: everybody takes small and whole slots, waits for them, writes
// to them, and no two have the same bytes. A wake-up that is lost stalls it.
func TestSmallStress(t *testing.T) {
	s := newSmall(4)
	seed := newRand(t).Uint64()
	owners := make([]atomic.Int32, len(s.arena))
	var failed atomic.Pointer[string]
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, uint64(g)))
			mine := make([]uint32, 0, 2)
			for n := 0; n < stressOps()/6 && failed.Load() == nil; n++ {
				mine = mine[:0]
				var err error
				kind := rnd.IntN(4)
				switch kind {
				case 0:
					mine = mine[:1+rnd.IntN(2)]
					err = s.Get(t.Context(), stallLimit, mine)
				case 1:
					mine = mine[:1]
					if !s.Try(mine) {
						continue
					}
				default:
					mine = mine[:1]
					mine[0], err = s.GetSmall(t.Context(), stallLimit)
				}
				if err != nil {
					failed.CompareAndSwap(nil, new(err.Error()))
					return
				}
				for _, i := range mine {
					if whole := int(i) < s.Slots(); whole != (kind < 2) {
						failed.CompareAndSwap(nil, new("a slot of the other size; "))
					}
					useSmall(s, i, int32(g+1), owners, &failed)
				}
			}
		})
	}
	join(t, s, &wg)
	if why := failed.Load(); why != nil {
		t.Fatal(*why, s.state())
	}
	wholeAgain(t, s)
}

// useSmall writes to slot i and lets go of its sides.
func useSmall(s *Slab, i uint32, who int32, owners []atomic.Int32, failed *atomic.Pointer[string]) {
	b := s.Bytes(i)
	from := int(i) * 8
	if int(i) >= s.Slots() {
		from = s.small.at(int(i)-s.Slots(), 8)
	}
	for k := range b {
		if !owners[from+k].CompareAndSwap(0, who) {
			failed.CompareAndSwap(nil, new("bytes in two hands; "))
		}
		b[k] = byte(who)
	}
	s.HoldSocket(i)
	for k := range b {
		if b[k] != byte(who) {
			failed.CompareAndSwap(nil, new("bytes were written by another; "))
		}
		owners[from+k].Store(0)
	}
	s.ReleaseRecord(i)
	s.ReleaseSocket(i)
}

// The small slots of the only slot come home while somebody comes to wait for
// all of it, or for one of them; then there is silence.
func TestNoWakeUpIsLostWithSmallSlots(t *testing.T) {
	s := newSmall(1)
	var meet barrier
	rounds := stressOps() / 4
	var wg sync.WaitGroup
	lost := make(chan error, 2)
	wg.Go(func() {
		dst := make([]uint32, 1)
		for round := 1; round <= rounds; round++ {
			meet.meet(round)
			if err := s.Get(context.Background(), stallLimit/8, dst); err != nil {
				lost <- err
				return
			}
			s.ReleaseRecord(dst[0])
		}
	})
	wg.Go(func() {
		for round := 1; round <= rounds; round++ {
			meet.meet(round)
			for range 2 { // the first one cuts, against the Get that may be queued behind
				i, err := s.GetSmall(context.Background(), stallLimit/8)
				if err != nil {
					lost <- err
					return
				}
				s.ReleaseRecord(i)
			}
		}
	})
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	select {
	case err := <-lost:
		t.Fatalf("beside free memory: %v; %s, cut %d, whole %d", err, s.state(), s.small.cut.Load(), s.small.whole.Load())
	case <-done:
	}
	wholeAgain(t, s)
}
