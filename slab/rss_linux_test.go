//go:build linux && !race && !invariants

package slab

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// resident is the memory of this process that is in RAM.
func resident(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skipf("no /proc: %v", err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		t.Fatalf("statm %q: %v", text, err)
	}
	return pages * int64(os.Getpagesize())
}

// Slots that were never used cost no memory.
func TestUntouchedSlotsAreNotResident(t *testing.T) {
	const memory = 256 << 20
	before := resident(t)
	s := New(memory, 16384)
	one := make([]uint32, 1)
	for range 10_000 {
		if !s.Try(one) {
			t.Fatalf("Try failed")
		}
		clear(s.Bytes(one[0]))
		s.ReleaseRecord(one[0])
	}
	if grown := resident(t) - before; grown > memory/4 {
		t.Errorf("resident memory grew by %d MiB, want it to follow the one slot in use", grown>>20)
	}
	checkHome(t, s)
}
