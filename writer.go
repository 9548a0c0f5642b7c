package kring

import (
	"context"

	"github.com/kring-go/kring/accum"
)

// Writer produces to one topic from one goroutine at a time, into batches that
// nobody else appends to. Two goroutines that produce to the same partitions pay
// each other for every record, because they write the same lines of memory: on
// two cores about a third of what a record costs. Two Writers do not.
//
//	goroutine ─► Writer ─► its own open batch of partition 3 ─┐
//	goroutine ─► Writer ─► its own open batch of partition 3 ─┼─► sender
//	others ────► Topic ──► the open batch of partition 3 ─────┘
//
// What one Writer accepts keeps its order in each partition, as the records of a
// goroutine do anyway. Between two Writers, or a Writer and the other methods of
// the producer, there is no order at all, even if one goroutine hands over to
// another: who needs that uses the Topic.
//
// It pays where goroutines live long and are always busy. Each Writer fills a
// batch of batch.size per partition, so with few records there are more and
// smaller batches, and with many Writers and partitions more of buffer.memory is
// in use: Writers times partitions times batch.size.
//
// A Writer must not be used by two goroutines at the same time, so not by
// callbacks either. Close it when its goroutine is done. Writers should be few
// and live long: the sender looks at all that a topic ever had at a time.
type Writer struct {
	t           *Topic
	strands     []*accum.Strand // by partition; nil: none yet
	closed      bool
	reservation Reservation
}

// NewWriter makes a Writer for the topic. It costs nothing until it produces.
func (t *Topic) NewWriter() *Writer { return &Writer{t: t} }

// Topic is what the Writer produces to.
func (w *Writer) Topic() *Topic { return w.t }

// usable says why w can not take a record now.
func (w *Writer) usable() error {
	switch {
	case w.closed:
		return ErrWriterClosed
	case w.reservation.open || w.reservation.busy:
		return ErrReservation
	}
	return nil
}

// Produce is Topic.Produce. After Close it returns ErrWriterClosed, and while a
// Reservation is open ErrReservation.
func (w *Writer) Produce(ctx context.Context, r Record, cb Callback) error {
	return w.ProduceRecord(ctx, &r, cb)
}

// ProduceRecord is Topic.ProduceRecord, and fails as Produce does.
func (w *Writer) ProduceRecord(ctx context.Context, r *Record, cb Callback) error {
	if err := w.usable(); err != nil {
		return err
	}
	_, _, err := w.t.produce(ctx, r, cb, call{wait: true, from: w})
	return err
}

// TryProduce is Topic.TryProduce, and fails as Produce does.
func (w *Writer) TryProduce(r Record, cb Callback) error {
	if err := w.usable(); err != nil {
		return err
	}
	_, _, err := w.t.produce(context.Background(), &r, cb, call{from: w})
	return err
}

// Close lets go of the Writer's batches, which are sent as they would have been:
// full, or at the end of their linger. An open Reservation is aborted. It does not wait; Producer.Flush does. It
// is for the goroutine of the Writer, too, and the second call does nothing.
func (w *Writer) Close() {
	w.reservation.Abort()
	w.closed = true
	parts := w.t.parts.Load()
	for i, s := range w.strands {
		if s != nil {
			(*parts)[i].GiveBack(s)
		}
	}
	w.strands = nil
}

// strand is what the caller appends to in q.
func (c call) strand(q *partition) *accum.Strand {
	if c.from == nil {
		return &q.Strand
	}
	return c.from.strand(q)
}

func (w *Writer) strand(q *partition) *accum.Strand {
	if i := int(q.Index); i < len(w.strands) && w.strands[i] != nil && q.topic == w.t {
		return w.strands[i]
	}
	return w.open(q)
}

// open makes the strand of a partition that w comes to for the first time. An
// interceptor may have sent the record to another topic, for which w has none.
func (w *Writer) open(q *partition) *accum.Strand {
	if q.topic != w.t {
		return &q.Strand
	}
	for len(w.strands) <= int(q.Index) {
		w.strands = append(w.strands, nil)
	}
	w.strands[q.Index] = q.NewStrand()
	return w.strands[q.Index]
}
