package broker

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestBatchHeaderCheck(t *testing.T) {
	good := batchOf{count: 3, value: "value"}
	changed := func(change func(*kmsg.RecordBatch)) []byte {
		return batchOf{count: 3, value: "value", change: change}.bytes()
	}
	tests := []struct {
		name  string
		batch []byte
		want  int16
	}{
		{"good", good.bytes(), errNone},
		{"good idempotent", batchOf{count: 3, producer: 7, sequence: 4}.bytes(), errNone},
		{"null", nil, errInvalidRecord},
		{"cut inside the header", good.bytes()[:batchHeaderSize-1], errCorruptMessage},
		{"cut inside the records", good.bytes()[:batchHeaderSize+5], errCorruptMessage},
		{"something behind it", append(good.bytes(), 0), errInvalidRecord},
		{"two batches", append(good.bytes(), good.bytes()...), errInvalidRecord},
		{"length negative", changed(func(b *kmsg.RecordBatch) { b.Length = -1 }), errCorruptMessage},
		{"length below the header", changed(func(b *kmsg.RecordBatch) { b.Length = batchHeaderSize - 13 }), errCorruptMessage},
		{"length too large", changed(func(b *kmsg.RecordBatch) { b.Length++ }), errCorruptMessage},
		{"magic 1", changed(func(b *kmsg.RecordBatch) { b.Magic = 1 }), errInvalidRecord},
		{"base offset 1", changed(func(b *kmsg.RecordBatch) { b.FirstOffset = 1 }), errInvalidRecord},
		{"last offset delta too small", changed(func(b *kmsg.RecordBatch) { b.LastOffsetDelta-- }), errInvalidRecord},
		{"last offset delta too large", changed(func(b *kmsg.RecordBatch) { b.LastOffsetDelta++ }), errInvalidRecord},
		{"no records", changed(func(b *kmsg.RecordBatch) { b.NumRecords, b.LastOffsetDelta = 0, -1 }), errInvalidRecord},
		{"more records than fit", changed(func(b *kmsg.RecordBatch) { b.NumRecords, b.LastOffsetDelta = 1000, 999 }), errInvalidRecord},
		{"count negative", changed(func(b *kmsg.RecordBatch) { b.NumRecords, b.LastOffsetDelta = -5, -6 }), errInvalidRecord},
		{"control batch", changed(func(b *kmsg.RecordBatch) { b.Attributes = attrControl }), errInvalidRecord},
		{"unknown codec", changed(func(b *kmsg.RecordBatch) { b.Attributes = 5 }), errInvalidRecord},
		{"transactional", changed(func(b *kmsg.RecordBatch) { b.Attributes = attrTransactional }), errInvalidTxnState},
		{"producer without sequence", changed(func(b *kmsg.RecordBatch) { b.ProducerID, b.ProducerEpoch = 1, 0 }), errInvalidRecord},
		{"producer without epoch", changed(func(b *kmsg.RecordBatch) { b.ProducerID, b.FirstSequence = 1, 0 }), errInvalidRecord},
		{"too large", batchOf{count: 30, value: "0123456789012345678901234567890123456789"}.bytes(), errMessageTooLarge},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var h batchHeader
			if got := h.check(tc.batch, 1000); got != tc.want {
				t.Errorf("check() = %d, want %d", got, tc.want)
			}
		})
	}
}

func TestLastSequence(t *testing.T) {
	tests := []struct {
		name  string
		base  int32
		count int32
		want  int32
	}{
		{"one record", 5, 1, 5},
		{"several", 0, 10, 9},
		{"ends at the largest", 1<<31 - 2, 2, 1<<31 - 1},
		{"wraps inside", 1<<31 - 1, 2, 0},
		{"wraps far", 1<<31 - 1, 100, 98},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			h := batchHeader{baseSequence: tc.base, count: tc.count}
			if got := h.lastSequence(); got != tc.want {
				t.Errorf("lastSequence() = %d, want %d", got, tc.want)
			}
		})
	}
}
