// Package wire_test holds kring's encoding and decoding of Produce against
// sarama, which shares no code with kring nor with the generated messages that
// the tests in kring's own wire package compare with. sarama has no exported
// decoder, so its mock broker reads our requests, and a socket reads its.
package wire_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/kring-go/kring/wire"
)

// base is a timestamp of whole milliseconds, which is all that sarama keeps.
const base = 1_700_000_000_000

// record is a record with the delta of its timestamp to base.
type record struct {
	delta      int64
	key, value []byte
	headers    []wire.Header
}

// batch is what both libraries encode.
type batch struct {
	name    string
	header  wire.BatchHeader
	records []record
}

func fill(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i*7 + n)
	}
	return p
}

func batches() []batch {
	all := []batch{
		{
			name:    "one record, not idempotent",
			header:  wire.BatchHeader{ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1},
			records: []record{{value: []byte("value")}},
		},
		{
			name:   "null and empty",
			header: wire.BatchHeader{ProducerID: 1 << 40, ProducerEpoch: 7, BaseSequence: 1<<31 - 1},
			records: []record{
				{},
				{key: []byte{}},
				{value: []byte{}},
				{key: []byte{}, value: []byte{}},
				{key: []byte("key")},
				{headers: []wire.Header{{Key: "null"}, {Key: "empty", Value: []byte{}}, {Key: "null", Value: []byte("twice")}}},
			},
		},
		{
			name:    "timestamps in any order",
			header:  wire.BatchHeader{ProducerID: 1},
			records: []record{{delta: 0}, {delta: -1}, {delta: 8192}, {delta: -8193}, {delta: 63}, {delta: 64}, {delta: 1 << 40}},
		},
	}
	edges := batch{name: "sizes at the edges", records: []record{{value: fill(1 << 20)}}}
	for _, n := range []int{0, 1, 62, 63, 64, 8190, 8191, 8192} {
		edges.records = append(
			edges.records,
			record{value: fill(n)},
			record{key: fill(n)},
			record{headers: []wire.Header{{Key: string(fill(n)), Value: fill(n)}}},
		)
	}
	many := batch{name: "9000 records"}
	for i := range 9000 {
		many.records = append(many.records, record{delta: int64(i), value: fill(i % 5)})
	}
	return append(all, edges, many)
}

// encode encodes the batch with kring.
func (b *batch) encode() []byte {
	var deltas int64
	p := make([]byte, wire.BatchHeaderSize)
	for i, r := range b.records {
		body, total := wire.RecordSize(wire.PayloadSize(r.key, r.value, r.headers), int32(i), r.delta)
		at := len(p)
		p = append(p, make([]byte, total)...)
		wire.PutRecord(p[at:], body, int32(i), r.delta, r.key, r.value, r.headers)
		deltas = max(deltas, r.delta)
	}
	h := b.header
	h.RecordCount = int32(len(b.records))
	h.LastOffsetDelta = h.RecordCount - 1
	h.BaseTimestamp, h.MaxTimestamp = base, base+deltas
	wire.PutBatchHeader(p, &h, len(p)-wire.BatchHeaderSize)
	wire.PutCRC(p, wire.BatchCRC(p))
	return p
}

// sarama describes the batch in sarama's terms.
func (b *batch) sarama() *sarama.RecordBatch {
	var deltas int64
	s := &sarama.RecordBatch{
		Version: 2, PartitionLeaderEpoch: -1, LastOffsetDelta: int32(len(b.records) - 1),
		ProducerID: b.header.ProducerID, ProducerEpoch: b.header.ProducerEpoch, FirstSequence: b.header.BaseSequence,
	}
	for i, r := range b.records {
		record := &sarama.Record{
			TimestampDelta: time.Duration(r.delta) * time.Millisecond, OffsetDelta: int64(i),
			Key: r.key, Value: r.value,
		}
		for _, h := range r.headers {
			record.Headers = append(record.Headers, &sarama.RecordHeader{Key: []byte(h.Key), Value: h.Value})
		}
		s.Records = append(s.Records, record)
		deltas = max(deltas, r.delta)
	}
	s.FirstTimestamp, s.MaxTimestamp = time.UnixMilli(base), time.UnixMilli(base+deltas)
	return s
}

// check compares what sarama has read with the batch. sarama has checked the
// CRC and every length while it read.
func (b *batch) check(t *testing.T, got *sarama.RecordBatch) {
	t.Helper()
	want := b.sarama()
	header := func(b *sarama.RecordBatch) string {
		return fmt.Sprint(
			b.FirstOffset, b.PartitionLeaderEpoch, b.Version, b.Codec, b.Control, b.LogAppendTime, b.IsTransactional,
			b.LastOffsetDelta, b.FirstTimestamp.UnixMilli(), b.MaxTimestamp.UnixMilli(),
			b.ProducerID, b.ProducerEpoch, b.FirstSequence, len(b.Records),
		)
	}
	if header(got) != header(want) {
		t.Fatalf("header %s, want %s", header(got), header(want))
	}
	for i, g := range got.Records {
		w := want.Records[i]
		if g.OffsetDelta != w.OffsetDelta || g.TimestampDelta != w.TimestampDelta || g.Attributes != 0 ||
			!same(g.Key, w.Key) || !same(g.Value, w.Value) || len(g.Headers) != len(w.Headers) {
			t.Fatalf("record %d: offset %d, timestamp %s, key %.20x, value %.20x, %d headers",
				i, g.OffsetDelta, g.TimestampDelta, g.Key, g.Value, len(g.Headers))
		}
		for j, h := range g.Headers {
			if string(h.Key) != string(w.Headers[j].Key) || !same(h.Value, w.Headers[j].Value) {
				t.Fatalf("record %d: header %.20x = %.20x", i, h.Key, h.Value)
			}
		}
	}
}

// same tells null from empty.
func same(a, b []byte) bool { return string(a) == string(b) && (a == nil) == (b == nil) }
