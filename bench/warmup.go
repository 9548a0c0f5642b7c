package bench

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// ParseWarmup reads a time or a number of records. What can be a duration is
// one, so a bare number is seconds and 10m are minutes; records need a suffix of
// counts (100k, 10M) or the word: 500records.
func ParseWarmup(s string) (d time.Duration, records int64, err error) {
	if d, err = ParseDuration(s); err == nil || strings.HasPrefix(s, "-") {
		return d, 0, err
	}
	number := strings.TrimSuffix(strings.TrimSuffix(s, "s"), "record")
	if number == strings.TrimSuffix(s, "s") {
		number = s
	}
	if records, err = ParseCount(strings.TrimSpace(number)); err != nil {
		return 0, 0, fmt.Errorf("%q is neither a time, such as 10s, nor a number of records, such as 100k or 500records", s)
	}
	return 0, records, nil
}

// maxWarmup bounds a warm-up by count: more is a slip of the pen.
const maxWarmup = 100 * 24 * time.Hour

// SetWarmup fills in a warm-up as ParseWarmup reads it; loop, rate, arrival and
// seed must stand already. An open loop's timetable says when so many records
// are due, so that its warm-up is a time, for every worker.
func (c *Config) SetWarmup(text string) error {
	d, records, err := ParseWarmup(text)
	if err != nil {
		return err
	}
	if c.Warmup = d; records == 0 {
		return nil
	}
	if c.Mode != ModeOpen || c.Rate < 1 {
		c.WarmupRecords = records
		return nil
	}
	rate, n := uint64(c.Rate), uint64(records)
	if n/rate > uint64(maxWarmup/time.Second) {
		return fmt.Errorf("%s records at %s per second take more than %v", formatCount(records), formatCount(c.Rate), maxWarmup)
	}
	c.Warmup = time.Duration(whenConstant(n, rate)) // Bursts are not divided: the last counts as a whole.
	if t := newArrivals(c.Arrival, c.Seed); t != nil && t.offsets != nil {
		c.Warmup = time.Duration(t.due(n, rate))
	}
	return nil
}

// warms reports whether there is a warm-up.
func (c *Config) warms() bool { return c.Warmup > 0 || c.WarmupRecords > 0 }

// checkWarmup refuses warm-ups that nobody could hold to.
func (c *Config) checkWarmup(want func(ok bool, format string, args ...any)) {
	want(c.Warmup >= 0, "--warmup is %v, want 0 or more", c.Warmup)
	want(c.WarmupRecords >= 0, "--warmup is %d records, want 0 or more", c.WarmupRecords)
	want(c.WarmupRecords == 0 || c.Mode != ModeOpen && c.Warmup == 0, "--warmup is a time or a number of records, and with a rate a time")
	want(c.WarmupRecords == 0 || !c.Shard.on(), "--warmup of %s records: shards without a rate begin together only after a time", formatCount(c.WarmupRecords))
}

// warmCount counts a closed loop's warm-up down. The senders go on at its end,
// as they do when a time has passed: nothing drains before the window opens.
type warmCount struct {
	left atomic.Int64
	done chan struct{} // closed by the sender that sends the last of them
}

func newWarmCount(records int64) *warmCount {
	w := &warmCount{done: make(chan struct{})}
	w.left.Store(records)
	return w
}

// sent is called by a sender for records that no call has told of before.
func (w *warmCount) sent(n uint64) {
	if left := w.left.Add(-int64(n)); left <= 0 && left+int64(n) > 0 {
		close(w.done)
	}
}

// awaitWarm returns at the end of the warm-up, or of everything.
func (r *run) awaitWarm(ctx context.Context, start int64, finished <-chan struct{}) {
	if r.warm == nil {
		r.await(ctx, start+int64(r.cfg.Warmup), finished)
		return
	}
	select {
	case <-r.warm.done:
	case <-finished:
	case <-ctx.Done():
	}
	r.warmNs = r.clock() - start
}
