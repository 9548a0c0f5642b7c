package kring

import (
	"errors"
	"time"
)

// This file is what the log is told about brokers and topics, where saying it
// each time would say it too often. Every method of broker is for the holder of
// the role, every one of Topic is under metadata.mu. What several connections
// to one broker meet is told once, so what was told is the node's.

// throttledEvery spaces the lines about one broker's throttling.
const throttledEvery = 30 * time.Second

// tellThrottled says that a quota slows the producer down.
func (b *broker) tellThrottled(d int64) {
	told := &b.node.throttled
	last := told.Load()
	if last != 0 && b.env.Now-last < int64(throttledEvery) || !told.CompareAndSwap(last, b.env.Now) {
		return
	}
	b.log.Warn("kring: a broker throttles this producer: it exceeds a quota",
		"broker", b.id, "for", time.Duration(d), "answers", b.p.stats.throttles.Load())
}

// tellUnreachable says that a broker can not be connected to: after 1, 2, 4, 8
// attempts, and so on.
func (b *broker) tellUnreachable(err error) {
	if n := b.failures; n&(n-1) == 0 && b.node.worse(int32(n)) {
		b.log.Warn("kring: a broker can not be reached", "broker", b.id, "address", *b.addr.Load(), "attempts", n, "error", err)
	}
}

// worse says that nobody has told of so many attempts yet.
func (n *node) worse(attempts int32) bool {
	for told := n.failures.Load(); told < attempts; told = n.failures.Load() {
		if n.failures.CompareAndSwap(told, attempts) {
			return true
		}
	}
	return false
}

// tellMissing says that the brokers do not know a topic, once until they do, or
// until they give another reason.
func (t *Topic) tellMissing(before error) {
	if err := t.state.err; err != nil && !errors.Is(before, err) {
		t.p.log.Warn("kring: a topic has no partitions to produce to", "topic", t.name, "error", err)
	}
}

// tellLeaders says that partitions have moved.
func (t *Topic) tellLeaders(moved int) {
	if moved > 0 {
		t.p.log.Info("kring: partitions have another leader", "topic", t.name, "partitions", moved)
	}
}
