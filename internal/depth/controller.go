package depth

// The law's constants. The simulation of the tests fails for much smaller and
// for much larger ones.
const (
	// window is the least number of overlapping requests judged together.
	window = 16
	// stale is how many windows' requests may pass within one window. A window
	// that takes longer has seen little of the limit, and begins anew.
	stale = 3
	// margin is how much of a place may be missing for a place to pay.
	margin = 0.3
	// fall is how much of a place must be superfluous before one is given up.
	// Together with margin it leaves a band in which a depth stays what it is.
	fall = 0.7
	// maxPatience is the longest pause between two probes, in windows.
	maxPatience = 64
	// firstRefresh and lastRefresh bound how many requests base is trusted
	// for. The first requests of a connection find a cold broker.
	firstRefresh, lastRefresh = 32, 512
	// fresh is how many requests go alone in a refresh.
	fresh = 2
	// gain is the inverse of a sample's weight in base, hasty that in a refresh,
	// which has few samples.
	gain, hasty = 8, 2
	// clip is how many times base one sample counts at most: a stall is not a
	// service time.
	clip = 2
)

// Controller is the gate of one connection; Reset makes it usable. All methods
// are for one goroutine at a time.
type Controller struct {
	ceiling int
	depth   int  // what the windows have shown to pay
	probing bool // depth+1 is being tried
	rising  bool // no window has confirmed depth since it was raised
	forced  bool

	base  int64 // d+s in ns; 0: unknown
	last  int64 // when the last answer came
	age   int   // requests since one was alone
	trust int   // age at which base needs a refresh
	solos int   // requests that the refresh has yet to see alone

	wait  int // windows until the next probe
	pause int // the patience: what wait begins at

	now   tally // of the window
	flood tally // of the requests that were sent by force
	asked bool  // a refusal was counted since the last answer
}

// tally is what a window has seen.
type tally struct {
	seen   int   // requests
	lapped int   // of them: took the last place beside others; their gaps are in gaps
	gaps   int64 // sum, in ns
	held   int   // requests held back, at most one for each answer
}

// Mark is what a Controller must be told again when a request's answer comes.
type Mark struct {
	sent  int64
	place int // how many were in flight, it included
	limit int // that it was sent under; 0: the gate was forced
}

// Reset begins anew, for a new connection that may have ceiling requests in
// flight. The gate begins wide open: until something was measured, nothing is
// held back.
func (c *Controller) Reset(ceiling int) {
	*c = Controller{ceiling: ceiling, depth: ceiling, pause: 1, wait: 1, trust: firstRefresh}
}

// Depth is how many requests may be in flight while the gate is not forced,
// nothing is tried and no refresh is due.
func (c *Controller) Depth() int { return c.depth }

// limit is how many may be in flight now.
func (c *Controller) limit() int {
	switch {
	case c.forced:
		return c.ceiling
	case c.age >= c.trust || c.solos > 0:
		return 1
	case c.probing:
		return c.depth + 1
	}
	return c.depth
}

// Force opens the gate to the ceiling, or ends that. The sender forces while
// more waits than one request can take.
func (c *Controller) Force(on bool) { c.forced = on }

// Open reports whether another request may be sent beside inFlight others. The
// caller has something to send: a refusal counts as demand.
func (c *Controller) Open(inFlight int) bool {
	if inFlight < c.limit() {
		return true
	}
	if !c.asked {
		c.asked = true
		c.now.held++
	}
	return false
}

// Sent notes a request that has just begun, at now in monotonic nanoseconds.
// inFlight includes it.
func (c *Controller) Sent(inFlight int, now int64) Mark {
	if c.forced {
		return Mark{sent: now, place: inFlight}
	}
	return Mark{sent: now, place: inFlight, limit: c.limit()}
}

// Answered notes the answer to the request of m. Answers come in the order of
// the requests.
func (c *Controller) Answered(m Mark, now int64) {
	last := c.last
	c.last, c.asked = now, false
	latency := now - m.sent
	if m.place == 1 {
		c.alone(latency)
	} else {
		c.age++
	}
	lapped := m.place > 1 && last > m.sent
	crowded := lapped && m.place == m.limit
	switch {
	case c.base == 0:
	case m.limit == 0:
		if lapped {
			c.flood.lap(now-last, c.base)
			c.overrule()
		}
	case m.limit == c.limit(): // else it is of a window that is over
		c.now.seen++
		if crowded { // with places to spare, the gap may be that of the records
			c.now.lap(now-last, c.base)
		}
		c.judge()
	}
}

func (t *tally) lap(gap, base int64) {
	t.lapped++
	t.gaps += min(gap, clip*base)
}

// pays estimates x.
func (t *tally) pays(base int64) float64 {
	return float64(base) * float64(t.lapped) / float64(max(t.gaps, 1))
}

// overrule raises the depth if what was sent by force shows that places paid.
// It never lowers it: requests that are full take the broker longer than those
// that base was measured with.
func (c *Controller) overrule() {
	if c.flood.lapped < window {
		return
	}
	x := c.flood.pays(c.base)
	c.flood = tally{}
	if x >= float64(c.depth+1)-margin && c.depth < c.ceiling {
		c.raise(min(int(x+margin), c.ceiling))
		c.now = tally{}
	}
}

// alone learns from a request that waited for no other.
func (c *Controller) alone(latency int64) {
	if c.age >= c.trust {
		c.trust = min(2*c.trust, lastRefresh)
		c.solos = fresh
	}
	c.age = 0
	weight := int64(gain)
	if c.solos > 0 {
		c.solos--
		weight = hasty
	}
	if c.base == 0 {
		c.base = latency
	}
	c.base = max(c.base+(min(latency, clip*c.base)-c.base)/weight, 1)
}

// judge ends the window if it is complete.
func (c *Controller) judge() {
	t, n := &c.now, c.limit()
	enough := n * ((window + n - 1) / n) // whole rounds: answers may come in bunches of n
	switch {
	case n == 1 && t.seen >= enough: // nothing overlaps, only a probe tells more
		c.consider()
	case t.lapped >= enough:
		c.settle()
	case t.seen >= stale*enough: // the limit was not what limited
		c.probing = false
	default:
		return
	}
	*t = tally{}
}

// settle draws the conclusion from a window at limit.
func (c *Controller) settle() {
	t := &c.now
	x := t.pays(c.base)
	switch {
	case c.probing && x >= float64(c.depth+1)-margin:
		c.raise(c.depth + 1)
	case c.probing:
		c.probing = false
		c.pause = min(2*c.pause, maxPatience)
		c.wait = c.pause
	case x < float64(c.depth)-fall:
		c.depth = max(int(x+margin), c.depth/2) // one bad window is not all
		if c.rising {                           // it should not have been raised
			c.pause = min(2*c.pause, maxPatience)
		}
		c.rising, c.wait = false, c.pause
	default:
		if c.rising {
			c.rising, c.pause = false, 1
		}
		c.consider()
	}
}

// raise goes up. Leaving 1, where every request measures base, it has base
// measured again soon: those moments may have been bad ones.
func (c *Controller) raise(to int) {
	if c.depth == 1 {
		c.trust = firstRefresh
	}
	c.depth, c.probing, c.rising = to, false, true
	c.wait = 1
}

// consider begins a probe if another place is in demand and the patience is
// over.
func (c *Controller) consider() {
	if c.depth == c.ceiling || c.now.held < c.now.seen/4 {
		return
	}
	if c.wait--; c.wait <= 0 {
		c.probing = true
		c.wait = c.pause
	}
}
