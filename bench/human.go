package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// WritePlan prints what is about to happen, in two lines, and the faults in a third.
func WritePlan(w io.Writer, c *Config, lib Library, target string) {
	fmt.Fprintf(w, "kbench %s  client=%s %s  %s\n", Version(), lib.Name, lib.Version, target)
	loop := fmt.Sprintf("closed loop, flat out, %d sender%s", c.Senders, plural(c.Senders))
	if c.Outstanding > 0 {
		loop = fmt.Sprintf("closed loop, %d sender%s with %d outstanding", c.Senders, plural(c.Senders), c.Outstanding)
	}
	if c.Mode == ModeOpen {
		loop = fmt.Sprintf("open loop, %v %s rec/s, %d sender%s", c.Arrival, formatCount(c.Rate), c.Senders, plural(c.Senders))
	}
	if c.several() {
		loop += fmt.Sprintf(" in each of %d processes", c.Procs)
	}
	if c.Producers > 1 {
		loop += fmt.Sprintf(" of %d producers", c.Producers)
	}
	var length []string
	if c.Records > 0 {
		length = append(length, formatCount(c.Records)+" records")
	}
	if c.Duration > 0 {
		length = append(length, c.Duration.String())
	}
	bound := strings.Join(length, " or ")
	if c.Shard.on() {
		bound += fmt.Sprintf(" in all, shard %v from %s on", c.Shard, c.StartAt.UTC().Format(time.RFC3339))
	}
	switch {
	case c.WarmupRecords > 0:
		bound += fmt.Sprintf(" after %s of warm-up", formatCount(c.WarmupRecords))
	case c.Warmup > 0:
		bound += fmt.Sprintf(" after %v of warm-up", c.Warmup)
	}
	idempotent := "not idempotent"
	if c.Settings.Idempotent {
		idempotent = "idempotent"
	}
	size := sizeText(c.Sizes)
	switch {
	case c.Payload == PayloadText:
		size += " of text"
	case c.PayloadFile != nil:
		size = fmt.Sprintf("%d to %d B, of the %s in %s", c.Sizes.Min(), c.Sizes.Max(), formatCount(int64(c.PayloadFile.Values)), c.PayloadFile.Path)
	}
	if codec := c.Settings.Codec(); codec != CompressionNone {
		size += ", compressed with " + codec
	}
	fmt.Fprintf(w, "plan   %s, values of %s, keys %s, %s, %d partitions of %s, acks=%s, %s, linger %v, verify %s\n",
		loop, size, c.Keys, bound, c.Partitions, c.Settings.Topic, c.Settings.Acks, idempotent, c.Settings.Linger, c.Verify)
	if len(c.Faults) > 0 {
		var faults []string
		for i := range c.Faults {
			faults = append(faults, c.Faults[i].plan())
		}
		fmt.Fprintf(w, "faults %s\n", strings.Join(faults, ", "))
	}
}

// sizeText is the distribution, in bytes where it is a single number.
func sizeText(s Sizes) string {
	if s.Min() == s.Max() {
		return fmt.Sprintf("%d B", s.Max())
	}
	return s.String()
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// WriteResult prints the table of KBENCH's sessions.
func WriteResult(w io.Writer, r *Result) {
	fmt.Fprintf(w, "%-10s %9s %9s %9s %9s %9s %9s %13s\n", "RESULT", "p50", "p90", "p99", "p99.9", "p99.99", "max", "n")
	serviceNote := "hand-over to ack"
	if r.Workload.Mode == ModeClosed && r.Workload.Outstanding == 0 && r.Workload.BusyNs == 0 {
		serviceNote += " (flat out: this is the depth of the queue)"
	}
	writeLatency(w, "response", r.Latency.Response, "intended send to ack")
	writeLatency(w, "service", r.Latency.Service, serviceNote)
	writeLatency(w, "call", r.Latency.Call, "time your goroutine pays")
	writeLatency(w, "lag", r.Latency.Lag, "intended send to hand-over")
	e2eNote := "intended send to consumer"
	if r.Workload.Mode == ModeClosed {
		e2eNote = "hand-over to consumer"
	}
	writeLatency(w, "e2e", r.Latency.E2E, e2eNote)
	writeRate(w, r)
	c := &r.Cost
	fmt.Fprintf(w, " cost    %.3f CPU-s/Mrec (user %.3f, sys %.3f)   %.4f allocs/rec   GC %d (max %s)   RSS %s   ctx-sw %.4f/rec\n",
		c.CPUPerRecordNs/1e3, perMillion(c.CPUUserNs, r), perMillion(c.CPUSysNs, r), c.AllocsPerRecord,
		c.GCCount, formatNanos(c.GCPauseMaxNs), formatBytes(float64(c.RSSPeakBytes)),
		ratio(c.CtxswVol+c.CtxswInvol, r.Totals.WindowAcked))
	writeVerify(w, &r.Verify)
	for i, e := range r.Errors {
		if i == 5 {
			fmt.Fprintf(w, " error   and %d other kinds\n", len(r.Errors)-i)
			break
		}
		fmt.Fprintf(w, " error   %s x %s\n", formatCount(e.Records), e.Message)
	}
	for _, e := range r.Events {
		fmt.Fprintf(w, " %-7s %s at %v\n", e.Kind, e.Detail, time.Duration(e.TNs).Round(time.Millisecond))
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(w, " note    %s\n", warning)
	}
	if r.Shard != nil {
		fmt.Fprintf(w, " shard   %d of 0 to %d: these are its own numbers; kbench report and kbench hist merge them\n", r.Shard.Index, r.Shard.Of-1)
	}
	if r.SLO != nil {
		verdict := "met"
		if !r.SLO.Met {
			verdict = "BREACHED: " + strings.Join(r.SLO.Breaches, "; ")
		}
		fmt.Fprintf(w, " slo     %s: %s\n", r.SLO.Expression, verdict)
	}
	fmt.Fprintln(w, verdictLine(r))
}

// WriteDistributions prints the percentiles of histograms.
func WriteDistributions(w io.Writer, list []*Distribution) {
	fmt.Fprintf(w, "%-10s %9s %9s %9s %9s %9s %9s %13s\n", "HISTOGRAM", "p50", "p90", "p99", "p99.9", "p99.99", "max", "n")
	for _, d := range list {
		note := map[string]string{
			"response": "intended send to ack", "service": "hand-over to ack", "call": "time your goroutine pays",
			"lag": "intended send to hand-over", "e2e": "send to consumer",
		}[d.Name]
		writeLatency(w, d.Name, d.Latency(), note)
	}
}

func writeLatency(w io.Writer, name string, l *Latency, note string) {
	if l == nil {
		return
	}
	if l.Sampled > 1 {
		note += fmt.Sprintf(" (1/%d sampled)", l.Sampled)
	}
	fmt.Fprintf(w, " %-9s %9s %9s %9s %9s %9s %9s %13s   <- %s\n", name,
		formatNanos(l.P50), formatNanos(l.P90), formatNanos(l.P99), formatNanos(l.P999), formatNanos(l.P9999),
		formatNanos(l.Max), formatCount(int64(l.N)), note)
	if l.Overflow > 0 {
		fmt.Fprintf(w, " %-9s %s records took more than 60 s\n", "", formatCount(int64(l.Overflow)))
	}
}

func writeRate(w io.Writer, r *Result) {
	t := &r.Totals
	size := 0.0
	if t.Sent > 0 {
		size = float64(t.Bytes) / float64(t.Sent)
	}
	if r.Workload.Mode == ModeOpen {
		fmt.Fprintf(w, " rate    offered %s/s  achieved %s/s (%.2f %%)   %s/s",
			formatCount(r.Workload.RateTarget), formatCount(int64(t.RateAchieved)),
			100*t.RateAchieved/float64(r.Workload.RateTarget), formatBytes(t.RateAchieved*size))
	} else {
		fmt.Fprintf(w, " rate    %s rec/s   %s/s", formatCount(int64(t.RateAchieved)), formatBytes(t.RateAchieved*size))
	}
	if t.Batches != nil && *t.Batches > 0 {
		fmt.Fprintf(w, "   batches of %.0f rec", float64(t.Sent+t.Warmup)/float64(*t.Batches))
	}
	if t.Requests != nil && t.WindowNs > 0 {
		fmt.Fprintf(w, "   %s requests", formatCount(*t.Requests))
	}
	fmt.Fprintf(w, "   acked %s  failed %s", formatCount(t.Acked), formatCount(t.Failed+t.Rejected))
	if t.Unresolved != 0 {
		fmt.Fprintf(w, "  UNRESOLVED %s", formatCount(t.Unresolved))
	}
	fmt.Fprintf(w, "  in %v\n", time.Duration(t.WindowNs).Round(time.Millisecond))
}

// WriteVerify prints what a verification found.
func WriteVerify(w io.Writer, v *VerifyResult) { writeVerify(w, v) }

func writeVerify(w io.Writer, v *VerifyResult) {
	if v.Mode == VerifyNone {
		return
	}
	fmt.Fprintf(w, " verify  %s read back (%s): %s lost, %s duplicated, %s reordered, %s corrupt",
		formatCount(v.Read), strings.Join(v.Checked, ", "), formatCount(v.Lost), formatCount(v.Duplicated),
		formatCount(v.Reordered), formatCount(v.Corrupt))
	if v.Misplaced != nil && *v.Misplaced > 0 {
		fmt.Fprintf(w, ", %d partitions with other offsets than acknowledged", *v.Misplaced)
	}
	if n := v.CompletedTwice + v.Stray; n > 0 {
		fmt.Fprintf(w, ", %s completions too many", formatCount(n))
	}
	fmt.Fprintln(w)
	for _, p := range v.Problems {
		fmt.Fprintf(w, "         %s\n", p)
	}
	for _, note := range []string{v.Note, v.Incomplete} {
		if note != "" {
			fmt.Fprintf(w, "         %s\n", note)
		}
	}
}

// verdictLine is the last line: what the run is worth.
func verdictLine(r *Result) string {
	switch {
	case r.Partial:
		return "PARTIAL  interrupted: the result covers what was sent until then"
	case r.Verify.Failed():
		return "FAILED   verification: what the log holds is not what was acknowledged"
	case r.Totals.Failed+r.Totals.Rejected+r.Totals.Unresolved > 0:
		return "ERRORS   not every record was acknowledged"
	case !r.Valid:
		return "INVALID  " + strings.Join(r.InvalidReasons, "; ")
	case slices.Contains(r.Verify.Checked, "bytes") && !slices.Contains(r.Verify.Checked, "order"):
		if slices.Contains(r.Verify.Checked, "offsets") {
			return "VALID    every acknowledged record is in the log, once, byte for byte, where it was acknowledged"
		}
		return "VALID    every acknowledged record is in the log, once, byte for byte"
	case slices.Contains(r.Verify.Checked, "offsets"):
		return "VALID    every acknowledged record is in the log, once, in order, byte for byte, where it was acknowledged"
	case slices.Contains(r.Verify.Checked, "bytes") && !slices.Contains(r.Verify.Checked, "count"):
		return "VALID    every acknowledged record is in the log, once, in order, byte for byte"
	case r.Verify.Mode != VerifyNone:
		return "VALID    as many records are in the log as were acknowledged"
	}
	return "VALID"
}

func perMillion(ns int64, r *Result) float64 { return ratio(ns, r.Totals.WindowAcked) / 1e3 }

func ratio(n, of int64) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}
