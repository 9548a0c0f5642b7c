package ledger

import (
	"encoding/binary"
	"math/bits"
)

// The hash is our own so that the JVM reader can have the same one without a
// dependency (Readback.java, class Hash). It takes eight bytes per step, and a
// step is a bijection of the word, so that a single changed word always shows.
const (
	hashSeed  = 0x9E3779B97F4A7C15
	hashPrime = 0xD6E8FEB86659FD93
)

func hashStep(h, word uint64) uint64 {
	return (bits.RotateLeft64(h, 27) ^ word) * hashPrime
}

func hashFinish(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xFF51AFD7ED558CCD
	h ^= h >> 33
	h *= 0xC4CEB9FE1A85EC53
	return h ^ h>>33
}

// Hash returns the hash of b. The length goes into the seed, as -1 for null, so
// that null and empty differ, and so do "a" and "a\x00".
func Hash(b []byte) uint64 {
	if b == nil {
		minusOne := int64(-1)
		return hashFinish(hashSeed + uint64(minusOne))
	}
	h := uint64(hashSeed) + uint64(len(b))
	for len(b) >= 8 {
		h = hashStep(h, binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	if len(b) > 0 {
		var tail [8]byte
		copy(tail[:], b)
		h = hashStep(h, binary.LittleEndian.Uint64(tail[:]))
	}
	return hashFinish(h)
}

// HashHeaders folds the headers in their order; a reader calls it with what it
// received.
func HashHeaders(headers []Header) uint64 {
	h := uint64(hashSeed) + uint64(len(headers))
	for i := range headers {
		h = hashStep(h, hashString(headers[i].Key))
		h = hashStep(h, Hash(headers[i].Value))
	}
	return hashFinish(h)
}

// hashString is Hash of a string that can not be null.
func hashString(s string) uint64 {
	if s == "" {
		return Hash([]byte{})
	}
	return Hash([]byte(s))
}

// digest joins the three hashes of a record to the one that the book keeps.
func digest(key, value, headers uint64) uint64 {
	return hashFinish(hashStep(hashStep(hashStep(hashSeed, key), value), headers))
}

func digestOf(r *Record) uint64 {
	return digest(Hash(r.Key), Hash(r.Value), HashHeaders(r.Headers))
}
