package kring

import (
	"errors"
	"fmt"
	"time"

	"github.com/kring-go/kring/accum"
)

// tick looks at everything that time decides: partitions in backoff, records
// and requests that are too old, connections that nobody uses.
func (b *broker) tick() {
	slow := b.slow
	b.slow = b.slow[:0]
	for i, q := range slow {
		slow[i] = nil
		q.slow = false
		b.add(q)
	}
	if b.conn != nil {
		b.tickConnection()
	}
	for slot := range b.reqs[:b.p.cfg.maxInFlight] {
		b.expireInFlight(&b.reqs[slot])
	}
	// A partition whose window is full stands in no list: it comes back with
	// an answer. What is queued behind must not grow old unseen until then.
	for slot := range b.reqs[:b.p.cfg.maxInFlight] {
		for _, q := range b.reqs[slot].owners {
			b.tickPartition(q)
		}
	}
	for range b.pend.len() {
		q := b.pend.pop()
		b.tickPartition(q)
		b.pend.push(q)
	}
}

func (b *broker) tickPartition(q *partition) {
	b.expireQueued(q, b.env.Now-q.timeout)
	b.cull(q, b.env.Now, false)
	q.load.Store(int32(q.Backlog(maxBacklog)))
	q.topic.use()
}

// maxBacklog bounds the look at a partition's queue for the adaptive
// partitioner: beyond it, longer makes no difference.
const maxBacklog = 32

func (b *broker) tickConnection() {
	switch now := b.env.Now; {
	case b.conn.Expired(now):
		// One more look: the answer may lie in the socket because this
		// process was slow, not the broker.
		if _, err := b.conn.Poll(); err != nil {
			b.disconnect(err)
		} else if b.conn.Expired(now) {
			b.disconnect(fmt.Errorf("no answer within RequestTimeout (request.timeout.ms) of %v: %w",
				b.p.cfg.requestTimeout, error(RequestTimedOut)))
		}
	case b.conn.InFlight() == 0 && b.p.cfg.connMaxIdle > 0 && now-b.lastSend > int64(b.p.cfg.connMaxIdle),
		(b.gone.Load() || b.outdated.Load()) && b.conn.InFlight() == 0:
		b.leaveAddress()
	}
}

// leaveAddress ends a connection that is not needed, or leads to an address of
// the past: then nothing more is sent over it, and the last answer brings send
// here. A busy connection would never be found idle.
func (b *broker) leaveAddress() {
	b.outdated.Store(false)
	b.hangUp(errIdle)
}

var errIdle = errors.New("the connection is not needed any more")

// expireQueued fails the batches at the head of q that were opened before the
// limit and are not in flight.
func (b *broker) expireQueued(q *partition, before int64) {
	for batch := q.Retrying(); batch != nil && batch.Created() <= before; batch = q.Retrying() {
		b.expire(q, batch)
	}
	for {
		batch := q.Expired(before)
		if batch == nil {
			return
		}
		b.expire(q, batch)
	}
}

// expireInFlight tells the callers of batches that are still in flight. Their
// memory stays until the answer comes or the connection ends: its bytes may
// still be on their way into the socket.
func (b *broker) expireInFlight(r *request) {
	for i, batch := range r.batches {
		if batch == nil || batch.Sender.Finished || batch.Created()+r.owners[i].timeout > b.env.Now {
			continue
		}
		batch.Sender.Ambiguous = true
		err := b.produceError(r.owners[i], batch, b.expiryCause(r.owners[i], batch))
		b.conclude(r.owners[i], batch, accum.Outcome{BaseOffset: -1, LogAppendTime: -1, Err: err}, true)
	}
}

func (b *broker) expire(q *partition, batch *accum.Batch) {
	b.fail(q, batch, b.expiryCause(q, batch))
}

func (b *broker) expiryCause(q *partition, batch *accum.Batch) error {
	limit := time.Duration(q.timeout)
	if last := batch.Sender.LastError; last != nil {
		return fmt.Errorf("%w: %v since the batch was opened; the last attempt: %w", ErrDeliveryTimeout, limit, last)
	}
	if why := b.p.whyNoProgress(b); why != nil {
		return fmt.Errorf("%w: %v since the batch was opened: %w", ErrDeliveryTimeout, limit, why)
	}
	return fmt.Errorf("%w: %v since the batch was opened", ErrDeliveryTimeout, limit)
}
