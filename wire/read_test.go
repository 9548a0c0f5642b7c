package wire

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestNextRecord(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			p := s.put(t)
			r, rest, err := NextRecord(append(p, 1, 2, 3))
			if err != nil || len(rest) != 3 {
				t.Fatalf("NextRecord: %v, %d bytes left, want 3", err, len(rest))
			}
			if r.OffsetDelta != s.offsetDelta || r.TimestampDelta != s.timestampDelta {
				t.Errorf("deltas %d, %d, want %d, %d", r.OffsetDelta, r.TimestampDelta, s.offsetDelta, s.timestampDelta)
			}
			// DeepEqual tells nil from empty.
			if !reflect.DeepEqual(r.Key, s.key) || !reflect.DeepEqual(r.Value, s.value) {
				t.Errorf("key %x, value %x, want %x, %x", head(r.Key), head(r.Value), head(s.key), head(s.value))
			}
			got := r.AppendHeaders(nil)
			if len(got) != len(s.headers) || len(got) != 0 && !reflect.DeepEqual(got, s.headers) {
				t.Errorf("%d headers, want these %d", len(got), len(s.headers))
			}
		})
	}
}

func TestNextRecordTruncated(t *testing.T) {
	for _, s := range segmentSamples() {
		t.Run(s.name, func(t *testing.T) {
			p := s.put(t)
			for i := range p {
				if r, _, err := NextRecord(p[:i]); !errors.Is(err, ErrMalformed) {
					t.Fatalf("%d of %d bytes: %+v, %v, want ErrMalformed", i, len(p), r, err)
				}
			}
		})
	}
}

func TestNextRecordRefusals(t *testing.T) {
	for _, tc := range []struct{ name, in string }{
		{"negative length", "\x01"},
		{"length beyond the end", "\x0e\x00\x00\x00\x01\x01\x00"},
		{"length of 2^31-1", "\xfe\xff\xff\xff\x0f\x00\x00\x00\x01\x01\x00"},
		{"length of six bytes", "\x8c\x80\x80\x80\x80\x00\x00\x00\x00\x01\x01\x00"},
		{"no attributes", "\x00"},
		{"no offset delta", "\x04\x00\x00"},
		{"key length -2", "\x0c\x00\x00\x00\x03\x01\x00"},
		{"key beyond the record", "\x0c\x00\x00\x00\x08\x01\x00\x00\x00\x00"},
		{"value length -2", "\x0c\x00\x00\x00\x01\x03\x00"},
		{"value beyond the record", "\x0c\x00\x00\x00\x01\x04\x00\x00\x00\x00"},
		{"negative number of headers", "\x0c\x00\x00\x00\x01\x01\x01"},
		{"2^30 headers", "\x14\x00\x00\x00\x01\x01\x80\x80\x80\x80\x08"},
		{"null header key", "\x10\x00\x00\x00\x01\x01\x02\x01\x01"},
		{"a byte too many", "\x0e\x00\x00\x00\x01\x01\x00\x00"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if r, _, err := NextRecord([]byte(tc.in)); !errors.Is(err, ErrMalformed) {
				t.Errorf("NextRecord = %+v, %v, want ErrMalformed", r, err)
			}
		})
	}
}

// splitBatch writes records [from, to) of a batch into dst as a batch of
// their own.
func splitBatch(t testing.TB, dst, batch []byte, from, to int) []byte {
	t.Helper()
	h, n, err := ReadBatchHeader(batch)
	if err != nil {
		t.Fatal(err)
	}
	rest := batch[BatchHeaderSize : BatchHeaderSize+n]
	size, maxDelta, old := BatchHeaderSize, int64(-1<<63), 0
	for i := range int(h.RecordCount) {
		var r Record
		before := len(rest)
		if r, rest, err = NextRecord(rest); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		if i < from || i >= to {
			continue
		}
		if _, total := r.Size(int32(i - from)); total > before-len(rest) {
			t.Fatalf("record %d grew from %d to %d bytes", i, before-len(rest), total)
		}
		size += r.Put(dst[size:], int32(i-from))
		maxDelta, old = max(maxDelta, r.TimestampDelta), old+before-len(rest)
	}
	if size-BatchHeaderSize > old {
		t.Fatalf("records grew from %d to %d bytes", old, size-BatchHeaderSize)
	}
	h.RecordCount = int32(to - from)
	h.LastOffsetDelta = h.RecordCount - 1
	h.MaxTimestamp = h.BaseTimestamp + maxDelta
	h.BaseSequence += int32(from)
	PutBatchHeader(dst, &h, size-BatchHeaderSize)
	PutCRC(dst, BatchCRC(dst[:size]))
	return dst[:size]
}

// TestSplit cuts a batch at every place, into memory of its own and into its
// own memory, and compares each part with what franz-go would have encoded.
func TestSplit(t *testing.T) {
	const base = 1_700_000_000_000
	var records []sample
	for i := range 200 {
		records = append(records, sample{
			timestampDelta: int64(i*100 - 5000), key: fill(i % 3), value: fill(i),
			headers: make([]Header, i%4),
		})
	}
	h := BatchHeader{
		LastOffsetDelta: int32(len(records) - 1), BaseTimestamp: base, MaxTimestamp: base + 14900,
		ProducerID: 5, BaseSequence: 1000, RecordCount: int32(len(records)),
	}
	batch := encodeBatch(t, &h, records)
	for _, cut := range []int{1, 63, 64, 65, 100, 128, 150, 199} {
		for _, part := range [][2]int{{0, cut}, {cut, len(records)}} {
			want := h
			want.RecordCount = int32(part[1] - part[0])
			want.LastOffsetDelta = want.RecordCount - 1
			want.BaseSequence += int32(part[0])
			want.MaxTimestamp = base + records[part[1]-1].timestampDelta
			encoded := kmsgBatch(&want, append([]sample(nil), records[part[0]:part[1]]...))

			got := splitBatch(t, make([]byte, len(batch)), batch, part[0], part[1])
			if !bytes.Equal(got, encoded) {
				t.Fatalf("records %v: got %x, want %x", part, head(got), head(encoded))
			}
			own := bytes.Clone(batch)
			if got := splitBatch(t, own, own, part[0], part[1]); !bytes.Equal(got, encoded) {
				t.Fatalf("records %v in place: got %x, want %x", part, head(got), head(encoded))
			}
			var foreign kmsg.RecordBatch
			if err := foreign.ReadFrom(got); err != nil || foreign.NumRecords != want.RecordCount {
				t.Fatalf("records %v: kmsg reads %d records, %v", part, foreign.NumRecords, err)
			}
		}
	}
}
