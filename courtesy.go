package kring

import (
	"runtime"
	"sync/atomic"
	"time"
)

// courtesy keeps callers of Produce from starving the callbacks of their own
// records. Goroutines that compute and never block keep their processors for 10
// ms at a time; what a turn of theirs made runnable, the completion goroutine,
// waits behind them as long, although the answers are there.
//
//	turn ─► answers ─► token ─► completion goroutine, runnable: does it run?
//	  ▲                              │ yes: nothing to do
//	  └── the next turn ◄── no, for courtesyAfter: starved; give way to it
//
// While starved, every caller whose turn asked for the completion goroutine gives
// way at once: it is the next to run on that processor. Where processors are free
// it has started long before, and nobody gives way.
type courtesy struct {
	seen    atomic.Uint64 // Lane.Asked when it was first found odd
	since   atomic.Int64  // monotonic ns of that
	starved atomic.Int64  // until when the completion goroutine counts as starved
}

const (
	courtesyAfter = 100 * time.Microsecond
	courtesyLasts = 100 * time.Millisecond
)

// afterTurn is called by whoever has left a broker's role. It holds no lock.
func (p *Producer) afterTurn() {
	lane := p.lanes.sole()
	if lane == nil {
		return
	}
	asked := lane.Asked()
	if asked%2 == 0 {
		return
	}
	if p.courtesy.due(asked, p.clock.Now()) {
		runtime.Gosched()
	}
}

// due says whether to give way at now. Callers race for the two words; at worst
// one of them gives way once too often or too late.
func (c *courtesy) due(asked uint64, now int64) bool {
	if now < c.starved.Load() {
		return true
	}
	if c.seen.Load() != asked {
		c.seen.Store(asked)
		c.since.Store(now)
		return false
	}
	if now-c.since.Load() < int64(courtesyAfter) {
		return false
	}
	c.starved.Store(now + int64(courtesyLasts))
	return true
}
