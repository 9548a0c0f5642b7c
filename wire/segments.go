package wire

// PutRecordSegments writes the same bytes as PutRecord, across segments that
// are not contiguous: a record that is larger than a slot. The segments have
// at least the total of RecordSize together; they may be of any length, also
// empty. It returns the size of the record.
func PutRecordSegments(
	segments [][]byte, body int, offsetDelta int32, timestampDelta int64,
	key, value []byte, headers []Header,
) int {
	w := segmentWriter{next: segments}
	var prefix [MaxRecordOverhead]byte
	w.bytes(prefix[:putPrefix(prefix[:], uint64(body)<<1, zigzag64(timestampDelta), uint64(zigzag32(offsetDelta)))])
	w.field(key)
	w.field(value)
	w.uvarint(uint64(len(headers)) << 1)
	for i := range headers {
		h := &headers[i]
		w.uvarint(uint64(len(h.Key)) << 1)
		w.string(h.Key)
		w.field(h.Value)
	}
	return w.written
}

// segmentWriter is a position in a list of segments. It panics, by an index
// out of range, when they are too short, as PutRecord does.
type segmentWriter struct {
	current []byte   // what is left of the current segment
	next    [][]byte // the segments after it
	written int
}

func (w *segmentWriter) uvarint(x uint64) {
	var encoded [maxVarlongBytes]byte
	w.bytes(encoded[:putUvarint(encoded[:], x)])
}

func (w *segmentWriter) field(p []byte) {
	if p == nil {
		w.uvarint(nullLength)
		return
	}
	w.uvarint(uint64(len(p)) << 1)
	w.bytes(p)
}

func (w *segmentWriter) bytes(p []byte) {
	for len(p) > 0 {
		n := copy(w.space(), p)
		p = p[n:]
		w.advance(n)
	}
}

func (w *segmentWriter) string(s string) {
	for len(s) > 0 {
		n := copy(w.space(), s)
		s = s[n:]
		w.advance(n)
	}
}

// space returns what is left of the current segment, or of the next one that
// is not empty.
func (w *segmentWriter) space() []byte {
	for len(w.current) == 0 {
		w.current, w.next = w.next[0], w.next[1:]
	}
	return w.current
}

func (w *segmentWriter) advance(n int) {
	w.current = w.current[n:]
	w.written += n
}
