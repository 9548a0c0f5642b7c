package wire

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/kring-go/kring/internal/invariant"
)

// The versions of Produce that this package speaks: from the first one with
// record batches v2 to the newest of Apache Kafka 4.x.
const (
	MinProduceVersion = 3
	MaxProduceVersion = 13
)

const (
	produceKey = 0 // the API key of Produce

	firstWithStartOffset  = 5  // response: log start offset
	firstWithRecordErrors = 8  // response: record errors and error message
	firstFlexible         = 9  // compact lengths, tagged fields
	firstWithTopicID      = 13 // a topic's id in place of its name
)

// Flexible reports whether this version of Produce has compact lengths and
// tagged fields, in the body and in both headers.
func Flexible(version int16) bool { return version >= firstFlexible }

// ProduceEncoder writes Produce requests without their records: those stay
// where they are, and leave by the same vectored write.
//
//	Buf   [ header, topic, index ][ topic, index ][ tags ]
//	Cuts                         ^               ^
//	                     records 0       records 1
//
// The records number i belong between Buf[:Cuts[i]] and Buf[Cuts[i]:]. An
// encoder is reused for one request after the other, so that it allocates only
// until its buffer has grown. Its user calls Begin, then for each topic Topic,
// Partition as often as announced, EndTopic, and at last Finish.
type ProduceEncoder struct {
	Buf  []byte
	Cuts []int
	// TransactionalID is sent with every request; empty: null. It may be 32767
	// bytes long.
	TransactionalID string

	flexible    bool
	withTopicID bool
	recordBytes int // announced by all calls of Partition
	topics      int // announced by Begin and not yet begun
	partitions  int // announced by Topic and not yet added
}

// Begin starts a request, and forgets the one before it. An empty client id is
// sent as null. It panics for a version outside of MinProduceVersion to
// MaxProduceVersion and for a client id of more than 32767 bytes.
func (e *ProduceEncoder) Begin(
	version int16, correlationID int32, clientID string, acks int16, timeoutMs int32, topics int,
) {
	if version < MinProduceVersion || version > MaxProduceVersion {
		panic(fmt.Sprintf("wire: produce version %d, want %d to %d", version, MinProduceVersion, MaxProduceVersion))
	}
	e.flexible = Flexible(version)
	e.withTopicID = version >= firstWithTopicID
	e.recordBytes, e.topics, e.partitions = 0, topics, 0
	e.Cuts = e.Cuts[:0]
	b := append(e.Buf[:0], 0, 0, 0, 0) // the frame's size, written by Finish
	b = binary.BigEndian.AppendUint16(b, produceKey)
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = binary.BigEndian.AppendUint32(b, uint32(correlationID))
	// The header keeps the old length of the client id in all versions, so
	// that a broker can read it before it knows the version.
	if clientID == "" {
		b = binary.BigEndian.AppendUint16(b, math.MaxUint16) // -1: null
	} else {
		b = appendString(b, clientID)
	}
	if e.flexible {
		b = append(b, 0) // tags of the header
	}
	b = e.appendTransactionalID(b)
	b = binary.BigEndian.AppendUint16(b, uint16(acks))
	b = binary.BigEndian.AppendUint32(b, uint32(timeoutMs))
	e.Buf = e.appendArrayLength(b, topics)
}

func (e *ProduceEncoder) appendTransactionalID(b []byte) []byte {
	id := e.TransactionalID
	switch {
	case id == "" && e.flexible:
		return append(b, 0) // compact null
	case id == "":
		return binary.BigEndian.AppendUint16(b, math.MaxUint16) // -1: null
	case e.flexible:
		b = appendUvarint(b, uint32(len(id)+1))
		return append(b, id...)
	default:
		return appendString(b, id)
	}
}

// Topic starts a topic with that many partitions. Versions below 13 send the
// name, the others the id. It panics for a name of more than 32767 bytes.
func (e *ProduceEncoder) Topic(name string, id [16]byte, partitions int) {
	if invariant.Enabled && (e.topics == 0 || e.partitions != 0) {
		panic(fmt.Sprintf("wire: Topic with %d topics and %d partitions to come", e.topics, e.partitions))
	}
	e.topics--
	e.partitions = partitions
	b := e.Buf
	switch {
	case e.withTopicID:
		b = append(b, id[:]...)
	case e.flexible:
		b = appendUvarint(b, uint32(len(name)+1))
		b = append(b, name...)
	default:
		b = appendString(b, name)
	}
	e.Buf = e.appendArrayLength(b, partitions)
}

// Partition adds a partition whose batch, header and records, has that many
// bytes, and a cut at the place where they belong. A negative size makes the
// batch null, and no cut.
func (e *ProduceEncoder) Partition(index int32, batchBytes int) {
	if invariant.Enabled && e.partitions == 0 {
		panic("wire: Partition with no partition to come")
	}
	e.partitions--
	b := binary.BigEndian.AppendUint32(e.Buf, uint32(index))
	size := max(batchBytes, -1)
	if e.flexible {
		b = appendUvarint(b, uint32(size+1))
	} else {
		b = binary.BigEndian.AppendUint32(b, uint32(int32(size)))
	}
	if size >= 0 {
		e.Cuts = append(e.Cuts, len(b))
		e.recordBytes += size
	}
	e.Buf = e.appendTags(b)
}

// EndTopic ends the topic.
func (e *ProduceEncoder) EndTopic() {
	if invariant.Enabled && e.partitions != 0 {
		panic(fmt.Sprintf("wire: EndTopic with %d partitions to come", e.partitions))
	}
	e.Buf = e.appendTags(e.Buf)
}

// Finish ends the request and returns its size on the wire: Buf, and all the
// batches.
func (e *ProduceEncoder) Finish() int {
	if invariant.Enabled && (e.topics != 0 || e.partitions != 0) {
		panic(fmt.Sprintf("wire: Finish with %d topics and %d partitions to come", e.topics, e.partitions))
	}
	e.Buf = e.appendTags(e.Buf)
	size := len(e.Buf) + e.recordBytes
	binary.BigEndian.PutUint32(e.Buf, uint32(size-4))
	return size
}

// appendTags appends the (empty) tagged fields that end every structure of
// the flexible versions.
func (e *ProduceEncoder) appendTags(b []byte) []byte {
	if e.flexible {
		return append(b, 0)
	}
	return b
}

func (e *ProduceEncoder) appendArrayLength(b []byte, n int) []byte {
	if e.flexible {
		return appendUvarint(b, uint32(n+1))
	}
	return binary.BigEndian.AppendUint32(b, uint32(n))
}

// appendString appends a string of the versions that are not flexible.
func appendString(b []byte, s string) []byte {
	if len(s) > math.MaxInt16 {
		panic(fmt.Sprintf("wire: string of %d bytes, want at most %d", len(s), math.MaxInt16))
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
	return append(b, s...)
}

// Upper bounds, over all versions, of what a request takes beyond its batches.
// A request of t topics and p partitions is at most as large as
//
//	RequestOverhead(clientID) + t × TopicOverhead(name) + p × PartitionOverhead
//
// plus the batches, and MaxLengthPrefix and its own length for a transactional
// id.

// MaxLengthPrefix is the bound for what stands before a string.
const MaxLengthPrefix = 3

// PartitionOverhead is the bound per partition: index, length, tags.
const PartitionOverhead = 4 + maxUvarintBytes + 1

// RequestOverhead is the bound for the frame's size, the header, and what
// stands before and after the topics.
func RequestOverhead(clientID string) int {
	const header = 4 + 2 + 2 + 4 + 2 + 1         // size, key, version, correlation id, client id, tags
	const body = 2 + 2 + 4 + maxUvarintBytes + 1 // transactional id, acks, timeout, topics, tags
	return header + len(clientID) + body
}

// TopicOverhead is the bound per topic: name or id, partitions, tags.
func TopicOverhead(name string) int {
	const id = 16
	return max(id, 3+len(name)) + maxUvarintBytes + 1
}
