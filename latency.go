package kring

import (
	"time"

	"github.com/kring-go/kring/internal/latency"
)

// Latencies says where the time of records goes, from Produce to callback. The
// stages follow each other. Fill, Queue and Callback count batches, Write and
// Ack requests, retries included. They are always on; each costs an atomic add
// per batch or request, none per record.
type Latencies struct {
	// Fill is from a batch's first record until it is sealed, because it is
	// full, its linger is over, or somebody asked for it.
	Fill Latency
	// Queue is from then until the batch is taken for a request: it waits for a
	// leader, a connection, or for requests in flight. Its compression, if a
	// goroutine of its own does it, is here too.
	Queue Latency
	// Write is until the request has left for the socket. It is long when the
	// broker does not read.
	Write Latency
	// Ack is until the answer was read: network, broker and replicas.
	Ack Latency
	// Callback is until the batch's callbacks have run. It is long when
	// callbacks are slow, those of other batches included.
	Callback Latency
}

// Latencies takes a snapshot. It never blocks, and may be called at any time,
// also after Close. It copies 26 KiB: once a second is nothing, once per record
// is too much.
func (p *Producer) Latencies() Latencies {
	s := p.acc.Stages()
	return Latencies{
		Fill: Latency{s.Fill.Snapshot()}, Queue: Latency{s.Queue.Snapshot()}, Write: Latency{s.Write.Snapshot()},
		Ack: Latency{s.Ack.Snapshot()}, Callback: Latency{s.Callback.Snapshot()},
	}
}

// Since is what was recorded between an earlier snapshot and l.
func (l Latencies) Since(earlier Latencies) Latencies {
	return Latencies{
		Fill: l.Fill.Since(earlier.Fill), Queue: l.Queue.Since(earlier.Queue), Write: l.Write.Since(earlier.Write),
		Ack: l.Ack.Since(earlier.Ack), Callback: l.Callback.Since(earlier.Callback),
	}
}

// Latency is a distribution of durations, in buckets that are 6.25 % wide, from
// 1 ns to 18 minutes.
type Latency struct{ s latency.Snapshot }

// Count is the number of durations.
func (l Latency) Count() uint64 { return l.s.Count }

// Sum is all durations together.
func (l Latency) Sum() time.Duration { return l.s.Sum }

// Mean is the average duration; 0 if there is none.
func (l Latency) Mean() time.Duration { return l.s.Mean() }

// Quantile is a duration that the share q of all, from 0 to 1, did not exceed,
// and at most 6.25 % above the shortest such; 0 if there is none. Quantile(1)
// is the longest.
func (l Latency) Quantile(q float64) time.Duration { return l.s.Quantile(q) }

// Below counts the durations that were at most d, to the width of a bucket.
func (l Latency) Below(d time.Duration) uint64 { return l.s.Below(d) }

// Since is what was recorded between an earlier snapshot and l.
func (l Latency) Since(earlier Latency) Latency { return Latency{l.s.Since(earlier.s)} }
