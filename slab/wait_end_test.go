package slab

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

func TestWaitEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, held := full(t, 1)
		results := make(chan outcome, 1)
		for _, wait := range []time.Duration{1, time.Millisecond, time.Minute} {
			s.get(t.Context(), 0, 1, wait, results)
			advance(wait)
			if o := want(t, results, 0, ErrTimeout); o.after != wait {
				t.Errorf("Get with wait %v came back after %v", wait, o.after)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s.get(ctx, 0, 1, math.MaxInt64, results)
		advance(time.Second)
		if o := want(t, results, 0, context.DeadlineExceeded); o.after != time.Second {
			t.Errorf("Get with a deadline of 1s came back after %v", o.after)
		}
		releaseAll(s, held)
		checkHome(t, s)
	})
}

// The grant and a reason to give up meet, before the waiter runs. It takes the
// grant; and nothing of the other is left in the waiter that is used again.
func TestGrantMeetsOtherReason(t *testing.T) {
	type actions struct {
		s      *Slab
		held   uint32
		cancel context.CancelFunc
	}
	grant := func(a actions) { // ReleaseRecord, in the hands of who holds the mutex
		poisonForTest(a.s, a.held)
		a.s.list.push(a.held)
		a.s.serveLocked()
	}
	shut := func(a actions) {
		a.s.mu.Unlock()
		a.s.Close()
		a.s.mu.Lock()
	}
	for _, tc := range []struct {
		name  string
		steps []func(actions)
		want  error
	}{
		{name: "grant, cancel", steps: []func(actions){grant, func(a actions) { a.cancel() }}},
		{name: "cancel, grant", steps: []func(actions){func(a actions) { a.cancel() }, grant}},
		{name: "time is up, grant", steps: []func(actions){func(actions) { advance(time.Minute) }, grant}},
		{name: "grant, close", steps: []func(actions){grant, shut}},
		{name: "close, cancel", steps: []func(actions){shut, func(a actions) { a.cancel() }}, want: ErrClosed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, held := full(t, 1)
				results := make(chan outcome, 1)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s.get(ctx, 0, 1, time.Minute, results)
				s.mu.Lock() // The waiter can not finish before all steps are done.
				for _, step := range tc.steps {
					step(actions{s, held[0], cancel})
				}
				s.mu.Unlock()
				got := want(t, results, 0, tc.want)
				if len(s.spare.ready) != 0 {
					t.Errorf("the waiter was put back with a token in its channel")
				}
				if tc.want == nil {
					releaseAll(s, got.slots)
				} else {
					releaseAll(s, held)
				}
				checkHome(t, s)
			})
		})
	}
}

func TestCloseWakesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const waiters = 5
		s, held := full(t, 3)
		results := make(chan outcome, waiters)
		for id := range waiters {
			s.get(t.Context(), id, 2, time.Minute, results)
		}
		s.ReleaseRecord(held[0]) // The first waiter has half of what it wants.
		s.Close()
		for range waiters {
			if o := <-results; !errors.Is(o.err, ErrClosed) || o.after != 0 {
				t.Errorf("Get %d = %v after %v, want %v at once", o.id, o.err, o.after, ErrClosed)
			}
		}
		releaseAll(s, held[1:])
		checkHome(t, s)
	})
}

// A waiter is used again as if it were new, also for another number of slots.
func TestWaitersAreReused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, held := full(t, 5)
		results := make(chan outcome, 2)
		var first *waiter
		for round, n := range []int{1, 5, 2, 3, 1} {
			s.get(t.Context(), round, n, time.Second, results)
			s.mu.Lock()
			w := s.queue.first
			s.mu.Unlock()
			if first == nil {
				first = w
			} else if w != first {
				t.Fatalf("round %d waits with a new waiter", round)
			}
			if round%2 == 1 {
				advance(time.Second)
				want(t, results, round, ErrTimeout)
				continue
			}
			releaseAll(s, held[:n])
			copy(held, want(t, results, round, nil).slots)
			if s.Free() != 0 {
				t.Fatalf("round %d: Free() = %d, want 0", round, s.Free())
			}
		}
		releaseAll(s, held)
		checkHome(t, s)
	})
}
