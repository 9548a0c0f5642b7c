package kring

import (
	"maps"
	"slices"
	"testing"
)

func TestEditDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"kitten", "sitting", 3},
		{"acks", "acks", 0},
		{"ackz", "acks", 1},
		{"liner", "linger", 1},
		{"flaw", "lawn", 2},
	}
	for _, tc := range tests {
		t.Run(tc.a+" "+tc.b, func(t *testing.T) {
			if got := editDistance(tc.a, tc.b); got != tc.want {
				t.Errorf("editDistance = %d, want %d", got, tc.want)
			}
		})
	}
}

func TestKnownPropertiesAreTheirOwnNearest(t *testing.T) {
	known := knownProperties()
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if got := nearestName(name, known); got != name {
			t.Errorf("nearest to %s is %q", name, got)
		}
		if known[name].name != name {
			t.Errorf("%s is listed as %s", known[name].name, name)
		}
	}
	for s := range settings {
		if _, ok := known[s.String()]; !ok {
			t.Errorf("%s is not known", s)
		}
	}
}
