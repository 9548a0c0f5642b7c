package kring

import (
	"bytes"
	"fmt"
	"testing"
)

func TestMurmur2MatchesJava(t *testing.T) {
	// The vectors of the Java client's own test.
	tests := []struct {
		key  string
		want int32
	}{
		{"21", -973932308},
		{"foobar", -790332482},
		{"a-little-bit-long-string", -985981536},
		{"a-little-bit-longer-string", -1486304829},
		{"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
		{"abc", 479470107},
	}
	for _, tc := range tests {
		t.Run(tc.key, func(t *testing.T) {
			if got := int32(murmur2([]byte(tc.key))); got != tc.want {
				t.Errorf("murmur2 = %d, want %d", got, tc.want)
			}
			// The mask, not the absolute value: they differ for all but
			// the last vector.
			const partitions = 1000
			want := (tc.want & 0x7fffffff) % partitions
			if got := partitionForKey([]byte(tc.key), partitions); got != want {
				t.Errorf("partitionForKey = %d, want %d", got, want)
			}
		})
	}
}

// referenceMurmur2 is the algorithm as its description has it, one byte at a
// time, so that the word loads and the tail of the fast one have something to
// differ from.
func referenceMurmur2(key []byte) uint32 {
	const m = 0x5bd1e995
	h := uint32(0x9747b28c) ^ uint32(len(key))
	words := len(key) / 4
	for i := range words {
		var k uint32
		for j := range 4 {
			k |= uint32(key[4*i+j]) << (8 * j)
		}
		k *= m
		k ^= k >> 24
		k *= m
		h *= m
		h ^= k
	}
	tail := key[4*words:]
	for j := len(tail) - 1; j >= 0; j-- {
		h ^= uint32(tail[j]) << (8 * j)
	}
	if len(tail) > 0 {
		h *= m
	}
	h ^= h >> 13
	h *= m
	return h ^ h>>15
}

func TestMurmur2OfEveryLength(t *testing.T) {
	key := make([]byte, 0, 80)
	for i := range 80 {
		if got, want := murmur2(key), referenceMurmur2(key); got != want {
			t.Fatalf("length %d: murmur2 = %#x, want %#x", len(key), got, want)
		}
		key = append(key, byte(0x80+i*37))
	}
}

func FuzzMurmur2(f *testing.F) {
	f.Add([]byte("21"))
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 33))
	f.Fuzz(func(t *testing.T, key []byte) {
		if got, want := murmur2(key), referenceMurmur2(key); got != want {
			t.Fatalf("murmur2(%x) = %#x, want %#x", key, got, want)
		}
		for _, partitions := range []int32{1, 2, 7, 1 << 30} {
			if p := partitionForKey(key, partitions); p < 0 || p >= partitions {
				t.Fatalf("partitionForKey(%x, %d) = %d", key, partitions, p)
			}
		}
	})
}

func TestMurmur2DoesNotAllocate(t *testing.T) {
	key := []byte("a-little-bit-long-string")
	if n := testing.AllocsPerRun(100, func() { partitionForKey(key, 12) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkMurmur2(b *testing.B) {
	for _, size := range []int{0, 4, 8, 16, 36, 100} {
		key := bytes.Repeat([]byte{'k'}, size)
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			var sum int32
			for b.Loop() {
				sum += partitionForKey(key, 12)
			}
			if sum < 0 && size == 0 {
				b.Log(sum)
			}
		})
	}
}
