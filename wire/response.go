package wire

import (
	"fmt"
	"slices"
)

// Tags of the fields that this package knows.
const (
	tagCurrentLeader = 0 // of a partition
	tagNodeEndpoints = 0 // of the response
)

// ProduceResponse is a decoded response. Its slices are reused by the next
// Decode, and the byte slices in them are part of the frame: whoever wants to
// keep any of it makes a copy.
type ProduceResponse struct {
	ThrottleMs   int32 // as sent; a hostile broker may send anything
	Partitions   []PartitionResult
	RecordErrors []RecordError
	Nodes        []Node // where the current leaders live that Partitions name
}

// PartitionResult is what became of the batch for one partition. The broker
// chooses the order, and a hostile one repeats or invents partitions.
type PartitionResult struct {
	Topic     []byte   // nil from version 13 on
	TopicID   [16]byte // zero before version 13
	Partition int32
	ErrorCode int16

	BaseOffset     int64
	LogAppendTime  int64 // -1 unless the topic stamps records when they are appended
	LogStartOffset int64 // -1 before version 5

	ErrorMessage []byte // nil for null
	// The record errors of this partition are
	// RecordErrors[FirstRecordError:][:RecordErrorCount].
	FirstRecordError, RecordErrorCount int

	LeaderID, LeaderEpoch int32 // -1 unless the broker names the current leader
}

// RecordError says which record of a batch was the reason why the broker
// refused all of it.
type RecordError struct {
	BatchIndex int32
	Message    []byte // nil for null
}

// Node is the address of a broker.
type Node struct {
	ID   int32
	Host []byte
	Port int32
	Rack []byte // nil for null
}

// ResponseHeader reads the header of a response frame (without the frame's
// size), and returns what follows it. flexible says whether the request was
// one of a flexible version.
func ResponseHeader(frame []byte, flexible bool) (correlationID int32, body []byte, err error) {
	r := reader{p: frame, flexible: flexible}
	correlationID = r.int32("correlation id")
	r.skipTags()
	if r.failed != "" {
		return 0, nil, fmt.Errorf("%w: response header: %s", ErrMalformed, r.failed)
	}
	return correlationID, r.p, nil
}

// Decode reads the body of a response to a request of that version. Every
// count and every length is checked against the bytes that are left before
// anything is allocated, so that the memory it takes is bounded by a multiple
// of len(body). Bytes behind the end of the response are an error, as are
// tagged fields out of order; unknown ones are skipped. After an error the
// response is empty.
func (r *ProduceResponse) Decode(version int16, body []byte) error {
	r.reset()
	if version < MinProduceVersion || version > MaxProduceVersion {
		return fmt.Errorf("%w: produce response of version %d", ErrMalformed, version)
	}
	d := reader{p: body, flexible: Flexible(version)}
	r.decodeTopics(&d, version)
	r.ThrottleMs = d.int32("throttle time")
	t := d.tags()
	for {
		tag, field, ok := d.nextTag(&t)
		if !ok {
			break
		}
		if tag == tagNodeEndpoints {
			r.decodeNodes(&field)
			if field.failed != "" {
				d.fail(field.failed)
			}
		}
	}
	d.end("end of the response")
	if d.failed != "" {
		r.reset()
		return fmt.Errorf("%w: produce response v%d: %s", ErrMalformed, version, d.failed)
	}
	return nil
}

// reset empties the response.
func (r *ProduceResponse) reset() {
	r.ThrottleMs = 0
	r.Partitions = retain(r.Partitions)
	r.RecordErrors = retain(r.RecordErrors)
	r.Nodes = retain(r.Nodes)
}

// retain empties a slice and keeps its memory, unless that is much and was
// hardly used by the last response: one absurd response must not cost memory
// until the connection ends. 2^14 results take 2 MiB, and no request that
// a producer sends in its steady state names more partitions.
func retain[T PartitionResult | RecordError | Node](s []T) []T {
	const large = 1 << 14
	if cap(s) > large && len(s) < cap(s)/8 {
		return nil
	}
	return s[:0]
}

func (r *ProduceResponse) decodeTopics(d *reader, version int16) {
	const minTopicSize = 3 // a name of no bytes, no partitions, and no tags
	for range d.count(minTopicSize, "number of topics") {
		var topic []byte
		var id [16]byte
		if version >= firstWithTopicID {
			copy(id[:], d.take(len(id), "topic id"))
		} else {
			topic = d.string("topic name")
		}
		// Partition, error code, base offset, and log append time.
		const minPartitionSize = 4 + 2 + 8 + 8
		partitions := d.count(minPartitionSize, "number of partitions")
		r.Partitions = slices.Grow(r.Partitions, partitions)
		for range partitions {
			p := PartitionResult{Topic: topic, TopicID: id, LogStartOffset: -1, LeaderID: -1, LeaderEpoch: -1}
			r.decodePartition(d, version, &p)
			if d.failed != "" {
				return
			}
			r.Partitions = append(r.Partitions, p)
		}
		d.skipTags()
		if d.failed != "" {
			return
		}
	}
}

func (r *ProduceResponse) decodePartition(d *reader, version int16, p *PartitionResult) {
	p.Partition = d.int32("partition")
	p.ErrorCode = d.int16("error code")
	p.BaseOffset = d.int64("base offset")
	p.LogAppendTime = d.int64("log append time")
	if version >= firstWithStartOffset {
		p.LogStartOffset = d.int64("log start offset")
	}
	if version >= firstWithRecordErrors {
		r.decodeRecordErrors(d, p)
		p.ErrorMessage = d.nullableString("error message")
	}
	t := d.tags()
	for {
		tag, field, ok := d.nextTag(&t)
		if !ok {
			return
		}
		// The tag is optional, so one in a version that does not define it
		// does no harm.
		if tag == tagCurrentLeader {
			p.LeaderID = field.int32("current leader")
			p.LeaderEpoch = field.int32("current leader's epoch")
			field.skipTags()
			field.end("end of the current leader")
			if field.failed != "" {
				d.fail(field.failed)
			}
		}
	}
}

func (r *ProduceResponse) decodeRecordErrors(d *reader, p *PartitionResult) {
	const minSize = 4 + 1 // the index, and the length of a message
	n := d.count(minSize, "number of record errors")
	r.RecordErrors = slices.Grow(r.RecordErrors, n)
	p.FirstRecordError, p.RecordErrorCount = len(r.RecordErrors), n
	for range n {
		e := RecordError{BatchIndex: d.int32("record error"), Message: d.nullableString("record error's message")}
		d.skipTags()
		if d.failed != "" {
			return
		}
		r.RecordErrors = append(r.RecordErrors, e)
	}
}

func (r *ProduceResponse) decodeNodes(d *reader) {
	const minSize = 4 + 1 + 4 + 1 + 1 // id, host, port, rack, tags
	n := d.count(minSize, "number of nodes")
	r.Nodes = slices.Grow(r.Nodes, n)
	for range n {
		node := Node{ID: d.int32("node id"), Host: d.string("host"), Port: d.int32("port"), Rack: d.nullableString("rack")}
		d.skipTags()
		if d.failed != "" {
			return
		}
		r.Nodes = append(r.Nodes, node)
	}
	d.end("end of the nodes")
}
