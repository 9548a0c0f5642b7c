// Package latency counts durations in buckets that any number of goroutines may
// fill at once, without a lock and without allocating.
//
//	Record ──► bucket of the duration, one atomic add ──► Snapshot ──► Quantile
//
// A bucket is a sixteenth of a power of two wide, so what a quantile says is at
// most 6.25 % above what was recorded. It covers 1 ns to 18 minutes; what is
// longer counts as that. It is for figures that are always on. Load tests use a
// library's histograms, which are finer and bigger.
package latency
