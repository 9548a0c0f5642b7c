package broker

import (
	"encoding/binary"
	"fmt"
	"net"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// benchSize is the shape of a request.
type benchSize struct {
	name       string
	partitions int32
	batch      int // bytes of records, about
	inFlight   int
}

// The sizes are those of a producer at full speed, and of one that sends a
// record as soon as it has one. Values have 100 bytes.
func benchSizes() []benchSize {
	return []benchSize{
		{name: "12x16KiB", partitions: 12, batch: 16 << 10, inFlight: 5},
		{name: "1x128B", partitions: 1, batch: 1, inFlight: 1},
	}
}

// benchRequest makes a Produce request.
func benchRequest(size benchSize, version int16, id [16]byte) []byte {
	rb := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, FirstTimestamp: 1, MaxTimestamp: 1,
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
	}
	for rb.NumRecords == 0 || len(rb.Records) < size.batch-batchHeaderSize-128 {
		r := kmsg.Record{OffsetDelta: rb.NumRecords, Value: make([]byte, 100)}
		r.Length = int32(len(r.AppendTo(nil)) - 1)
		r.Length = int32(len(r.AppendTo(nil)) - 2)
		rb.Records = r.AppendTo(rb.Records)
		rb.NumRecords++
	}
	rb.LastOffsetDelta = rb.NumRecords - 1
	rb.Length = int32(batchHeaderSize - 12 + len(rb.Records))
	batch := rb.AppendTo(nil)
	binary.BigEndian.PutUint32(batch[17:], crcOf(batch))

	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks = version, 1
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic, rt.TopicID = "t", id
	for i := range size.partitions {
		rp := kmsg.NewProduceRequestTopicPartition()
		rp.Partition, rp.Records = i, batch
		rt.Partitions = append(rt.Partitions, rp)
	}
	req.Topics = append(req.Topics, rt)
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID("bench")).AppendRequest(nil, req, 1)
}

// BenchmarkRequest is the broker without the kernel: parse, check, apply and
// answer one request of 12 batches.
func BenchmarkRequest(b *testing.B) {
	for _, version := range []int16{7, 12, 13} {
		for _, verify := range []Verify{VerifyNone, VerifyCount} {
			b.Run(fmt.Sprintf("version=%d/verify=%v", version, verify), func(b *testing.B) {
				br := startTest(b, Config{Verify: verify})
				createTopic(b, br, "t", 12)
				c := newConn(br.nodes[0], discardConn{})
				frame := benchRequest(benchSizes()[0], version, br.topics.Load().byName["t"].id)[4:]
				b.ReportAllocs()
				for b.Loop() {
					if !c.handle(frame) {
						b.Fatal("refused")
					}
				}
			})
		}
	}
}

// discardConn takes every answer.
type discardConn struct{ net.Conn }

func (discardConn) Write(p []byte) (int, error) { return len(p), nil }
func (discardConn) Close() error                { return nil }
