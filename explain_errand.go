package kring

import (
	"fmt"
	"time"
)

// errand is something that a caller wants to have done by the holder of a
// broker's role, because it looks at what only the holder may touch. Errands
// are a stack: pushed by anybody, taken whole by a turn.
//
//	caller ─ push ─► errands ─ turn ─► do ─ close(done) ─► caller
//	           └ kick: a turn begins after the push
type errand struct {
	next *errand
	do   func()
	done chan struct{}
}

// errandPatience is how long a caller waits for a turn. Turns do not block;
// only a callback of InlineDelivery that does not return can hold one up.
const errandPatience = 10 * time.Second

// ask has do run under b's role and waits for it. The caller must not hold it.
func (b *broker) ask(do func()) error {
	e := &errand{do: do, done: make(chan struct{})}
	for {
		e.next = b.errands.Load()
		if b.errands.CompareAndSwap(e.next, e) {
			break
		}
	}
	b.kick()
	select {
	case <-e.done: // usually: the kick was the turn
		return nil
	default:
	}
	limit := time.NewTimer(errandPatience)
	defer limit.Stop()
	select {
	case <-e.done:
		return nil
	case <-b.p.closed:
		return ErrClosed
	case <-limit.C:
		return fmt.Errorf("kring: the sender of %v has not answered for %v: a callback of InlineDelivery holds it up", b, errandPatience)
	}
}

// runErrands is called in a turn.
func (b *broker) runErrands() {
	for e := b.errands.Swap(nil); e != nil; e = e.next {
		e.do()
		close(e.done)
	}
}
