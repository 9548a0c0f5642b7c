package kring

import (
	"time"

	"github.com/kring-go/kring/accum"
)

// This file makes events of what is seen. Every method is nil-safe, and returns
// at once where no hook wants to hear of it.

// connected is for the dialler, before anybody else can see the connection.
func (h *hooks) connected(b *broker, res *dialResult, began int64) {
	if h == nil || len(h.connect) == 0 {
		return
	}
	h.push(&hookEvent{kind: kindConnect, connect: BrokerConnect{
		At: time.Now(), Broker: b.id, Connection: b.stripe, Address: *res.addr, Took: time.Duration(h.p.clock.Now() - began), Err: wrongCluster(authError(res.err)),
	}})
}

// disconnected is for the holder of the role.
func (h *hooks) disconnected(b *broker, s *session, err error) {
	if h == nil || len(h.disconnect) == 0 {
		return
	}
	h.push(&hookEvent{kind: kindDisconnect, disconnect: BrokerDisconnect{
		At: time.Now(), Broker: b.id, Connection: b.stripe, Address: s.address, Open: time.Duration(h.p.clock.Now() - s.began), Err: err,
	}})
}

// requestSent is for the holder of the role, when r has left.
func (h *hooks) requestSent(b *broker, r *request) {
	if h == nil || len(h.sent) == 0 {
		return
	}
	e := RequestSent{At: time.Now(), RequestInfo: b.infoOf(r), Write: time.Duration(r.written - r.sentAt)}
	for _, batch := range r.batches {
		e.Oldest = max(e.Oldest, time.Duration(r.sentAt-batch.Created()))
	}
	h.push(&hookEvent{kind: kindSent, sent: e})
}

// sequenceLost is for the holder of the role: the broker refuses a batch that
// follows nothing that has failed (e.Code), or has put it before what was
// acknowledged (e.Offset).
func (h *hooks) sequenceLost(b *broker, q *partition, e SequenceLost) {
	if h == nil || len(h.sequence) == 0 {
		return
	}
	e.At, e.Topic, e.Partition, e.Broker, e.LastOffset = time.Now(), q.Topic, q.Index, b.id, q.lastOffset
	h.push(&hookEvent{kind: kindSequence, sequence: e})
}

// requestAnswered is for the holder of the role, while r has all of its batches:
// the answer is in b.response, or there is none because of err.
func (h *hooks) requestAnswered(b *broker, r *request, now int64, err error) {
	if h == nil || len(h.answered) == 0 || r.written == 0 {
		return
	}
	e := RequestAnswered{At: time.Now(), RequestInfo: b.infoOf(r), Latency: time.Duration(now - r.sentAt), Err: err}
	if err == nil {
		e.Throttle = time.Duration(max(b.response.ThrottleMs, 0)) * time.Millisecond
		for i := range b.response.Partitions {
			if code := KafkaError(b.response.Partitions[i].ErrorCode); code != 0 {
				if e.Codes == nil {
					e.Codes = make(map[KafkaError]int)
				}
				e.Codes[code]++
			}
		}
	}
	h.push(&hookEvent{kind: kindAnswered, answered: e})
}

// infoOf is what r carries. Its batches may have an outcome, but not gone home.
func (b *broker) infoOf(r *request) RequestInfo {
	info := RequestInfo{Broker: b.id, Connection: b.stripe, Address: b.session.address, Bytes: len(r.encoder.Buf), Batches: len(r.batches)}
	for _, batch := range r.batches {
		info.Bytes += batch.Size()
		info.Records += batch.Records()
	}
	return info
}

// batchFinished is for the holder of the role, before the batch has its outcome.
func (h *hooks) batchFinished(b *broker, q *partition, batch *accum.Batch, o *accum.Outcome) {
	if h == nil || len(h.finished) == 0 {
		return
	}
	e := BatchFinished{
		At: time.Now(), Topic: q.Topic, Partition: q.Index, Broker: b.id,
		Records: batch.Records(), RawBytes: batch.RawSize(), Attempts: batch.Sender.Attempts,
		Age: time.Duration(h.p.clock.Now() - batch.Created()), Offset: o.BaseOffset, Err: o.Err,
	}
	if e.Attempts > 0 { // else somebody may be compressing it
		e.Bytes = batch.Size()
	}
	h.push(&hookEvent{kind: kindFinished, finished: e})
}
