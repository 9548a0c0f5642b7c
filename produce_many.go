package kring

import (
	"context"

	"github.com/kring-go/kring/accum"
	"github.com/kring-go/kring/wire"
)

// ProduceMany is Producer.Produce for each of rs, in their order, until one is
// not accepted; n is how many were, and err why rs[n] was not. cb, if not nil,
// is called for each that was. Records that go to one partition, one behind the
// other, are put into their batch together, which costs about half as much: that
// is those without a key, and those whose key or On says so. Record.Topic is
// ignored.
//
// It is not a transaction: what was accepted before err is on its way.
func (t *Topic) ProduceMany(ctx context.Context, rs []Record, cb Callback) (n int, err error) {
	for n < len(rs) {
		if k := t.acceptRun(ctx, rs[n:], cb); k > 0 {
			n += k
			continue
		}
		if _, _, err := t.produce(ctx, &rs[n], cb, call{wait: true}); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// acceptRun accepts the first records of rs that go to one partition, if that
// has a batch with room. 0: ask produce, which also says what is wrong with a
// record.
func (t *Topic) acceptRun(ctx context.Context, rs []Record, cb Callback) int {
	p := t.p
	parts := t.parts.Load()
	if parts == nil || p.closing.Load() || p.interceptors != nil || p.records != nil || p.txn != nil || t.by != nil || ctx != nil && ctx.Err() != nil {
		return 0
	}
	q := t.placeRun(*parts, &rs[0])
	if q == nil {
		return 0
	}
	var run [accum.MaxRun]accum.Record
	n := 0
	for n < min(len(rs), accum.MaxRun) && (n == 0 || t.sameRun(*parts, &rs[0], &rs[n], q)) && t.fill(&run[n], &rs[n], cb) {
		n++
	}
	if n == 0 {
		return 0
	}
	return q.AppendRun(run[:n])
}

// placeRun is where the first record of a run goes; nil if it is not known yet.
func (t *Topic) placeRun(parts []*partition, r *Record) *partition {
	if target, explicit, valid := r.Partition.explicit(); explicit {
		if !valid || int(target) >= len(parts) {
			return nil
		}
		return parts[target]
	}
	if t.p.cfg.keyed(r) {
		return byKey(parts, r.Key)
	}
	return parts[t.sticky.Load().pick(shardOf(), int32(len(parts)))]
}

// sameRun says whether r goes where first went, which is q.
func (t *Topic) sameRun(parts []*partition, first, r *Record, q *partition) bool {
	if r.Partition != first.Partition {
		return false
	}
	_, explicit, _ := r.Partition.explicit()
	switch {
	case explicit:
		return true
	case t.p.cfg.keyed(r):
		return byKey(parts, r.Key) == q
	default:
		return !t.p.cfg.keyed(first)
	}
}

// fill makes accum's record. False: something is wrong with it.
func (t *Topic) fill(rec *accum.Record, r *Record, cb Callback) bool {
	rec.Key, rec.Value, rec.Headers = r.Key, r.Value, r.Headers
	rec.Payload = wire.PayloadSize(r.Key, r.Value, r.Headers)
	rec.Done.Callback, rec.Done.Tag = cb, r.Tag
	if !r.Timestamp.IsZero() {
		rec.TimestampMs, rec.HasTimestamp = r.Timestamp.UnixMilli(), true
	}
	if !r.Deadline.IsZero() && t.setDeadline(rec, r.Deadline, &blockBudget{}) != nil {
		return false
	}
	return rec.Payload <= t.p.cfg.maxPayload() && rec.TimestampMs >= 0
}
