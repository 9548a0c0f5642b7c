package ledger

import (
	"fmt"
	"slices"
	"time"
)

// Latency is the distribution of the response time of a paced run: from the
// moment at which a record was due to its completion, so that a producer that
// stops accepting records does not look faster for it.
type Latency struct {
	Count               int
	P50, P90, P99, P999 time.Duration
	Max                 time.Duration
}

// Latency sums up the completions that were acknowledged.
func (b *Book) Latency() Latency {
	sorted := make([]int64, 0, len(b.latency))
	for i := range b.latency {
		if b.state[i].Load() == stateAcked {
			sorted = append(sorted, b.latency[i].Load())
		}
	}
	slices.Sort(sorted)
	return summarise(sorted)
}

func summarise(sorted []int64) Latency {
	if len(sorted) == 0 {
		return Latency{}
	}
	// Nearest rank: the smallest value that this share of all does not exceed.
	at := func(perMille int) time.Duration {
		rank := (len(sorted)*perMille + 999) / 1000
		return time.Duration(sorted[max(0, rank-1)])
	}
	return Latency{
		Count: len(sorted), P50: at(500), P90: at(900), P99: at(990), P999: at(999), Max: at(1000),
	}
}

func (l Latency) String() string {
	round := func(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
	return fmt.Sprintf("%d records: p50 %v, p90 %v, p99 %v, p99.9 %v, max %v",
		l.Count, round(l.P50), round(l.P90), round(l.P99), round(l.P999), round(l.Max))
}
