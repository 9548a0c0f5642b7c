//go:build !race

package wire

import (
	"testing"
)

// The race detector allocates on its own, so these tests do not run under it.

func TestRecordsAndBatchesDoNotAllocate(t *testing.T) {
	key, value := fill(16), fill(100)
	headers := []Header{{Key: "trace", Value: fill(16)}, {Key: "null"}}
	slot := make([]byte, 4096)
	segments := [][]byte{slot[:100], slot[100:200], slot[200:]}
	h := BatchHeader{RecordCount: 1}
	check := func(name string, f func()) {
		t.Helper()
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s: %v allocations per run, want 0", name, n)
		}
	}
	check("PutRecord", func() {
		body, _ := RecordSize(PayloadSize(key, value, headers), 70, 1000)
		PutRecord(slot[BatchHeaderSize:], body, 70, 1000, key, value, headers)
	})
	check("PutRecordSegments", func() {
		body, _ := RecordSize(PayloadSize(key, value, headers), 70, 1000)
		PutRecordSegments(segments, body, 70, 1000, key, value, headers)
	})
	check("PutBatchHeader, BatchCRC, PutCRC", func() {
		PutBatchHeader(slot, &h, 1000)
		PutCRC(slot, BatchCRC(slot[:1000], segments[2]))
	})
	body, total := RecordSize(PayloadSize(key, value, headers), 70, 1000)
	PutRecord(slot, body, 70, 1000, key, value, headers)
	check("NextRecord, Put", func() {
		r, _, err := NextRecord(slot[:total])
		if err != nil || r.Put(slot, 70) != total {
			t.Fatalf("record of %d bytes: %v", total, err)
		}
	})
}

func TestRequestsDoNotAllocate(t *testing.T) {
	var e ProduceEncoder
	for _, r := range requests(t) {
		for version := int16(MinProduceVersion); version <= MaxProduceVersion; version++ {
			if n := testing.AllocsPerRun(20, func() { r.encode(&e, version, 1) }); n != 0 {
				t.Errorf("%s v%d: %v allocations per request, want 0", r.name, version, n)
			}
		}
	}
}

func TestResponsesDoNotAllocate(t *testing.T) {
	var r ProduceResponse
	for _, tc := range responses() {
		for version := int16(MinProduceVersion); version <= MaxProduceVersion; version++ {
			resp := tc.resp
			resp.Version = version
			frame := append([]byte{0, 0, 0, 1}, resp.AppendTo(nil)...)
			if Flexible(version) {
				frame = append([]byte{0, 0, 0, 1, 0}, frame[4:]...)
			}
			n := testing.AllocsPerRun(20, func() {
				_, body, err := ResponseHeader(frame, Flexible(version))
				if err == nil {
					err = r.Decode(version, body)
				}
				if err != nil {
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("%s v%d: %v allocations per response, want 0", tc.name, version, n)
			}
		}
	}
}
