package kringkeystore

import (
	"slices"
	"testing"
)

// TestChain: what a PKCS12 holds without an order becomes a chain, whatever
// order it is in.
func TestChain(t *testing.T) {
	old, renewed := newPair(t, "ca", "EC", nil), newPair(t, "ca", "EC", nil)
	middle := newPair(t, "middle", "EC", renewed, asCA)
	app := newPair(t, "app", "EC", middle)
	// Two that have signed each other.
	left, right := newPair(t, "left", "EC", nil), newPair(t, "right", "EC", nil)
	left, right = newPair(t, "left", "EC", right, asCA), newPair(t, "right", "EC", left, asCA)
	left.AuthorityKeyId, right.AuthorityKeyId = nil, nil
	crossed := newPair(t, "crossed", "EC", left)
	for _, tc := range []struct {
		name      string
		all, want []*pair
	}{
		{"renewed authority", []*pair{old, middle, renewed, app}, []*pair{app, middle, renewed}},
		{"authority that is not there", []*pair{old, middle, app}, []*pair{app, middle}},
		{"alone", []*pair{old}, []*pair{old}},
		{"circle", []*pair{left, right, crossed}, []*pair{crossed, left, right}},
		{"none", []*pair{app, old}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			key := newKey(t, "EC")
			if tc.want != nil {
				key = tc.want[0].key
			}
			got := chainFor(key, certificates(tc.all))
			if !slices.Equal(got, certificates(tc.want)) {
				t.Errorf("a chain of %d, want %d: or others, or in another order", len(got), len(tc.want))
			}
		})
	}
	if got := chainFor("no key", certificates([]*pair{app})); got != nil {
		t.Errorf("a chain of %d for what is no key", len(got))
	}
}
