package broker

import "time"

// slack is how far behind its schedule a node may catch up: a timer that was
// late costs no throughput, and what was idle for longer saves nothing up.
const slack = 100 * time.Millisecond

// work takes a place for a Produce request of size bytes in what the node has
// to do, and says how long its answer has to wait: until everything before it
// is done at Config.Throughput, whichever connection it came from, and then its
// own Config.Service.
func (n *node) work(size int) time.Duration {
	service := n.b.cfg.Service
	if n.b.cfg.Throughput == 0 {
		return service
	}
	now := int64(time.Since(n.b.started))
	takes := int64(float64(size) / float64(n.b.cfg.Throughput) * float64(time.Second))
	for {
		idle := n.idle.Load()
		done := max(idle, now-int64(slack)) + takes
		if n.idle.CompareAndSwap(idle, done) {
			return max(0, time.Duration(done-now)) + service
		}
	}
}
