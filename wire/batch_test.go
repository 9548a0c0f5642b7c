package wire

import (
	"bytes"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// encodeBatch encodes whole batches as the accumulator does: header space, then
// the records, then the header, then the CRC.
func encodeBatch(t testing.TB, h *BatchHeader, records []sample) []byte {
	t.Helper()
	batch := make([]byte, BatchHeaderSize)
	for i := range records {
		records[i].offsetDelta = int32(i)
		batch = append(batch, records[i].put(t)...)
	}
	PutBatchHeader(batch, h, len(batch)-BatchHeaderSize)
	PutCRC(batch, BatchCRC(batch))
	return batch
}

// kmsgBatch encodes the same with franz-go's generated code.
func kmsgBatch(h *BatchHeader, records []sample) []byte {
	b := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2,
		Attributes: h.Attributes, LastOffsetDelta: h.LastOffsetDelta,
		FirstTimestamp: h.BaseTimestamp, MaxTimestamp: h.MaxTimestamp,
		ProducerID: h.ProducerID, ProducerEpoch: h.ProducerEpoch, FirstSequence: h.BaseSequence,
		NumRecords: h.RecordCount,
	}
	for i := range records {
		records[i].offsetDelta = int32(i)
		b.Records = append(b.Records, records[i].kmsgBytes()...)
	}
	b.Length = int32(len(b.AppendTo(nil)) - 12)
	b.CRC = int32(crc32.Checksum(b.AppendTo(nil)[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b.AppendTo(nil)
}

type batchCase struct {
	name    string
	header  BatchHeader
	records []sample
}

func batchCases() []batchCase {
	return []batchCase{
		{
			name:    "one null record, not idempotent",
			header:  BatchHeader{ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1, RecordCount: 1},
			records: []sample{{}},
		},
		{
			name: "idempotent, timestamps going backwards",
			header: BatchHeader{
				LastOffsetDelta: 2, BaseTimestamp: 1_700_000_000_000, MaxTimestamp: 1_700_000_000_005,
				ProducerID: 1<<40 + 7, ProducerEpoch: 3, BaseSequence: 1 << 30, RecordCount: 3,
			},
			records: []sample{
				{key: []byte("a"), value: fill(100)},
				{timestampDelta: -70_000, value: fill(9000)},
				{timestampDelta: 5, headers: []Header{{Key: "h", Value: []byte("v")}, {Key: "null"}}},
			},
		},
		{
			name: "extremes",
			header: BatchHeader{
				Attributes: 0x3f, LastOffsetDelta: 1, BaseTimestamp: 0, MaxTimestamp: 1<<63 - 1,
				ProducerID: 1<<63 - 1, ProducerEpoch: 1<<15 - 1, BaseSequence: 1<<31 - 1, RecordCount: 2,
			},
			records: []sample{{timestampDelta: 1<<63 - 1}, {timestampDelta: -1 << 63}},
		},
	}
}

func TestBatchMatchesKmsg(t *testing.T) {
	for _, tc := range batchCases() {
		t.Run(tc.name, func(t *testing.T) {
			got, want := encodeBatch(t, &tc.header, tc.records), kmsgBatch(&tc.header, tc.records)
			if !bytes.Equal(got, want) {
				t.Fatalf("got  %x\nwant %x", head(got), head(want))
			}
			if ReadCRC(got) != BatchCRC(got) {
				t.Errorf("CRC in the header %#x, of the batch %#x", ReadCRC(got), BatchCRC(got))
			}
			h, n, err := ReadBatchHeader(got)
			if err != nil || h != tc.header || n != len(got)-BatchHeaderSize {
				t.Errorf("ReadBatchHeader = %+v, %d, %v, want %+v, %d", h, n, err, tc.header, len(got)-BatchHeaderSize)
			}
		})
	}
}

// TestPutProducer is the bump of an epoch: other producer fields and another
// CRC, and not one byte more.
func TestPutProducer(t *testing.T) {
	for _, tc := range batchCases() {
		t.Run(tc.name, func(t *testing.T) {
			batch := encodeBatch(t, &tc.header, tc.records)
			h := tc.header
			h.ProducerID, h.ProducerEpoch, h.BaseSequence = 99, 1, 0
			PutProducer(batch, h.ProducerID, h.ProducerEpoch, h.BaseSequence)
			PutCRC(batch, BatchCRC(batch))
			if want := kmsgBatch(&h, tc.records); !bytes.Equal(batch, want) {
				t.Errorf("got  %x\nwant %x", head(batch), head(want))
			}
		})
	}
}

func TestBatchCRCOverSegments(t *testing.T) {
	tc := batchCases()[1]
	batch := encodeBatch(t, &tc.header, tc.records)
	want := ReadCRC(batch)
	for i := BatchHeaderSize; i <= len(batch); i += 13 {
		for j := i; j <= len(batch); j += 101 {
			if got := BatchCRC(batch[:i], batch[i:j], batch[j:]); got != want {
				t.Fatalf("cut at %d and %d: CRC %#x, want %#x", i, j, got, want)
			}
		}
	}
	for i := range batch {
		batch[i] ^= 1
		covered := BatchCRC(batch) != want
		batch[i] ^= 1
		if covered != (i >= 21) {
			t.Fatalf("byte %d: covered by the CRC: %t", i, covered)
		}
	}
}

func TestPutBatchHeaderWritesOnlyTheHeader(t *testing.T) {
	p := bytes.Repeat([]byte{0xa5}, BatchHeaderSize+8)
	PutBatchHeader(p, &BatchHeader{}, 8)
	if want := bytes.Repeat([]byte{0xa5}, 8); !bytes.Equal(p[BatchHeaderSize:], want) {
		t.Errorf("behind the header: %x, want %x", p[BatchHeaderSize:], want)
	}
	if ReadCRC(p) != 0 {
		t.Errorf("CRC %#x before PutCRC, want 0", ReadCRC(p))
	}
}

func TestReadBatchHeaderRefusals(t *testing.T) {
	tc := batchCases()[0]
	good := encodeBatch(t, &tc.header, tc.records)
	for _, tc := range []struct {
		name   string
		mangle func(p []byte) []byte
	}{
		{"empty", func([]byte) []byte { return nil }},
		{"one byte short", func(p []byte) []byte { return p[:BatchHeaderSize-1] }},
		{"magic 1", func(p []byte) []byte { p[16] = 1; return p }},
		{"negative length", func(p []byte) []byte { p[8] = 0x80; return p }},
		{"length 48", func(p []byte) []byte { copy(p[8:], []byte{0, 0, 0, 48}); return p }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, _, err := ReadBatchHeader(tc.mangle(bytes.Clone(good))); !errors.Is(err, ErrMalformed) {
				t.Errorf("ReadBatchHeader: %v, want ErrMalformed", err)
			}
		})
	}
}
