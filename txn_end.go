package kring

import (
	"context"
	"errors"
	"fmt"

	"github.com/kring-go/kring/cluster"
)

// CommitTransaction sends what was accepted, waits for all of it, and commits:
// consumers that read committed records see all records of the transaction from
// then on, and its offsets count. It returns nil only if the coordinator has
// said so. If any record or SendOffsets has failed, nothing is committed and the
// error matches ErrTransactionAbortable.
//
// The wait for the records ends with ctx or their DeliveryTimeout, and that for
// the coordinator with ctx or after MaxBlock. If records were still on their
// way, the transaction may be committed again or aborted. If the coordinator
// has not answered, the error matches ErrTransactionUnknown.
func (p *Producer) CommitTransaction(ctx context.Context) error {
	const op = "CommitTransaction"
	x, done, err := p.transactionCall(&ctx, op)
	if err != nil {
		return err
	}
	defer done()
	if !x.again(true) {
		if err := x.prepareCommit(ctx, op); err != nil {
			return err
		}
	}
	return x.end(ctx, op, true)
}

// AbortTransaction ends the transaction as if it had never been: consumers that
// read committed records never see any of it. What was not sent yet fails with
// ErrTransactionAborted, and what is on its way is waited for. It is the way
// out of ErrTransactionAbortable. Its waits end as those of CommitTransaction,
// and after an error it has to be called again.
func (p *Producer) AbortTransaction(ctx context.Context) error {
	const op = "AbortTransaction"
	x, done, err := p.transactionCall(&ctx, op)
	if err != nil {
		return err
	}
	defer done()
	return x.abort(ctx, op)
}

func (x *transactions) abort(ctx context.Context, op string) error {
	if !x.again(false) {
		if err := x.prepareAbort(ctx, op); err != nil {
			return err
		}
	}
	return x.end(ctx, op, false)
}

// again reports whether the call repeats one whose outcome is unknown: there is
// nothing to prepare then.
func (x *transactions) again(commit bool) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.state == txnUnknown && x.commit == commit
}

// prepareCommit waits until every record of the transaction has been
// acknowledged.
func (x *transactions) prepareCommit(ctx context.Context, op string) error {
	x.mu.Lock()
	if x.state == txnActive {
		x.state, x.commit = txnEnding, true
	}
	stay := x.state == txnEnding && x.commit
	x.mu.Unlock()
	if !stay {
		return x.refuseUnless(op, txnActive)
	}
	err := x.flush(ctx)
	if err == nil {
		err = x.awaitAdder(ctx)
	}
	switch state, cause := x.look(); {
	case state == txnFatal:
		return fatal(op, cause)
	case state == txnAbortable:
		return abortable(op, cause)
	case err != nil:
		return fmt.Errorf("kring: %s: records are still on their way, so nothing was committed yet; commit or abort: %w", op, err)
	case ctx.Err() != nil: // or the coordinator would be asked in vain, and the outcome called unknown
		return fmt.Errorf("kring: %s: no time was left to ask for it, so nothing was committed yet; commit or abort: %w", op, ctx.Err())
	}
	return nil
}

// prepareAbort drops what was not sent, and waits for the rest.
func (x *transactions) prepareAbort(ctx context.Context, op string) error {
	x.mu.Lock()
	switch x.state {
	case txnActive, txnAbortable, txnEnding:
		x.drop(x.err)
		x.state, x.commit = txnEnding, false
		x.mu.Unlock()
	default:
		x.mu.Unlock()
		return x.refuseUnless(op, txnEnding)
	}
	x.p.wakeSenders()
	err := x.flush(ctx)
	if err == nil {
		err = x.awaitAdder(ctx)
	}
	if err == nil {
		return nil
	}
	if state, cause := x.look(); state == txnFatal {
		return fatal(op, cause)
	}
	return fmt.Errorf("kring: %s: requests are still on their way; abort again: %w", op, err)
}

// end tells the coordinator how the transaction ends.
func (x *transactions) end(ctx context.Context, op string, commit bool) error {
	ctx, cancel := x.bounded(ctx)
	defer cancel()
	x.mu.Lock()
	state, cause, begun := x.state, x.err, x.begun
	x.mu.Unlock()
	if state == txnFatal {
		return fatal(op, cause)
	}
	if begun {
		if err := x.endTxn(ctx, op, commit); err != nil {
			return err
		}
	}
	if x.renewing() {
		err := x.reinit(ctx, op, x.producer())
		switch {
		case err == nil:
		case commit, !errors.Is(err, ErrTransactionFatal):
			// The transaction is ended; BeginTransaction tries again.
			x.p.log.Warn("kring: no new epoch after a transaction yet", "error", err)
		default:
			return err
		}
	}
	if state, _ := x.look(); state != txnFatal {
		x.settle()
	}
	return nil
}

// endTxn sends EndTxn and judges the answer. Nil: the transaction is ended as
// was asked.
func (x *transactions) endTxn(ctx context.Context, op string, commit bool) error {
	call := &cluster.Call{}
	implicit := x.implicit.Load()
	next, err := x.coordinator.EndTxn(ctx, call, x.producer(), commit, implicit)
	x.noted(call)
	if err == nil {
		x.ended(next, implicit)
		return nil
	}
	v := judge(err)
	renewing := x.renewing()
	fenced := errors.Is(v.err, ErrFenced)
	switch {
	case !commit && (v.renew || fenced && renewing || v.code == TransactionAbortable || v.code == InvalidTxnState):
		// The coordinator has no such transaction: it lasted too long, or
		// what would have begun it has not arrived. The new epoch, which end gets now, is refused if
		// another producer has come instead; and it aborts what is left.
		x.mu.Lock()
		x.renew, x.begun = true, false
		x.mu.Unlock()
		return x.renewNow(ctx, op)
	case v.fatal:
		x.fail(v)
		return fatal(op, v.err)
	case commit && (v.renew || v.code == TransactionAbortable):
		x.fail(v)
		return abortable(op, v.err)
	}
	x.mu.Lock()
	x.state, x.err, x.commit, x.renew = txnUnknown, v.err, commit, true
	x.mu.Unlock()
	return unknown(op, v.err)
}

// renewNow is for an abort that only a new epoch can complete.
func (x *transactions) renewNow(ctx context.Context, op string) error {
	err := x.reinit(ctx, op, x.producer())
	if err != nil && !errors.Is(err, ErrTransactionFatal) {
		x.mu.Lock()
		x.begun = true // so that a repeated abort comes here again
		x.mu.Unlock()
	}
	return err
}

// ended takes over what the answer to EndTxn brought.
func (x *transactions) ended(next cluster.ProducerID, implicit bool) {
	x.mu.Lock()
	x.begun = false
	x.mu.Unlock()
	if implicit { // a new epoch: nothing of the old one can disturb it
		x.adopt(next)
	}
}

// noted remembers that a request may still reach the coordinator. Where the
// epoch stays the same after a transaction, it could do its work in the next.
func (x *transactions) noted(call *cluster.Call) {
	if !call.Ambiguous || x.implicit.Load() {
		return
	}
	x.mu.Lock()
	x.renew = true
	x.mu.Unlock()
}

// close aborts a transaction that Close finds unfinished.
func (x *transactions) close(ctx context.Context) {
	select {
	case <-x.calls:
		x.over.Store(true) // before anybody else has the token
		defer func() { x.calls <- struct{}{} }()
	case <-ctx.Done():
		return
	}
	state, _ := x.look()
	if state != txnActive && state != txnAbortable && state != txnEnding {
		return
	}
	x.p.log.Info("kring: the transaction that Close found unfinished is aborted")
	if err := x.abort(ctx, "Close"); err != nil {
		x.p.log.Warn("kring: the transaction that Close found unfinished was not aborted; its timeout will", "error", err)
	}
}
