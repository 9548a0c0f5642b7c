package metric

import "github.com/kring-go/kring/bench"

// memory are the metrics of memory and of who collects it. Those of Go's runtime
// are unknown for a library that keeps its records elsewhere; Java says how often
// it collected, and for how long.
func memory() []Metric {
	nanos := func(v float64) string { return bench.FormatNanos(int64(v)) }
	known := func(v *int64) (float64, bool) {
		if v == nil {
			return 0, false
		}
		return float64(*v), true
	}
	return []Metric{
		{
			ID: "allocs", Title: "allocations per record", Unit: "allocs/rec", format: number(4, ""),
			value: func(r *bench.Result) (float64, bool) {
				return r.Cost.AllocsPerRecord, r.Cost.HeapLiveBytes != nil || r.Cost.Allocs > 0
			},
		},
		{
			ID: "rss", Title: "peak memory", Unit: "rss-bytes", format: bench.FormatBytes,
			value: func(r *bench.Result) (float64, bool) { return float64(r.Cost.RSSPeakBytes), true },
		},
		{
			ID: "heap", Title: "live heap", Unit: "heap-bytes", format: bench.FormatBytes,
			value: func(r *bench.Result) (float64, bool) { return known(r.Cost.HeapLiveBytes) },
		},
		{
			ID: "backlog", Title: "backlog", Unit: "backlog-bytes", format: bench.FormatBytes, Higher: true,
			value: backlog,
		},
		{
			ID: "gc", Title: "GC cycles", Unit: "gc", format: number(0, ""),
			value: func(r *bench.Result) (float64, bool) {
				return float64(r.Cost.GCCount), r.Cost.GCPauseTotalNs != nil || r.Cost.GCCount > 0
			},
		},
		{
			ID: "gcpause", Title: "longest GC pause", Unit: "gc-pause-ns", format: nanos,
			value: func(r *bench.Result) (float64, bool) {
				return float64(r.Cost.GCPauseMaxNs), r.Cost.GCPauseTotalNs != nil || r.Cost.GCPauseMaxNs > 0
			},
		},
		{
			ID: "gctotal", Title: "GC pauses", Unit: "gc-pauses-ns", format: nanos,
			value: func(r *bench.Result) (float64, bool) { return known(r.Cost.GCPauseTotalNs) },
		},
		{
			ID: "gccpu", Title: "GC share of CPU", Unit: "gc-cpu-share", format: func(v float64) string { return number(1, " %")(v * 100) },
			value: func(r *bench.Result) (float64, bool) {
				v, ok := known(r.Cost.GCCPUNs)
				all := r.Cost.CPUUserNs + r.Cost.CPUSysNs
				return v / float64(max(all, 1)), ok && all > 0
			},
		},
	}
}

// backlog is how many bytes of keys and values waited in the client, on average:
// by Little's law what leaves in a second, times the seconds that it stays. It is
// only known flat out, where a record's time is all waiting.
func backlog(r *bench.Result) (float64, bool) {
	l, t := r.Latency.Service, &r.Totals
	if l == nil || t.Sent == 0 || r.Workload.Mode != bench.ModeClosed {
		return 0, false
	}
	return t.RateAchieved * float64(l.Mean) / 1e9 * float64(t.Bytes) / float64(t.Sent), true
}
