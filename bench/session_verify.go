package bench

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"
)

// verify looks for what was sent, as closely as the plan asks for, and puts
// what it found into the result.
func (t *target) verify(ctx context.Context, r *Result) error {
	// The records of an interrupted run are as good as others.
	ctx = context.WithoutCancel(ctx)
	twice, stray := r.Verify.CompletedTwice, r.Verify.Stray
	var found *VerifyResult
	var err error
	if t.embedded != nil {
		found, err = t.verifyEmbedded(ctx, r)
	} else {
		found, err = t.verifyCluster(ctx, r)
	}
	if err != nil {
		return err
	}
	if found != nil {
		r.Verify = *found
	}
	if r.Verify.Incomplete != "" {
		r.InvalidReasons = append(r.InvalidReasons, "verification: "+r.Verify.Incomplete)
		r.Valid = false
	}
	r.Verify.CompletedTwice, r.Verify.Stray = twice, stray
	return nil
}

func (t *target) verifyEmbedded(ctx context.Context, r *Result) (*VerifyResult, error) {
	var err error
	if t.report, err = t.embedded.report(ctx, r.Ledger); err != nil {
		return nil, err
	}
	if t.s.Config.Verify == VerifyCount {
		v := countResult(r, t.report.Stats.Records)
		return &v, nil
	}
	return t.report.Verify, nil
}

func (t *target) verifyCluster(ctx context.Context, r *Result) (*VerifyResult, error) {
	c := &t.s.Config
	if c.Verify == VerifyNone {
		return nil, nil
	}
	to, err := t.settledOffsets(ctx, r.Ledger.Acked)
	if err != nil {
		return nil, err
	}
	if c.Verify == VerifyCount {
		v := countResult(r, sum(to)-sum(t.from))
		v.Note = "offsets were counted; other producers of the topic would be counted too"
		return &v, nil
	}
	v, err := NewVerifier(c.verifyPlan())
	if err != nil {
		return nil, err
	}
	back := &reader{access: t.access, topic: c.Settings.Topic, from: slices.Clone(t.from), to: to, record: v.Record}
	if !c.Quiet {
		fmt.Fprintf(t.s.Messages, "verify reading back %s offsets\n", formatCount(sum(to)-sum(t.from)))
	}
	if err := back.read(ctx); err != nil {
		return nil, err
	}
	found := v.Report(r.Ledger)
	excuse(&found, back.skipped)
	return &found, nil
}

// excuse takes from what is lost the offsets that were gone before they could
// be read: what retention took may have been there, nothing is known of it.
func excuse(found *VerifyResult, skipped int64) {
	if skipped == 0 || found.Lost == 0 {
		return
	}
	found.Lost -= min(found.Lost, skipped)
	found.Misplaced, found.Problems = nil, []string{}
	found.Checked = slices.DeleteFunc(found.Checked, func(s string) bool { return s == "offsets" })
	found.Incomplete = fmt.Sprintf("%s offsets were gone before they could be read (retention?)", formatCount(skipped))
}

const (
	// settlePatience bounds the wait for high watermarks in all, and
	// settleStill while they do not move.
	settlePatience = 30 * time.Second
	settleStill    = 2 * time.Second
)

// settledOffsets waits for the high watermarks: with acks=1 the leader answers
// before its followers have the records, and consumers see them later.
func (t *target) settledOffsets(ctx context.Context, acked int64) ([]int64, error) {
	c := &t.s.Config
	begin := time.Now()
	moved, last := begin, int64(-1)
	for {
		to, err := listOffsets(ctx, t.access, c.Settings.Topic, offsetLatest)
		if err != nil && time.Since(begin) > settlePatience {
			return nil, fmt.Errorf("verify: %w", err)
		}
		if err == nil {
			n := sum(to) - sum(t.from)
			if n != last {
				moved, last = time.Now(), n
			}
			// Among other shards' records nobody knows whether one's own have come.
			alone := !c.Shard.on() || c.Settings.Acks == "all"
			if alone && n >= acked || time.Since(moved) > settleStill || time.Since(begin) > settlePatience {
				return to, nil
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// countResult compares numbers only.
func countResult(r *Result, read int64) VerifyResult {
	v := VerifyResult{Mode: VerifyCount, Read: read, Checked: []string{"count"}, Problems: []string{}}
	acked := r.Ledger.Acked
	// What failed may be in the log or not.
	uncertain := r.Totals.Failed + r.Totals.Rejected + max(r.Totals.Unresolved, 0)
	v.Lost = max(acked-read, 0)
	v.Duplicated = max(read-acked-uncertain, 0)
	return v
}

func sum(v []int64) int64 {
	total := int64(0)
	for _, x := range v {
		total += x
	}
	return total
}

// allLocal reports whether every broker shares this machine.
func allLocal(brokers []string) bool {
	for _, address := range brokers {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return false
		}
		ip := net.ParseIP(host)
		if host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return false
		}
	}
	return len(brokers) > 0
}
