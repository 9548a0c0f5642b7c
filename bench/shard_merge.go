package bench

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MergeShards makes one result of the shards of one run. Counts are added,
// histograms are merged and percentiles taken from the merged ones; of figures
// that can not be added, such as the longest pause, the worst stands. A shard
// that is missing makes the result invalid.
func MergeShards(shards []*Result) (*Result, error) {
	if err := checkShards(shards); err != nil {
		return nil, err
	}
	list := slices.SortedFunc(slices.Values(shards), func(a, b *Result) int { return a.Shard.Index - b.Shard.Index })
	first := list[0]
	r := *first
	r.InvalidReasons, r.Warnings = []string{}, []string{}
	r.Errors, r.Events, r.Profiles = []ErrorCount{}, []Event{}, []string{}
	r.Intervals, r.Hlog, r.Ledger, r.Shard, r.SLO = nil, nil, nil, nil, nil
	r.Partial = false
	r.Workload.RateTarget, r.Workload.Senders, r.Workload.Records = first.Shard.RateTotal, 0, 0
	r.Totals, r.Verify = Totals{}, VerifyResult{Mode: first.Verify.Mode, Checked: first.Verify.Checked, Problems: []string{}}
	r.Cost = Cost{SyscallsMethod: first.Cost.SyscallsMethod}
	for i, s := range list {
		r.addShard(s, i == 0)
	}
	r.Cost.StealNs = stolenFrom(list)
	r.Totals.RateAchieved = 1e9 * ratio(r.Totals.WindowAcked, r.Totals.WindowNs)
	r.Cost.CPUPerRecordNs = ratio(r.Cost.CPUUserNs+r.Cost.CPUSysNs, r.Totals.WindowAcked)
	r.Cost.AllocsPerRecord = ratio(int64(r.Cost.Allocs), r.Totals.WindowAcked)
	if missing := first.Shard.Of - len(list); missing > 0 {
		r.InvalidReasons = append(r.InvalidReasons, fmt.Sprintf("%d of %d shards are missing", missing, first.Shard.Of))
	}
	r.Valid = len(r.InvalidReasons) == 0
	r.Warnings = append(r.Warnings, fmt.Sprintf("merged from %d shards of %d: pauses, scheduling delays and memory are the worst shard's", len(list), first.Shard.Of))
	return &r, r.Latency.merge(list)
}

// checkShards refuses results that are not of one run, each once.
func checkShards(shards []*Result) error {
	if len(shards) == 0 {
		return errors.New("kbench: no shards to merge")
	}
	seen := map[int]bool{}
	for _, s := range shards {
		switch {
		case s.Shard == nil:
			return fmt.Errorf("kbench: run %v is no shard", s.RunID)
		case s.RunID != shards[0].RunID || s.Shard.Of != shards[0].Shard.Of:
			return fmt.Errorf("kbench: runs %v and %v are not shards of one run", s.RunID, shards[0].RunID)
		case seen[s.Shard.Index]:
			return fmt.Errorf("kbench: shard %d of run %v is there twice", s.Shard.Index, s.RunID)
		}
		if what := otherPlan(shards[0], s); what != "" {
			return fmt.Errorf("kbench: shards %d and %d of run %v had different plans: %s", shards[0].Shard.Index, s.Shard.Index, s.RunID, what)
		}
		seen[s.Shard.Index] = true
	}
	return nil
}

// otherPlan names the first difference between what two machines were told to
// do; their sum would describe neither.
func otherPlan(a, b *Result) string {
	v, w := &a.Workload, &b.Workload
	for _, of := range []struct {
		name string
		a, b any
	}{
		{"client", a.Client.Name, b.Client.Name},
		{"start", a.Shard.StartAt, b.Shard.StartAt},
		{"topic", a.Broker.Topic.Name, b.Broker.Topic.Name},
		{"mode", v.Mode, w.Mode},
		{"arrival", v.Arrival, w.Arrival},
		{"rate", a.Shard.RateTotal, b.Shard.RateTotal},
		{"record size", v.Size, w.Size},
		{"keys", v.Keys, w.Keys},
		{"payload", v.Payload, w.Payload},
		{"compressibility", v.Compressibility, w.Compressibility},
		{"partitioner", v.Partitioner, w.Partitioner},
		{"warm-up", v.WarmupNs, w.WarmupNs},
		{"seed", v.Seed, w.Seed},
		{"verification", a.Verify.Mode, b.Verify.Mode},
	} {
		if of.a != of.b {
			return fmt.Sprintf("%s %v and %v", of.name, of.a, of.b)
		}
	}
	for name, value := range a.Client.Props {
		// Each machine may have a name of its own.
		if b.Client.Props[name] != value && name != "client.id" {
			return fmt.Sprintf("%s %q and %q", name, value, b.Client.Props[name])
		}
	}
	return ""
}

// addShard adds one machine's part.
func (r *Result) addShard(s *Result, first bool) {
	r.Started = min(r.Started, s.Started)
	r.Partial = r.Partial || s.Partial
	r.Workload.Senders += s.Workload.Senders
	r.Workload.Records += s.Workload.Records
	r.Workload.DurationNs = max(r.Workload.DurationNs, s.Workload.DurationNs)
	name := fmt.Sprintf("shard %d: ", s.Shard.Index)
	for _, reason := range s.InvalidReasons {
		r.InvalidReasons = append(r.InvalidReasons, name+reason)
	}
	for _, warning := range s.Warnings {
		r.Warnings = append(r.Warnings, name+warning)
	}
	for _, e := range s.Errors {
		at := slices.IndexFunc(r.Errors, func(known ErrorCount) bool { return known.Message == e.Message })
		if at < 0 {
			r.Errors = append(r.Errors, e)
		} else {
			r.Errors[at].Records += e.Records
		}
	}
	for _, e := range s.Events {
		e.Detail = strings.TrimSpace(name + e.Detail)
		r.Events = append(r.Events, e)
	}
	r.Totals.add(&s.Totals, first)
	r.Cost.add(&s.Cost, first)
	r.Verify.add(&s.Verify, name, first)
}

func (t *Totals) add(o *Totals, first bool) {
	t.Offered += o.Offered
	t.Sent += o.Sent
	t.Acked += o.Acked
	t.Failed += o.Failed
	t.Rejected += o.Rejected
	t.Unresolved += o.Unresolved
	t.Warmup += o.Warmup
	t.Bytes += o.Bytes
	t.WindowNs = max(t.WindowNs, o.WindowNs)
	t.WindowAcked += o.WindowAcked
	t.Batches = addKnown(t.Batches, o.Batches, first)
	t.Requests = addKnown(t.Requests, o.Requests, first)
	t.BatchBytes = addKnown(t.BatchBytes, o.BatchBytes, first)
}

func (c *Cost) add(o *Cost, first bool) {
	c.CPUUserNs += o.CPUUserNs
	c.CPUSysNs += o.CPUSysNs
	c.Allocs += o.Allocs
	c.AllocBytes += o.AllocBytes
	c.GCCount += o.GCCount
	c.GCPauseP99Ns = max(c.GCPauseP99Ns, o.GCPauseP99Ns)
	c.GCPauseMaxNs = max(c.GCPauseMaxNs, o.GCPauseMaxNs)
	c.SchedLatencyP99Ns = max(c.SchedLatencyP99Ns, o.SchedLatencyP99Ns)
	c.RSSPeakBytes = max(c.RSSPeakBytes, o.RSSPeakBytes)
	c.GCPauseTotalNs = addKnown(c.GCPauseTotalNs, o.GCPauseTotalNs, first)
	c.GCCPUNs = addKnown(c.GCCPUNs, o.GCCPUNs, first)
	if o.HeapLiveBytes != nil && (c.HeapLiveBytes == nil || *o.HeapLiveBytes > *c.HeapLiveBytes) {
		c.HeapLiveBytes = o.HeapLiveBytes
	}
	c.CtxswVol += o.CtxswVol
	c.CtxswInvol += o.CtxswInvol
	c.Syscalls = addKnown(c.Syscalls, o.Syscalls, first)
}

func (v *VerifyResult) add(o *VerifyResult, name string, first bool) {
	v.Read += o.Read
	v.Lost += o.Lost
	v.Duplicated += o.Duplicated
	v.Reordered += o.Reordered
	v.Corrupt += o.Corrupt
	v.Foreign += o.Foreign
	v.CompletedTwice += o.CompletedTwice
	v.Stray += o.Stray
	v.FailedInLog += o.FailedInLog
	v.Misplaced = addKnown(v.Misplaced, o.Misplaced, first)
	// What one shard did not check was not checked of the run.
	v.Checked = slices.DeleteFunc(slices.Clone(v.Checked), func(s string) bool { return !slices.Contains(o.Checked, s) })
	if o.Incomplete != "" {
		v.Incomplete += name + o.Incomplete + " "
	}
	for _, p := range o.Problems {
		if len(v.Problems) < maxProblems {
			v.Problems = append(v.Problems, name+p)
		}
	}
}

// stolenFrom is the time that was stolen from all machines together. It is the
// machine's and not a shard's: of several on one machine it counts once.
func stolenFrom(shards []*Result) *int64 {
	machines := map[string]int64{}
	for _, s := range shards {
		if s.Cost.StealNs == nil {
			return nil
		}
		host := s.Env.HostnameHash
		machines[host] = max(machines[host], *s.Cost.StealNs)
	}
	sum := int64(0)
	for _, ns := range machines {
		sum += ns
	}
	return &sum
}

// addKnown adds what both know; null is not measured, never zero.
func addKnown(a, b *int64, first bool) *int64 {
	if b == nil || a == nil && !first {
		return nil
	}
	n := *b
	if a != nil {
		n += *a
	}
	return &n
}

// merge replaces each distribution by that of all shards together.
func (l *Latencies) merge(shards []*Result) error {
	for _, d := range []struct {
		name string
		of   func(*Latencies) **Latency
	}{
		{"response", func(l *Latencies) **Latency { return &l.Response }},
		{"service", func(l *Latencies) **Latency { return &l.Service }},
		{"call", func(l *Latencies) **Latency { return &l.Call }},
		{"lag", func(l *Latencies) **Latency { return &l.Lag }},
		{"wake", func(l *Latencies) **Latency { return &l.Wake }},
		{"e2e", func(l *Latencies) **Latency { return &l.E2E }},
	} {
		var merged *Distribution
		for _, s := range shards {
			own := *d.of(&s.Latency)
			if own == nil {
				continue
			}
			part, err := own.Distribution(d.name)
			if err == nil && merged != nil {
				err = merged.Merge(part)
			}
			if err != nil {
				return fmt.Errorf("kbench: %s of shard %d: %w", d.name, s.Shard.Index, err)
			}
			if merged == nil {
				merged = part
			}
		}
		if *d.of(l) = nil; merged != nil {
			*d.of(l) = merged.Latency()
		}
	}
	return nil
}
