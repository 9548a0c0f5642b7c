package cluster

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The newest versions that are asked for. Those of the first kind are what a
// client speaks to coordinators without implicit adding, see TransactionVersion;
// clients leave the later versions of AddPartitionsToTxn to
// brokers.
const (
	newestAddPartitions = 3
	newestAddOffsets    = 4
	newestEndTxn        = 4
	newestOffsetCommit  = 4

	// implicitEndTxn and implicitOffsetCommit are for transactions
	// to which brokers add partitions by themselves, and only for those.
	implicitEndTxn       = 5
	implicitOffsetCommit = 5
)

// ProducerID is a producer's id and epoch.
type ProducerID struct {
	ID    int64
	Epoch int16
}

// refused turns a code into an error.
func (k *Coordinator) refused(code int16, request string) error {
	if code == codeNone {
		return nil
	}
	return &CodeError{Code: code, Context: request + " of " + k.String()}
}

// pick is Versions.Pick with an error that says what is missing.
func pick(v *Versions, name string, key, lowest, newest int16) (int16, error) {
	version, ok := v.Pick(key, lowest, newest)
	if !ok {
		return 0, v.unsupported(name, key, lowest, newest)
	}
	return version, nil
}

// InitProducerID gets the producer id of the transactional id under a new
// epoch, and ends a transaction that an earlier epoch has left. With an id of
// -1 it fences every other producer of the same transactional id. With the
// present id and epoch it is refused if another producer came meanwhile
// (KIP-360).
func (k *Coordinator) InitProducerID(ctx context.Context, call *Call, timeout time.Duration, present ProducerID) (ProducerID, error) {
	response, err := k.request(ctx, call, func(v *Versions) (kmsg.Request, error) {
		lowest := int16(0)
		if present.ID >= 0 {
			lowest = 3 // older ones have no present epoch, and would fence whoever came meanwhile
		}
		version, err := pick(v, "InitProducerId", keyInitProducerID, lowest, newestInitProducerID)
		req := kmsg.NewPtrInitProducerIDRequest()
		req.SetVersion(version)
		req.TransactionalID = kmsg.StringPtr(k.key)
		req.TransactionTimeoutMillis = int32(timeout.Milliseconds())
		req.ProducerID, req.ProducerEpoch = present.ID, present.Epoch
		return req, err
	}, func(r kmsg.Response) int16 { return r.(*kmsg.InitProducerIDResponse).ErrorCode })
	if err != nil {
		return ProducerID{}, err
	}
	m := response.(*kmsg.InitProducerIDResponse)
	if err := k.refused(m.ErrorCode, "InitProducerId"); err != nil {
		return ProducerID{}, err
	}
	return k.usable(m.ProducerID, m.ProducerEpoch)
}

func (k *Coordinator) usable(id int64, epoch int16) (ProducerID, error) {
	if !usableID(id, epoch) {
		return ProducerID{}, &ProtocolError{Address: k.String(), Reason: fmt.Sprintf(
			"it gave out producer id %d with epoch %d", id, epoch)}
	}
	return ProducerID{ID: id, Epoch: epoch}, nil
}

// PartitionCode is the answer for one partition.
type PartitionCode struct {
	Topic     string
	Partition int32
	Code      int16
}

// AddPartitions adds partitions to the transaction, which it begins if it is
// the first to add any. Codes that ask to try again are not among the answers.
func (k *Coordinator) AddPartitions(ctx context.Context, call *Call, producer ProducerID, partitions map[string][]int32) ([]PartitionCode, error) {
	response, err := k.request(ctx, call, func(v *Versions) (kmsg.Request, error) {
		version, err := pick(v, "AddPartitionsToTxn", keyAddPartitionsToTxn, 0, newestAddPartitions)
		req := kmsg.NewPtrAddPartitionsToTxnRequest()
		req.SetVersion(version)
		req.TransactionalID = k.key
		req.ProducerID, req.ProducerEpoch = producer.ID, producer.Epoch
		for topic, indices := range partitions {
			t := kmsg.NewAddPartitionsToTxnRequestTopic()
			t.Topic, t.Partitions = topic, indices
			req.Topics = append(req.Topics, t)
		}
		return req, err
	}, func(r kmsg.Response) int16 { return worst(addedCodes(r)) })
	if err != nil {
		return nil, err
	}
	codes := addedCodes(response)
	asked := 0
	for _, indices := range partitions {
		asked += len(indices)
	}
	if len(codes) != asked {
		return nil, &ProtocolError{Address: k.String(), Reason: fmt.Sprintf(
			"asked to add %d partitions, it answered for %d", asked, len(codes))}
	}
	return codes, nil
}

func addedCodes(r kmsg.Response) []PartitionCode {
	var codes []PartitionCode
	for _, t := range r.(*kmsg.AddPartitionsToTxnResponse).Topics {
		for _, p := range t.Partitions {
			codes = append(codes, PartitionCode{t.Topic, p.Partition, p.ErrorCode})
		}
	}
	return codes
}

// worst is the code that decides about trying again: one that would not change
// goes before one that may, since nothing was done for any of the partitions.
func worst(codes []PartitionCode) int16 {
	var again int16
	for _, c := range codes {
		switch {
		case c.Code == codeNone, c.Code == codeNotAttempted:
		case !worthAsking(c.Code):
			return c.Code
		default:
			again = c.Code
		}
	}
	return again
}

// AddOffsets adds the offsets of a group to the transaction.
func (k *Coordinator) AddOffsets(ctx context.Context, call *Call, producer ProducerID, group string) error {
	response, err := k.request(ctx, call, func(v *Versions) (kmsg.Request, error) {
		version, err := pick(v, "AddOffsetsToTxn", keyAddOffsetsToTxn, 0, newestAddOffsets)
		req := kmsg.NewPtrAddOffsetsToTxnRequest()
		req.SetVersion(version)
		req.TransactionalID, req.Group = k.key, group
		req.ProducerID, req.ProducerEpoch = producer.ID, producer.Epoch
		return req, err
	}, func(r kmsg.Response) int16 { return r.(*kmsg.AddOffsetsToTxnResponse).ErrorCode })
	if err != nil {
		return err
	}
	return k.refused(response.(*kmsg.AddOffsetsToTxnResponse).ErrorCode, "AddOffsetsToTxn")
}

// EndTxn commits or aborts the transaction. With implicit, which belongs to
// TransactionVersion 2, the answer brings the id and epoch of the next
// transaction; otherwise they stay the same.
func (k *Coordinator) EndTxn(ctx context.Context, call *Call, producer ProducerID, commit, implicit bool) (ProducerID, error) {
	response, err := k.request(ctx, call, func(v *Versions) (kmsg.Request, error) {
		lowest, newest := int16(0), int16(newestEndTxn)
		if implicit {
			lowest, newest = implicitEndTxn, implicitEndTxn
		}
		version, err := pick(v, "EndTxn", keyEndTxn, lowest, newest)
		req := kmsg.NewPtrEndTxnRequest()
		req.SetVersion(version)
		req.TransactionalID, req.Commit = k.key, commit
		req.ProducerID, req.ProducerEpoch = producer.ID, producer.Epoch
		return req, err
	}, func(r kmsg.Response) int16 { return r.(*kmsg.EndTxnResponse).ErrorCode })
	if err != nil {
		return ProducerID{}, err
	}
	m := response.(*kmsg.EndTxnResponse)
	if err := k.refused(m.ErrorCode, "EndTxn"); err != nil {
		return ProducerID{}, err
	}
	if !implicit {
		return producer, nil
	}
	return k.usable(m.ProducerID, m.ProducerEpoch)
}
