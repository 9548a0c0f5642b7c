package slab

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// outcome is what one call of Get came back with.
type outcome struct {
	id    int
	slots []uint32
	err   error
	after time.Duration
}

// full makes a slab of n slots, all of them handed out.
func full(t *testing.T, n int) (*Slab, []uint32) {
	t.Helper()
	s := newAt(int64(n)*64, 64, math.MaxUint32-1)
	all := make([]uint32, n)
	if !s.Try(all) {
		t.Fatalf("Try of all slots failed")
	}
	return s, all
}

// get starts a Get of n slots, and returns when it waits or is done. The clock
// is the fake one of the test's bubble.
func (s *Slab) get(ctx context.Context, id, n int, wait time.Duration, results chan<- outcome) {
	start := time.Now()
	go func() {
		o := outcome{id: id, slots: make([]uint32, n)}
		o.err = s.Get(ctx, wait, o.slots)
		o.after = time.Since(start)
		results <- o
	}()
	synctest.Wait()
}

// advance moves the fake clock.
func advance(d time.Duration) {
	<-time.After(d)
}

// none fails the test if a Get has come back.
func none(t *testing.T, results <-chan outcome) {
	t.Helper()
	synctest.Wait()
	select {
	case o := <-results:
		t.Fatalf("Get %d came back with %v, want it to wait", o.id, o)
	default:
	}
}

// want receives the outcome of Get id, and fails the test if there is none or
// another one.
func want(t *testing.T, results <-chan outcome, id int, err error) outcome {
	t.Helper()
	synctest.Wait()
	select {
	case o := <-results:
		if o.id != id || !errors.Is(o.err, err) {
			t.Fatalf("Get %d came back with error %v, want Get %d with %v", o.id, o.err, id, err)
		}
		return o
	default:
		t.Fatalf("no Get came back, want Get %d with %v", id, err)
		panic("unreachable")
	}
}

func releaseAll(s *Slab, slots []uint32) {
	for _, i := range slots {
		s.ReleaseRecord(i)
	}
}

// Slots trickle in, one a millisecond: 64 waiters get them in the order of
// their arrival, one each.
func TestWaitersAreServedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const waiters = 64
		s, held := full(t, 1)
		results := make(chan outcome, waiters)
		for id := range waiters {
			s.get(t.Context(), id, 1, time.Minute, results)
		}
		if got := s.Waiting(); got != waiters {
			t.Fatalf("Waiting() = %d, want %d", got, waiters)
		}
		for id := range waiters {
			advance(time.Millisecond)
			s.ReleaseRecord(held[0])
			held = want(t, results, id, nil).slots
			none(t, results)
		}
		releaseAll(s, held)
		checkHome(t, s)
	})
}

func TestHeadWaiterKeepsWhatItHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, held := full(t, 4)
		results := make(chan outcome, 3)
		s.get(t.Context(), 0, 3, time.Minute, results)
		s.get(t.Context(), 1, 1, time.Minute, results)
		s.ReleaseRecord(held[0])
		s.ReleaseRecord(held[1])
		none(t, results)
		if s.Free() != 0 {
			t.Fatalf("Free() = %d, want 0: the waiter at the head has the two; %s", s.Free(), s.state())
		}
		s.ReleaseRecord(held[2])
		chain := want(t, results, 0, nil).slots
		slices.Sort(chain)
		if got := slices.Compact(slices.Clone(chain)); len(got) != 3 {
			t.Fatalf("chain = %v, want three slots", chain)
		}
		none(t, results)
		s.ReleaseRecord(held[3])
		last := want(t, results, 1, nil).slots
		releaseAll(s, append(chain, last...))
		checkHome(t, s)
	})
}

func TestNobodyOvertakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, held := full(t, 3)
		results := make(chan outcome, 3)
		s.get(t.Context(), 0, 3, time.Minute, results)
		// A release that has pushed, and not yet looked for waiters.
		poisonForTest(s, held[0])
		s.list.push(held[0])
		one := make([]uint32, 1)
		if s.Try(one) {
			t.Fatalf("Try overtook a waiter")
		}
		if err := s.Get(t.Context(), 0, one); !errors.Is(err, ErrTimeout) {
			t.Fatalf("Get without a wait, behind a waiter = %v, want %v", err, ErrTimeout)
		}
		s.wakeWaiters()
		s.get(t.Context(), 1, 1, time.Minute, results)
		s.ReleaseRecord(held[1])
		none(t, results)
		s.ReleaseRecord(held[2])
		releaseAll(s, want(t, results, 0, nil).slots)
		releaseAll(s, want(t, results, 1, nil).slots)
		checkHome(t, s)
	})
}

// A waiter that gives up, in whatever way, hands on what it had collected.
func TestGivingUpServesTheNext(t *testing.T) {
	for _, tc := range []struct {
		name string
		wait time.Duration
		end  func(cancel context.CancelFunc)
		want error
	}{
		{name: "time is up", wait: time.Second, end: func(context.CancelFunc) { advance(time.Second) }, want: ErrTimeout},
		{name: "cancelled", wait: time.Minute, end: func(cancel context.CancelFunc) { cancel() }, want: context.Canceled},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, held := full(t, 3)
				results := make(chan outcome, 4)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s.get(ctx, 0, 3, tc.wait, results)
				s.get(t.Context(), 1, 1, time.Minute, results)
				s.get(t.Context(), 2, 1, time.Minute, results)
				s.get(t.Context(), 3, 1, time.Minute, results)
				s.ReleaseRecord(held[0])
				s.ReleaseRecord(held[1])
				none(t, results)
				tc.end(cancel)
				got := map[int]outcome{}
				for range 3 {
					o := <-results
					got[o.id] = o
				}
				none(t, results)
				if !errors.Is(got[0].err, tc.want) {
					t.Errorf("Get 0 = %v, want %v", got[0].err, tc.want)
				}
				for _, id := range []int{1, 2} {
					if o, ok := got[id]; !ok || o.err != nil {
						t.Fatalf("Get %d: done %t, error %v, want one of the slots that Get 0 left", id, ok, o.err)
					}
					releaseAll(s, got[id].slots[:1])
				}
				releaseAll(s, want(t, results, 3, nil).slots)
				s.ReleaseRecord(held[2])
				checkHome(t, s)
			})
		})
	}
}

// A waiter in the middle of the queue leaves no gap in it.
func TestLeavingTheMiddleOfTheQueue(t *testing.T) {
	for leaver := range 4 {
		t.Run(fmt.Sprintf("leaver=%d", leaver), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, held := full(t, 1)
				results := make(chan outcome, 4)
				ctx, cancel := context.WithCancel(t.Context())
				for id := range 4 {
					c := t.Context()
					if id == leaver {
						c = ctx
					}
					s.get(c, id, 1, time.Minute, results)
				}
				cancel()
				want(t, results, leaver, context.Canceled)
				if got := s.Waiting(); got != 3 {
					t.Fatalf("Waiting() = %d, want 3", got)
				}
				for id := range 4 {
					if id == leaver {
						continue
					}
					s.ReleaseRecord(held[0])
					held = want(t, results, id, nil).slots
				}
				releaseAll(s, held)
				checkHome(t, s)
			})
		})
	}
}
