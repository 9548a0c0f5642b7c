package slab

import (
	"math"
	"testing"
)

func TestHead(t *testing.T) {
	for _, tc := range []struct {
		name      string
		in        head
		wantIndex uint32
		wantTag   uint32
	}{
		{name: "zero is empty", in: 0, wantIndex: noIndex, wantTag: 0},
		{name: "empty keeps its tag", in: makeHead(noIndex, 7), wantIndex: noIndex, wantTag: 7},
		{name: "first slot", in: makeHead(0, 0), wantIndex: 0, wantTag: 0},
		{name: "last slot", in: makeHead(maxSlots-1, 5), wantIndex: maxSlots - 1, wantTag: 5},
		{name: "pop counts", in: makeHead(3, 9).afterPop(2), wantIndex: 2, wantTag: 10},
		{name: "pop to empty counts", in: makeHead(3, 9).afterPop(noIndex), wantIndex: noIndex, wantTag: 10},
		{name: "tag wraps", in: makeHead(3, math.MaxUint32).afterPop(4), wantIndex: 4, wantTag: 0},
		{name: "push keeps the tag", in: makeHead(3, 9).afterPush(8), wantIndex: 8, wantTag: 9},
		{name: "push to empty", in: makeHead(noIndex, math.MaxUint32).afterPush(0), wantIndex: 0, wantTag: math.MaxUint32},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.in.index(); got != tc.wantIndex {
				t.Errorf("index() = %d, want %d", got, tc.wantIndex)
			}
			if got := tc.in.tag(); got != tc.wantTag {
				t.Errorf("tag() = %d, want %d", got, tc.wantTag)
			}
		})
	}
}

func TestGate(t *testing.T) {
	var a atomicGate
	check := func(step string, waiting int, closed bool) {
		t.Helper()
		if g := a.load(); g.waiting() != waiting || g.closed() != closed {
			t.Errorf("after %s: waiting %d, closed %t, want %d, %t", step, g.waiting(), g.closed(), waiting, closed)
		}
	}
	check("nothing", 0, false)
	a.enter()
	a.enter()
	check("two enter", 2, false)
	a.leave()
	check("one leaves", 1, false)
	a.close()
	check("close", 1, true)
	a.close()
	a.leave()
	check("close and leave", 0, true)
}
