package kring

import (
	"sync"
	"sync/atomic"
)

// RoundRobin returns a Partitioner that gives each record of a topic to the next
// partition that has a leader, with a key or without. Every partition gets the
// same number of records, exactly: no partition is skipped when a batch begins
// or a record is refused, as happens in Java (KAFKA-9965). It fills the batches
// of all partitions at once, so they are smaller, and more, than those of the
// built-in partitioner: prefer that one unless counts must be even.
func RoundRobin() Partitioner { return new(roundRobin) }

// roundRobin is the state of one topic.
type roundRobin struct {
	next atomic.Uint64

	// returned counts the turns in turns, which were given out and not used.
	// They go first, so there are never more than callers.
	returned atomic.Int32
	mu       sync.Mutex
	turns    []int32
}

func (*roundRobin) ForTopic(string) Partitioner { return new(roundRobin) }

func (rr *roundRobin) Partition(_ Record, p Partitions) int32 {
	if rr.returned.Load() > 0 {
		if turn, ok := rr.takeBack(); ok && (p.IsAvailable(turn) || p.Available() == 0) {
			return turn
		}
	}
	n := rr.next.Add(1) - 1
	if a := p.Available(); a > 0 {
		return p.AvailableAt(int(n % uint64(a)))
	}
	return int32(n % uint64(p.Count()))
}

func (rr *roundRobin) Refused(partition int32) {
	rr.mu.Lock()
	defer rr.mu.Unlock()
	rr.turns = append(rr.turns, partition)
	rr.returned.Store(int32(len(rr.turns)))
}

// takeBack returns a turn that was not used.
func (rr *roundRobin) takeBack() (partition int32, ok bool) {
	rr.mu.Lock()
	defer rr.mu.Unlock()
	n := len(rr.turns) - 1
	if n < 0 {
		return 0, false
	}
	partition = rr.turns[n]
	rr.turns = rr.turns[:n]
	rr.returned.Store(int32(n))
	return partition, true
}
