//go:build !race

package slab

import (
	"context"
	"runtime"
	"sync"
	"testing"
)

func TestNoAllocation(t *testing.T) {
	s := New(8*64, 64)
	ctx := context.Background()
	for _, tc := range []struct {
		name string
		run  func()
	}{
		{name: "Try and release", run: func() {
			var dst [1]uint32 // On the stack: dst must not escape.
			if s.Try(dst[:]) {
				s.HoldSocket(dst[0])
				s.ReleaseRecord(dst[0])
				s.ReleaseSocket(dst[0])
			}
		}},
		{name: "Get of a chain", run: func() {
			var dst [5]uint32
			if s.Get(ctx, 0, dst[:]) == nil {
				for _, i := range dst {
					s.ReleaseRecord(i)
				}
			}
		}},
		{name: "Get that fails", run: func() {
			var dst [9]uint32
			if s.Get(ctx, 0, dst[:]) == nil {
				t.Errorf("Get of 9 of 8 slots succeeded")
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if n := testing.AllocsPerRun(1000, tc.run); n != 0 {
				t.Errorf("%v allocations per run, want 0", n)
			}
			checkHome(t, s)
		})
	}
}

// Two goroutines hand a slot to and fro. Each releases it only when the other
// waits, so that every Get takes the long way.
func TestNoAllocationWhileWaiting(t *testing.T) {
	s := New(64, 64)
	var wg sync.WaitGroup
	slot := make([]uint32, 1)
	if !s.Try(slot) {
		t.Fatalf("Try failed")
	}
	const runs = 1000
	wg.Go(func() {
		var dst [1]uint32
		for range runs + 1 { // AllocsPerRun warms up with one run.
			if err := s.Get(context.Background(), stallLimit, dst[:]); err != nil {
				t.Errorf("Get = %v", err)
				return
			}
			for s.Waiting() == 0 {
				runtime.Gosched()
			}
			s.ReleaseRecord(dst[0])
		}
	})
	n := testing.AllocsPerRun(runs, func() {
		for s.Waiting() == 0 {
			runtime.Gosched()
		}
		s.ReleaseRecord(slot[0])
		if err := s.Get(context.Background(), stallLimit, slot); err != nil {
			t.Errorf("Get = %v", err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations per hand-over, want 0", n)
	}
	s.ReleaseRecord(slot[0])
	join(t, s, &wg)
	checkHome(t, s)
}
