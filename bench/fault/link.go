package fault

import (
	"sync"
	"sync/atomic"
	"time"
)

// weather is what holds on one broker's link. It never changes: the next one
// replaces it, and then closes changed.
type weather struct {
	delay   time.Duration // of answers
	rate    int64         // bytes per second; 0 is no limit
	hole    bool
	reset   bool
	stopped bool
	changed chan struct{}
}

// weatherOf joins the faults that concern a broker. No two of a kind do.
func weatherOf(faults []Fault, address string) *weather {
	w := &weather{changed: make(chan struct{})}
	for i := range faults {
		f := &faults[i]
		if !f.at(address) {
			continue
		}
		switch f.Kind {
		case Latency:
			w.delay = f.Delay
		case Bandwidth:
			w.rate = f.Rate
		case Reset:
			w.reset = true
		case Blackhole:
			w.hole = true
		case BrokerStop:
			w.stopped = true
		}
	}
	return w
}

// link is the way to one broker.
type link struct {
	address  string
	weather  atomic.Pointer[weather]
	up, down pace
	tunnels  map[*tunnel]struct{} // guarded by Proxy.mu
	waiting  func()               // Proxy's; see there
}

// ticket is one thing that wants to pass.
type ticket struct {
	pace   *pace // of its direction; nil takes no bandwidth
	size   int
	came   time.Time
	answer bool
	ended  <-chan struct{} // whoever waits is called off
}

// pass waits until some bytes of t may go on, and returns how many; a ticket of
// no bytes only waits for its turn. False: it was called off.
func (l *link) pass(t ticket) (int, bool) {
	var timer *time.Timer
	for {
		w := l.weather.Load()
		n, wait := w.admit(&t)
		if wait == 0 {
			return n, true
		}
		if l.waiting != nil {
			l.waiting()
		}
		var due <-chan time.Time
		if wait != forever {
			timer = time.NewTimer(wait)
			due = timer.C
		}
		select {
		case <-due:
		case <-w.changed:
		case <-t.ended:
			return 0, false
		}
		if timer != nil {
			timer.Stop()
		}
	}
}

const forever = time.Duration(-1)

// admit says how many bytes may pass now, or else how long to wait before asking
// again.
func (w *weather) admit(t *ticket) (n int, wait time.Duration) {
	if w.hole {
		return 0, forever
	}
	now := time.Now()
	if t.answer && w.delay > 0 {
		if rest := t.came.Add(w.delay).Sub(now); rest > 0 {
			return 0, rest
		}
	}
	if w.rate == 0 || t.pace == nil || t.size == 0 {
		return t.size, 0
	}
	return t.pace.take(now, t.size, w.rate)
}

// pace shares one direction's bandwidth: a bucket that fills with time.
type pace struct {
	mu     sync.Mutex
	rate   int64
	credit float64 // bytes
	last   time.Time
}

// paceBurst is how much may pass at once, as time at the full rate. It makes up
// for timers that wake up late.
const paceBurst = 10 * time.Millisecond

// take grants bytes, or says when to ask again. It gives no crumbs: at least half
// a burst, unless less is wanted.
func (p *pace) take(now time.Time, size int, rate int64) (granted int, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	perSecond := float64(rate)
	burst := max(perSecond*paceBurst.Seconds(), 1)
	if p.rate != rate {
		p.rate, p.credit, p.last = rate, 0, now
	}
	if gone := now.Sub(p.last); gone > 0 {
		p.credit = min(burst, p.credit+gone.Seconds()*perSecond)
		p.last = now
	}
	want := min(float64(size), max(burst/2, 1))
	if p.credit < want {
		// Rounded up: a wait of nothing would mean that bytes were granted.
		return 0, time.Duration((want-p.credit)/perSecond*1e9) + 1
	}
	granted = min(size, int(p.credit))
	p.credit -= float64(granted)
	return granted, 0
}
