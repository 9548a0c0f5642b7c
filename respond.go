package kring

import (
	"fmt"

	"github.com/kring-go/kring/accum"
	"github.com/kring-go/kring/cluster"
	"github.com/kring-go/kring/wire"
)

// Written is called when the request has left completely. Without acks that is
// all that will ever be known.
func (b *broker) Written(slot int) {
	r := &b.reqs[slot]
	r.written = b.p.clock.Now()
	b.p.acc.Stages().Write.Record(r.written - r.sentAt)
	b.p.hooks.requestSent(b, r)
	if r.acks != 0 {
		return
	}
	for i := range r.batches {
		if batch := r.batches[i]; batch.Sender.Finished { // it expired while it was being written
			r.owners[i].Drop(batch, true)
		} else {
			b.succeed(r, i, accum.Outcome{BaseOffset: -1, LogAppendTime: -1})
		}
		b.letGo(r, i)
	}
	r.clear()
}

// Response is called with the answer to a request.
func (b *broker) Response(slot int, frame []byte) error {
	r := &b.reqs[slot]
	_, body, err := wire.ResponseHeader(frame, wire.Flexible(r.version))
	if err == nil {
		err = b.response.Decode(r.version, body)
	}
	if err != nil {
		err = fmt.Errorf("broker %d (%s) sent a Produce response that can not be read: %w", b.id, *b.addr.Load(), err)
		b.Failed(slot, true, err)
		return err
	}
	now := b.p.clock.Now()
	if r.written != 0 {
		b.p.acc.Stages().Ack.Record(now - r.written)
	}
	b.failures = 0
	b.answered(r, now)
	b.meters.latency.add(now - r.sentAt)
	b.meters.throttle.add(int64(cluster.ClampThrottle(b.response.ThrottleMs)))
	b.throttle(b.response.ThrottleMs)
	b.p.hooks.requestAnswered(b, r, now, nil)
	next := 0
	for i := range b.response.Partitions {
		res := &b.response.Partitions[i]
		k := r.find(res, next)
		if k < 0 {
			continue // not asked for, or answered twice
		}
		next = k + 1
		b.result(r, k, res)
		b.letGo(r, k)
	}
	for i := range r.batches {
		if r.batches[i] != nil {
			b.ambiguous(r, i, fmt.Errorf("broker %d did not mention the partition in its answer", b.id))
			b.letGo(r, i)
		}
	}
	r.clear()
	return nil
}

// Failed is called when the connection ended before the answer.
func (b *broker) Failed(slot int, sentBytes bool, err error) {
	r := &b.reqs[slot]
	b.p.hooks.requestAnswered(b, r, b.p.clock.Now(), err)
	for i := range r.batches {
		if sentBytes {
			r.batches[i].Sender.Ambiguous, r.batches[i].Sender.Orphaned = true, true
		}
		b.retry(r, i, NetworkException, fmt.Errorf("connection to broker %d: %w", b.id, err))
		b.letGo(r, i)
	}
	r.clear()
}

// letGo ends the socket side of batch i and makes its partition look again.
func (b *broker) letGo(r *request, i int) {
	batch, q := r.batches[i], r.owners[i]
	r.batches[i] = nil
	q.inSend--
	batch.ReleaseSocket()
	b.add(q)
}

// throttle mutes the connection for as long as the broker asks (KIP-219). The
// end never moves backwards, and a lying broker can not mute for ever.
func (b *broker) throttle(ms int32) {
	d := int64(cluster.ClampThrottle(ms))
	if d <= 0 {
		return
	}
	b.p.stats.throttles.Add(1)
	b.throttled = max(b.throttled, b.env.Now+d)
	b.tellThrottled(d)
	b.conn.Postpone(d)
}

// result applies the broker's answer for batch i.
func (b *broker) result(r *request, i int, res *wire.PartitionResult) {
	batch, q := r.batches[i], r.owners[i]
	code := KafkaError(res.ErrorCode)
	if batch.Sender.Finished { // its outcome is out: it expired in flight
		q.Drop(batch, code == 0 || code == DuplicateSequenceNumber)
		return
	}
	switch code {
	case 0:
		b.succeed(r, i, accum.Outcome{BaseOffset: res.BaseOffset, LogAppendTime: res.LogAppendTime})
		return
	case DuplicateSequenceNumber: // the log has it; where is not said
		b.succeed(r, i, accum.Outcome{BaseOffset: -1, LogAppendTime: -1})
		return
	case OutOfOrderSequenceNumber, UnknownProducerID, InvalidProducerEpoch:
		if batch.Sender.Sequence >= 0 {
			b.sequenceRefused(r, i, code)
			return
		}
	case MessageTooLarge:
		if b.split(r, i) {
			return
		}
	}
	cause := error(code)
	if len(res.ErrorMessage) > 0 {
		cause = fmt.Errorf("%w: %s", code, res.ErrorMessage)
	}
	if code.RefreshesMetadata() {
		b.leaderHint(q, res)
		b.p.meta.refresh()
	}
	if !code.Retriable() {
		b.reject(r, i, res, cause)
		return
	}
	if code.mayHaveAppended(q.acks) {
		batch.Sender.Ambiguous = true
	}
	b.retry(r, i, code, cause)
}

func (b *broker) succeed(r *request, i int, o accum.Outcome) {
	batch, q := r.batches[i], r.owners[i]
	q.Proven(batch)
	q.Drop(batch, true)
	if o.BaseOffset >= 0 {
		b.appended(q, o.BaseOffset, batch.Records())
	}
	b.p.stats.acked(batch.Records())
	b.p.records.leave(batch.Records())
	b.p.hooks.batchFinished(b, q, batch, &o)
	q.Finish(batch, o, q.lane)
}
