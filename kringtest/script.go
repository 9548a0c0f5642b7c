package kringtest

import (
	"slices"
	"sync"

	"github.com/kring-go/kring/bench/broker"
)

// Script is a sequence of faults at work in a Cluster.
type Script struct {
	cluster *Cluster
	faults  []Fault

	lifted   chan struct{} // closed by Lift
	liftOnce sync.Once

	// Under the cluster's mutex.
	current int // index of the fault that is met next
	left    int // how often the current one is still met; 0: for ever
	met     int
	waiters []waiter
}

// waiter is a channel that Wait gave out.
type waiter struct {
	n       int
	reached chan struct{}
}

// OnProduce lets Produce requests meet faults, one after the other: the second
// begins when the first has been met as often as its Times says. So only the
// last may be without one. It works from the next request on, until it is used
// up, lifted, or the test ends.
func (c *Cluster) OnProduce(faults ...Fault) *Script {
	c.tb.Helper()
	s := &Script{cluster: c, faults: slices.Clone(faults), lifted: make(chan struct{})}
	for i, f := range faults {
		switch {
		case f.inflict == nil:
			c.tb.Fatalf("kringtest: OnProduce: fault %d is a zero Fault: use Fail, Delay, Stall, …", i+1)
		case f.wrong != "":
			c.tb.Fatalf("kringtest: OnProduce: %v: %s", f, f.wrong)
		case int(f.node) > len(c.Addrs()):
			c.tb.Fatalf("kringtest: OnProduce: %v: At(%d): the ids are 1 to %d", f, f.node, len(c.Addrs()))
		case f.times == 0 && i < len(faults)-1:
			c.tb.Fatalf("kringtest: OnProduce: %v has no Times, so %v behind it never begins", f, faults[i+1])
		}
	}
	if len(faults) > 0 {
		s.left = faults[0].times
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scripts = append(c.scripts, s)
	return s
}

// Lift ends the script, and what stalls because of it goes on. It may be called
// more than once.
func (s *Script) Lift() {
	s.liftOnce.Do(func() {
		c := s.cluster
		c.mu.Lock()
		s.current = len(s.faults)
		c.mu.Unlock()
		close(s.lifted)
	})
}

// Met counts the requests that have met a fault of the script. A test that
// wants a fault to have happened should look: one that was never met proves
// nothing.
func (s *Script) Met() int {
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	return s.met
}

// Wait returns a channel that is closed when n requests or more have met a
// fault of the script: to act while a request stalls. It stays open if that
// never happens.
func (s *Script) Wait(n int) <-chan struct{} {
	reached := make(chan struct{})
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	s.waiters = append(s.waiters, waiter{n, reached})
	s.tell()
	return reached
}

// tell closes the channels of those whose number is reached.
func (s *Script) tell() {
	s.waiters = slices.DeleteFunc(s.waiters, func(w waiter) bool {
		if s.met < w.n {
			return false
		}
		close(w.reached)
		return true
	})
}

// lift ends every script.
func (c *Cluster) lift() {
	c.mu.Lock()
	scripts := c.scripts
	c.mu.Unlock()
	for _, s := range scripts {
		s.Lift()
	}
}

// hook is the embedded broker's: it asks every script about a request.
func (c *Cluster) hook(info *broker.ProduceInfo) broker.Action {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := request{info: info}
	for _, s := range c.scripts {
		r.script = s
		s.look(&r)
	}
	return r.action
}

// look inflicts the current fault on a request that it concerns.
func (s *Script) look(r *request) {
	if s.current >= len(s.faults) {
		return
	}
	f := s.faults[s.current]
	if f.node != 0 && f.node != r.info.Node || !f.concerns(r.info) || !f.inflict(r, f) {
		return
	}
	s.met++
	s.tell()
	if f.times == 0 {
		return
	}
	if s.left--; s.left == 0 {
		if s.current++; s.current < len(s.faults) {
			s.left = s.faults[s.current].times
		}
	}
}

// concerns reports whether the request has a batch that the fault is about.
func (f Fault) concerns(info *broker.ProduceInfo) bool {
	for i := range info.Partitions {
		if f.matches(&info.Partitions[i]) {
			return true
		}
	}
	return false
}

// eitherOf returns a channel that is closed when release or the script's end
// comes. Its goroutine ends then too, at the latest with the test.
func (s *Script) eitherOf(release <-chan struct{}) <-chan struct{} {
	if release == nil {
		return s.lifted
	}
	either := make(chan struct{})
	go func() {
		defer close(either)
		select {
		case <-release:
		case <-s.lifted:
		}
	}()
	return either
}
