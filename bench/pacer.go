package bench

import (
	"fmt"
	"math/bits"
	"runtime"
	"time"
)

// schedule is the absolute timetable of an open loop: record n of the run is
// intended at n/rate seconds after the start, or about then (see arrivals). It is computed from n each time,
// so neither rounding nor a late record moves any later one.
type schedule struct {
	rate    uint64 // records per second, all senders together
	senders uint64 // of all shards
	first   uint64 // the number of this shard's first sender
	// arrivals is nil for the constant timetable.
	arrivals *arrivals
}

// intended is when the sender's record seq is due, in nanoseconds since the
// start of the run.
func (s schedule) intended(sender int, seq uint64) int64 {
	n := seq*s.senders + s.first + uint64(sender)
	if s.arrivals != nil {
		return s.arrivals.due(n, s.rate)
	}
	return whenConstant(n, s.rate)
}

// before is how many records of a sender are intended before t.
func (s schedule) before(sender int, t int64) uint64 {
	if t <= 0 {
		return 0
	}
	// The first n with n*1e9/rate >= t is ceil(t*rate/1e9).
	hi, lo := bits.Mul64(uint64(t), s.rate)
	n, rest := bits.Div64(hi, lo, uint64(time.Second))
	if rest > 0 {
		n++
	}
	if s.arrivals != nil { // a block early at most
		n += s.arrivals.block
	}
	k := s.first + uint64(sender)
	if n <= k {
		return 0
	}
	count := (n - k + s.senders - 1) / s.senders
	if s.arrivals == nil {
		return count
	}
	from := uint64(0)
	for from < count {
		if middle := from + (count-from)/2; s.intended(sender, middle) < t {
			from = middle + 1
		} else {
			count = middle
		}
	}
	return count
}

// pacer waits for instants. One belongs to each sender; only its goroutine
// calls it.
type pacer interface {
	// wait returns about d nanoseconds later, sooner when stop was called.
	wait(d int64)
	// stop wakes a waiting goroutine, and makes every later wait return at
	// once. Any goroutine may call it.
	stop()
	// close releases the pacer after its last wait.
	close()
}

// Pacing methods; docs/adr/0006-pacing.md has the measurements.
const (
	// PacerAuto takes nanosleep where senders leave a processor free, and
	// timerfd where they do not.
	PacerAuto = "auto"
	// PacerNanosleep blocks the sender's thread in clock_nanosleep.
	PacerNanosleep = "nanosleep"
	// PacerTimerfd parks the sender on a timerfd in the runtime's poller.
	PacerTimerfd = "timerfd"
	// PacerSleep is time.Sleep: portable, and about half a millisecond late.
	PacerSleep = "sleep"
)

// resolvePacer turns auto into the method that this run will use. A goroutine
// in a blocking system call keeps its processor until the runtime's monitor
// takes it away, so senders may sleep there only while they are fewer than the
// processors; otherwise they would starve the client that they measure.
func resolvePacer(method string, senders int) (string, error) {
	switch method {
	case "", PacerAuto:
		switch {
		case runtime.GOOS != "linux":
			return PacerSleep, nil
		case senders < runtime.GOMAXPROCS(0):
			return PacerNanosleep, nil
		default:
			return PacerTimerfd, nil
		}
	case PacerNanosleep, PacerTimerfd:
		if runtime.GOOS != "linux" {
			return "", fmt.Errorf("pacer %q needs Linux", method)
		}
		return method, nil
	case PacerSleep:
		return method, nil
	}
	return "", fmt.Errorf("pacer %q is not auto, nanosleep, timerfd or sleep", method)
}

// sleepPacer waits for a timer of the runtime.
type sleepPacer struct {
	timer   *time.Timer
	stopped chan struct{}
}

func newSleepPacer() *sleepPacer {
	return &sleepPacer{timer: time.NewTimer(time.Hour), stopped: make(chan struct{})}
}

func (p *sleepPacer) wait(d int64) {
	p.timer.Reset(time.Duration(d))
	select {
	case <-p.stopped:
	case <-p.timer.C:
	}
}

func (p *sleepPacer) stop()  { close(p.stopped) }
func (p *sleepPacer) close() { p.timer.Stop() }
