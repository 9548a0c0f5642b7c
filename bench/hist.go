package bench

import (
	"math/bits"
	"sync/atomic"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The geometry of every histogram: nanoseconds, three digits, 1 ns to 60 s.
const (
	histMax      = 60_000_000_000
	histDigits   = 3
	histHalf     = 1024 // half of the 2048 sub-buckets that three digits take
	histHalfBits = 10
	histBuckets  = 26 // histHalf<<26 exceeds histMax
	histCounts   = (histBuckets + 1) * histHalf
)

// hist is an HdrHistogram that several goroutines may record into: the counts
// are atomics, and nothing else is shared. A client may complete the records
// of one sender from several goroutines, which the library's type forbids.
type hist struct {
	counts   [histCounts]atomic.Uint64
	overflow atomic.Uint64
	// max is exact, where the counts are rounded to three digits.
	max atomic.Int64
}

// record adds one value. Values outside the range are counted, never clamped.
func (h *hist) record(ns int64) {
	if ns < 0 {
		ns = 0
	}
	if ns > histMax {
		h.overflow.Add(1)
		h.raise(ns)
		return
	}
	h.counts[histIndex(ns)].Add(1)
	h.raise(ns)
}

func (h *hist) raise(ns int64) {
	for old := h.max.Load(); ns > old; old = h.max.Load() {
		if h.max.CompareAndSwap(old, ns) {
			return
		}
	}
}

// histIndex is the position of a value in counts: bucket b > 0 holds the
// values whose highest bit is histHalfBits+b, in steps of 1<<b; bucket 0 holds
// everything below two halves, in steps of one.
func histIndex(ns int64) int {
	b := bits.Len64(uint64(ns)|(2*histHalf-1)) - histHalfBits - 1
	return b*histHalf + int(ns>>b)
}

// histValue is the highest value that lands at index i.
func histValue(i int) int64 {
	b := max(i/histHalf-1, 0)
	return (int64(i-b*histHalf)+1)<<b - 1
}

// snapshot is a plain copy of one or several histograms' counts.
type snapshot struct {
	counts   []uint64
	n        uint64
	overflow uint64
	max      int64
}

func newSnapshot() *snapshot { return &snapshot{counts: make([]uint64, histCounts)} }

// reset forgets everything, so that a snapshot can be used again.
func (s *snapshot) reset() {
	clear(s.counts)
	s.n, s.overflow, s.max = 0, 0, 0
}

// add merges h into s. Counts add up, so merging loses nothing.
func (s *snapshot) add(h *hist) {
	for i := range h.counts {
		c := h.counts[i].Load()
		s.counts[i] += c
		s.n += c
	}
	over := h.overflow.Load()
	s.overflow += over
	s.n += over
	s.max = max(s.max, h.max.Load())
}

// quantileSince returns a quantile of what was recorded after old was taken.
// Both must have been merged from the same histograms. old may be nil.
func (s *snapshot) quantileSince(old *snapshot, q float64) int64 {
	before := func(int) uint64 { return 0 }
	n := s.n
	if old != nil {
		before = func(i int) uint64 { return old.counts[i] }
		n -= old.n
	}
	if n == 0 {
		return 0
	}
	// Rounded as HdrHistogram rounds, so that both tell the same value.
	rank := min(max(uint64(q*float64(n)+0.5), 1), n)
	seen := uint64(0)
	for i, c := range s.counts {
		if seen += c - before(i); seen >= rank {
			return min(histValue(i), s.max)
		}
	}
	return s.max // The rank lies among the overflowed values.
}

// mean is computed from the middle of every step.
func (s *snapshot) mean() float64 {
	sum, n := 0.0, uint64(0)
	for i, c := range s.counts {
		if c == 0 {
			continue
		}
		b := max(i/histHalf-1, 0)
		low := histValue(i) - (1<<b - 1)
		sum += float64(c) * (float64(low) + float64(int64(1)<<b-1)/2)
		n += c
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// lowest is the smallest recorded value, rounded to three digits.
func (s *snapshot) lowest() int64 {
	for i, c := range s.counts {
		if c > 0 {
			b := max(i/histHalf-1, 0)
			return histValue(i) - (1<<b - 1)
		}
	}
	return 0
}

// hdr copies the counts into the library's type, which knows the interchange
// format.
func (s *snapshot) hdr() *hdrhistogram.Histogram {
	h := hdrhistogram.New(1, histMax, histDigits)
	for i, c := range s.counts {
		if c > 0 {
			// The range is the same, so no value can be out of it.
			_ = h.RecordValues(histValue(i), int64(c))
		}
	}
	return h
}

// hists are the distributions of a shard; nil where the run has none.
type hists struct {
	response, lag, wake *hist // of an open loop
	service, call       *hist
	e2e                 *hist // with --e2e
}

func newHists(c *Config) hists {
	h := hists{service: new(hist), call: new(hist)}
	if c.Mode == ModeOpen {
		h.response, h.lag, h.wake = new(hist), new(hist), new(hist)
	}
	if c.E2E {
		h.e2e = new(hist)
	}
	return h
}
