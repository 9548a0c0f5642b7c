package broker

import "time"

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
		done := max(idle, now) + takes
		if n.idle.CompareAndSwap(idle, done) {
			return time.Duration(done-now) + service
		}
	}
}
