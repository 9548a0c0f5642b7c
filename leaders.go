package kring

import (
	"net"
	"strconv"

	"github.com/kring-go/kring/cluster"
)

// This file applies what an answer says about one topic: its id, its
// partitions and who leads them. Everything here is under metadata.mu.

// takeID remembers the topic's id and reports whether it is another topic than
// before.
func (t *Topic) takeID(id [16]byte) (recreated bool) {
	old := *t.id.Load()
	if id == old || id == [16]byte{} {
		return false
	}
	t.id.Store(&id)
	return old != [16]byte{}
}

// grow makes the partitions that are new. Partitions are never taken away:
// what was produced to one that is gone has to get its error from a broker.
func (t *Topic) grow(info *cluster.Topic) *[]*partition {
	p := t.p
	var parts []*partition
	if known := t.parts.Load(); known != nil {
		parts = *known
	}
	n := 0
	for i := range info.Partitions {
		n = max(n, int(info.Partitions[i].Index)+1)
	}
	grown := append(make([]*partition, 0, max(n, len(parts))), parts...)
	for i := len(parts); i < n; i++ {
		q := &partition{topic: t, epoch: -1, lane: p.lanes.of(uint64(t.order), int32(i))}
		q.home.Store(p.nowhere)
		q.leader.Store(p.nowhere)
		q.Partition = p.acc.Make(t.name, int32(i), q)
		p.acc.Publish(q.Partition) // after the store: Close may look at q from now on
		grown = append(grown, q)
	}
	return &grown
}

// updateSticky tells the partitioner which partitions have a leader that takes
// batches.
func (t *Topic) updateSticky() {
	s := t.sticky.Load()
	parts := *t.parts.Load()
	available := make([]bool, len(parts))
	var loads []int32
	if t.p.cfg.adaptive {
		loads = make([]int32, len(parts))
	}
	now := t.p.clock.Now()
	for i, q := range parts {
		leader := q.leader.Load()
		available[i] = leader != t.p.nowhere && !leader.unavailable(now)
		if loads != nil {
			loads[i] = q.load.Load()
		}
	}
	t.p.preferRack(parts, available)
	s.update(loads, available)
}

// takeLeader applies one answer about q's leader, unless it is older than what
// is known. It reports whether the sender must look at q.
func (q *partition) takeLeader(leader *broker, epoch int32, recreated bool) (moved bool) {
	if epoch >= 0 && epoch < q.epoch && !recreated {
		return false
	}
	if epoch >= 0 {
		q.epoch = epoch
	}
	if q.leader.Load() == leader {
		return false
	}
	q.leader.Store(leader)
	return true
}

// hint applies a leader that a Produce response named.
func (m *metadata) hint(p *Producer, q *partition, leader, epoch int32, host string, port int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if epoch <= q.epoch {
		return
	}
	b := m.leader(p, leader)
	if host != "" && port > 0 && port < 1<<16 {
		b = m.broker(p, leader, net.JoinHostPort(host, strconv.Itoa(int(port))))
	}
	if b == nil {
		return
	}
	q.epoch = epoch
	q.leader.Store(b) // the caller is q's sender: it looks again after this
}
