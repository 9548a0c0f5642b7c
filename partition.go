package kring

import (
	"sync/atomic"

	"github.com/kring-go/kring/accum"
)

// partition is one partition as the sender sees it.
type partition struct {
	*accum.Partition
	topic *Topic

	// home is the broker whose role owns the sender side of the partition.
	// Only that role moves it, and only with nothing in flight.
	home atomic.Pointer[broker]
	// leader is where the partition should be, as metadata has it.
	leader atomic.Pointer[broker]
	epoch  int32 // leader epoch; under meta.mu

	lane *accum.Lane // of its callbacks; immutable
	bulk bool        // gives way to others; immutable

	acks    int16 // of its requests; immutable
	timeout int64 // of delivery, in nanoseconds; immutable

	load atomic.Int32 // queued batches, for the adaptive partitioner; written by the role of home

	// lastBatch is the size of the batch that left last; written by the role
	// of home.
	lastBatch atomic.Int32

	// Owned by the role of home.
	pending bool // stands in home's pend list
	slow    bool // stands in home's slow list
	inSend  int  // requests of home that carry a batch of this partition
	// lastOffset is of the record that was acknowledged last, and lastBase of
	// the first one of its batch; -1: not known.
	lastBase, lastOffset int64

	// The number of the last transaction that the partition is in, and of that
	// to which somebody was asked to add it (under transactions.mu).
	joined atomic.Uint64
	asked  uint64
}

// PartitionReady is called by whoever has news for the sender.
func (q *partition) PartitionReady(*accum.Partition) {
	home := q.home.Load()
	home.enqueue(q)
	home.kick()
}
