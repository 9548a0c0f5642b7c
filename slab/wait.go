package slab

import (
	"context"
	"time"

	"github.com/kring-go/kring/internal/invariant"
)

// waiter is one call of Get that found no slots. It is used again by a later
// call, with its channel, timer and buffer, so that waiting allocates nothing
// in steady state. All of it but ready and timer is guarded by the mutex until
// the token on ready has been received; then it is the waiting goroutine's.
type waiter struct {
	prev, next *waiter
	queued     bool

	want  int
	small bool     // want is 1, and a small slot
	got   []uint32 // collected so far; only the waiter at the head has any
	err   error    // why it was dismissed, if not with a grant

	ready chan struct{} // holds one token once the waiter has left the queue by another's hand
	timer *time.Timer   // stopped while the waiter is spare
}

// queue is the waiters in the order of their arrival.
type queue struct{ first, last *waiter }

func (q *queue) append(w *waiter) {
	w.prev, w.next, w.queued = q.last, nil, true
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
}

func (q *queue) remove(w *waiter) {
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next, w.queued = nil, nil, false
}

// wait parks the caller until it has len(dst) slots or a reason to give up.
func (s *Slab) wait(ctx context.Context, wait time.Duration, dst []uint32, small bool) error {
	s.mu.Lock()
	if s.gate.load().closed() {
		s.mu.Unlock()
		return ErrClosed
	}
	w := s.newWaiterLocked(len(dst))
	w.small = small
	// The race to win, waiter W against a release R:
	//
	//	[W] tries: the list is empty
	//	[R] pushes a slot, looks for waiters: none
	//	[W] registers, and parks beside a free slot
	//
	// So W registers first and tries afterwards, in the order of the queue.
	s.queue.append(w)
	s.gate.enter() // W1
	if invariant.Enabled {
		s.list.at(afterRegister)
	}
	s.serveLocked()
	s.mu.Unlock()
	if s.waits != nil {
		s.waits()
	}

	err := s.park(ctx, wait, w)

	s.mu.Lock()
	if w.queued {
		s.giveUpLocked(w)
	} else {
		if err != nil {
			// The grant, or Close, was faster than our own reason. A grant is
			// taken: giving it back would help nobody.
			<-w.ready
		}
		err = w.err
	}
	if err == nil {
		copy(dst, w.got)
	}
	s.putWaiterLocked(w)
	s.mu.Unlock()
	if err == nil {
		s.holdRecord(dst)
	}
	return err
}

// park sleeps until the waiter is dismissed (nil), its context ends, or the
// time is up.
func (s *Slab) park(ctx context.Context, wait time.Duration, w *waiter) error {
	w.timer.Reset(wait)
	defer w.timer.Stop()
	select {
	case <-w.ready: // W3
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-w.timer.C:
		return ErrTimeout
	}
}

// wakeWaiters is called after a push. When nobody waits, it is one load.
func (s *Slab) wakeWaiters() {
	if invariant.Enabled {
		s.list.at(afterPush)
	}
	if s.gate.load().waiting() == 0 { // W2
		return
	}
	s.mu.Lock()
	s.serveLocked()
	s.mu.Unlock()
}

// serveLocked hands free slots to the waiters, first come, first served, until
// one of them has to wait for more.
func (s *Slab) serveLocked() {
	for w := s.queue.first; w != nil; w = s.queue.first {
		if s.collectLocked(w); len(w.got) < w.want {
			return
		}
		s.dismiss(w, nil)
	}
}

// collectLocked adds what is free to what w has.
func (s *Slab) collectLocked(w *waiter) {
	if w.small {
		i, ok := s.popSmall()
		if !ok {
			i, ok = s.cutOne()
		}
		if ok {
			w.got = append(w.got, i)
		}
		return
	}
	for {
		n := len(w.got)
		w.got = w.got[:n+s.list.take(w.got[n:w.want], 0)]
		if len(w.got) == w.want || !s.joinLocked() {
			return
		}
	}
}

// dismiss takes a waiter out of the queue and wakes it: with a grant if err is
// nil, else with nothing. The mutex is held.
func (s *Slab) dismiss(w *waiter, err error) {
	s.queue.remove(w)
	s.gate.leave()
	w.err = err
	if err != nil {
		s.putBack(w)
	}
	w.ready <- struct{}{} // Never blocks: room for one, and one dismissal.
}

// giveUpLocked takes a waiter out of the queue that is still in it, and serves
// those behind it with what it leaves.
func (s *Slab) giveUpLocked(w *waiter) {
	s.queue.remove(w)
	s.gate.leave()
	s.putBack(w)
	s.serveLocked()
}

// putBack returns what a waiter has collected. Last first, so that the slots
// keep their order on the list.
func (s *Slab) putBack(w *waiter) {
	for n := len(w.got); n > 0; n-- {
		s.list.push(w.got[n-1])
	}
	w.got = w.got[:0]
}

// newWaiterLocked returns a waiter for want slots, a used one if there is one.
func (s *Slab) newWaiterLocked(want int) *waiter {
	w := s.spare
	if w == nil {
		w = &waiter{ready: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
		w.timer.Stop()
	} else {
		s.spare, w.next = w.next, nil
	}
	if cap(w.got) < want {
		w.got = make([]uint32, 0, want)
	}
	w.want = want
	return w
}

// putWaiterLocked keeps a waiter for the next call. There are never more spare
// ones than goroutines have waited at one time.
func (s *Slab) putWaiterLocked(w *waiter) {
	w.got, w.err = w.got[:0], nil
	s.spare, w.next = w, s.spare
}
