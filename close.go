package kring

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

// Close refuses new records, sends what was accepted and returns when every
// record has its outcome and every callback has run. If ctx ends first, what is
// left gets ErrClosed with the certainty that is known, and Close returns ctx's
// error. After Close no goroutine and no connection of the producer is left.
//
// Close may be called more than once and from several goroutines: all return
// the result of the first, unless their own ctx ends before; that leaves the
// first one at work. In a callback it returns ErrInCallback.
func (p *Producer) Close(ctx context.Context) error {
	if !p.made() {
		return errNotMade()
	}
	if p.inCallback() {
		return ErrInCallback
	}
	ctx = orBackground(ctx)
	p.closeOnce(ctx, nil)
	select {
	case <-p.closed:
		return p.closeErr
	default:
	}
	select {
	case <-p.closed:
		return p.closeErr
	case <-ctx.Done():
		return fmt.Errorf("kring: another Close is still at work: %w", ctx.Err())
	}
}

// made says that New made p. Where New has failed, a deferred Close, Flush or
// Drain must not hide its error behind a panic.
func (p *Producer) made() bool { return p != nil && p.acc != nil }

func errNotMade() error { return fmt.Errorf("%w: New did not make it", ErrClosed) }

// closeOnce closes the producer and reports true, unless another call has begun
// to. h, if not nil, gets what is not delivered.
func (p *Producer) closeOnce(ctx context.Context, h *harvest) bool {
	if !p.closeBegun.CompareAndSwap(false, true) {
		return false
	}
	p.harvest.Store(h)
	p.closeErr = p.close(ctx)
	close(p.closed)
	return true
}

// orBackground forgives a nil context: it sets no limit.
func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

func (p *Producer) close(ctx context.Context) error {
	if p.txn != nil {
		p.txn.close(ctx)
	}
	p.beginClose()
	err := p.drain(ctx)
	if p.harvest.Load() != nil {
		err = nil // what is left is handed back
	}
	if err != nil {
		err = fmt.Errorf("kring: closed before everything was sent: %w", err)
	}
	p.telemetry.close(ctx)
	p.cancel(errStopped)
	// CloseEmpty first: after it nothing new comes to life. Where ctx ended the
	// flush, a caller that raced Close may still open a batch.
	delivered, progress := p.lanes.delivered(), time.Now()
	for !p.acc.CloseEmpty() || p.acc.Live() > 0 {
		// Given up because ctx has ended. A callback that never returns
		// keeps its batch; Close does not wait for it.
		p.stopBrokers()
		p.awaitLive()
		if n := p.lanes.delivered(); n != delivered {
			delivered, progress = n, time.Now()
		} else if time.Since(progress) > stuckLimit {
			p.abandoned.Store(true)
			p.abandon()
			return errors.Join(err, errStuck, p.hooks.close(ctx))
		}
	}
	p.stopBrokers()
	p.awaitBrokers()
	p.lanes.stop()
	p.acc.StopPackers()
	p.client.Close()
	p.workers.wait()
	p.conns.wait()
	if n := p.awaitSlots(); n != 0 {
		panic(fmt.Sprintf("kring: %d slots are not home after Close: please report this", n))
	}
	if problem := errors.Join(p.hooks.close(ctx), p.interceptors.close()); problem != nil {
		err = errors.Join(err, problem)
	}
	return err
}

// stuckLimit is how long Close waits, after ctx has ended, for a callback that
// does not return.
const stuckLimit = time.Second

var errStuck = errors.New("kring: a delivery callback does not return, or a Reservation was neither committed nor aborted; it is left behind")

// abandon ends everything but the completion goroutine, which is in a callback
// that does not return.
func (p *Producer) abandon() {
	p.stopBrokers()
	p.lanes.stop()
	p.acc.StopPackers()
	p.client.Close()
}

// awaitSlots returns how many slots are not home. A caller that raced Close may
// hold one between taking it and finding the partition closed; it does not
// block there, but it may have to wait for a processor.
func (p *Producer) awaitSlots() int {
	for end := time.Now().Add(slotPatience); ; time.Sleep(time.Millisecond) {
		n := p.acc.Slab().Leaked()
		if n == 0 || time.Now().After(end) {
			return n
		}
	}
}

const slotPatience = 30 * time.Second

// beginClose makes every call that waits return, and new ones fail.
func (p *Producer) beginClose() {
	p.closing.Store(true)
	close(p.closeStarted)
	p.release() // for good
	p.acc.Refuse()
}

// drain sends everything that was accepted. A caller that passed the check for
// closing before it was set may still open one batch per partition, so the
// partitions are closed one by one, and what is met open is flushed again.
func (p *Producer) drain(ctx context.Context) error {
	for {
		// In this order: what was opened late may already be in flight when
		// its partition is found without an open batch.
		closed := p.acc.CloseEmpty()
		if err := p.acc.Flush(ctx); err != nil {
			return err
		}
		if closed {
			return nil
		}
	}
}

// awaitLive waits until the callbacks of what was given up have run. A writer
// between reserve and commit is waited for too; only one with a Reservation can
// stay there. Flush may
// return while the count of live batches still has one: whoever ends it has yet
// to take it off, and only needs a processor.
func (p *Producer) awaitLive() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if p.acc.Flush(ctx) == nil && p.acc.Live() > 0 {
		time.Sleep(time.Millisecond)
	} // its timeout only means: look again
}

// stopBrokers makes every broker fail what it has, under its role.
func (p *Producer) stopBrokers() {
	p.acc.CloseEmpty()
	for _, q := range p.acc.Partitions() {
		q.SealOpen()
		q.MarkReady()
	}
	for _, b := range append([]*broker{p.nowhere}, *p.brokers.Load()...) {
		b.stopping.Store(true)
		b.kick()
	}
}

// stop fails everything that the broker has. It runs in a turn, after the
// producer's context has ended.
func (b *broker) stop() {
	b.dropFresh()
	if b.conn != nil {
		b.hangUp(b.p.endCause())
	}
	for b.pend.len() > 0 {
		q := b.pend.pop()
		q.pending = false
		b.giveUp(q, b.p.endCause())
	}
	for _, q := range b.slow {
		q.slow = false
		b.giveUp(q, b.p.endCause())
	}
	b.slow = b.slow[:0]
	if !b.stopSeen {
		b.stopSeen = true
		close(b.stopDone)
	}
}

// awaitBrokers waits until every broker has stopped: whoever held its role
// when it was told does it. After that no slot is held by a socket.
func (p *Producer) awaitBrokers() {
	for _, b := range append([]*broker{p.nowhere}, *p.brokers.Load()...) {
		// A last metadata answer may have added b after stopBrokers looked.
		b.stopping.Store(true)
		b.kick()
		<-b.stopDone
	}
}

// giveUp fails every batch of q that is not in flight.
func (b *broker) giveUp(q *partition, cause error) {
	for batch := q.Retrying(); batch != nil; batch = q.Retrying() {
		b.fail(q, batch, cause)
	}
	for batch := q.Expired(math.MaxInt64); batch != nil; batch = q.Expired(math.MaxInt64) {
		b.fail(q, batch, cause)
	}
}

// closedEarly is closed as soon as Close begins.
func (p *Producer) closedEarly() <-chan struct{} { return p.closeStarted }

// endings remembers connections that are being torn down, so that Close can
// wait for their goroutines and descriptors.
type endings struct {
	mu   sync.Mutex
	list []<-chan struct{}
}

func (e *endings) add(done <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	kept := e.list[:0]
	for _, c := range e.list {
		select {
		case <-c:
		default:
			kept = append(kept, c)
		}
	}
	e.list = append(kept, done)
}

func (e *endings) wait() {
	e.mu.Lock()
	list := e.list
	e.mu.Unlock()
	for _, c := range list {
		<-c
	}
}
