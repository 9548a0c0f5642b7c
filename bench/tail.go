package bench

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"
)

// tail consumes the topic while the run produces to it, so that the result has
// e2e: how long after it should have been sent a record has reached a consumer.
// Flat out, where no record has a time, it is from the hand-over, of the records
// that are timed.
//
//	sender ─► client ─► broker ─► fetch ─► tail: whose stamp is it, and since when?
//	   └── timetable, or stamp ──────────────────┘
//
// It reads with fetches that wait for news, one connection to each broker, and it
// runs in the process that is measured.
type tail struct {
	rec  *recorder
	run  uint64
	seen atomic.Int64 // own records, those of the warm-up included
	stop context.CancelFunc
	done chan struct{}
	err  error // set before done is closed
}

const (
	// tailPatience is how long the consumer may need for what was acknowledged,
	// after the last record that it has got.
	tailPatience = 5 * time.Second
	tailLook     = 2 * time.Millisecond
	// e2eKeep is what an embedded broker keeps for the consumer, which is seldom
	// far behind.
	e2eKeep = 256 << 20
)

// startTail begins at the present end of the topic.
func startTail(ctx context.Context, c *Config, rec *recorder) (*tail, error) {
	a, err := c.Settings.Access()
	if err != nil {
		return nil, fmt.Errorf("--e2e: %w", err)
	}
	// An embedded broker has the topic only once somebody has asked for it.
	if _, _, err := ensureTopic(ctx, a, c.Settings.Topic, c.Partitions, 0); err != nil {
		return nil, fmt.Errorf("--e2e: %w", err)
	}
	from, err := listOffsets(ctx, a, c.Settings.Topic, offsetLatest)
	if err != nil {
		return nil, fmt.Errorf("--e2e: %w", err)
	}
	to := make([]int64, len(from))
	for i := range to {
		to[i] = math.MaxInt64
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	t := &tail{rec: rec, run: uint64(c.RunID), stop: stop, done: make(chan struct{})}
	r := &reader{
		access: a, topic: c.Settings.Topic, from: from, to: to, endless: true,
		record: func(_ int32, _ int64, value []byte) { t.record(value) },
	}
	go func() {
		defer close(t.done)
		if err := r.read(ctx); err != nil && ctx.Err() == nil {
			t.err = err
		}
	}()
	return t, nil
}

// record is called by the goroutines that fetch, one for each broker.
func (t *tail) record(value []byte) {
	raw, ours, whole := stampOf(value, t.run)
	if !ours || !whole || tag(raw) < t.rec.shift {
		return
	}
	own := tag(raw) - t.rec.shift
	if own.sender() >= len(t.rec.shards) {
		return // another machine's
	}
	t.seen.Add(1)
	sh, seq := &t.rec.shards[own.sender()], own.seq()
	if seq < sh.measured.Load() {
		return
	}
	now := t.rec.clock()
	if t.rec.open {
		sh.e2e.record(t.rec.sinceDue(now, own))
	} else if sent, kept := sh.sentAt(seq); kept {
		sh.e2e.record(now - sent)
	}
}

// finish waits until everything that was acknowledged has come, and ends the
// consumer. What is missing is reported.
func (t *tail) finish(acked int64) (problem string) {
	defer func() {
		t.stop()
		<-t.done
	}()
	look := time.NewTicker(tailLook)
	defer look.Stop()
	last, moved := int64(-1), time.Now()
	for {
		n := t.seen.Load()
		if n >= acked {
			return ""
		}
		if n > last {
			last, moved = n, time.Now()
		}
		late := time.Since(moved) > tailPatience
		select {
		case <-t.done:
			return fmt.Sprintf("e2e: the consumer ended after %s of %s acknowledged records: %v", formatCount(n), formatCount(acked), t.err)
		case <-look.C:
		}
		if late {
			return fmt.Sprintf("e2e: %s of %s acknowledged records had reached the consumer %v after the last one", formatCount(n), formatCount(acked), tailPatience)
		}
	}
}
