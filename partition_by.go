package kring

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/kring-go/kring/accum"
)

// ErrPartitioner is returned by Produce when the Partitioner of PartitionBy
// panicked. The record was not accepted.
var ErrPartitioner = errors.New("kring: the partitioner failed")

// Partitioner chooses the partition of every record that does not name one; see
// PartitionBy. Its methods are called by many goroutines at once, on the way of
// every record: they must not block.
//
// One that counts should also be a TopicPartitioner, since a count shared by
// several topics is even over none of them.
type Partitioner interface {
	// Partition returns where r goes: a number from 0 to p.Count()-1, or
	// BuiltInPartition for the choice that the built-in partitioner makes. It is
	// called once for each record, never for a retry. Any other number makes
	// Produce return ErrInvalidPartition, and a panic ErrPartitioner; the
	// record is then not accepted. It must not keep the slices of r.
	Partition(r Record, p Partitions) int32
}

// BuiltInPartition is what a Partitioner returns for a record that the built-in
// partitioner should place.
const BuiltInPartition int32 = math.MinInt32

// errBuiltIn says that the built-in partitioner is to choose. It goes nowhere.
var errBuiltIn = errors.New("kring: left to the built-in partitioner")

// TopicPartitioner is a Partitioner with state for each topic.
type TopicPartitioner interface {
	Partitioner
	// ForTopic returns the one to use for a topic; nil is the built-in one. It
	// is called when a producer first uses the topic, more than once if
	// several goroutines are the first: one result is used. A panic there is
	// the ErrPartitioner of every record to the topic.
	ForTopic(topic string) Partitioner
}

// RefusalObserver is a Partitioner that wants to hear of the records that were
// not accepted after all, because memory was full, say. One that gives out turns
// needs it: a turn that is lost where calls fail in a rhythm is always the turn
// of the same partition.
type RefusalObserver interface {
	Partitioner
	// Refused is called with what Partition returned.
	Refused(partition int32)
}

// PartitionerFunc is a function as a Partitioner.
type PartitionerFunc func(r Record, p Partitions) int32

// Partition calls f.
func (f PartitionerFunc) Partition(r Record, p Partitions) int32 { return f(r, p) }

// Partitions is what a Partitioner and Topic.Partitions are told about a topic: how
// many partitions it has, and which of them have a leader at the moment. It is a snapshot, at
// most about as old as the last answer of the cluster.
type Partitions struct {
	count     int32
	available []int32 // ascending; immutable
}

// NewPartitions describes a topic, for the tests of a Partitioner.
func NewPartitions(count int32, available ...int32) Partitions {
	own := slices.Clone(available)
	slices.Sort(own)
	return Partitions{count: count, available: slices.Compact(own)}
}

// Count is the number of partitions, at least 1.
func (p Partitions) Count() int32 { return p.count }

// Available is the number of partitions that have a leader; it may be 0. A
// record to another one waits for a leader, up to DeliveryTimeout.
func (p Partitions) Available() int { return len(p.available) }

// AvailableAt returns the i-th partition that has a leader, in ascending order.
// It panics unless 0 ≤ i < Available().
func (p Partitions) AvailableAt(i int) int32 { return p.available[i] }

// IsAvailable reports whether the partition has a leader.
func (p Partitions) IsAvailable(partition int32) bool {
	_, ok := slices.BinarySearch(p.available, partition)
	return ok
}

// ByKey is where the built-in partitioner, and Java's, put a record with the
// key, whether that partition has a leader or not.
func (p Partitions) ByKey(key []byte) int32 { return partitionForKey(key, p.count) }

// partitionerOf is the partitioner of a topic, nil for the built-in one.
func (p *Producer) partitionerOf(topic string) (by Partitioner) {
	pl := &p.cfg.pipeline
	by, ok := pl.byTopic[topic]
	if !ok {
		by = pl.partitioner
	}
	if t, ok := by.(TopicPartitioner); ok && checkTopic(topic) == nil {
		defer func() {
			if v := recover(); v != nil {
				by = PartitionerFunc(func(Record, Partitions) int32 { panic(v) })
			}
		}()
		by = t.ForTopic(topic)
	}
	return by
}

// inform tells t's own partitioner what there is. It is called under
// metadata.mu.
func (t *Topic) inform(parts []*partition) {
	if t.by == nil {
		return
	}
	known := partitionsOf(parts, t.p.nowhere)
	t.known.Store(&known)
}

// appendCustom puts the record where t's own partitioner wants it.
func (t *Topic) appendCustom(ctx context.Context, r *Record, rec *accum.Record, budget *blockBudget, how call) (*partition, accum.Ticket, error) {
	own := *r
	own.Topic = t.name
	known := *t.known.Load()
	chosen, err := t.ask(own, known)
	if err != nil {
		return nil, 0, err
	}
	if chosen == BuiltInPartition {
		return nil, 0, errBuiltIn
	}
	if chosen < 0 || chosen >= known.count {
		return nil, 0, fmt.Errorf("%w: the partitioner %T chose partition %d for a record to topic %q, which has %d partitions: the record was not accepted",
			ErrInvalidPartition, t.by, chosen, t.name, known.count)
	}
	// Loaded after known, parts is at least as long.
	q, ticket, err := t.append(ctx, (*t.parts.Load())[chosen], rec, budget, how)
	if err != nil {
		t.tellRefused(chosen)
	}
	return q, ticket, err
}

// ask calls user code.
func (t *Topic) ask(r Record, known Partitions) (partition int32, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %T panicked for a record to topic %q, which was not accepted: %v", ErrPartitioner, t.by, t.name, v)
		}
	}()
	return t.by.Partition(r, known), nil
}

// tellRefused calls user code.
func (t *Topic) tellRefused(partition int32) {
	o, ok := t.by.(RefusalObserver)
	if !ok {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			t.p.log.Error("kring: a partitioner panicked when it was told of a refused record; the record is not affected",
				"partitioner", fmt.Sprintf("%T", t.by), "topic", t.name, "partition", partition, "panic", v)
		}
	}()
	o.Refused(partition)
}
