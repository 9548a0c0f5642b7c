package ledger

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// encode is what Readback.java does.
func encode(e *Entry) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(e.Partition))
	b = binary.LittleEndian.AppendUint32(b, uint32(e.Headers))
	b = binary.LittleEndian.AppendUint64(b, uint64(e.Offset))
	b = binary.LittleEndian.AppendUint64(b, uint64(e.Timestamp))
	b = binary.LittleEndian.AppendUint32(b, uint32(e.KeySize))
	b = binary.LittleEndian.AppendUint32(b, uint32(e.ValueSize))
	b = binary.LittleEndian.AppendUint64(b, e.KeyHash)
	b = binary.LittleEndian.AppendUint64(b, e.ValueHash)
	b = binary.LittleEndian.AppendUint64(b, e.HeadersHash)
	return append(b, e.Prefix[:]...)
}

func TestReadStream(t *testing.T) {
	var e Entry
	e.Fill(3, 1<<40, -1, nil, []byte("value"), []Header{{Key: "k"}})
	record := encode(&e)
	end := func(n int64) []byte { return encode(&Entry{Partition: -1, Offset: n}) }
	tests := []struct {
		name    string
		in      []byte
		want    int
		wantErr string
	}{
		{"whole", bytes.Join([][]byte{record, record, end(2)}, nil), 2, ""},
		{"empty log", end(0), 0, ""},
		{"cut before the end mark", bytes.Join([][]byte{record, record}, nil), 2, "without its end mark"},
		{"cut within an entry", record[:50], 0, "without its end mark"},
		{"count does not fit", bytes.Join([][]byte{record, end(2)}, nil), 1, "the reader wrote 2"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ReadStream(bytes.NewReader(tc.in), func(read *Entry) {
				if *read != e {
					t.Errorf("read %+v, want %+v", *read, e)
				}
			})
			if got != tc.want || (err == nil) != (tc.wantErr == "") || err != nil && !strings.Contains(err.Error(), tc.wantErr) {
				t.Errorf("ReadStream = %d, %v, want %d, %q", got, err, tc.want, tc.wantErr)
			}
		})
	}
}
