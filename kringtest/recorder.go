package kringtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/internal/goroutine"
)

// Recorder stands in for a *kring.Producer in a unit test. It remembers what it
// was given and lets the test choose what becomes of it. Like a producer it
// calls back in the order of acceptance, one call at a time, on a goroutine of
// its own; Flush and Close wait for that; and calls that would wait for
// themselves in a callback return kring.ErrInCallback. All methods may be called
// from any goroutine.
//
// It has no batches, no linger, no metadata to wait for, and no limit of a
// record's size. A Deadline that has passed is refused; what was accepted counts
// as sent. Records go to the partition that they name with kring.On; those
// with a key to a partition that depends on the key, though not to that of
// Kafka's hash; all others to partition 0. Where that matters, use a Cluster.
type Recorder struct {
	tb         testing.TB
	partitions int32
	capacity   int
	onDelivery kring.Callback

	mu         sync.Mutex // guards everything below
	changed    chan struct{}
	next       []Outcome
	decide     func(kring.Record) Outcome
	records    []kring.Record
	deliveries []kring.Delivery
	offsets    map[place]int64
	queue      []pending // accepted, and not called back for
	finished   int       // records whose callback has returned
	caller     uint64    // goroutine of the callback that runs now, or 0
	held       bool
	closing    bool
	aborted    bool // Close has given up waiting
	closeErr   error

	closed  chan struct{} // closed when the first Close is done
	stopped chan struct{} // closed when the goroutine of callbacks has ended
}

// place is a partition of a topic.
type place struct {
	topic     string
	partition int32
}

// pending is an accepted record that waits for its callback.
type pending struct {
	record    kring.Record
	partition int32
	outcome   Outcome
	callback  kring.Callback
}

// RecorderOption changes one default of a Recorder.
type RecorderOption func(*Recorder)

// RecorderPartitions is how many partitions every topic has. The default is 1.
func RecorderPartitions(n int32) RecorderOption {
	return func(r *Recorder) { r.partitions = max(n, 1) }
}

// Capacity is how many records may be without an outcome at a time, as
// kring.BufferMemory bounds a producer's bytes. Beyond it TryProduce returns
// kring.ErrBufferFull, and Produce waits. The default is no limit. It shows
// together with Hold.
func Capacity(records int) RecorderOption {
	return func(r *Recorder) { r.capacity = records }
}

// OnDelivery is kring.OnDelivery: it hears of the records that were produced
// without a callback of their own.
func OnDelivery(cb kring.Callback) RecorderOption {
	return func(r *Recorder) { r.onDelivery = cb }
}

// NewRecorder makes a Recorder. If the test has not closed it, its end does,
// without the callbacks that are left.
func NewRecorder(tb testing.TB, opts ...RecorderOption) *Recorder {
	tb.Helper()
	r := &Recorder{
		tb: tb, partitions: 1, changed: make(chan struct{}), offsets: map[place]int64{},
		closed: make(chan struct{}), stopped: make(chan struct{}),
	}
	for _, o := range opts {
		o(r)
	}
	go r.run()
	tb.Cleanup(r.stop)
	return r
}

// stop ends the goroutine of callbacks at the end of the test.
func (r *Recorder) stop() {
	r.mu.Lock()
	r.closing, r.aborted, r.queue = true, true, nil
	r.broadcast()
	r.mu.Unlock()
	select {
	case <-r.stopped:
	case <-time.After(patience):
		r.tb.Errorf("kringtest: a callback of the Recorder does not return")
	}
}

// broadcast wakes everybody who waits for a change. r.mu is held.
func (r *Recorder) broadcast() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// Produce is that of kring.Producer.
func (r *Recorder) Produce(ctx context.Context, rec kring.Record, cb kring.Callback) error {
	if ctx == nil {
		ctx = context.Background()
	}
	for {
		full, err := r.accept(ctx, &rec, cb, true)
		if full == nil {
			return err
		}
		if err := awaitRoom(ctx, full, rec.Deadline); err != nil {
			return err
		}
	}
}

// TryProduce is that of kring.Producer.
func (r *Recorder) TryProduce(rec kring.Record, cb kring.Callback) error {
	_, err := r.accept(context.Background(), &rec, cb, false)
	return err
}

// ProduceRecord is that of kring.Producer.
func (r *Recorder) ProduceRecord(ctx context.Context, rec *kring.Record, cb kring.Callback) error {
	return r.Produce(ctx, *rec, cb)
}

// ProduceSync is that of kring.Producer.
func (r *Recorder) ProduceSync(ctx context.Context, rec kring.Record) (kring.Delivery, error) {
	if r.inCallback() {
		return kring.Delivery{}, kring.ErrInCallback
	}
	if ctx == nil {
		ctx = context.Background()
	}
	done := make(chan kring.Delivery, 1)
	if err := r.Produce(ctx, rec, func(d kring.Delivery) { done <- d }); err != nil {
		return kring.Delivery{}, err
	}
	select {
	case d := <-done:
		return d, d.Err
	case <-ctx.Done():
		return kring.Delivery{}, fmt.Errorf("kring: record to %s was accepted, its outcome is unknown: %w", rec.Topic, ctx.Err())
	}
}

// accept takes a record in, or says why not. A channel means that there is no
// room, and is closed when that may have changed.
func (r *Recorder) accept(ctx context.Context, rec *kring.Record, cb kring.Callback, wait bool) (<-chan struct{}, error) {
	if ctx.Err() != nil {
		return nil, notAccepted(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closing {
		return nil, kring.ErrClosed
	}
	partition, err := r.check(rec)
	if err != nil {
		return nil, err
	}
	if !rec.Deadline.IsZero() && !time.Now().Before(rec.Deadline) {
		return nil, fmt.Errorf("%w; the record to topic %q was not accepted", kring.ErrRecordDeadline, rec.Topic)
	}
	if r.capacity > 0 && len(r.records)-r.finished >= r.capacity {
		switch {
		case !wait:
			return nil, kring.ErrBufferFull
		case r.caller != 0 && r.caller == goroutine.ID():
			return nil, kring.ErrInCallback
		}
		return r.changed, nil
	}
	own := *rec
	own.Key, own.Value, own.Headers = bytes.Clone(rec.Key), bytes.Clone(rec.Value), cloneHeaders(rec.Headers)
	if own.Timestamp.IsZero() {
		own.Timestamp = time.Now()
	}
	outcome := r.outcome(own)
	if outcome.refused != nil {
		return nil, outcome.refused
	}
	if cb == nil {
		cb = r.onDelivery
	}
	r.records = append(r.records, own)
	r.queue = append(r.queue, pending{own, partition, outcome, cb})
	r.broadcast()
	return nil, nil
}

func notAccepted(ctx context.Context) error {
	return fmt.Errorf("kring: record was not accepted: %w", ctx.Err())
}

// check refuses what no cluster accepts, and chooses the partition.
func (r *Recorder) check(rec *kring.Record) (int32, error) {
	if rec.Topic == "" {
		return 0, fmt.Errorf("%w: it is empty", kring.ErrInvalidTopic)
	}
	if !rec.Timestamp.IsZero() && rec.Timestamp.UnixMilli() < 0 {
		return 0, fmt.Errorf("%w: timestamp %v is before 1970", kring.ErrInvalidRecord, rec.Timestamp)
	}
	if rec.Partition != (kring.Record{}).Partition {
		for i := range r.partitions {
			if kring.On(i) == rec.Partition {
				return i, nil
			}
		}
		return 0, fmt.Errorf("%w: %v: the Recorder has %d of them; see RecorderPartitions", kring.ErrInvalidPartition, rec.Partition, r.partitions)
	}
	if rec.Key == nil {
		return 0, nil
	}
	h := fnv.New32a()
	if _, err := h.Write(rec.Key); err != nil {
		return 0, err
	}
	return int32(h.Sum32() % uint32(r.partitions)), nil
}

// outcome is what the test wants for the next record. r.mu is held.
func (r *Recorder) outcome(rec kring.Record) Outcome {
	switch {
	case len(r.next) > 0:
		o := r.next[0]
		r.next = r.next[1:]
		return o
	case r.decide != nil:
		return r.decide(rec)
	}
	return Delivered()
}

// Records returns what was accepted, in that order, whatever became of it. The
// records are copies, so the service may have reused its slices; a record
// without a time has that of its acceptance.
func (r *Recorder) Records() []kring.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.records)
}

// Deliveries returns the outcomes that were reported so far, in that order. A
// Delivery is here before its callback runs.
func (r *Recorder) Deliveries() []kring.Delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.deliveries)
}

// errGivenUp is the cause of records that a Close leaves behind.
var errGivenUp = errors.New("kring: closed before everything was sent")
