package kring

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"

	"github.com/kring-go/kring/cluster"
)

// This file applies what an answer says about one topic: its id, its
// partitions and who leads them. Everything here is under metadata.mu.

func (p *Producer) applyTopic(t *Topic, info *cluster.Topic, moved *[]*partition) (incomplete bool) {
	code := KafkaError(info.ErrorCode)
	before := t.state.err
	t.state.err = nil
	defer t.tellMissing(before)
	if code == 0 && len(info.Partitions) == 0 {
		t.state.err = errNoPartitions // no topic is without; nobody could choose one
		return true
	}
	if code != 0 && len(info.Partitions) == 0 {
		t.state.err = code
		// What is known stays: a broker that starts up may not know the
		// topic yet, and its sequences must not restart.
		return code.Retriable()
	}
	recreated := t.takeID(info.ID)
	parts := t.grow(info)
	changed := 0
	for i := range info.Partitions {
		q, in := (*parts)[info.Partitions[i].Index], &info.Partitions[i]
		leader := p.meta.leader(q, in.Leader)
		if leader == nil {
			leader, incomplete = p.nowhere, true
		}
		old := q.leader.Load()
		if q.takeLeader(leader, in.LeaderEpoch, recreated) {
			*moved = append(*moved, q)
			if old != p.nowhere {
				changed++
			}
		}
	}
	t.tellLeaders(changed)
	if t.sticky.Load() == nil { // before parts: who sees parts uses it
		t.sticky.Store(t.newSticky((*parts)[0].BatchSize(), rand.Uint32()))
	}
	if t.known.Load() == nil { // before parts too
		t.inform(*parts)
	}
	t.parts.Store(parts)
	t.inform(*parts) // after it: nobody is told of partitions that parts does not have
	t.updateSticky()
	return incomplete
}

var errNoPartitions = errors.New("the broker lists the topic without partitions")

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
		q := &partition{topic: t, epoch: -1, lastBase: -1, lastOffset: -1, lane: p.lanes.of(uint64(t.order), int32(i)), bulk: p.cfg.isBulk(t.name)}
		q.acks, q.timeout = p.cfg.acksOf(t.name), int64(p.cfg.deliveryTimeoutOf(t.name))
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
	if t.p.cfg.adaptive && !t.p.cfg.leastBackedUp {
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
	q.follow(leader)
	return true
}

// hint applies a leader that a Produce response named.
func (m *metadata) hint(p *Producer, q *partition, leader, epoch int32, host string, port int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if epoch <= q.epoch {
		return
	}
	if host != "" && port > 0 && port < 1<<16 {
		m.node(leader, net.JoinHostPort(host, strconv.Itoa(int(port))))
	}
	b := m.leader(q, leader)
	if b == nil {
		return
	}
	q.epoch = epoch
	p.log.Debug("kring: a broker has named the new leader", "partition", partitionName(q.Topic, q.Index), "leader", leader)
	q.follow(b) // the caller is q's sender: it looks again after this
}
