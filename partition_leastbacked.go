package kring

// LeastBackedUpPartitioning gives each turn of records without a key to the
// partition with the fewest batches that have no outcome, in place of a share of
// turns that shrinks as its queue grows (AdaptivePartitioning, which has no effect
// then). A broker that slows down gets nothing more before the others are as far
// behind; partitions get uneven numbers of records as soon as brokers differ. Of
// equals, the turns go round. The default is off. Like franz-go's
// LeastBackupPartitioner, but that keys still decide where there are any; Java
// has none. As a property it is kring.partitioner.least.backed.up=true.
func LeastBackedUpPartitioning() Option {
	return option(func(c *config) { c.leastBackedUp = true })
}

// leastBackedUpProperty is kring's own.
const leastBackedUpProperty = "kring.partitioner.least.backed.up"

// mostCompared bounds the partitions that are compared for one turn, and with
// them what a turn costs where a topic has thousands.
const mostCompared = 256

// leastBackedUp is the partition of the n-th turn: of those that t holds, or all
// of them, the one with the shortest backlog. They are looked at from the n-th
// on, so that of equals each has its turn.
func leastBackedUp(n uint32, partitions int32, t *loadTable, backlog func(int32) int32) int32 {
	count := uint32(partitions)
	at := func(i uint32) int32 { return int32(i % count) }
	if t != nil && t.partitions[len(t.partitions)-1] < partitions { // else older than a topic that was created anew
		count = uint32(len(t.partitions))
		at = func(i uint32) int32 { return t.partitions[i%count] }
	}
	best := at(n)
	least := backlog(best)
	for i := uint32(1); i < min(count, mostCompared) && least > 0; i++ {
		if p := at(n + i); backlog(p) < least {
			best, least = p, backlog(p)
		}
	}
	return best
}

// backlog is how many batches of a partition have no outcome.
func (t *Topic) backlog(partition int32) int32 {
	if parts := *t.parts.Load(); int(partition) < len(parts) {
		return parts[partition].Incomplete()
	}
	return 0
}

// newSticky makes t's partitioner of records without a key.
func (t *Topic) newSticky(batchSize int, seed uint32) *stickyPartitioner {
	s := newStickyPartitioner(batchSize, seed)
	if t.p.cfg.leastBackedUp {
		s.backlog = t.backlog
	}
	return s
}
