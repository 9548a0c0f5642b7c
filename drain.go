package kring

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/kring-go/kring/accum"
)

// ErrDrained is in the error of every record that Drain hands back, beside what
// else was wrong with it.
var ErrDrained = errors.New("kring: the producer was drained, and Drain hands the record back")

// Undelivered is a record that was accepted and not delivered. It can be
// produced again as it is: Topic and Partition say where it belongs, and every
// slice is a copy of its own. Tag is only known if the record had a callback, or
// the producer has OnDelivery.
type Undelivered struct {
	Record
	// Certainty says whether the record may be in the log all the same.
	Certainty Certainty
	// Err is what its callback was told.
	Err error
}

// Drain ends the producer as Close does, and hands back the records that were
// not delivered, so that they can be kept somewhere else: on the disk of a
// service that was told to stop, say.
//
// It refuses new records and sends what was accepted, until all is delivered or
// ctx ends. Every record that has not been acknowledged then, and every record
// that failed during the call, is in the result: by topic and partition, and in
// the order in which Produce accepted them within each. Callbacks run once as
// ever, before Drain returns; those of the records that are handed back get an
// error that is ErrDrained. So keep a record either in the callback or from the
// result, not in both.
//
// With an open transaction it does nothing and returns ErrTransactionState.
// That ctx ended is no error: the result tells. With an error the result may be
// incomplete: ErrClosed if Close or Drain was called before, ErrInCallback, or a
// callback that does not return. It needs memory for the result. Afterwards the
// producer is closed, and Close returns the same error.
func (p *Producer) Drain(ctx context.Context) ([]Undelivered, error) {
	if !p.made() {
		return nil, errNotMade()
	}
	if p.inCallback() {
		return nil, ErrInCallback
	}
	if p.txn != nil && p.txn.open() {
		return nil, misplaced("Drain", "a transaction is open; commit or abort it first: what it has sent belongs to it")
	}
	h := &harvest{}
	if !p.closeOnce(orBackground(ctx), h) {
		return nil, fmt.Errorf("%w: what was not delivered can not be handed back any more", ErrClosed)
	}
	list, err := h.take()
	return list, errors.Join(p.closeErr, err)
}

// endCause is why records fail that are left when the producer ends.
func (p *Producer) endCause() error {
	if p.harvest.Load() != nil {
		return ErrDrained
	}
	return ErrClosed
}

// harvest collects what fails during Drain; several brokers do at once.
type harvest struct {
	mu   sync.Mutex
	list []harvested
	err  error
}

type harvested struct {
	Undelivered
	partition int32
	order     uint64 // of the batch within the partition
}

// salvage keeps the records of a batch that is about to fail with o, if Drain is
// at work, and says so in the errors. It runs under the role.
func (b *broker) salvage(q *partition, batch *accum.Batch, o *accum.Outcome) {
	h := b.p.harvest.Load()
	if h == nil {
		return
	}
	markDrained(o.Err)
	for _, err := range o.Records {
		markDrained(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	err := batch.Salvage(func(i int, r *accum.Salvaged) {
		why := o.Err
		if own, ok := o.Records[i]; ok {
			why = own
		}
		h.list = append(h.list, harvested{undelivered(q, r, why), q.Index, batch.Sender.Order})
	})
	if err != nil {
		h.err = errors.Join(h.err, fmt.Errorf("kring: a batch of %s[%d] can not be handed back: %w", q.Topic, q.Index, err))
	}
}

// markDrained makes err match ErrDrained. Only this batch has err yet.
func markDrained(err error) {
	var pe *ProduceError
	if errors.As(err, &pe) && !errors.Is(pe.Err, ErrDrained) {
		pe.Err = andAlso{pe.Err, ErrDrained}
	}
}

func undelivered(q *partition, r *accum.Salvaged, why error) Undelivered {
	u := Undelivered{Err: why, Record: Record{
		Topic: q.Topic, Partition: On(q.Index), Tag: r.Tag,
		Key: bytes.Clone(r.Key), Value: bytes.Clone(r.Value), // nil stays nil
		Timestamp: time.UnixMilli(r.TimestampMs),
	}}
	if r.HeaderCount > 0 {
		u.Headers = r.AppendHeaders(make([]Header, 0, r.HeaderCount))
		for i := range u.Headers {
			u.Headers[i].Value = bytes.Clone(u.Headers[i].Value)
		}
	}
	var pe *ProduceError
	if errors.As(why, &pe) {
		u.Certainty = pe.Certainty
	}
	return u
}

// take returns all of it, in order. A batch whose callback is stuck may still
// come later.
func (h *harvest) take() ([]Undelivered, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	slices.SortStableFunc(h.list, func(a, b harvested) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.partition, b.partition), cmp.Compare(a.order, b.order))
	})
	list := make([]Undelivered, len(h.list))
	for i := range h.list {
		list[i] = h.list[i].Undelivered
	}
	h.list = nil
	return list, h.err
}
