package kring

import "math/bits"

// loadTable says which partitions may get the next turn, and how often. It is
// immutable.
type loadTable struct {
	// partitions that may be chosen, in ascending order.
	partitions []int32

	// cumulative is the running sum of the partitions' weights, or nil if
	// they all weigh the same. With queues of 0, 3 and 1 batches, the
	// weights are 4, 1 and 3 (the longest queue + 1 - the queue), and the
	// sums 4, 5 and 8: of 8 turns, the first partition gets 4, the second 1.
	cumulative []uint64
}

// newLoadTable weighs the partitions. loads are the lengths of their queues;
// nil means that they do not count. available tells which have a leader, and a
// broker that takes batches; nil means that all do. The result is nil where
// there is nothing to weigh or to exclude, and also where no partition is
// available: then all are as good, and their records wait for a leader.
func newLoadTable(loads []int32, available []bool) *loadTable {
	count := max(len(loads), len(available))
	t := &loadTable{partitions: make([]int32, 0, count)}
	var longest int32
	level := true
	for p := range int32(count) {
		if available != nil && (int(p) >= len(available) || !available[p]) {
			continue
		}
		if n := loadOf(loads, p); len(t.partitions) == 0 {
			longest = n
		} else if n != longest {
			level = false
			longest = max(longest, n)
		}
		t.partitions = append(t.partitions, p)
	}
	switch {
	case len(t.partitions) == 0, level && len(t.partitions) == count:
		return nil
	case level:
		return t
	}
	t.cumulative = make([]uint64, len(t.partitions))
	var sum uint64
	for i, p := range t.partitions {
		sum += uint64(int64(longest) + 1 - int64(loadOf(loads, p)))
		t.cumulative[i] = sum
	}
	return t
}

// loadOf treats a partition that the loads do not cover yet as empty.
func loadOf(loads []int32, p int32) int32 {
	if int(p) >= len(loads) {
		return 0
	}
	return max(0, loads[p])
}

// at returns the partition of the n-th turn.
//
// Turns with weights walk over the sums in steps of the golden ratio. Like
// random numbers that gives every partition its share; unlike them it does so
// within few turns, and never gives one to the same partition for long.
func (t *loadTable) at(n uint32) int32 {
	if t.cumulative == nil {
		return t.partitions[n%uint32(len(t.partitions))]
	}
	sum := t.cumulative[len(t.cumulative)-1]
	point, _ := bits.Mul64(uint64(n)*fibonacci, sum)
	// The first sum above the point.
	lo, hi := 0, len(t.cumulative)-1
	for lo < hi {
		if mid := (lo + hi) / 2; t.cumulative[mid] > point {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return t.partitions[lo]
}

// holds reports whether turns may go to the partition.
func (t *loadTable) holds(partition int32) bool {
	lo, hi := 0, len(t.partitions)
	for lo < hi {
		if mid := (lo + hi) / 2; t.partitions[mid] < partition {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo < len(t.partitions) && t.partitions[lo] == partition
}

// choose returns the partition of the next turn.
func (s *stickyPartitioner) choose(partitions int32) int32 {
	n, t := s.next.Add(1), s.loads.Load()
	if s.backlog != nil {
		return leastBackedUp(n, partitions, t, s.backlog)
	}
	if t != nil {
		if p := t.at(n); p < partitions {
			return p
		}
		// The table is older than a topic that was created anew.
	}
	return int32(n % uint32(partitions))
}

// update replaces what the sender last said about the partitions; see
// newLoadTable for the arguments, which it does not keep. Turns that are under
// way at a partition that is no longer available end at once: its leader may be
// gone for long, and the records would wait for it.
func (s *stickyPartitioner) update(loads []int32, available []bool) {
	t := newLoadTable(loads, available)
	s.loads.Store(t)
	if t == nil {
		return
	}
	for i := range s.shards {
		sh := &s.shards[i]
		if turn := sh.turn.load(); turn != 0 && !t.holds(turn.partition()) {
			// If this fails, the shard is just being used: its turn
			// ends by itself, or in the next update.
			sh.turn.cas(turn, 0)
		}
	}
}
