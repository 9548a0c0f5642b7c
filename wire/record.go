package wire

import (
	"encoding/binary"
	"math"
)

// Header is one header of a record. Kafka allows any number of them, and the
// same key more than once. A nil Value is null; an empty one is empty. The key
// can not be null.
type Header struct {
	Key   string
	Value []byte
}

// MaxRecordOverhead is what a record can take beyond its payload: the length
// (5 bytes), the attributes (1), the timestamp delta (10), and the offset
// delta (5).
const MaxRecordOverhead = 5 + 1 + maxVarlongBytes + 5

// nullLength is the zigzag encoding of -1, the length of a null field.
const nullLength = 1

// PayloadSize returns the size of the part of a record that depends neither on
// its place in the batch nor on its time: key, value, and headers, each with
// its length.
func PayloadSize(key, value []byte, headers []Header) int {
	n := int64(len(key)) + int64(len(value)) + int64(lengthSize(len(key))+lengthSize(len(value))) + 1
	if len(headers) != 0 {
		n += headersSize(headers)
	}
	return clampSize(n)
}

// headersSize returns the size of the headers with their count, less the one
// byte that a count below 64 takes and that PayloadSize has counted.
func headersSize(headers []Header) int64 {
	n := int64(lengthSize(len(headers)) - 1)
	for i := range headers {
		h := &headers[i]
		n += int64(lengthSize(len(h.Key)) + lengthSize(len(h.Value)))
		n += int64(len(h.Key)) + int64(len(h.Value))
	}
	return n
}

// clampSize keeps a sum of lengths an int where int has 32 bits: the same
// gigabyte can be named by many headers. The clamped size fits no buffer that
// could exist there, and leaves room for the overhead to be added.
func clampSize(n int64) int {
	if math.MaxInt == math.MaxInt32 && n > math.MaxInt32-1024 {
		return math.MaxInt32 - 1024
	}
	return int(n)
}

// RecordSize returns the size of a record's body, which is what its length
// field says, and the total size with that length field. payload is what
// PayloadSize returned.
func RecordSize(payload int, offsetDelta int32, timestampDelta int64) (body, total int) {
	body = 1 + uvarintSize(zigzag64(timestampDelta)) + uvarintSize(uint64(zigzag32(offsetDelta))) + payload
	return body, lengthSize(body) + body
}

// PutRecord writes a record at the beginning of dst and returns its size.
// body is what RecordSize returned for the same arguments, and dst has at least
// the total that it returned. PutRecord then writes exactly total bytes: the
// bytes behind them may belong to another goroutine. It calls no code of the
// user, allocates nothing, and can panic only if an element of headers has been
// changed since PayloadSize.
//
// Some of its stores are wider than the number they carry. They run over into
// bytes of the same record that are written after them. That matters because an
// append's commit, a locked instruction, waits until every store of the record
// has left the store buffer.
func PutRecord(
	dst []byte, body int, offsetDelta int32, timestampDelta int64,
	key, value []byte, headers []Header,
) int {
	length, timestamp, offset := uint64(body)<<1, zigzag64(timestampDelta), uint64(zigzag32(offsetDelta))
	var n int
	// Records below 8 KiB in batches that span less than 8 s need at most two
	// bytes for each number, which makes seven with the attributes: one
	// store. The smallest record of all is shorter than that store.
	if (length|timestamp|offset) < 1<<14 && body >= 8 {
		l, lMore := twoBytes(length)
		t, tMore := twoBytes(timestamp)
		o, oMore := twoBytes(offset)
		// The attributes, between length and timestamp, are zero.
		binary.LittleEndian.PutUint64(dst, l|t<<(16+8*lMore)|o<<(24+8*(lMore+tMore)))
		n = int(4 + lMore + tMore + oMore)
	} else {
		n = putPrefix(dst, length, timestamp, offset)
	}
	switch {
	case len(key) != 0:
		n += putField(dst[n:], key)
	case key == nil:
		dst[n] = nullLength
		n++
	default:
		dst[n] = 0
		n++
	}
	if x := uint64(len(value)) << 1; x != 0 && x < 1<<14 {
		word, more := twoBytes(x)
		binary.LittleEndian.PutUint16(dst[n:], uint16(word))
		n += int(1 + more)
		n += copy(dst[n:], value)
	} else {
		n += putField(dst[n:], value)
	}
	if len(headers) == 0 {
		dst[n] = 0
		return n + 1
	}
	return n + putHeaders(dst[n:], headers)
}

// twoBytes encodes x, which is below 2^14, as a varint in the low bytes of
// word. more is 1 when it takes two bytes, and 0 when it takes one.
func twoBytes(x uint64) (word, more uint64) {
	high := x >> 7
	more = (high + 0x7f) >> 7
	return x&0x7f | more<<7 | high<<8, more
}

// putPrefix writes what stands before the payload, for numbers of any size
// that are zigzag encoded already.
func putPrefix(dst []byte, length, timestamp, offset uint64) int {
	n := putUvarint(dst, length)
	dst[n] = 0 // attributes
	n++
	n += putUvarint(dst[n:], timestamp)
	return n + putUvarint(dst[n:], offset)
}

// putField writes a key or a value with its length, which tells null (nil) from
// empty, and returns the size of both.
func putField(dst, field []byte) int {
	if field == nil {
		dst[0] = nullLength
		return 1
	}
	n := putUvarint(dst, uint64(len(field))<<1)
	return n + copy(dst[n:], field)
}

// putHeaders writes the number of headers and the headers.
func putHeaders(dst []byte, headers []Header) int {
	n := putUvarint(dst, uint64(len(headers))<<1)
	for i := range headers {
		h := &headers[i]
		n += putUvarint(dst[n:], uint64(len(h.Key))<<1)
		n += copy(dst[n:], h.Key)
		n += putField(dst[n:], h.Value)
	}
	return n
}
