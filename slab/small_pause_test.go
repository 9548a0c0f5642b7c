//go:build invariants

package slab

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// Somebody comes to wait while the only slot is being cut by another, and finds
// nothing: the rest of what is cut is for him.
func TestPauseCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSmall(1)
		type result struct {
			i   uint32
			err error
		}
		results := make(chan result, 1)
		once := true
		s.list.pause = func(p point) {
			if p != beforeCut || !once {
				return
			}
			once = false
			go func() {
				i, err := s.GetSmall(context.Background(), time.Minute)
				results <- result{i, err}
			}()
			for s.Waiting() == 0 {
				runtime.Gosched()
			}
		}
		mine, ok := s.TrySmall(true)
		if !ok {
			t.Fatalf("TrySmall failed; %s", s.state())
		}
		got := <-results
		if got.err != nil {
			t.Fatalf("beside %d free small slots: %v", s.small.list.free(), got.err)
		}
		s.ReleaseRecord(mine)
		s.ReleaseRecord(got.i)
		wholeAgain(t, s)
	})
}

// A small slot is counted before a join can find it, or a slot could be joined
// and cut again before the count of its last life arrives.
func TestPauseCount(t *testing.T) {
	s := newSmall(1)
	i, _ := s.TrySmall(true)
	looked := false
	s.small.list.pause = func(p point) {
		if p == beforePush {
			looked = true
			if n := s.small.home[0].Load(); n != 4 {
				t.Errorf("%d small slots are counted before the push of the last, want 4", n)
			}
		}
	}
	s.ReleaseRecord(i)
	if !looked {
		t.Error("no push")
	}
	s.small.list.pause = nil
	wholeAgain(t, s)
}
