package kring

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/kring-go/kring/accum"
)

// Interceptor is user code on the way of every record: for tracing headers,
// audits, or counting. Its methods are called by many goroutines at once.
//
//	Produce ─► OnSend ─► OnSend ─► partitioner ─► …  ─► OnAcknowledgement ─► … ─► Callback
//	              │                    │ refused ──────────►┘
//	              └ panics: logged, the next one gets the last good record
type Interceptor interface {
	// OnSend may change the record before its partition is chosen: topic,
	// key, headers, all of it. What it returns is produced. It runs once for
	// each record on the goroutine that called Produce, whose r.Topic is
	// always set, and never for a retry. The slices belong to the caller of
	// Produce, who may use them again afterwards: to change one, return
	// another. A panic is logged, and the record goes on as it was before.
	OnSend(r Record) Record

	// OnAcknowledgement learns the outcome of every record that was given to
	// OnSend, exactly once and before the record's callback: on the goroutine
	// of the callback, or, for a record that Produce refuses, on that of its
	// caller; the offset is then -1, and so is the partition unless the
	// record names one. It delays all callbacks behind it. A panic is logged.
	OnAcknowledgement(d Delivery)
}

// interceptors is the chain of a producer.
type interceptors struct {
	list []Interceptor
	log  *slog.Logger
	all  Callback // OnDelivery; nil: none

	// without is the callback of records that have none of their own.
	without Callback
	// with holds callbacks that go on to the record's own: closures that are
	// used again, so that a record costs none.
	with sync.Pool
}

// newInterceptors is nil where there are none: the only thing that Produce
// looks at.
func newInterceptors(c *config) *interceptors {
	if len(c.pipeline.interceptors) == 0 {
		return nil
	}
	in := &interceptors{list: c.pipeline.interceptors, log: c.logger, all: c.onDelivery}
	in.without = func(d Delivery) { in.finish(d, in.all) }
	in.with.New = func() any {
		n := &intercepted{in: in}
		n.callback = n.deliver
		return n
	}
	return in
}

// intercepted is the callback of one record that has its own.
type intercepted struct {
	in       *interceptors
	next     Callback
	callback Callback // deliver, bound once
}

func (n *intercepted) deliver(d Delivery) {
	in, next := n.in, n.next
	n.release()
	in.finish(d, next)
}

// release makes n free for another record.
func (n *intercepted) release() {
	n.next = nil
	n.in.with.Put(n)
}

// finish tells the interceptors, then the record's callback; that also where an
// interceptor ends its goroutine.
func (in *interceptors) finish(d Delivery, next Callback) {
	if next != nil {
		defer next(d)
	}
	in.acknowledge(d)
}

// produce is Topic.accept with interceptors around it.
func (in *interceptors) produce(ctx context.Context, t *Topic, r *Record, cb Callback, how call) (*partition, accum.Ticket, error) {
	own := *r
	own.Topic = t.name
	own = in.send(own)
	if own.Topic != t.name {
		t = t.p.topic(own.Topic)
	}
	var n *intercepted
	outer := in.without
	if cb != nil {
		n = in.with.Get().(*intercepted)
		n.next, outer = cb, n.callback
	}
	q, ticket, err := t.accept(ctx, &own, outer, how)
	if err != nil {
		if n != nil {
			n.release()
		}
		in.acknowledge(refused(&own, err))
	}
	return q, ticket, err
}

// refused is the outcome of a record that was not accepted.
func refused(r *Record, err error) Delivery {
	d := Delivery{Topic: r.Topic, Partition: -1, Offset: -1, Timestamp: -1, Tag: r.Tag, Err: err}
	if partition, ok, _ := r.Partition.explicit(); ok {
		d.Partition = partition
	}
	if !r.Timestamp.IsZero() {
		d.Timestamp = r.Timestamp.UnixMilli()
	}
	return d
}

// send passes r through the chain.
func (in *interceptors) send(r Record) Record {
	for _, one := range in.list {
		r = in.sendOne(one, r)
	}
	return r
}

func (in *interceptors) sendOne(one Interceptor, r Record) (out Record) {
	defer func() {
		if v := recover(); v != nil {
			in.panicked("OnSend", one, r.Topic, v)
			out = r
		}
	}()
	return one.OnSend(r)
}

// acknowledge tells the chain about an outcome.
func (in *interceptors) acknowledge(d Delivery) {
	for _, one := range in.list {
		in.acknowledgeOne(one, d)
	}
}

func (in *interceptors) acknowledgeOne(one Interceptor, d Delivery) {
	defer func() {
		if v := recover(); v != nil {
			in.panicked("OnAcknowledgement", one, d.Topic, v)
		}
	}()
	one.OnAcknowledgement(d)
}

func (in *interceptors) panicked(method string, one Interceptor, topic string, value any) {
	in.log.Error("kring: an interceptor panicked; the record is not affected",
		"method", method, "interceptor", fmt.Sprintf("%T", one), "topic", topic, "panic", value)
}

// close ends those that want to know. It is nil-safe.
func (in *interceptors) close() error {
	if in == nil {
		return nil
	}
	var problems []error
	for _, one := range in.list {
		if c, ok := one.(io.Closer); ok {
			if err := in.closeOne(c); err != nil {
				problems = append(problems, fmt.Errorf("kring: interceptor %T was not closed: %w", one, err))
			}
		}
	}
	return errors.Join(problems...)
}

func (in *interceptors) closeOne(c io.Closer) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("it panicked: %v", v)
		}
	}()
	return c.Close()
}
