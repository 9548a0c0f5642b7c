package kring

import "encoding/binary"

// murmur2 is the 32-bit MurmurHash2 with the seed that Kafka's Java client
// uses, so that a key goes to the same partition whichever client wrote it.
func murmur2(key []byte) uint32 {
	const (
		seed = 0x9747b28c
		m    = 0x5bd1e995
		r    = 24
	)
	h := uint32(seed) ^ uint32(len(key))
	for len(key) >= 4 {
		k := binary.LittleEndian.Uint32(key) * m
		k ^= k >> r
		h = h*m ^ k*m
		key = key[4:]
	}
	switch len(key) {
	case 3:
		h ^= uint32(key[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(key[1]) << 8
		fallthrough
	case 1:
		h = (h ^ uint32(key[0])) * m
	}
	h = (h ^ h>>13) * m
	return h ^ h>>15
}

// partitionForKey is where Java's default partitioner puts a key. It counts all
// partitions, also those that have no leader: a key must not move because a
// broker is down. The sign bit is cut off rather than the number negated, as
// Java does. An empty key is a key; a record without one (nil) does not come
// here.
func partitionForKey(key []byte, partitions int32) int32 {
	return int32(murmur2(key)&0x7fffffff) % partitions
}
