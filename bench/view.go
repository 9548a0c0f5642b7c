package bench

import "time"

// View shows a run that is under way to people. Its methods are called by one
// goroutine, once per interval: what they take is taken from the machine that
// is being measured.
type View interface {
	Show(t Tick)
	// End takes the view away; the result comes next.
	End()
}

// Tick is what happened in one interval, and where the run stands.
type Tick struct {
	At       time.Duration // since the run's zero
	Phase    string        // warm-up or run
	Fault    string        // what disturbs the network now; "" is nothing
	Acked    uint64        // records since the start
	Failed   uint64
	InFlight int64   // given to the client, and not ended
	Rate     float64 // acknowledged records per second of the interval
	Bytes    float64 // of them, per second
	CPU      float64 // processors in use
	Buffer   float64 // share of the client's buffer in use; negative: not known

	Headline       string // what the percentiles are of: response or service
	P50, P99, P999 int64  // nanoseconds
	Lag            int64  // p99 of an open loop
	Open           bool

	// Rates and Marks are the last intervals' records per second and p99s. They
	// are good until Show returns.
	Rates, Marks []int64
}

// Buffered is a client that knows how full it is; Client may implement it. Any
// goroutine may ask.
type Buffered interface {
	// Buffered are the bytes in use and in all.
	Buffered() (used, total int64)
}

// buffer is the share in use.
func (r *run) buffer() float64 {
	if used, total := r.clients.buffered(); total > 0 {
		return float64(used) / float64(total)
	}
	return -1
}

// Sparkline draws values as bars from 0 to their maximum.
func Sparkline(values []int64) string { return sparkline(values) }
