package kring

import (
	"runtime"
	"sync/atomic"
	"time"
)

// courtesy keeps callers of Produce from starving the callbacks of their own
// records. Goroutines that compute and never block keep their processors for 10
// ms at a time; what a turn of theirs made runnable, a completion goroutine, waits
// behind them as long, although the answers are there.
//
//	turn ─► answers ─► token ─► completion goroutine, runnable: does it run?
//	  ▲                              │ yes: nothing to do
//	  └── the next turn ◄── no, for courtesyAfter: starved; give way to it
//
// While starved, every caller who finds a completion goroutine asked for gives way
// at once: what waits for that processor runs, whichever lane's it is, and then
// the caller goes on. Where processors are free the goroutine has started long
// before, and nobody gives way.
type courtesy struct {
	starved atomic.Int64  // until when completion goroutines count as starved
	turns   atomic.Uint64 // where to look, of more than courtesyLook lanes
	lanes   []laneAsked   // by lane
}

// laneAsked is what callers have seen of a lane.
type laneAsked struct {
	seen  atomic.Uint64 // Lane.Asked when it was first found odd
	since atomic.Int64  // monotonic ns of that
}

const (
	courtesyAfter = 100 * time.Microsecond
	courtesyLasts = 100 * time.Millisecond
	// courtesyLook is at how many lanes a caller looks after a turn: a load each.
	courtesyLook = 16
)

// afterTurn is called by whoever has left a broker's role. It holds no lock.
func (p *Producer) afterTurn() {
	c, all := &p.courtesy, p.lanes.all
	from, n := 0, len(all)
	if n > courtesyLook {
		from, n = int(c.turns.Add(1)*courtesyLook%uint64(n)), courtesyLook
	}
	for k := range n {
		i := (from + k) % len(all)
		if asked := all[i].Asked(); asked%2 != 0 && c.due(i, asked, p.clock.Now()) {
			runtime.Gosched() // once: every goroutine that waits here is before us then
			return
		}
	}
}

// due says whether to give way at now to the goroutine of lane i. Callers race for
// the words; at worst one of them gives way once too often or too late.
func (c *courtesy) due(i int, asked uint64, now int64) bool {
	if now < c.starved.Load() {
		return true
	}
	l := &c.lanes[i]
	if l.seen.Load() != asked {
		l.seen.Store(asked)
		l.since.Store(now)
		return false
	}
	if now-l.since.Load() < int64(courtesyAfter) {
		return false
	}
	c.starved.Store(now + int64(courtesyLasts))
	return true
}
