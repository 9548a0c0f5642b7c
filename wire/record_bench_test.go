package wire

import (
	"fmt"
	"sync/atomic"
	"testing"
)

// BenchmarkPutRecord encodes records one after the other into slots of 16 KiB,
// sizes included, as an append does.
func BenchmarkPutRecord(b *testing.B) {
	for _, size := range []int{0, 10, 100, 1000} {
		b.Run(fmt.Sprintf("value=%d", size), func(b *testing.B) {
			benchPut(b, nil, make([]byte, size), nil)
		})
	}
	b.Run("value=100/key=16", func(b *testing.B) {
		benchPut(b, make([]byte, 16), make([]byte, 100), nil)
	})
	b.Run("value=100/headers=2", func(b *testing.B) {
		benchPut(b, nil, make([]byte, 100), []Header{{Key: "trace", Value: make([]byte, 16)}, {Key: "kind"}})
	})
}

func benchPut(b *testing.B, key, value []byte, headers []Header) {
	slots := newBenchSlots()
	b.ReportAllocs()
	for b.Loop() {
		payload := PayloadSize(key, value, headers)
		body, total := RecordSize(payload, slots.count, 25)
		PutRecord(slots.reserve(total), body, slots.count, 25, key, value, headers)
		slots.count++
	}
}

// BenchmarkAppend adds what an append does around the encoding: a compare and
// swap before it, and a locked add after it, which waits until the record has
// left the store buffer.
func BenchmarkAppend(b *testing.B) {
	for _, impl := range []string{"put", "copy"} {
		b.Run(fmt.Sprintf("impl=%s/value=100", impl), func(b *testing.B) {
			value := make([]byte, 100)
			slots := newBenchSlots()
			var state atomic.Uint64
			b.ReportAllocs()
			for b.Loop() {
				body, total := RecordSize(PayloadSize(nil, value, nil), slots.count, 25)
				s := state.Load()
				state.CompareAndSwap(s, s+1)
				dst := slots.reserve(total)
				if impl == "put" {
					PutRecord(dst, body, slots.count, 25, nil, value, nil)
				} else {
					copy(dst, value)
				}
				state.Add(1)
				slots.count++
			}
		})
	}
}

// BenchmarkRecordSize is the sizes alone.
func BenchmarkRecordSize(b *testing.B) {
	value := make([]byte, 100)
	sum := 0
	for b.Loop() {
		_, total := RecordSize(PayloadSize(nil, value, nil), int32(sum&0xff), 25)
		sum += total
	}
	if sum == 0 {
		b.Fatal("sizes of zero")
	}
}

// benchSlots hands out room in 64 slots of 16 KiB, in turn.
type benchSlots struct {
	arena []byte
	at    int
	count int32
}

const benchSlotSize = 16 << 10

func newBenchSlots() *benchSlots {
	return &benchSlots{arena: make([]byte, 64*benchSlotSize), at: BatchHeaderSize}
}

func (s *benchSlots) reserve(n int) []byte {
	if s.at&(benchSlotSize-1)+n > benchSlotSize {
		s.at = (s.at&^(benchSlotSize-1) + benchSlotSize) % len(s.arena)
		s.at += BatchHeaderSize
		s.count = 0
	}
	p := s.arena[s.at : s.at+n]
	s.at += n
	return p
}
