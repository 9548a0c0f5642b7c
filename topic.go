package kring

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/kring-go/kring/accum"
	"github.com/kring-go/kring/slab"
	"github.com/kring-go/kring/wire"
)

// Topic is a handle for producing to one topic. It stays valid for the life of
// the producer, whatever happens to the topic.
type Topic struct {
	p     *Producer
	name  string
	order int // position in the producer's list; groups batches in a request

	by    Partitioner                // nil: the built-in one; immutable
	known atomic.Pointer[Partitions] // what by is told; nil without by

	// parts is nil until the topic is known, and only grows: sequences must
	// outlive a broker that forgets a partition for a moment.
	parts  atomic.Pointer[[]*partition]
	id     atomic.Pointer[[16]byte]
	sticky atomic.Pointer[stickyPartitioner]

	lastUsed atomic.Int64 // coarse Unix ms of a look-up that had to wait, or of a batch
	wanted   atomic.Bool  // in the set that the metadata goroutine asks for
	state    topicState   // under meta.mu
}

// Name is the topic's name.
func (t *Topic) Name() string { return t.name }

// Produce is Producer.Produce for this topic; r.Topic is ignored.
func (t *Topic) Produce(ctx context.Context, r Record, cb Callback) error {
	return t.ProduceRecord(ctx, &r, cb)
}

// ProduceRecord is Producer.ProduceRecord for this topic; r.Topic is ignored.
func (t *Topic) ProduceRecord(ctx context.Context, r *Record, cb Callback) error {
	_, _, err := t.produce(ctx, r, cb, call{wait: true})
	return err
}

// TryProduce is Producer.TryProduce for this topic; r.Topic is ignored.
func (t *Topic) TryProduce(r Record, cb Callback) error {
	_, _, err := t.produce(context.Background(), &r, cb, call{})
	return err
}

// ProduceSync is Producer.ProduceSync for this topic; r.Topic is ignored.
func (t *Topic) ProduceSync(ctx context.Context, r Record) (Delivery, error) {
	if t.p.inCallback() {
		return Delivery{}, ErrInCallback
	}
	ctx = orBackground(ctx)
	defer t.p.release()()
	done := make(chan Delivery, 1)
	q, ticket, err := t.produce(ctx, &r, func(d Delivery) { done <- d }, call{wait: true})
	if err != nil {
		return Delivery{}, err
	}
	q.EndLinger(ticket)
	select {
	case d := <-done:
		return d, d.Err
	case <-ctx.Done():
		return Delivery{}, fmt.Errorf("kring: record to %s[%d] was accepted, its outcome is unknown: %w", q.Topic, q.Index, ctx.Err())
	}
}

// call is how a record was handed over.
type call struct {
	wait bool    // for metadata and for memory
	from *Writer // nil: none
}

// produce is accept with the interceptors around it, if there are any.
func (t *Topic) produce(ctx context.Context, r *Record, cb Callback, how call) (*partition, accum.Ticket, error) {
	if r == nil {
		return nil, 0, errNilRecord()
	}
	if in := t.p.interceptors; in != nil {
		return in.produce(ctx, t, r, cb, how)
	}
	return t.accept(ctx, r, cb, how)
}

// accept validates, chooses a partition and appends. It returns where the
// record went. There is no defer on the way of a record that needs none: with
// two of them, conditional, accept spent 3 % of a record's time in its returns.
func (t *Topic) accept(ctx context.Context, r *Record, cb Callback, how call) (*partition, accum.Ticket, error) {
	if t.p.txn != nil {
		return t.acceptInTxn(ctx, r, cb, how)
	}
	return t.admit(ctx, r, cb, how)
}

func (t *Topic) acceptInTxn(ctx context.Context, r *Record, cb Callback, how call) (q *partition, ticket accum.Ticket, err error) {
	x := t.p.txn
	if err := x.enter(); err != nil {
		return nil, 0, err
	}
	defer func() { x.leave(err, how.wait) }()
	return t.admit(ctx, r, cb, how)
}

func (t *Topic) admit(ctx context.Context, r *Record, cb Callback, how call) (*partition, accum.Ticket, error) {
	p := t.p
	ctx = orBackground(ctx)
	if err := ctx.Err(); err != nil {
		return nil, 0, fmt.Errorf("kring: record was not accepted: %w", err)
	}
	// Field by field: a composite literal is built aside and then copied in
	// wider loads than it was stored in, which stalls for 12 ns.
	var rec accum.Record
	rec.Key, rec.Value, rec.Headers = r.Key, r.Value, r.Headers
	rec.Payload = wire.PayloadSize(r.Key, r.Value, r.Headers)
	if x := how.into(); x != nil {
		rec.Payload = wire.PayloadSizeAround(r.Key, x.size, r.Headers)
	}
	rec.Done.Callback, rec.Done.Tag = cb, r.Tag
	if rec.Payload > p.cfg.maxPayload() {
		return nil, 0, t.tooLarge(rec.Payload)
	}
	if !r.Timestamp.IsZero() {
		rec.TimestampMs, rec.HasTimestamp = r.Timestamp.UnixMilli(), true
		if rec.TimestampMs < 0 {
			return nil, 0, fmt.Errorf("%w: timestamp %v is before 1970", ErrInvalidRecord, r.Timestamp)
		}
	}
	budget := blockBudget{limit: p.cfg.maxBlock}
	if !r.Deadline.IsZero() {
		if err := t.setDeadline(&rec, r.Deadline, &budget); err != nil {
			return nil, 0, err
		}
	}
	parts := t.parts.Load()
	target, explicit, valid := r.Partition.explicit()
	if parts == nil || p.closing.Load() || explicit && (!valid || int(target) >= len(*parts)) {
		var err error
		if parts, err = t.awaitFor(ctx, &budget, how.wait, r.Partition); err != nil {
			return nil, 0, err
		}
	}
	if p.records != nil {
		return t.placeCounted(ctx, r, &rec, parts, &budget, how)
	}
	if explicit { // as place would, with a call less
		return t.append(ctx, (*parts)[target], &rec, &budget, how)
	}
	return t.place(ctx, r, &rec, parts, &budget, how)
}

// placeCounted is place of a producer with a limit of records. It comes behind
// the waits for metadata: a topic that does not exist must not take the places
// of those that do.
func (t *Topic) placeCounted(ctx context.Context, r *Record, rec *accum.Record, parts *[]*partition, budget *blockBudget, how call) (q *partition, ticket accum.Ticket, err error) {
	l := t.p.records
	if err := l.enter(ctx, t, budget, how.wait); err != nil {
		return nil, 0, err
	}
	defer l.leaveIfRefused(&q)
	return t.place(ctx, r, rec, parts, budget, how)
}

// place chooses the partition and appends.
func (t *Topic) place(ctx context.Context, r *Record, rec *accum.Record, parts *[]*partition, budget *blockBudget, how call) (*partition, accum.Ticket, error) {
	if target, explicit, _ := r.Partition.explicit(); explicit {
		return t.append(ctx, (*parts)[target], rec, budget, how)
	}
	if t.by != nil {
		q, ticket, err := t.appendCustom(ctx, r, rec, budget, how)
		if !errors.Is(err, errBuiltIn) {
			return q, ticket, err
		}
	}
	if t.p.cfg.keyed(r) {
		return t.append(ctx, byKey(*parts, r.Key), rec, budget, how)
	}
	return t.appendSticky(ctx, *parts, rec, budget, how)
}

// maxPayload is the largest record, as wire.PayloadSize counts, that fits a
// request.
func (c *config) maxPayload() int {
	return c.maxRequestSize - wire.BatchHeaderSize - wire.MaxRecordOverhead
}

// append puts the record into one partition's batch. Memory is waited for only
// after a first try, so that the common path knows nothing of time.
func (t *Topic) append(ctx context.Context, q *partition, rec *accum.Record, budget *blockBudget, how call) (*partition, accum.Ticket, error) {
	var ticket accum.Ticket
	var err error
	if how.from == nil {
		ticket, err = q.Append(ctx, rec, 0)
	} else {
		ticket, err = how.append(ctx, q, rec, 0)
	}
	if err == nil {
		return q, ticket, nil
	}
	if errors.Is(err, slab.ErrTimeout) && how.wait {
		if err := t.mayWait(); err != nil {
			return nil, 0, err
		}
		t.p.stats.blocked.Add(1)
		start := time.Now()
		ticket, err = how.append(ctx, q, rec, budget.left())
		budget.spent += time.Since(start)
	}
	if err == nil {
		return q, ticket, nil
	}
	return nil, 0, t.appendError(err, q, rec, budget, how.wait)
}

// appendSticky puts a record without key into the partition that this
// goroutine's shard fills at the moment. A full batch ends the stay. Bytes are
// counted once for each batch, when it can not take the next record: counting
// each record would cost one more atomic operation each.
func (t *Topic) appendSticky(ctx context.Context, parts []*partition, rec *accum.Record, budget *blockBudget, how call) (*partition, accum.Ticket, error) {
	s := t.sticky.Load()
	shard := shardOf()
	i := s.pick(shard, int32(len(parts)))
	var ticket accum.Ticket
	var ok, full bool
	if how.from == nil {
		ticket, ok, full = parts[i].AppendOpen(rec)
	} else {
		ticket, ok, full = how.appendOpen(parts[i], rec)
	}
	if ok {
		return parts[i], ticket, nil
	}
	if full {
		s.produced(shard, i, parts[i].BatchSize(), true)
	} else {
		// The batch before left early, by time or because nothing was in
		// flight: its bytes count, but do not end the turn by themselves.
		s.produced(shard, i, max(int(parts[i].lastBatch.Load()), rec.Payload), false)
	}
	i = s.pick(shard, int32(len(parts)))
	return t.append(ctx, parts[i], rec, budget, how)
}

func (t *Topic) tooLarge(payload int) error {
	p := t.p
	return fmt.Errorf("%w: a record of about %d bytes to topic %q; MaxRequestSize (max.request.size) is %d bytes, "+
		"of which %d are needed around it: raise it and the topic's max.message.bytes, or send less",
		ErrRecordTooLarge, payload, t.name, p.cfg.maxRequestSize, wire.BatchHeaderSize+wire.MaxRecordOverhead)
}

func (t *Topic) appendError(err error, q *partition, rec *accum.Record, budget *blockBudget, wait bool) error {
	p := t.p
	switch {
	case errors.Is(err, slab.ErrClosed):
		return ErrClosed
	case errors.Is(err, slab.ErrTooLarge):
		name, size := p.cfg.leastMemory(t.name)
		return fmt.Errorf("%w: a record of about %d bytes to topic %q does not fit %s of %d bytes",
			ErrRecordTooLarge, rec.Payload, t.name, name, size)
	case errors.Is(err, slab.ErrTimeout) && !wait:
		return ErrBufferFull
	case accum.IsShare(err):
		return fmt.Errorf("%w: the share of the memory of topic %q (TopicMemory) or of the broker of its partition %d (BrokerMemory) "+
			"is used up after %v; the record was not accepted", budget.over(), t.name, q.Index, budget.limit)
	case errors.Is(err, slab.ErrTimeout):
		return fmt.Errorf("%w: BufferMemory (buffer.memory) of %d bytes is full after %v; the record to %s[%d] was not accepted: "+
			"the brokers take less than is produced, or do not answer", budget.over(), p.cfg.bufferMemory, budget.limit, t.name, q.Index)
	}
	return fmt.Errorf("kring: record to %s[%d] was not accepted: %w", t.name, q.Index, err)
}
