package kring

import "sync/atomic"

// meters are what a broker measures for the metrics that are pushed, besides
// what the statistics and the stages have. Each is written by the holder of the
// broker's role: per request, or per batch.
type meters struct {
	latency  meter // of an answered request, from its first byte on
	throttle meter // that the broker asked for, in each answer
	queue    meter // of a batch, from its first record to its first request
}

// meter sums up durations in nanoseconds. One goroutine at a time adds, another
// one takes.
type meter struct {
	count, sum atomic.Uint64
	longest    atomic.Int64 // since it was taken
}

func (m *meter) add(ns int64) {
	ns = max(ns, 0)
	m.sum.Add(uint64(ns))
	m.count.Add(1)
	for old := m.longest.Load(); ns > old && !m.longest.CompareAndSwap(old, ns); old = m.longest.Load() {
	}
}

// meterWindow is what one or several meters have had since it was restarted.
type meterWindow struct {
	count, sum uint64
	longest    int64
}

// take empties m into w.
func (w *meterWindow) take(m *meter) {
	w.longest = max(w.longest, m.longest.Swap(0))
	w.sum += m.sum.Swap(0)
	w.count += m.count.Swap(0)
}

func (w *meterWindow) restart() { *w = meterWindow{} }
