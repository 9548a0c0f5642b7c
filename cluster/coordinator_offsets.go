package cluster

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// OffsetCommit is what a producer commits for a group within a transaction.
type OffsetCommit struct {
	TransactionalID string
	Producer        ProducerID
	Generation      int32 // -1: not of a member
	MemberID        string
	InstanceID      string // empty: none
	Offsets         []Offset
	// Implicit belongs to TransactionVersion 2: the group's coordinator adds
	// the offsets to the transaction by itself.
	Implicit bool
}

// Offset is the offset of one partition.
type Offset struct {
	Topic       string
	Partition   int32
	Offset      int64
	LeaderEpoch int32 // -1: unknown
	Metadata    string
}

// CommitOffsets sends the offsets to the coordinator of a group. The error is a
// *CodeError of the first partition that was refused.
func (k *Coordinator) CommitOffsets(ctx context.Context, call *Call, c *OffsetCommit) error {
	response, err := k.request(ctx, call, func(v *Versions) (kmsg.Request, error) {
		lowest, newest := int16(0), int16(newestOffsetCommit)
		if c.Implicit {
			lowest, newest = implicitOffsetCommit, implicitOffsetCommit
		}
		version, err := pick(v, "TxnOffsetCommit", keyTxnOffsetCommit, lowest, newest)
		req := kmsg.NewPtrTxnOffsetCommitRequest()
		req.SetVersion(version)
		req.TransactionalID, req.Group = c.TransactionalID, k.key
		req.ProducerID, req.ProducerEpoch = c.Producer.ID, c.Producer.Epoch
		req.Generation, req.MemberID = c.Generation, c.MemberID
		if c.InstanceID != "" {
			req.InstanceID = kmsg.StringPtr(c.InstanceID)
		}
		req.Topics = offsetTopics(c.Offsets)
		return req, err
	}, func(r kmsg.Response) int16 { return worst(offsetCodes(r)) })
	if err != nil {
		return err
	}
	for _, p := range offsetCodes(response) {
		if err := k.refused(p.Code, "TxnOffsetCommit"); err != nil {
			return err
		}
	}
	return nil
}

func offsetTopics(offsets []Offset) []kmsg.TxnOffsetCommitRequestTopic {
	var topics []kmsg.TxnOffsetCommitRequestTopic
	at := make(map[string]int)
	for _, o := range offsets {
		i, ok := at[o.Topic]
		if !ok {
			i = len(topics)
			at[o.Topic] = i
			topics = append(topics, kmsg.NewTxnOffsetCommitRequestTopic())
			topics[i].Topic = o.Topic
		}
		p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		p.Partition, p.Offset, p.LeaderEpoch = o.Partition, o.Offset, o.LeaderEpoch
		p.Metadata = kmsg.StringPtr(o.Metadata)
		topics[i].Partitions = append(topics[i].Partitions, p)
	}
	return topics
}

func offsetCodes(r kmsg.Response) []PartitionCode {
	var codes []PartitionCode
	for _, t := range r.(*kmsg.TxnOffsetCommitResponse).Topics {
		for _, p := range t.Partitions {
			codes = append(codes, PartitionCode{t.Topic, p.Partition, p.ErrorCode})
		}
	}
	return codes
}
