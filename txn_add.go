package kring

import (
	"context"

	"github.com/kring-go/kring/accum"
	"github.com/kring-go/kring/cluster"
)

// This file is the sender's side of a transaction: which partitions take part
// in it, and what becomes of batches that can not be part of it any more.

// nextInTransaction is broker.next for a transactional producer. It never bumps
// the epoch by itself: only the coordinator may.
func (b *broker) nextInTransaction(q *partition) (*accum.Batch, accum.Wait) {
	batch, wait := b.nextOf(q, &b.env)
	if batch != nil && !b.p.txn.admit(q) {
		return nil, accum.WaitTransaction
	}
	return batch, wait
}

// admit reports whether batches of q may be sent in the present transaction. If
// not, q is marked once they may.
func (x *transactions) admit(q *partition) bool {
	n := x.number.Load()
	return q.joined.Load() == n || x.join(q, n)
}

// joined says that q is in the present transaction already.
func (x *transactions) joined(q *partition) bool { return q.joined.Load() == x.number.Load() }

// open says that a transaction has begun and not ended, as far as is known.
func (x *transactions) open() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.state != txnNew && x.state != txnReady && x.state != txnFatal
}

func (x *transactions) join(q *partition, n uint64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.state != txnActive && (x.state != txnEnding || !x.commit):
		return false
	case x.implicit.Load():
		x.begun = true
		q.joined.Store(n)
		return true
	case q.asked == n:
		return false
	}
	if x.adding == nil {
		a := &adder{done: make(chan struct{})}
		a.ctx, a.cancel = context.WithCancel(x.p.ctx)
		if !x.p.workers.tryRun(x.p.as("transaction", func() { x.add(a) })) {
			a.cancel()
			return false
		}
		x.adding = a
	}
	q.asked = n
	x.waiting = append(x.waiting, q)
	return false
}

// adder is a goroutine that adds partitions to the transaction.
type adder struct {
	ctx    context.Context // ends with the producer, or when there is nothing to add to
	cancel context.CancelFunc
	done   chan struct{}
}

// add adds partitions, all that wait with each request, until none is left.
func (x *transactions) add(a *adder) {
	defer close(a.done)
	defer a.cancel()
	for {
		x.mu.Lock()
		parts, n := x.waiting, x.number.Load()
		x.waiting = nil
		if len(parts) == 0 || x.state == txnFatal || x.state == txnAbortable || x.state == txnEnding && !x.commit {
			x.adding = nil
			x.mu.Unlock()
			return
		}
		x.mu.Unlock()
		call := &cluster.Call{}
		err := x.addThese(a.ctx, call, parts)
		x.noted(call)
		x.mu.Lock()
		x.begun = x.begun || err == nil || call.Ambiguous
		x.mu.Unlock()
		if err != nil {
			x.fail(judge(err))
			continue
		}
		for _, q := range parts {
			q.joined.Store(n)
			q.MarkReady()
		}
	}
}

// addThese is one request, which is tried until it has an answer or ctx ends.
func (x *transactions) addThese(ctx context.Context, call *cluster.Call, parts []*partition) error {
	byTopic := make(map[string][]int32)
	for _, q := range parts {
		byTopic[q.Topic] = append(byTopic[q.Topic], q.Index)
	}
	codes, err := x.coordinator.AddPartitions(ctx, call, x.producer(), byTopic)
	if err != nil {
		return err
	}
	const notAttempted = 55 // because of another partition
	for _, c := range codes {
		if c.Code != 0 && c.Code != notAttempted {
			return &cluster.CodeError{Code: c.Code, Context: "adding " + partitionName(c.Topic, c.Partition) + " to the transaction"}
		}
	}
	return nil
}

// awaitAdder waits for the request that is under way: were it to reach the
// coordinator after EndTxn, it would begin another transaction.
func (x *transactions) awaitAdder(ctx context.Context) error {
	x.mu.Lock()
	adding := x.adding
	x.mu.Unlock()
	if adding == nil {
		return nil
	}
	select {
	case <-adding.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
