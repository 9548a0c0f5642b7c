package kring

import (
	"context"
	"fmt"
	"time"

	"github.com/kring-go/kring/accum"
	"github.com/kring-go/kring/wire"
)

// Reservation is room for one record, whose value the caller writes straight
// into the batch that is sent:
//
//	x, err := w.Reserve(ctx, kring.Record{Key: id}, event.Size())
//	n := event.MarshalTo(x.Value())
//	err = x.Commit(n, nil)
//
// It saves the copy of the value, and a buffer. While it is open its batch can
// not leave, nor the Writer be used for anything else; so nothing should be
// done between Reserve and Commit or Abort but to write the value. A
// Reservation is valid until then, and it is one object per Writer: a deferred
// Abort could meet a later one; defer Writer.Close instead.
//
// What the Writer accepted before, into the same batch, has no outcome either
// while it is open, not even by DeliveryTimeout, and Flush and Close wait for
// it. A Close whose context has ended gives it up after a second, and Commit is
// then ErrClosed.
type Reservation struct {
	w    *Writer
	size int
	open bool
	busy bool // in a call: a callback on the same goroutine gets nothing

	direct bool // the room is in a batch; else in spare
	room   accum.Reserved
	rec    accum.Record

	// Of one that goes through Produce at Commit.
	ctx    context.Context
	record Record
	spare  []byte
}

// Reserve makes room for a record with a value of at most size bytes; r.Value is
// ignored, and a value is never null. It chooses the partition, waits and fails
// as Produce does; an error means that nothing was reserved. Key and Headers of r
// must stay as they are until Commit.
//
// Where a record has to be seen whole before its partition is known, or can not
// be in a batch yet, it gives a buffer, and Commit calls Produce: with
// interceptors, a Partitioner of your own, transactions, and for records larger
// than BatchSize. Errors that need the whole record or the cluster then come
// from Commit.
func (w *Writer) Reserve(ctx context.Context, r Record, size int) (*Reservation, error) {
	if err := w.usable(); err != nil {
		return nil, err
	}
	if size < 0 {
		return nil, fmt.Errorf("%w: room for %d bytes was asked for", ErrInvalidRecord, size)
	}
	if payload := wire.PayloadSizeAround(r.Key, size, r.Headers); payload > w.t.p.cfg.maxPayload() {
		return nil, w.t.tooLarge(payload)
	}
	x := &w.reservation
	x.w, x.size, x.direct = w, size, w.reservesDirectly(&r, size)
	if x.direct {
		r.Value = nil
		x.busy = true
		_, _, err := w.t.accept(ctx, &r, nil, call{wait: true, from: w})
		x.busy = false
		if err != nil {
			x.rec = accum.Record{}
			return nil, err
		}
	} else {
		if x.spare == nil || cap(x.spare) < size {
			x.spare = make([]byte, max(size, 1)) // of size 0 it would be null, a tombstone
		}
		x.ctx, x.record = ctx, r
		x.record.Value = x.spare[:size:size]
	}
	x.open = true
	return x, nil
}

// reservesDirectly says that the record's partition is known without its value,
// and that it fits a batch.
func (w *Writer) reservesDirectly(r *Record, size int) bool {
	p := w.t.p
	most := wire.BatchHeaderSize + wire.MaxRecordOverhead + wire.PayloadSizeAround(r.Key, size, r.Headers)
	return p.interceptors == nil && p.txn == nil && w.t.by == nil && most <= w.t.batchSize()
}

// Value is where the value is written. Its length is the size of Reserve.
func (x *Reservation) Value() []byte {
	switch {
	case !x.open:
		return nil
	case x.direct:
		return x.room.Value(x.size)
	}
	return x.record.Value
}

// Commit accepts the record, whose value is the first n bytes of Value. Then cb,
// or the callback of OnDelivery, is called for it as for any other. An error
// means that the record was not accepted: n does not fit, the Reservation is not
// open, or what Produce returns where Reserve gave a buffer. It ends the
// Reservation either way.
func (x *Reservation) Commit(n int, cb Callback) error {
	if !x.open {
		return ErrReservation
	}
	if n < 0 || n > x.size {
		x.Abort()
		return fmt.Errorf("%w: %d bytes were committed where %d had been reserved; the record was not accepted", ErrInvalidRecord, n, x.size)
	}
	if x.direct && x.w.t.p.abandoned.Load() {
		x.Abort()
		return ErrClosed // nobody is left to send it
	}
	x.open = false
	if x.direct {
		x.busy = true
		x.rec.Done.Callback = cb
		x.room.Commit(&x.rec, n)
		x.rec = accum.Record{}
		x.busy = false
		return nil
	}
	r, ctx := x.record, x.ctx
	x.record, x.ctx = Record{}, nil
	r.Value = r.Value[:n]
	_, _, err := x.w.t.produce(ctx, &r, cb, call{wait: true, from: x.w})
	return err
}

// Abort gives the room back. Nothing of the record is sent, and no callback
// called. It does nothing if the Reservation is not open.
func (x *Reservation) Abort() {
	if !x.open {
		return
	}
	x.open = false
	if x.direct {
		x.busy = true
		x.room.Abort()
		x.rec = accum.Record{}
		x.busy = false
		x.w.t.p.records.leave(1)
	}
	x.record, x.ctx = Record{}, nil
}

// into is the Reservation that is being made; nil: the record is whole.
func (c call) into() *Reservation {
	if c.from == nil || !c.from.reservation.busy {
		return nil
	}
	return &c.from.reservation
}

// append puts rec into the caller's strand of q, or reserves room for it there.
func (c call) append(ctx context.Context, q *partition, rec *accum.Record, wait time.Duration) (accum.Ticket, error) {
	s, x := c.strand(q), c.into()
	if x == nil {
		return s.Append(ctx, rec, wait)
	}
	x.rec = *rec
	return 0, s.Reserve(ctx, &x.rec, x.size, wait, &x.room)
}

// appendOpen is append for the batch that is open.
func (c call) appendOpen(q *partition, rec *accum.Record) (t accum.Ticket, ok, full bool) {
	s, x := c.strand(q), c.into()
	if x == nil {
		return s.AppendOpen(rec)
	}
	x.rec = *rec
	ok, full = s.ReserveOpen(&x.rec, x.size, &x.room)
	return 0, ok, full
}

// batchSize is BatchSize, or what TopicSettings says for t.
func (t *Topic) batchSize() int {
	if parts := t.parts.Load(); parts != nil && len(*parts) > 0 {
		return (*parts)[0].BatchSize()
	}
	return t.p.acc.BatchSize()
}
