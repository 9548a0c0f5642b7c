package kring

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kring-go/kring/accum"
	"github.com/kring-go/kring/cluster"
	"github.com/kring-go/kring/wire"
)

// This file decides what becomes of a batch that was not acknowledged: again,
// in pieces, or an error. Every method here is for the holder of the role.

// ambiguous retries batch i after an attempt without a definite answer.
func (b *broker) ambiguous(r *request, i int, cause error) {
	r.batches[i].Sender.Ambiguous = true
	b.retry(r, i, 0, cause)
}

// retry puts batch i back in front of its partition, or fails it if it has no
// attempts or no time left.
func (b *broker) retry(r *request, i int, code KafkaError, cause error) {
	batch, q := r.batches[i], r.owners[i]
	if batch.Sender.Finished {
		q.Drop(batch, false)
		return
	}
	b.note(batch, code, cause)
	if b.exhausted(q, batch, cause) {
		return
	}
	b.p.stats.retries.Add(1)
	q.Requeue(batch, b.retryAt(q, batch))
}

// exhausted fails a batch that has no attempts or no time left for another try.
func (b *broker) exhausted(q *partition, batch *accum.Batch, cause error) bool {
	c := &b.p.cfg
	switch {
	case batch.Sender.Attempts > c.retries:
		b.fail(q, batch, fmt.Errorf("%w: %w", ErrRetriesExhausted, cause))
	case batch.Created()+q.timeout <= b.env.Now:
		b.fail(q, batch, fmt.Errorf("%w: %w", ErrDeliveryTimeout, cause))
	default:
		return false
	}
	return true
}

// note remembers the last reason for the error that a batch may end with. A
// connection that failed is no answer, so it has no code.
func (b *broker) note(batch *accum.Batch, code KafkaError, cause error) {
	batch.Sender.LastError = cause
	batch.Sender.LastCode = 0
	if code != NetworkException {
		batch.Sender.LastCode = int16(code)
	}
}

// retryAt is when the next attempt may start. A partition whose new leader is
// already known does not wait (KIP-951).
func (b *broker) retryAt(q *partition, batch *accum.Batch) int64 {
	if q.leader.Load() != b {
		return b.env.Now
	}
	c := &b.p.cfg
	if KafkaError(batch.Sender.LastCode) == ConcurrentTransactions {
		// The markers of the transaction before are being written, which
		// takes milliseconds.
		return b.env.Now + int64(concurrentRetry)
	}
	wait := cluster.Backoff(c.retryBackoff, c.retryBackoffMax, batch.Sender.Attempts, rand.Float64)
	return b.env.Now + int64(wait)
}

// concurrentRetry is the pause after CONCURRENT_TRANSACTIONS.
const concurrentRetry = 20 * time.Millisecond

// sequenceRefused retries a batch whose sequence, producer id or epoch the
// broker does not accept. See accum's sequences for when that ends in a bump.
func (b *broker) sequenceRefused(r *request, i int, code KafkaError) {
	batch, q := r.batches[i], r.owners[i]
	b.note(batch, code, code)
	if lost := b.sequenceLost(q, batch, code); b.p.cfg.stopOnLoss && b.stopOnLoss(q, batch, code, lost) {
		return
	}
	if b.exhausted(q, batch, code) {
		return
	}
	if b.p.txn != nil && (code == InvalidProducerEpoch || q.Oldest(batch)) {
		b.fail(q, batch, fmt.Errorf("the broker does not accept the batch in this transaction: %w", code))
		return
	}
	if q.MustNotRestart(batch) {
		b.fail(q, batch, fmt.Errorf("after a lost connection the broker refuses the batch's sequence, so that it can not be sent again without the risk of storing it twice: %w", code))
		return
	}
	b.p.stats.retries.Add(1)
	if q.SequenceRefused(batch, b.env.Now) {
		// What only followed a failed batch goes out behind it at once. A
		// restart waits: a broker that refuses each new epoch too would
		// otherwise use up all epochs at the speed of the network.
		batch.Sender.RetryAt = b.retryAt(q, batch)
		b.p.log.Warn("kring: the broker lost this producer's sequence; it starts again under a new epoch",
			"topic", q.Topic, "partition", q.Index, "broker", b.id, "error", code.Name())
	}
}

// sequenceLost tells that the broker has forgotten what it acknowledged, if the
// refusal of batch says so: not of what only followed a batch that failed, and
// of several in flight the oldest speaks for all. In a transaction an epoch that
// is too old says that the broker knows a newer one: of a producer that fences
// this one, or of the coordinator that gave the transaction up.
func (b *broker) sequenceLost(q *partition, batch *accum.Batch, code KafkaError) bool {
	if batch.Sender.Sequence == 0 || q.Gap() || !q.Oldest(batch) || b.p.txn != nil && code == InvalidProducerEpoch {
		return false
	}
	restarts := b.p.txn == nil && !b.p.cfg.stopOnLoss && !q.MustNotRestart(batch)
	b.p.stats.sequencesLost.Add(1)
	b.p.log.Warn("kring: the broker does not know any more what this producer wrote before; if retention has not deleted it, acknowledged records may be lost",
		"topic", q.Topic, "partition", q.Index, "broker", b.id, "error", code.Name(), "last_offset", q.lastOffset, "restarts", restarts)
	b.p.hooks.sequenceLost(b, q, SequenceLost{Code: code, Offset: -1, Restarts: restarts})
	return true
}

// split replaces a batch that the broker finds too large by two halves. False:
// it holds a single record, or an earlier attempt may have been appended (the
// limit was changed in between): the halves would not be recognised as what the
// log already has.
func (b *broker) split(r *request, i int) bool {
	batch, q := r.batches[i], r.owners[i]
	if batch.Records() < 2 || batch.Sender.Ambiguous {
		return false
	}
	b.note(batch, MessageTooLarge, MessageTooLarge)
	if err := q.Split(batch); err != nil {
		b.p.log.Error("kring: batch can not be split", "topic", q.Topic, "partition", q.Index, "error", err)
		return false
	}
	b.p.stats.splits.Add(1)
	return true
}

// reject fails a batch that the broker will never accept. If the broker named
// the records at fault (KIP-467), only they get its reason.
func (b *broker) reject(r *request, i int, res *wire.PartitionResult, cause error) {
	batch, q := r.batches[i], r.owners[i]
	code := KafkaError(res.ErrorCode)
	if code.mayHaveAppended(q.acks) {
		batch.Sender.Ambiguous = true
	}
	b.note(batch, code, cause)
	if code == MessageTooLarge {
		cause = fmt.Errorf("%w: %w", ErrRecordTooLarge, cause)
	}
	if res.RecordErrorCount == 0 || batch.Records() == 1 {
		b.fail(q, batch, cause)
		return
	}
	culprits := make(map[int]error, res.RecordErrorCount)
	for _, e := range b.response.RecordErrors[res.FirstRecordError:][:res.RecordErrorCount] {
		why := fmt.Errorf("%w: %w", ErrInvalidRecord, error(code))
		if len(e.Message) > 0 {
			why = fmt.Errorf("%w: %s", why, e.Message)
		}
		culprits[int(e.BatchIndex)] = b.produceError(q, batch, why)
	}
	rest := b.produceError(q, batch, fmt.Errorf("%w: %w", ErrBatchRejected, cause))
	b.conclude(q, batch, accum.Outcome{BaseOffset: -1, LogAppendTime: -1, Err: rest, Records: culprits}, false)
}

// fail ends a batch with an error for all of its records.
func (b *broker) fail(q *partition, batch *accum.Batch, cause error) {
	b.conclude(q, batch, accum.Outcome{BaseOffset: -1, LogAppendTime: -1, Err: b.produceError(q, batch, cause)}, false)
}

// conclude tells the callers of a batch that it has failed with o. inFlight: the
// answer, or the end of the connection, will still drop it.
func (b *broker) conclude(q *partition, batch *accum.Batch, o accum.Outcome, inFlight bool) {
	b.salvage(q, batch, &o) // it writes to the errors; nobody else has them yet
	if b.p.txn != nil {
		b.p.txn.fail(judgeRecord(o.Err))
	}
	if !inFlight {
		q.Drop(batch, false)
	}
	b.p.stats.failed(batch.Records())
	b.p.records.leave(batch.Records())
	b.p.hooks.batchFinished(b, q, batch, &o)
	q.Finish(batch, o, q.lane)
}

func (b *broker) produceError(q *partition, batch *accum.Batch, cause error) *ProduceError {
	s := &batch.Sender
	certainty := NotPersisted
	if s.Ambiguous {
		certainty = PossiblyPersisted
	}
	node := b.id
	if s.Attempts == 0 && node < 0 {
		node = -1
	}
	return &ProduceError{
		Topic: q.Topic, Partition: q.Index, Broker: node, Code: s.LastCode,
		Attempts: s.Attempts, Certainty: certainty, Err: cause,
	}
}

// leaderHint applies the leader that the response names (KIP-951): only if it
// is newer than what metadata says, and its address is known.
func (b *broker) leaderHint(q *partition, res *wire.PartitionResult) {
	if res.LeaderID < 0 || res.LeaderEpoch < 0 {
		return
	}
	for i := range b.response.Nodes {
		if n := &b.response.Nodes[i]; n.ID == res.LeaderID {
			b.p.meta.hint(b.p, q, res.LeaderID, res.LeaderEpoch, string(n.Host), n.Port)
			return
		}
	}
	b.p.meta.hint(b.p, q, res.LeaderID, res.LeaderEpoch, "", 0)
}
