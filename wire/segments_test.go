package wire

import (
	"bytes"
	"testing"
)

// segmentSamples are records with something at every place of the format.
func segmentSamples() []sample {
	return []sample{
		{name: "all null"},
		{name: "value", value: fill(100)},
		{
			name: "everything", offsetDelta: 300, timestampDelta: -1 << 40,
			key: fill(70), value: fill(200),
			headers: []Header{{Key: "first", Value: fill(66)}, {Key: "null"}, {Key: "", Value: []byte{}}},
		},
	}
}

func TestPutRecordSegmentsAtEverySplit(t *testing.T) {
	for _, s := range segmentSamples() {
		t.Run(s.name, func(t *testing.T) {
			want := s.put(t)
			for i := 0; i <= len(want); i++ {
				checkSegments(t, &s, want, i, len(want)-i)
				for j := i; j <= len(want); j += 3 {
					checkSegments(t, &s, want, i, j-i, len(want)-j)
				}
			}
		})
	}
}

func TestPutRecordSegmentsOfOneSize(t *testing.T) {
	for _, s := range segmentSamples() {
		t.Run(s.name, func(t *testing.T) {
			want := s.put(t)
			for size := 1; size <= 32; size++ {
				sizes := []int{0}
				for n := 0; n < len(want); n += size {
					sizes = append(sizes, size, 0)
				}
				checkSegments(t, &s, want, sizes...)
			}
		})
	}
}

// TestPutRecordSegmentsLarge is the case the function is for: a slot's rest,
// whole slots, and a part of the last one.
func TestPutRecordSegmentsLarge(t *testing.T) {
	s := sample{key: fill(20000), value: fill(100000), headers: []Header{{Key: "k", Value: fill(40000)}}}
	const slot = 16 << 10
	sizes := []int{slot - BatchHeaderSize}
	for range 10 {
		sizes = append(sizes, slot)
	}
	checkSegments(t, &s, s.put(t), sizes...)
}

// checkSegments writes s across segments of these sizes, with guard bytes
// between them, and compares what they hold together.
func checkSegments(t *testing.T, s *sample, want []byte, sizes ...int) {
	t.Helper()
	const guard = 4
	var segments, guards [][]byte
	for _, n := range sizes {
		p := bytes.Repeat([]byte{0xa5}, n+guard)
		segments, guards = append(segments, p[:n]), append(guards, p[n:])
	}
	body, total := RecordSize(PayloadSize(s.key, s.value, s.headers), s.offsetDelta, s.timestampDelta)
	n := PutRecordSegments(segments, body, s.offsetDelta, s.timestampDelta, s.key, s.value, s.headers)
	if n != total {
		t.Fatalf("segments %v: wrote %d bytes, want %d", sizes, n, total)
	}
	all := bytes.Join(segments, nil)
	if !bytes.Equal(all[:total], want) {
		t.Fatalf("segments %v: got %x, want %x", sizes, head(all[:total]), head(want))
	}
	for i, b := range append(all[total:len(all):len(all)], bytes.Join(guards, nil)...) {
		if b != 0xa5 {
			t.Fatalf("segments %v: byte %d behind the record has been written", sizes, i)
		}
	}
}
