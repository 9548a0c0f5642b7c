package bench

import (
	"math"
	"runtime/metrics"
)

// usage is what the operating system has charged to this process so far.
type usage struct {
	userNs, sysNs         int64
	ctxswVol, ctxswInvol  int64
	rssPeakBytes          int64
	stealTicks, stealBase int64 // of the machine: stolen, and all
}

// meter is one reading of everything that Cost is the difference of.
type meter struct {
	usage
	wallNs  int64 // wall clock, against clock steps
	samples []metrics.Sample
}

// The runtime's numbers, in the order in which meter keeps them.
const (
	metricAllocs = iota
	metricTiny
	metricBytes
	metricGCs
	metricPauses
	metricSched
	metricGCCPU
	metricLive
)

func newMeter() *meter {
	names := [...]string{
		metricAllocs: "/gc/heap/allocs:objects",
		metricTiny:   "/gc/heap/tiny/allocs:objects",
		metricBytes:  "/gc/heap/allocs:bytes",
		metricGCs:    "/gc/cycles/total:gc-cycles",
		metricPauses: "/sched/pauses/total/gc:seconds",
		metricSched:  "/sched/latencies:seconds",
		metricGCCPU:  "/cpu/classes/gc/total:cpu-seconds",
		metricLive:   "/gc/heap/live:bytes",
	}
	m := &meter{samples: make([]metrics.Sample, len(names))}
	for i, name := range names {
		m.samples[i].Name = name
	}
	return m
}

// read takes all numbers now.
func (m *meter) read(wallNs int64) {
	m.wallNs = wallNs
	metrics.Read(m.samples)
	m.usage = readUsage()
}

func (m *meter) count(metric int) uint64 {
	if v := m.samples[metric].Value; v.Kind() == metrics.KindUint64 {
		return v.Uint64()
	}
	return 0
}

func (m *meter) seconds(metric int) float64 {
	if v := m.samples[metric].Value; v.Kind() == metrics.KindFloat64 {
		return v.Float64()
	}
	return 0
}

func (m *meter) histogram(metric int) *metrics.Float64Histogram {
	if v := m.samples[metric].Value; v.Kind() == metrics.KindFloat64Histogram {
		return v.Float64Histogram()
	}
	return &metrics.Float64Histogram{}
}

// costBetween is what happened from one reading to the other, for records
// acknowledged records.
func costBetween(from, to *meter, records int64) Cost {
	c := Cost{
		CPUUserNs:    to.userNs - from.userNs,
		CPUSysNs:     to.sysNs - from.sysNs,
		AllocBytes:   to.count(metricBytes) - from.count(metricBytes),
		GCCount:      to.count(metricGCs) - from.count(metricGCs),
		RSSPeakBytes: to.rssPeakBytes,
		CtxswVol:     to.ctxswVol - from.ctxswVol,
		CtxswInvol:   to.ctxswInvol - from.ctxswInvol,
	}
	// Tiny objects share blocks; the runtime counts the objects separately.
	c.Allocs = to.count(metricAllocs) + to.count(metricTiny) - from.count(metricAllocs) - from.count(metricTiny)
	if records > 0 {
		c.CPUPerRecordNs = float64(c.CPUUserNs+c.CPUSysNs) / float64(records)
		c.AllocsPerRecord = float64(c.Allocs) / float64(records)
	}
	var pauses int64
	c.GCPauseP99Ns, c.GCPauseMaxNs, pauses = histogramDelta(from.histogram(metricPauses), to.histogram(metricPauses))
	c.SchedLatencyP99Ns, _, _ = histogramDelta(from.histogram(metricSched), to.histogram(metricSched))
	live := int64(to.count(metricLive))
	collecting := int64((to.seconds(metricGCCPU) - from.seconds(metricGCCPU)) * 1e9)
	c.GCPauseTotalNs, c.GCCPUNs, c.HeapLiveBytes = &pauses, &collecting, &live
	c.SyscallsMethod = "n/a"
	if to.stealBase > from.stealBase {
		steal := (to.stealTicks - from.stealTicks) * nsPerTick
		c.StealNs = &steal
	}
	return c
}

// forgetRuntime takes back what is the Go runtime's, for a library that keeps
// its records elsewhere.
func (c *Cost) forgetRuntime() {
	c.Allocs, c.AllocBytes, c.AllocsPerRecord = 0, 0, 0
	c.GCCount, c.GCPauseP99Ns, c.GCPauseMaxNs = 0, 0, 0
	c.GCPauseTotalNs, c.GCCPUNs, c.HeapLiveBytes = nil, nil, nil
}

// nsPerTick is the unit of /proc/stat, fixed at 100 Hz for programs.
const nsPerTick = 10_000_000

// histogramDelta returns the p99, the upper end and the sum of what was added
// between two readings of one of the runtime's histograms, by the upper edges of
// its buckets.
func histogramDelta(from, to *metrics.Float64Histogram) (p99, highest, sum int64) {
	total := uint64(0)
	for i, c := range to.Counts {
		total += c
		if i < len(from.Counts) {
			total -= from.Counts[i]
		}
	}
	seen := uint64(0)
	for i, c := range to.Counts {
		if i < len(from.Counts) {
			c -= from.Counts[i]
		}
		if c == 0 {
			continue
		}
		edge := to.Buckets[i+1]
		if math.IsInf(edge, 1) {
			edge = to.Buckets[i]
		}
		highest = int64(edge * 1e9)
		sum += highest * int64(c)
		if seen*100 < total*99 {
			p99 = highest
		}
		seen += c
	}
	return p99, highest, sum
}
