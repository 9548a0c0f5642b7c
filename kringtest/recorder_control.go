package kringtest

import (
	"context"
	"fmt"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/internal/goroutine"
)

// Next decides the outcomes of the records to come, one each, in this order.
// What Decide says, or else Delivered, is for those behind them. A call that
// adds to an earlier one appends. A refused record uses an outcome up too; one
// for which there is no room, or that no cluster could take, does not.
func (r *Recorder) Next(outcomes ...Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next = append(r.next, outcomes...)
}

// Decide chooses the outcome of every record for which Next has none. f runs
// inside the Produce of the service, one call at a time, and must not call the
// Recorder. The record is the Recorder's copy: f must not change it. nil goes
// back to Delivered.
func (r *Recorder) Decide(f func(kring.Record) Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.decide = f
}

// Hold lets no callback begin until Release: the records are under way, as they
// are while a broker does not answer.
func (r *Recorder) Hold() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = true
}

// Release ends Hold.
func (r *Recorder) Release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = false
	r.broadcast()
}

// Flush is that of kring.Producer. While Hold is on, it waits for Release.
func (r *Recorder) Flush(ctx context.Context) error {
	if r.inCallback() {
		return kring.ErrInCallback
	}
	if ctx == nil {
		ctx = context.Background()
	}
	r.mu.Lock()
	target := len(r.records)
	r.mu.Unlock()
	if err := r.await(ctx, target); err != nil {
		return fmt.Errorf("kring: flush is not complete: %w", err)
	}
	return nil
}

// await returns when the callbacks of the first n records have returned, or ctx
// has ended.
func (r *Recorder) await(ctx context.Context, n int) error {
	for {
		r.mu.Lock()
		changed, done := r.changed, r.finished >= n || r.aborted
		r.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close is that of kring.Producer. If ctx ends before all outcomes are
// reported, the rest of the records fail with kring.ErrClosed; they are
// PossiblyPersisted, as records are that a producer has sent.
func (r *Recorder) Close(ctx context.Context) error {
	if r.inCallback() {
		return kring.ErrInCallback
	}
	if ctx == nil {
		ctx = context.Background()
	}
	r.mu.Lock()
	first, target := !r.closing, len(r.records)
	r.closing = true
	r.broadcast()
	r.mu.Unlock()
	if first {
		r.closeErr = r.finish(ctx, target)
		close(r.closed)
	}
	select {
	case <-r.closed:
		return r.closeErr
	default:
	}
	select {
	case <-r.closed:
		return r.closeErr
	case <-r.stopped: // the test is over
		return kring.ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("kring: another Close is still at work: %w", ctx.Err())
	}
}

// finish waits for the callbacks of all records, after failing those that ctx
// leaves no time for.
func (r *Recorder) finish(ctx context.Context, target int) error {
	err := r.await(ctx, target)
	if err != nil {
		err = fmt.Errorf("%w: %w", errGivenUp, err)
		r.mu.Lock()
		for i := range r.queue {
			r.queue[i].outcome = Failed(kring.ErrClosed, kring.PossiblyPersisted)
		}
		r.held = false
		r.broadcast()
		r.mu.Unlock()
	}
	<-r.stopped
	return err
}

// run is the goroutine of callbacks.
func (r *Recorder) run() {
	ended := false
	defer func() {
		// A callback may end its goroutine, as t.FailNow does. The records
		// behind it have callbacks too.
		if !ended {
			go r.run()
		}
	}()
	for r.callOne() {
		continue
	}
	ended = true
	close(r.stopped)
}

// callOne waits for a record, reports its outcome and returns true; or returns
// false when there is nothing left to do.
func (r *Recorder) callOne() (more bool) {
	for {
		r.mu.Lock()
		if len(r.queue) > 0 && (!r.held || r.aborted) {
			break
		}
		if r.closing && len(r.queue) == 0 {
			r.mu.Unlock()
			return false
		}
		changed := r.changed
		r.mu.Unlock()
		<-changed
	}
	p := r.queue[0]
	r.queue = r.queue[1:]
	at := place{p.record.Topic, p.partition}
	d := p.outcome.delivery(&p.record, p.partition, r.offsets[at])
	if d.Err == nil {
		r.offsets[at]++
	}
	r.deliveries = append(r.deliveries, d)
	r.caller = goroutine.ID()
	r.mu.Unlock()
	more = true // also after a callback that panics
	defer r.returned(p.record.Topic)
	if p.callback != nil {
		p.callback(d)
	}
	return more
}

// returned notes the end of a callback, however it ended. A panic does not
// affect other records, as with a producer; but in a test it is a failure.
func (r *Recorder) returned(topic string) {
	if v := recover(); v != nil {
		r.tb.Errorf("kringtest: a delivery callback of a record to %q panicked: %v", topic, v)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.caller = 0
	r.finished++
	r.broadcast()
}

func (r *Recorder) inCallback() bool {
	r.mu.Lock()
	caller := r.caller
	r.mu.Unlock()
	return caller != 0 && caller == goroutine.ID()
}
