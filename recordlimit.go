package kring

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// MaxBufferedRecords bounds how many records may be without an outcome at a
// time, beside BufferMemory, which bounds their bytes. At the bound Produce waits
// as it does for memory, first come first served, with MaxBlock and its context,
// TryProduce returns ErrBufferFull, and what is there is sent without waiting for
// its linger. 0 is no bound, the default; with one, each record costs an atomic
// operation more, and ProduceMany accepts one record after the other. Records
// that a Reserve has room for count.
//
// It is for those who are used to it: librdkafka's queue.buffering.max.messages,
// franz-go's MaxBufferedRecords. Java has none. As a property it is
// kring.max.buffered.records.
func MaxBufferedRecords(n int) Option {
	return option(func(c *config) {
		c.maxRecords = int64(n)
		if n < 0 {
			c.problem("MaxBufferedRecords(%d): want 1 or more; 0 is no bound", n)
		}
	})
}

// recordsProperty is kring's own.
const recordsProperty = "kring.max.buffered.records"

func setRecordsProperty(c *config, p property, value string) {
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || n < 0 {
		p.malformed(c, value, "a whole number, 1 or more; 0 is no bound")
		return
	}
	c.maxRecords = n
}

// recordLimit is MaxBufferedRecords at work; nil is none.
//
//	enter ─► left-1 ──────────────────────────────► the record may be appended
//	   └ none left, or others wait ─► queue ─► grant ─┘
//	leave(n): outcomes of n records ──────────────┘
//
// left is what may be taken. Whoever takes or waits, and whoever gives back, each
// writes its own of left and waiting before it looks at the other's: a waiter
// misses no place, or whoever gave it back sees the waiter.
type recordLimit struct {
	p       *Producer
	limit   int64
	full    error // what TryProduce returns at the bound
	left    atomic.Int64
	waiting atomic.Int32 // length of queue

	mu    sync.Mutex
	queue []*recordWaiter // oldest first; guarded by mu
}

type recordWaiter struct {
	granted chan struct{} // closed under mu, when the waiter has its place
}

func newRecordLimit(p *Producer) *recordLimit {
	if p.cfg.maxRecords == 0 {
		return nil
	}
	l := &recordLimit{p: p, limit: p.cfg.maxRecords}
	l.full = andAlso{fmt.Errorf("kring: %d records have no outcome yet, as many as MaxBufferedRecords lets in", l.limit), ErrBufferFull}
	l.left.Store(l.limit)
	return l
}

// enter gets the place of one record. Whoever has it and appends no record gives
// it back.
func (l *recordLimit) enter(ctx context.Context, t *Topic, budget *blockBudget, wait bool) error {
	if l.waiting.Load() == 0 && l.take() {
		return nil
	}
	if !wait {
		l.p.acc.Press()
		l.p.acc.Unpress()
		return l.full
	}
	if err := t.mayWait(); err != nil {
		return err
	}
	w := &recordWaiter{make(chan struct{})}
	l.mu.Lock()
	l.queue = append(l.queue, w)
	l.waiting.Add(1)
	l.grant()
	l.mu.Unlock()
	l.p.stats.blocked.Add(1)
	start := time.Now()
	err := l.await(ctx, t, w, budget)
	budget.spent += time.Since(start)
	return err
}

// take takes a place if there is one.
func (l *recordLimit) take() bool {
	for {
		n := l.left.Load()
		if n <= 0 {
			return false
		}
		if l.left.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

// waits is how many callers wait for a place.
func (l *recordLimit) waits() int {
	if l == nil {
		return 0
	}
	return int(l.waiting.Load())
}

// leave gives n places back.
func (l *recordLimit) leave(n int) {
	if l == nil {
		return
	}
	l.left.Add(int64(n))
	if l.waiting.Load() > 0 {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.grant()
	}
}

// leaveIfRefused gives the place of a record back that went nowhere, also where
// a Partitioner has ended the goroutine on the way.
func (l *recordLimit) leaveIfRefused(to **partition) {
	if *to == nil {
		l.leave(1)
	}
}

// grant gives places to those who wait, in their order. l.mu is held.
func (l *recordLimit) grant() {
	for len(l.queue) > 0 && l.take() {
		close(l.queue[0].granted)
		l.queue[0] = nil
		l.queue = l.queue[1:]
		l.waiting.Add(-1)
	}
}

// await waits for w's place. Batches do not linger meanwhile.
func (l *recordLimit) await(ctx context.Context, t *Topic, w *recordWaiter, budget *blockBudget) error {
	l.p.acc.Press()
	defer l.p.acc.Unpress()
	timer := time.NewTimer(budget.left())
	defer timer.Stop()
	var err error
	select {
	case <-w.granted:
		return nil
	case <-l.p.ctx.Done():
		err = ErrClosed
	case <-l.p.closedEarly():
		err = ErrClosed
	case <-ctx.Done():
		err = fmt.Errorf("kring: record to topic %q was not accepted: %w", t.name, ctx.Err())
	case <-timer.C:
		err = fmt.Errorf("%w: MaxBufferedRecords, %d, records have no outcome after %v; the record to topic %q was not accepted: "+
			"the brokers take less than is produced, or do not answer", budget.over(), l.limit, budget.limit, t.name)
	}
	l.giveUp(w)
	return err
}

// giveUp takes w out of the queue, or gives back what it was granted meanwhile.
func (l *recordLimit) giveUp(w *recordWaiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, one := range l.queue {
		if one == w {
			l.queue = append(l.queue[:i], l.queue[i+1:]...)
			l.waiting.Add(-1)
			return
		}
	}
	l.left.Add(1)
	l.grant()
}
