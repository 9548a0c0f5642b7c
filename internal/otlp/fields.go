package otlp

import (
	"encoding/binary"
	"math"
	"strings"
)

// The wire types of protobuf that occur.
const (
	typeVarint  = 0
	typeFixed64 = 1
	typeBytes   = 2
)

func tag(dst []byte, number, wireType int) []byte {
	return binary.AppendUvarint(dst, uint64(number)<<3|uint64(wireType))
}

// message appends a field of the bytes that body appends. Their length comes
// first and is not known first, so they move once by its size: the messages are
// small, and are made once in minutes.
func message(dst []byte, number int, body func([]byte) []byte) []byte {
	dst = tag(dst, number, typeBytes)
	start := len(dst)
	dst = body(dst)
	var size [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(size[:], uint64(len(dst)-start))
	dst = append(dst, size[:n]...)
	copy(dst[start+n:], dst[start:])
	copy(dst[start:], size[:n])
	return dst
}

// text appends a string. Protobuf's must be UTF-8, or the whole message is
// refused.
func text(dst []byte, number int, s string) []byte {
	s = strings.ToValidUTF8(s, "\uFFFD")
	dst = binary.AppendUvarint(tag(dst, number, typeBytes), uint64(len(s)))
	return append(dst, s...)
}

func varint(dst []byte, number int, v uint64) []byte {
	return binary.AppendUvarint(tag(dst, number, typeVarint), v)
}

func fixed64(dst []byte, number int, v uint64) []byte {
	return binary.LittleEndian.AppendUint64(tag(dst, number, typeFixed64), v)
}

func double(dst []byte, number int, v float64) []byte {
	return fixed64(dst, number, math.Float64bits(v))
}
