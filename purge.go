package kring

import (
	"context"
	"errors"
	"fmt"
)

// ErrPurged is in the error of every record that Purge has thrown away.
var ErrPurged = errors.New("kring: the record was purged before it was sent")

// Purge throws away what was accepted and not sent: those records fail with
// ErrPurged, and their callbacks say whether an earlier attempt may be in the
// log. What is on its way is waited for, and thrown away too if it would have to
// be sent again. It returns when everything that was accepted before the call
// has its outcome and its callbacks have run, or with ctx's error. Records that
// are accepted meanwhile may be thrown away or sent. Afterwards the producer
// goes on as ever.
//
// In a transaction it does nothing and returns ErrTransactionState:
// AbortTransaction is what throws away there. In a callback it returns
// ErrInCallback, after Close ErrClosed. librdkafka: purge; franz-go:
// AbortBufferedRecords; Java has none.
func (p *Producer) Purge(ctx context.Context) error {
	switch {
	case !p.made():
		return errNotMade()
	case p.inCallback():
		return ErrInCallback
	case p.closing.Load():
		return ErrClosed
	case p.txn != nil && p.txn.open():
		return misplaced("Purge", "a transaction is open: AbortTransaction throws away what it has not sent")
	}
	p.purging.Add(1)
	defer p.purging.Add(-1)
	defer p.release()()
	p.wakeSenders()
	if err := p.acc.Flush(orBackground(ctx)); err != nil {
		return fmt.Errorf("kring: purge is not complete: %w", err)
	}
	return nil
}

// wakeSenders makes every sender look at every partition.
func (p *Producer) wakeSenders() {
	for _, q := range p.acc.Partitions() {
		q.SealOpen()
		q.MarkReady()
	}
}

// dropCause is why nothing is sent at the moment; nil: it is.
func (p *Producer) dropCause() error {
	if p.purging.Load() > 0 {
		return ErrPurged
	}
	if p.txn != nil {
		if cause := p.txn.dropping.Load(); cause != nil {
			return *cause
		}
	}
	return nil
}

// dropUnsent fails what waits to be sent, or to be sent again, during Purge and
// while the transaction can only be aborted. A batch that was sent before leaves
// a gap in the sequences, which a new epoch closes: as after an expiry, or that
// of the abort.
func (b *broker) dropUnsent() {
	cause := b.p.dropCause()
	if cause == nil {
		return
	}
	for range b.pend.len() {
		q := b.pend.pop()
		b.giveUp(q, cause)
		b.pend.push(q)
	}
}
