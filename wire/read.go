package wire

import "fmt"

// Record is a record as it stands in a batch. Its slices are part of what
// NextRecord was given.
type Record struct {
	OffsetDelta    int32
	TimestampDelta int64
	Key, Value     []byte // nil for null
	Payload        []byte // key, value and headers, with their lengths
	HeaderCount    int
	headers        []byte // what follows the number of headers in Payload
}

// NextRecord reads the record at the beginning of p and returns what follows
// it. The whole record is checked: every length, and that the parts fill it
// exactly. The attributes, which Kafka does not use, are skipped.
func NextRecord(p []byte) (r Record, rest []byte, err error) {
	body, n := varint32(p)
	if n == 0 || body < 0 || int(body) > len(p)-n {
		return r, nil, malformedRecord("length")
	}
	b, rest := p[n:n+int(body)], p[n+int(body):]
	if len(b) == 0 {
		return r, nil, malformedRecord("attributes")
	}
	b = b[1:]
	if r.TimestampDelta, n = varint64(b); n == 0 {
		return r, nil, malformedRecord("timestamp delta")
	}
	b = b[n:]
	if r.OffsetDelta, n = varint32(b); n == 0 {
		return r, nil, malformedRecord("offset delta")
	}
	b = b[n:]
	r.Payload = b
	var ok bool
	if r.Key, b, ok = nextField(b); !ok {
		return Record{}, nil, malformedRecord("key")
	}
	if r.Value, b, ok = nextField(b); !ok {
		return Record{}, nil, malformedRecord("value")
	}
	count, n := varint32(b)
	// A count that is too large ends the loop below where the bytes end.
	if n == 0 || count < 0 {
		return Record{}, nil, malformedRecord("number of headers")
	}
	r.HeaderCount, r.headers = int(count), b[n:]
	b = r.headers
	for range count {
		var key []byte
		if key, b, ok = nextField(b); !ok || key == nil {
			return Record{}, nil, malformedRecord("header key")
		}
		if _, b, ok = nextField(b); !ok {
			return Record{}, nil, malformedRecord("header value")
		}
	}
	if len(b) != 0 {
		return Record{}, nil, malformedRecord("end")
	}
	return r, rest, nil
}

func malformedRecord(what string) error {
	return fmt.Errorf("%w: record: %s", ErrMalformed, what)
}

// nextField reads a length and as many bytes. A null field is nil, an empty
// one is not.
func nextField(p []byte) (field, rest []byte, ok bool) {
	length, n := varint32(p)
	switch {
	case n == 0 || length < -1 || int(length) > len(p)-n:
		return nil, nil, false
	case length == -1:
		return nil, p[n:], true
	}
	end := n + int(length)
	return p[n:end:end], p[end:], true
}

// AppendHeaders appends the headers of the record to dst. The values are part
// of the record's bytes, the keys are copies.
func (r *Record) AppendHeaders(dst []Header) []Header {
	b := r.headers
	for range r.HeaderCount {
		var key, value []byte
		key, b, _ = nextField(b) // NextRecord has checked all of them.
		value, b, _ = nextField(b)
		dst = append(dst, Header{Key: string(key), Value: value})
	}
	return dst
}

// Size returns body and total, as RecordSize does, of the record at another
// place in a batch with the same base timestamp.
func (r *Record) Size(offsetDelta int32) (body, total int) {
	return RecordSize(len(r.Payload), offsetDelta, r.TimestampDelta)
}

// Put writes the record at the beginning of dst, with another offset delta and
// the same timestamp delta, and returns its size. That is how a batch is
// split: the records of each part are numbered from 0 again, and the base
// timestamp stays.
//
// A smaller offset delta never makes a record larger, so a batch can be
// rewritten into its own memory, from its first record on: dst may begin
// anywhere up to the place where this record stands.
func (r *Record) Put(dst []byte, offsetDelta int32) int {
	body, _ := r.Size(offsetDelta)
	// This prefix ends where the payload begins, or before that; a wider
	// store could run into a payload that is still to be moved.
	n := putPrefix(dst, uint64(body)<<1, zigzag64(r.TimestampDelta), uint64(zigzag32(offsetDelta)))
	return n + copy(dst[n:], r.Payload)
}
