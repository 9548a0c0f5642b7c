package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/kring-go/kring/internal/invariant"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// request describes a Produce request. A nil batch is null.
type request struct {
	name            string
	clientID        string
	transactionalID string
	acks            int16
	timeoutMs       int32
	topics          []requestTopic
}

type requestTopic struct {
	name       string
	id         [16]byte
	partitions []requestPartition
}

type requestPartition struct {
	index int32
	batch []byte
}

// kmsgBytes encodes the request with franz-go's generated code.
func (r *request) kmsgBytes(version int16, correlationID int32) []byte {
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = version, r.acks, r.timeoutMs
	if r.transactionalID != "" {
		req.TransactionID = kmsg.StringPtr(r.transactionalID)
	}
	for _, t := range r.topics {
		topic := kmsg.NewProduceRequestTopic()
		topic.Topic, topic.TopicID = t.name, t.id
		for _, p := range t.partitions {
			partition := kmsg.NewProduceRequestTopicPartition()
			partition.Partition, partition.Records = p.index, p.batch
			topic.Partitions = append(topic.Partitions, partition)
		}
		req.Topics = append(req.Topics, topic)
	}
	var opts []kmsg.RequestFormatterOpt
	if r.clientID != "" {
		opts = append(opts, kmsg.FormatterClientID(r.clientID))
	}
	return kmsg.NewRequestFormatter(opts...).AppendRequest(nil, req, correlationID)
}

// encode runs the encoder over the request.
func (r *request) encode(e *ProduceEncoder, version int16, correlationID int32) (size int) {
	e.TransactionalID = r.transactionalID
	e.Begin(version, correlationID, r.clientID, r.acks, r.timeoutMs, len(r.topics))
	for _, t := range r.topics {
		e.Topic(t.name, t.id, len(t.partitions))
		for _, p := range t.partitions {
			n := len(p.batch)
			if p.batch == nil {
				n = -1
			}
			e.Partition(p.index, n)
		}
		e.EndTopic()
	}
	return e.Finish()
}

// join lays the request out as the vectored write does.
func (r *request) join(e *ProduceEncoder) []byte {
	var frame []byte
	at, cuts := 0, e.Cuts
	for _, t := range r.topics {
		for _, p := range t.partitions {
			if p.batch == nil {
				continue
			}
			frame = append(frame, e.Buf[at:cuts[0]]...)
			frame = append(frame, p.batch...)
			at, cuts = cuts[0], cuts[1:]
		}
	}
	return append(frame, e.Buf[at:]...)
}

func requests(t testing.TB) []request {
	id := [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	var batches [][]byte
	for _, tc := range batchCases() {
		batches = append(batches, encodeBatch(t, &tc.header, tc.records))
	}
	all := []request{
		{name: "no topics", clientID: "kring", acks: -1, timeoutMs: 30000},
		{name: "null client id", acks: 1, topics: []requestTopic{
			{name: "t", id: id, partitions: []requestPartition{{batch: batches[0]}}},
		}},
		{name: "two topics, three partitions", clientID: "kring", acks: -1, timeoutMs: 1<<31 - 1, topics: []requestTopic{
			{name: "first", id: id, partitions: []requestPartition{{0, batches[0]}, {7, batches[1]}}},
			{name: "second", partitions: []requestPartition{{1<<31 - 1, batches[2]}}},
		}},
		{name: "null and empty batches in the middle", clientID: "kring", topics: []requestTopic{
			{name: "t", id: id, partitions: []requestPartition{{0, batches[0]}, {1, nil}, {2, []byte{}}, {3, batches[1]}}},
		}},
		{name: "topic without partitions", acks: -2, topics: []requestTopic{{name: "t"}}},
		{name: "transactional", clientID: "kring", transactionalID: "orders-1", acks: -1, topics: []requestTopic{
			{name: "t", id: id, partitions: []requestPartition{{0, batches[0]}}},
		}},
		{name: "longest transactional id", transactionalID: strings.Repeat("x", 1<<15-1), acks: -1},
		{name: "long transactional id", transactionalID: strings.Repeat("x", 127), acks: -1},
		{name: "long names", clientID: strings.Repeat("c", 300), topics: []requestTopic{
			{name: strings.Repeat("t", 249), partitions: []requestPartition{{0, batches[0]}}},
			{name: strings.Repeat("t", 126), partitions: []requestPartition{{0, batches[0]}}},
			{name: strings.Repeat("t", 127), partitions: []requestPartition{{0, batches[0]}}},
		}},
	}
	// The compact lengths grow at 127, 128 and 16383, 16384, counting the one
	// that is added to them.
	many := request{name: "200 partitions", clientID: "kring", topics: []requestTopic{{name: "t"}}}
	for i := range 200 {
		many.topics[0].partitions = append(many.topics[0].partitions, requestPartition{int32(i), fill(i)})
	}
	sizes := request{name: "batch sizes at the edges", clientID: "kring", topics: []requestTopic{{name: "t"}}}
	for _, n := range []int{126, 127, 128, 16382, 16383, 16384, 1<<21 - 2, 1<<21 - 1} {
		sizes.topics[0].partitions = append(sizes.topics[0].partitions, requestPartition{int32(n), fill(n)})
	}
	topics := request{name: "130 topics", clientID: "kring"}
	for i := range 130 {
		topics.topics = append(topics.topics, requestTopic{name: fmt.Sprint("t", i), id: [16]byte{byte(i)}})
	}
	return append(all, many, sizes, topics)
}

func TestProduceRequestMatchesKmsg(t *testing.T) {
	var e ProduceEncoder // One for all: it must forget the request before.
	for _, r := range requests(t) {
		for version := int16(MinProduceVersion); version <= MaxProduceVersion; version++ {
			t.Run(fmt.Sprintf("%s/v%d", r.name, version), func(t *testing.T) {
				correlationID := int32(0x01020304) * int32(version)
				size := r.encode(&e, version, correlationID)
				got, want := r.join(&e), r.kmsgBytes(version, correlationID)
				if !bytes.Equal(got, want) {
					t.Fatalf("got  %d bytes %x\nwant %d bytes %x", len(got), head(got), len(want), head(want))
				}
				if size != len(got) || int(binary.BigEndian.Uint32(got))+4 != size {
					t.Errorf("Finish = %d, frame says %d, want %d", size, binary.BigEndian.Uint32(got), len(got))
				}
				r.checkOverhead(t, len(e.Buf))
			})
		}
	}
}

// checkOverhead holds the bounds against the bytes that were really needed.
func (r *request) checkOverhead(t *testing.T, used int) {
	t.Helper()
	bound, slack := RequestOverhead(r.clientID), 16
	if r.transactionalID != "" {
		bound += MaxLengthPrefix + len(r.transactionalID)
	}
	for _, topic := range r.topics {
		bound += TopicOverhead(topic.name) + len(topic.partitions)*PartitionOverhead
		slack += max(16, len(topic.name)) + 8 + 8*len(topic.partitions)
	}
	if used > bound || used < bound-slack {
		t.Errorf("%d bytes beyond the batches, want %d at most, and %d at least", used, bound, bound-slack)
	}
}

// TestProduceRequestReadByKmsg has franz-go's decoder read what we wrote.
func TestProduceRequestReadByKmsg(t *testing.T) {
	var e ProduceEncoder
	for _, r := range requests(t) {
		for version := int16(MinProduceVersion); version <= MaxProduceVersion; version++ {
			t.Run(fmt.Sprintf("%s/v%d", r.name, version), func(t *testing.T) {
				r.encode(&e, version, 1)
				body := r.join(&e)[4+2+2+4+2+len(r.clientID):]
				if Flexible(version) {
					body = body[1:]
				}
				req := kmsg.NewPtrProduceRequest()
				req.Version = version
				if err := req.ReadFrom(body); err != nil {
					t.Fatal(err)
				}
				if req.Acks != r.acks || req.TimeoutMillis != r.timeoutMs || len(req.Topics) != len(r.topics) {
					t.Fatalf("kmsg reads %+v", req)
				}
				for i, topic := range req.Topics {
					want := r.topics[i]
					if version >= 13 && topic.TopicID != want.id || version < 13 && topic.Topic != want.name {
						t.Errorf("topic %q %x, want %q %x", topic.Topic, topic.TopicID, want.name, want.id)
					}
					for j, p := range topic.Partitions {
						want := want.partitions[j]
						if p.Partition != want.index || !bytes.Equal(p.Records, want.batch) || (p.Records == nil) != (want.batch == nil) {
							t.Errorf("partition %d: got %d with %d bytes, want %d with %d",
								j, p.Partition, len(p.Records), want.index, len(want.batch))
						}
					}
				}
			})
		}
	}
}

func TestBeginPanics(t *testing.T) {
	for _, tc := range []struct {
		name     string
		version  int16
		clientID string
	}{
		{"version 2", 2, "c"},
		{"version 14", 14, "c"},
		{"client id of 32768 bytes", 9, strings.Repeat("c", 1<<15)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			new(ProduceEncoder).Begin(tc.version, 1, tc.clientID, -1, 0, 0)
		})
	}
}

// TestEncoderMisuse needs the self-checks: go test -tags invariants.
func TestEncoderMisuse(t *testing.T) {
	if !invariant.Enabled {
		t.Skip("the self-checks are not compiled in")
	}
	for _, tc := range []struct {
		name  string
		calls func(e *ProduceEncoder)
	}{
		{"a topic too many", func(e *ProduceEncoder) { e.Topic("a", [16]byte{}, 0); e.Topic("b", [16]byte{}, 0) }},
		{"a topic too few", func(e *ProduceEncoder) { e.Finish() }},
		{"a partition too many", func(e *ProduceEncoder) { e.Topic("a", [16]byte{}, 0); e.Partition(0, 0) }},
		{"a partition too few", func(e *ProduceEncoder) { e.Topic("a", [16]byte{}, 1); e.EndTopic() }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var e ProduceEncoder
			e.Begin(MaxProduceVersion, 1, "c", -1, 0, 1)
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			tc.calls(&e)
		})
	}
}
