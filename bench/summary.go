package bench

import (
	"maps"
	"math"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"time"
)

// result turns the books of a finished run into a Result. Verification and the
// broker's description are filled in by whoever knows the topic.
func (r *run) result(started time.Time) *Result {
	c := r.cfg
	stampSample, responseSample := c.sampling()
	e2eSample := stampSample
	if r.rec.open {
		e2eSample = 1 // by the timetable, whose times all records have
	}
	res := &Result{
		Schema: SchemaName, RunID: c.RunID, Started: started.UTC().Format(time.RFC3339),
		InvalidReasons: []string{}, Warnings: []string{}, Partial: r.partial, Command: c.Command,
		Client: ClientInfo{
			Name: r.lib.Name, Version: r.lib.Version, GitSHA: buildRevision(), Lang: runtime.Version(),
			Props: c.Settings.properties(), IgnoredProps: []string{},
		},
		Workload: WorkloadInfo{
			Mode: c.Mode, Arrival: "flat-out", RateTarget: c.ownRate(), Outstanding: c.Outstanding, Senders: c.Senders, BusyNs: int64(c.Busy),
			Partitioner: c.Partitioner, Size: c.Sizes.String(), Keys: c.Keys.String(),
			Payload: c.payload(), Compressibility: r.payload.ratio(), WarmupNs: int64(c.Warmup) + r.warmNs, DurationNs: r.endNs - r.beginNs,
			Records: c.ownRecords(), Seed: c.Seed, Pacer: "none", LatencySample: stampSample,
		},
		Env:    readEnv(clockCost(r.clock)),
		Totals: r.totals(),
		Verify: VerifyResult{Mode: VerifyNone, Checked: []string{}, Problems: []string{}},
		Errors: r.rec.errorCounts(), Events: []Event{}, Profiles: r.profiles.written(),
		Ledger: r.ledger(), Shard: c.shardInfo(),
	}
	if r.rec.open {
		res.Workload.Arrival, res.Workload.Pacer = c.Arrival.String(), r.pacer
	}
	if requests, batches, known := r.clients.counts(); known {
		res.Totals.Requests, res.Totals.Batches = &requests, &batches
	}
	res.Verify.CompletedTwice, res.Verify.Stray = r.rec.twice, r.rec.strays
	res.Cost = costBetween(r.begin, r.end, res.Totals.WindowAcked)
	if r.lib.Foreign {
		res.Cost.forgetRuntime()
	}
	res.Latency = Latencies{
		Response: r.latency(responseSample, func(sh *shard) *hist { return sh.response }),
		Service:  r.latency(stampSample, func(sh *shard) *hist { return sh.service }),
		Call:     r.latency(stampSample, func(sh *shard) *hist { return sh.call }),
		Lag:      r.latency(1, func(sh *shard) *hist { return sh.lag }),
		Wake:     r.latency(1, func(sh *shard) *hist { return sh.wake }),
	}
	if c.E2E {
		res.Latency.E2E = r.latency(e2eSample, func(sh *shard) *hist { return sh.e2e })
		res.Warnings = append(res.Warnings, "the consumer of e2e ran in this process: CPU time and allocations are the client's and its")
		if r.tailed != "" {
			res.Warnings = append(res.Warnings, r.tailed)
		}
	}
	r.faults.report(res)
	r.judge(res)
	if r.handles {
		res.Client.Props["handles"] = "one per sender"
	}
	if n := len(r.clients); n > 1 {
		res.Client.Props["producers"] = strconv.Itoa(n)
	}
	return res
}

// totals closes the books: offered = sent + rejected + never sent, and
// sent = acked + failed + unresolved.
func (r *run) totals() Totals {
	t := Totals{Unresolved: r.rec.pending()}
	for i := range r.rec.shards {
		sh := &r.rec.shards[i]
		sent, measured := sh.sent.Load(), sh.measured.Load()
		if measured > sent {
			measured = sent // The run ended during the warm-up.
		}
		t.Warmup += int64(measured)
		t.Sent += int64(sent - measured - min(sh.rejected.Load(), sent-measured))
		t.Rejected += int64(sh.rejected.Load())
		t.Acked += int64(sh.acked.Load())
		t.Failed += int64(sh.failed.Load() + sh.failWarm.Load())
		if measured < sent {
			t.Bytes += int64(sh.bytes.Load() - r.senders[i].warmBytes)
		}
		if r.rec.open {
			planned := r.planned(i)
			t.Offered += int64(planned - min(planned, r.rec.firstMeasured(r.cfg, i)))
		}
	}
	if !r.rec.open {
		t.Offered = t.Sent + t.Rejected
	}
	t.WindowNs = r.endNs - r.beginNs
	t.WindowAcked = int64(r.endAcked - r.beginAcked)
	if r.rec.open {
		t.WindowAcked = t.Acked
	}
	if t.WindowNs > 0 {
		t.RateAchieved = math.Round(float64(t.WindowAcked)/float64(t.WindowNs)*1e12) / 1e3
	}
	return t
}

func (r *run) latency(sampled uint32, which func(*shard) *hist) *Latency {
	s := newSnapshot()
	r.rec.merge(s, which)
	return s.latency(sampled)
}

// errorCounts lists the kinds of errors, most frequent first.
func (r *recorder) errorCounts() []ErrorCount {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := []ErrorCount{}
	for _, message := range slices.Sorted(maps.Keys(r.errors)) {
		out = append(out, ErrorCount{message, r.errors[message]})
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Records > out[j].Records })
	return out
}
