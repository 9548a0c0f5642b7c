package kring

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// gate counts the goroutines inside Produce of a transactional producer, and
// keeps others out while it is shut. So a commit knows when the last record of
// its transaction has been accepted.
type gate struct {
	word atomic.Int64  // gateShut, and the number of goroutines inside
	left chan struct{} // capacity 1: the last one has left the shut gate
}

const gateShut = 1 << 62

func (g *gate) init() {
	g.left = make(chan struct{}, 1)
	g.word.Store(gateShut)
}

func (g *gate) open()       { g.word.And(^gateShut) }
func (g *gate) shut()       { g.word.Or(gateShut) }
func (g *gate) empty() bool { return g.word.Load()&^gateShut == 0 }

// enter reports whether the gate is open; if it is, leave must follow.
func (g *gate) enter() bool {
	if g.word.Add(1)&gateShut == 0 {
		return true
	}
	g.leave()
	return false
}

func (g *gate) leave() {
	if g.word.Add(-1) == gateShut {
		select {
		case g.left <- struct{}{}:
		default:
		}
	}
}

// enter lets Produce into the transaction. leave must follow.
func (x *transactions) enter() error {
	if x.gate.enter() {
		return nil
	}
	return x.refuseUnless("Produce", txnActive)
}

// leave is the end of Produce. A record that was refused is missing from the
// transaction, so that it can not be committed; but the signals of TryProduce,
// which say to come again, change nothing.
func (x *transactions) leave(err error, wait bool) {
	if err != nil && !errors.Is(err, ErrInCallback) && !errors.Is(err, ErrClosed) &&
		(wait || !errors.Is(err, ErrBufferFull) && !errors.Is(err, ErrMetadataPending)) {
		x.fail(verdict{err: fmt.Errorf("a record was not accepted: %w", err)})
	}
	x.gate.leave()
}

// refuseUnless returns an error that says why op is not possible now, or nil if
// the state is want. For Produce, whose gate is shut, there is always an error.
func (x *transactions) refuseUnless(op string, want txnState) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch state := x.state; {
	case state == txnFatal:
		return fatal(op, x.err)
	case state == txnAbortable:
		return abortable(op, x.err)
	case state == want && op != "Produce":
		return nil
	case state == txnNew:
		return misplaced(op, "call InitTransactions first")
	case state == txnReady:
		return misplaced(op, "no transaction has begun: call BeginTransaction first")
	case state == txnUnknown:
		return unknown(endName(x.commit), x.err)
	case state == txnEnding || op == "Produce":
		return misplaced(op, "the transaction is being ended: call "+endName(x.commit)+" until it returns no error")
	default:
		return misplaced(op, "a transaction is under way: commit or abort it first")
	}
}

// look is the state at this moment, and why it is abortable, unknown or fatal.
func (x *transactions) look() (txnState, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.state, x.err
}

// renewing says that the next transaction needs a new epoch.
func (x *transactions) renewing() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.renew
}

func endName(commit bool) string {
	if commit {
		return "CommitTransaction"
	}
	return "AbortTransaction"
}

// fail makes the transaction abortable, or the producer useless. What has not
// been sent gets its error now, and nothing more is accepted.
func (x *transactions) fail(v verdict) {
	x.mu.Lock()
	x.renew = x.renew || v.renew
	switch {
	case x.state == txnFatal:
		x.mu.Unlock()
		return
	case v.fatal:
		x.state = txnFatal
	case x.state == txnActive, (x.state == txnEnding || x.state == txnUnknown) && x.commit:
		x.state = txnAbortable
	default: // it ends anyway
		x.mu.Unlock()
		return
	}
	x.err = v.err
	x.drop(v.err)
	x.mu.Unlock()
	x.p.wakeSenders()
}

// drop makes the senders fail what they have not sent. It is called under mu.
func (x *transactions) drop(why error) {
	x.gate.shut()
	cause := ErrTransactionAborted
	if why != nil {
		cause = fmt.Errorf("%w: %w", ErrTransactionAborted, why)
	}
	x.dropping.Store(&cause)
	if x.adding != nil {
		// If a request is cut off in the middle, noted sees to it that it can
		// do no harm.
		x.adding.cancel()
	}
}

// flush waits until the last caller has left Produce and every record has its
// outcome.
func (x *transactions) flush(ctx context.Context) error {
	x.gate.shut()
	defer x.p.release()()
	for {
		empty := x.gate.empty()
		if err := x.p.acc.Flush(ctx); err != nil || empty {
			return err
		}
		select {
		case <-x.gate.left:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
