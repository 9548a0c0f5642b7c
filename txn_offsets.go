package kring

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kring-go/kring/cluster"
)

// TopicPartition names a partition.
type TopicPartition struct {
	Topic     string
	Partition int32
}

func (tp TopicPartition) String() string { return partitionName(tp.Topic, tp.Partition) }

func partitionName(topic string, partition int32) string {
	return fmt.Sprintf("%s[%d]", topic, partition)
}

// Offset is where a group goes on reading a partition. Java:
// OffsetAndMetadata.
type Offset struct {
	// Offset is that of the next record to read: one after the last that was
	// processed.
	Offset int64

	// LeaderEpoch is that of the last record that was read; nil if it is not
	// known.
	LeaderEpoch *int32

	// Metadata is kept with the offset, for whoever reads it.
	Metadata string
}

// GroupMetadata identifies the consumer whose offsets are committed. With the
// member's id and generation the group's coordinator refuses a consumer that
// was declared dead meanwhile (KIP-447). Java: ConsumerGroupMetadata.
type GroupMetadata struct {
	// GroupID is the group's id; it must not be empty.
	GroupID string

	// MemberID and Generation are what the group has given to the consumer.
	// Without a MemberID the generation is of no account, and the coordinator
	// can check nothing.
	MemberID   string
	Generation int32

	// InstanceID is the group.instance.id of a static member; empty if there
	// is none.
	InstanceID string
}

// SendOffsets makes the offsets of a consumer part of the transaction: they
// count if and when it is committed. So what was consumed, and what was produced
// from it, becomes valid together. The consumer itself must not commit. It ends
// with ctx or after MaxBlock; every error but ErrTransactionState then leaves a
// transaction that can only be aborted. No offsets at all are no error. Java:
// sendOffsetsToTransaction.
func (p *Producer) SendOffsets(ctx context.Context, offsets map[TopicPartition]Offset, group GroupMetadata) error {
	const op = "SendOffsets"
	x, done, err := p.transactionCall(&ctx, op)
	if err != nil {
		return err
	}
	defer done()
	switch err := x.refuseUnless(op, txnActive); {
	case err != nil:
		return err
	case group.GroupID == "":
		return misplaced(op, "the group id is empty")
	case len(offsets) == 0:
		return nil
	}
	commit, err := x.offsetCommit(offsets, group)
	if err != nil {
		return err
	}
	ctx, cancel := x.bounded(ctx)
	defer cancel()
	if err = x.sendOffsets(ctx, group.GroupID, commit); err == nil {
		return nil
	}
	v := judge(err)
	x.fail(v)
	if v.fatal {
		return fatal(op, v.err)
	}
	return abortable(op, v.err)
}

func (x *transactions) offsetCommit(offsets map[TopicPartition]Offset, group GroupMetadata) (*cluster.OffsetCommit, error) {
	commit := &cluster.OffsetCommit{
		TransactionalID: x.p.cfg.transactionalID,
		Producer:        x.producer(),
		Generation:      -1,
		MemberID:        group.MemberID,
		InstanceID:      group.InstanceID,
		Implicit:        x.implicit.Load(),
	}
	if group.MemberID != "" {
		commit.Generation = group.Generation
	}
	for tp, o := range offsets {
		if o.Offset < 0 || tp.Partition < 0 {
			return nil, misplaced("SendOffsets", fmt.Sprintf("offset %d of %s: neither may be negative", o.Offset, tp))
		}
		offset := cluster.Offset{
			Topic: tp.Topic, Partition: tp.Partition,
			Offset: o.Offset, LeaderEpoch: -1, Metadata: o.Metadata,
		}
		if o.LeaderEpoch != nil {
			offset.LeaderEpoch = *o.LeaderEpoch
		}
		commit.Offsets = append(commit.Offsets, offset)
	}
	slices.SortFunc(commit.Offsets, func(a, b cluster.Offset) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return commit, nil
}

func (x *transactions) sendOffsets(ctx context.Context, group string, commit *cluster.OffsetCommit) error {
	x.mu.Lock()
	x.begun = true
	x.mu.Unlock()
	call := &cluster.Call{}
	defer x.noted(call)
	if !commit.Implicit {
		if err := x.coordinator.AddOffsets(ctx, call, commit.Producer, group); err != nil {
			return err
		}
	}
	k, ok := x.groups[group]
	if !ok {
		k = x.p.client.Coordinator(cluster.GroupCoordinator, group)
		x.groups[group] = k
	}
	err := k.CommitOffsets(ctx, call, commit)
	if code := (*cluster.CodeError)(nil); errors.As(err, &code) && KafkaError(code.Code) == UnsupportedVersion {
		return fmt.Errorf("the group's coordinator is too old for the transaction: %w", err)
	}
	return err
}
