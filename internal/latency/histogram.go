package latency

import (
	"math/bits"
	"sync/atomic"
	"time"
)

const (
	subBits = 4
	sub     = 1 << subBits
	longest = 1<<40 - 1 // ns; 18 minutes
	buckets = (40-subBits)*sub + sub
)

// Histogram counts durations. The zero Histogram is empty.
type Histogram struct {
	sum    atomic.Uint64 // ns
	counts [buckets]atomic.Uint64
}

// Record counts one duration. What is negative, because two clocks' readings
// overlapped, counts as 0.
func (h *Histogram) Record(ns int64) {
	v := uint64(min(max(ns, 0), longest))
	h.counts[bucketOf(v)].Add(1)
	h.sum.Add(v)
}

// bucketOf is v itself below 16. Above, it is the exponent and the four bits
// behind the first one.
func bucketOf(v uint64) int {
	if v < sub {
		return int(v)
	}
	shift := bits.Len64(v) - 1 - subBits
	return (shift+1)<<subBits | int(v>>shift)&(sub-1)
}

// highest is the largest value of a bucket.
func highest(bucket int) uint64 {
	if bucket < sub {
		return uint64(bucket)
	}
	shift := bucket>>subBits - 1
	return (uint64(bucket&(sub-1)|sub)+1)<<shift - 1
}

// Snapshot is what a Histogram held at one time. Counts that arrived while it
// was taken may be in it or not.
type Snapshot struct {
	Count  uint64
	Sum    time.Duration
	counts []uint64
}

// Snapshot copies the counts.
func (h *Histogram) Snapshot() Snapshot {
	s := Snapshot{Sum: time.Duration(h.sum.Load()), counts: make([]uint64, buckets)}
	for i := range h.counts {
		n := h.counts[i].Load()
		s.counts[i] = n
		s.Count += n
	}
	return s
}

// Quantile is a duration that the share q of all, 0 to 1, did not exceed; 0 if
// there are none.
func (s Snapshot) Quantile(q float64) time.Duration {
	if s.Count == 0 {
		return 0
	}
	rank := max(uint64(q*float64(s.Count)+0.5), 1)
	var seen uint64
	for i, n := range s.counts {
		if seen += n; seen >= rank {
			return time.Duration(highest(i))
		}
	}
	return time.Duration(longest)
}

// Mean is the average; 0 if there are none.
func (s Snapshot) Mean() time.Duration {
	if s.Count == 0 {
		return 0
	}
	return s.Sum / time.Duration(s.Count)
}

// Below counts the durations that are at most d, to the bucket's width.
func (s Snapshot) Below(d time.Duration) (n uint64) {
	for i, c := range s.counts {
		if highest(i) > uint64(max(d, 0)) {
			break
		}
		n += c
	}
	return n
}

// Since is what was recorded between an earlier snapshot and s.
func (s Snapshot) Since(earlier Snapshot) Snapshot {
	out := Snapshot{Count: s.Count - earlier.Count, Sum: s.Sum - earlier.Sum, counts: make([]uint64, len(s.counts))}
	copy(out.counts, s.counts)
	for i, n := range earlier.counts {
		out.counts[i] -= n
	}
	return out
}
