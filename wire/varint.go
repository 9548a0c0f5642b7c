package wire

import "math/bits"

// Kafka writes two families of variable-length integers. Inside a record they
// are zigzag encoded (varint, varlong); in the flexible request and response
// format they are plain (uvarint). Both put seven bits into a byte, least
// significant group first, and set the top bit of every byte but the last.
const (
	maxUvarintBytes = 5
	maxVarlongBytes = 10
)

// zigzag32 maps small magnitudes of either sign to small unsigned numbers.
func zigzag32(x int32) uint32 { return uint32(x<<1) ^ uint32(x>>31) }

// zigzag64 is zigzag32 for 64 bits.
func zigzag64(x int64) uint64 { return uint64(x<<1) ^ uint64(x>>63) }

// uvarintSize returns how many bytes x takes: with n significant bits
// ceil(n/7), at least 1. One or two bytes, which is what nearly all lengths and
// deltas take, are told apart without a branch, since records of mixed sizes
// would make it unpredictable. (9n+64)/64 equals ceil(n/7) for every n up to 64
// and needs no division; bits.Len64 for all cost 3 ns more per record.
func uvarintSize(x uint64) int {
	if x < 1<<14 {
		return 1 + int((x>>7+0x7f)>>7)
	}
	return (9*bits.Len64(x) + 64) >> 6
}

// lengthSize returns how many bytes the zigzag length of an n-byte field
// takes. A null field (length -1) takes one byte, exactly as an empty one.
func lengthSize(n int) int { return uvarintSize(uint64(n) << 1) }

// putUvarint writes x at the beginning of dst and returns its size.
func putUvarint(dst []byte, x uint64) int {
	n := 0
	for x >= 0x80 {
		dst[n] = byte(x) | 0x80
		x >>= 7
		n++
	}
	dst[n] = byte(x)
	return n + 1
}

// appendUvarint appends x to dst.
func appendUvarint(dst []byte, x uint32) []byte {
	for x >= 0x80 {
		dst = append(dst, byte(x)|0x80)
		x >>= 7
	}
	return append(dst, byte(x))
}

// uvarint32 reads an unsigned varint of at most 32 bits. It returns n = 0
// when p ends too early, or when the number does not fit: a sixth byte, or a
// fifth with more than the four bits that are left. Encodings that are longer
// than necessary but fit are read, as every Kafka implementation does.
func uvarint32(p []byte) (x uint32, n int) {
	for i := 0; i < len(p) && i < maxUvarintBytes; i++ {
		b := p[i]
		if i == maxUvarintBytes-1 && b > 0x0f {
			return 0, 0
		}
		x |= uint32(b&0x7f) << (7 * i)
		if b < 0x80 {
			return x, i + 1
		}
	}
	return 0, 0
}

// uvarint64 is uvarint32 for 64 bits: ten bytes, the last at most 1.
func uvarint64(p []byte) (x uint64, n int) {
	for i := 0; i < len(p) && i < maxVarlongBytes; i++ {
		b := p[i]
		if i == maxVarlongBytes-1 && b > 0x01 {
			return 0, 0
		}
		x |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			return x, i + 1
		}
	}
	return 0, 0
}

// varint32 reads a zigzag varint; n = 0 as in uvarint32.
func varint32(p []byte) (x int32, n int) {
	u, n := uvarint32(p)
	return int32(u>>1) ^ -int32(u&1), n
}

// varint64 reads a zigzag varlong; n = 0 as in uvarint64.
func varint64(p []byte) (x int64, n int) {
	u, n := uvarint64(p)
	return int64(u>>1) ^ -int64(u&1), n
}
