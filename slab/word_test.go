package slab

import "testing"

func TestWord(t *testing.T) {
	for _, tc := range []struct {
		name      string
		in        word
		wantSides word
		wantBelow uint32
		wantDepth uint32
	}{
		{name: "last of the list", in: makeLink(noIndex, 1), wantBelow: noIndex, wantDepth: 1},
		{name: "above slot 0", in: makeLink(0, 2), wantBelow: 0, wantDepth: 2},
		{name: "largest", in: makeLink(maxSlots-1, maxSlots), wantBelow: maxSlots - 1, wantDepth: maxSlots},
		{name: "record side", in: recordSide, wantSides: recordSide, wantBelow: noIndex},
		{name: "socket side", in: socketSide, wantSides: socketSide, wantBelow: noIndex},
		{name: "both sides", in: bothSides, wantSides: recordSide | socketSide, wantBelow: noIndex},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.in.sides(); got != tc.wantSides {
				t.Errorf("sides() = %02b, want %02b", got>>62, tc.wantSides>>62)
			}
			if got := tc.in.below(); got != tc.wantBelow {
				t.Errorf("below() = %d, want %d", got, tc.wantBelow)
			}
			if got := tc.in.depth(); got != tc.wantDepth {
				t.Errorf("depth() = %d, want %d", got, tc.wantDepth)
			}
		})
	}
}
