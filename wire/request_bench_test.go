package wire

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// BenchmarkProduceEncoder encodes a request for 12 partitions of one topic,
// without their batches.
func BenchmarkProduceEncoder(b *testing.B) {
	for _, version := range []int16{3, 13} {
		b.Run(fmt.Sprintf("version=%d/partitions=12", version), func(b *testing.B) {
			var e ProduceEncoder
			b.ReportAllocs()
			for b.Loop() {
				e.Begin(version, 1, "kring", -1, 30000, 1)
				e.Topic("topic", [16]byte{1}, 12)
				for i := range int32(12) {
					e.Partition(i, 16<<10)
				}
				e.EndTopic()
				e.Finish()
			}
		})
	}
}

// BenchmarkProduceResponse decodes the answer to such a request.
func BenchmarkProduceResponse(b *testing.B) {
	for _, version := range []int16{3, 13} {
		b.Run(fmt.Sprintf("version=%d/partitions=12", version), func(b *testing.B) {
			topic := kmsg.NewProduceResponseTopic()
			topic.Topic = "topic"
			for range 12 {
				topic.Partitions = append(topic.Partitions, kmsg.NewProduceResponseTopicPartition())
			}
			resp := kmsg.ProduceResponse{Version: version, Topics: []kmsg.ProduceResponseTopic{topic}}
			body := resp.AppendTo(nil)
			var r ProduceResponse
			b.ReportAllocs()
			for b.Loop() {
				if err := r.Decode(version, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBatchCRC is the price of a batch's checksum.
func BenchmarkBatchCRC(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			p := fill(size)
			b.SetBytes(int64(size))
			for b.Loop() {
				PutCRC(p, BatchCRC(p))
			}
		})
	}
}
