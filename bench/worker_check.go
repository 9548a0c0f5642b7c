package bench

import (
	"fmt"
	"math"
)

// checkReport refuses a worker's result that contradicts its plan or itself.
// It can not tell whether a plausible number is true, but a worker of another
// version, a result of another run and a slip in a sum end here, and not in a
// table.
func checkReport(c *Config, r *Result) error {
	t := &r.Totals
	switch {
	case r.RunID != c.RunID:
		return fmt.Errorf("it is of run %v, and the plan of run %v", r.RunID, c.RunID)
	case r.Workload.Mode != c.Mode:
		return fmt.Errorf("its loop is %q, and the plan's %q", r.Workload.Mode, c.Mode)
	case min(t.Offered, t.Sent, t.Acked, t.Failed, t.Rejected, t.Warmup, t.Bytes, t.WindowNs, t.WindowAcked) < 0:
		return fmt.Errorf("a total is negative: %+v", *t)
	case t.Acked > t.Sent && r.Verify.CompletedTwice+r.Verify.Stray == 0:
		return fmt.Errorf("%s records were acknowledged and %s sent", formatCount(t.Acked), formatCount(t.Sent))
	case r.Valid && !r.Partial && t.Warmup < c.WarmupRecords:
		return fmt.Errorf("its warm-up had %s records, and the plan's %s", formatCount(t.Warmup), formatCount(c.WarmupRecords))
	case r.Valid && !r.Partial && t.WindowAcked == 0:
		return fmt.Errorf("it is valid, and nothing was acknowledged")
	}
	if t.WindowNs > 0 {
		rate := float64(t.WindowAcked) / float64(t.WindowNs) * 1e9
		if !(math.Abs(rate-t.RateAchieved) <= 0.01*rate+1) {
			return fmt.Errorf("rate_achieved is %s/s, and window_acked in window_ns are %s/s", formatShort(t.RateAchieved), formatShort(rate))
		}
	}
	if l := r.Ledger; l != nil {
		switch {
		case l.Plan.RunID != c.RunID:
			return fmt.Errorf("its ledger is of run %v, and the plan of run %v", l.Plan.RunID, c.RunID)
		case l.Acked < t.Acked:
			return fmt.Errorf("its ledger has %s acknowledged records, and its totals %s", formatCount(l.Acked), formatCount(t.Acked))
		}
	}
	for _, name := range DistributionNames() {
		if l := r.Latency.ByName(name); l != nil {
			if err := l.check(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// check holds a summary against its histogram.
func (l *Latency) check(name string) error {
	d, err := l.Distribution(name)
	if err != nil {
		return err
	}
	if d.counts.n != l.N {
		return fmt.Errorf("%s has n %d, and its histogram %d", name, l.N, d.counts.n)
	}
	last := l.Min
	for _, v := range []int64{l.P50, l.P90, l.P99, l.P999, l.P9999, l.Max} {
		// Buckets are rounded to three digits, the extremes are exact.
		if v < last-last/500 {
			return fmt.Errorf("the percentiles of %s do not rise: %d after %d", name, v, last)
		}
		last = v
	}
	return nil
}
