package bench

import "time"

// Clock reads monotonic nanoseconds since some fixed instant. It is a value
// handed to everything that measures, so that tests can bring their own.
type Clock func() int64

// NewClock starts a monotonic clock at zero. time.Since reads the monotonic
// clock only, which costs about two thirds of time.Now.
func NewClock() Clock {
	start := time.Now()
	return func() int64 { return int64(time.Since(start)) }
}

// clockCost is the median price of one reading, so that a result can say how
// much of a latency is the measurement itself.
func clockCost(clock Clock) int64 {
	const rounds, reads = 9, 1000
	var costs [rounds]int64
	for i := range costs {
		start := clock()
		for range reads - 1 {
			clock()
		}
		costs[i] = (clock() - start) / reads
	}
	return median(costs[:])
}

// median sorts v in place; v is tiny.
func median(v []int64) int64 {
	for i := range v {
		for j := i; j > 0 && v[j] < v[j-1]; j-- {
			v[j], v[j-1] = v[j-1], v[j]
		}
	}
	return v[len(v)/2]
}
