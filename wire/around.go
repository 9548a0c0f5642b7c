package wire

import "math"

// A record whose value stands in its place before the rest is written: what the
// caller of Reserve wrote there itself.

// PayloadSizeAround is PayloadSize for a value of n bytes that is not null; n may
// be any number that is not negative.
func PayloadSizeAround(key []byte, n int, headers []Header) int {
	n = min(n, math.MaxInt/2) // fits nothing either
	return clampSize(int64(PayloadSize(key, nil, headers)) - 1 + int64(lengthSize(n)) + int64(n))
}

// AfterValue is the number of bytes of a record behind its value.
func AfterValue(headers []Header) int {
	if len(headers) == 0 {
		return 1
	}
	return int(headersSize(headers)) + 1
}

// PutRecordAround writes everything but the value of a record that fills dst.
// The value's n bytes stand where they belong, AfterValue before the end, and
// are not touched. body is what RecordSize returned.
func PutRecordAround(dst []byte, body int, offsetDelta int32, timestampDelta int64, key []byte, n int, headers []Header) {
	at := putPrefix(dst, uint64(body)<<1, zigzag64(timestampDelta), uint64(zigzag32(offsetDelta)))
	at += putField(dst[at:], key)
	at += putUvarint(dst[at:], uint64(n)<<1)
	if len(headers) == 0 {
		dst[at+n] = 0
		return
	}
	putHeaders(dst[at+n:], headers)
}
