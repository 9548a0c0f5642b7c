package kring

import (
	"time"

	"github.com/kring-go/kring/accum"
)

// maxExplained bounds how far Explain counts a partition's queue.
const maxExplained = 1 << 16

// explain fills in e for q. It runs under the role; false: b is not the home of q
// any more.
func (b *broker) explain(q *partition, e *Explanation) (here bool) {
	if q.home.Load() != b {
		return false
	}
	env := b.env
	env.Identity = *b.p.identity.Load()
	var batch *accum.Batch
	batch, e.wait = b.nextOf(q, &env)
	if x := b.p.txn; x != nil && batch != nil && !x.joined(q) {
		e.wait = accum.WaitTransaction
	}
	// Next may have sealed a batch whose linger is over. Whoever does that
	// sends it: this turn goes on with pend.
	b.add(q)
	e.Queued, e.InFlight = q.Queued(maxExplained), q.InFlight()
	if oldest := q.oldestQueued(); oldest != nil {
		e.Oldest = max(time.Duration(env.Now-oldest.Created()), 0)
		e.Attempts, e.Err = oldest.Sender.Attempts, oldest.Sender.LastError
	}
	b.explainLeader(q, e)
	b.explainReason(q, e)
	return true
}

// oldestQueued is the batch that is sent next; nil: none is queued.
func (q *partition) oldestQueued() *accum.Batch {
	if batch := q.Retrying(); batch != nil {
		return batch
	}
	return q.Head()
}

func (b *broker) explainLeader(q *partition, e *Explanation) {
	leader := q.leader.Load()
	if leader.id < 0 {
		return
	}
	e.Broker, e.Connection, e.Address, e.Connected = leader.id, leader.stripe, *leader.addr.Load(), leader.connected.Load()
	e.striped = b.p.cfg.stripes > 1
	if leader == b && b.conn != nil {
		e.RequestsInFlight = b.conn.InFlight()
	}
}

// explainReason asks in the order in which send does, but for the partition's
// own linger, which hides what will hold the batch up after it for a moment.
func (b *broker) explainReason(q *partition, e *Explanation) {
	now := b.env.Now
	switch leader := q.leader.Load(); {
	case e.wait == accum.WaitEmpty && e.InFlight > 0:
		e.Reason = ReasonInFlight
	case e.wait == accum.WaitEmpty:
		e.Reason = ReasonEmpty
	case b.p.gate.shut():
		e.Reason = ReasonManualFlush
	case e.wait == accum.WaitLinger:
		e.Reason, e.For = ReasonLinger, max(q.Linger()-e.Oldest, 0)
	case e.wait == accum.WaitWriters:
		e.Reason = ReasonWriters
	case e.wait == accum.WaitPacking:
		e.Reason = ReasonCompressing
	case e.wait == accum.WaitTransaction:
		e.Reason = ReasonTransaction
	case leader.id < 0:
		e.Reason = ReasonNoLeader
		e.blame(b.p.whyNoProgress(leader))
	case leader != b:
		e.Reason = ReasonLeaderMoved
	case b.conn == nil:
		e.Reason, e.For = ReasonNotConnected, 0
		if !b.dialing {
			e.For = max(time.Duration(b.dialAt-now), 0)
		}
		e.blame(b.p.whyNoProgress(b))
	case now < b.throttled:
		e.Reason, e.For = ReasonThrottled, time.Duration(b.throttled-now)
	case b.held():
		e.Reason = ReasonReauthenticating
	default:
		b.explainWait(q, e)
	}
}

// blame notes why the cluster, and not the batch, holds the partition up.
func (e *Explanation) blame(err error) {
	if err != nil {
		e.Err = err
	}
}

// explainWait is for a partition whose broker could be sent to.
func (b *broker) explainWait(q *partition, e *Explanation) {
	switch e.wait {
	case accum.WaitInFlight:
		e.Reason = ReasonInFlight
	case accum.WaitBackoff:
		e.Reason = ReasonBackoff
		if batch := q.Retrying(); batch != nil {
			e.For = max(time.Duration(batch.Sender.RetryAt-b.env.Now), 0)
		}
	case accum.WaitIdentity:
		e.Reason = ReasonNoProducerID
		if why := b.p.ids.fatal.Load(); why != nil {
			e.Err = *why
		}
	case accum.WaitBump:
		e.Reason = ReasonEpochBump
	case accum.Go:
		e.Reason = ReasonReady
		if !b.mayStart() {
			e.Reason = ReasonConnectionFull
		}
	default:
		e.Reason = ReasonOther
	}
}
