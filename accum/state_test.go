package accum

import "testing"

func TestStateFields(t *testing.T) {
	for _, tc := range []struct {
		name                   string
		gen                    uint32
		offset, count, writers int
	}{
		{"zero", 0, 0, 0, 0},
		{"all full", genMask, maxOffset, maxCount, maxWriters},
		{"offset only", 0, maxOffset, 0, 0},
		{"count only", 0, 0, maxCount, 0},
		{"writers only", 0, 0, 0, maxWriters},
		{"gen only", genMask, 0, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := makeState(tc.gen, tc.offset, tc.count, tc.writers)
			if s.gen() != tc.gen || s.offset() != tc.offset || s.count() != tc.count || s.writers() != tc.writers || s.sealed() {
				t.Errorf("got gen %d offset %d count %d writers %d sealed %t", s.gen(), s.offset(), s.count(), s.writers(), s.sealed())
			}
			if sealed := s | sealedBit; !sealed.sealed() || sealed.complete() != (tc.writers == 0) {
				t.Errorf("sealed: complete() = %t with %d writers", sealed.complete(), tc.writers)
			}
		})
	}
}

// A batch that would overflow any field must refuse the record.
func TestRoomFor(t *testing.T) {
	for _, tc := range []struct {
		name string
		s    state
		size int
		n    int
		want bool
	}{
		{"exactly fits", makeState(1, 900, 1, 0), 100, 1, true},
		{"one byte too many", makeState(1, 901, 1, 0), 100, 1, false},
		{"count full", makeState(1, 100, 50, 0), 10, 1, false},
		{"last count", makeState(1, 100, 49, 0), 10, 1, true},
		{"last of many", makeState(1, 100, 40, 0), 10, 10, true},
		{"one too many", makeState(1, 100, 41, 0), 10, 10, false},
		{"writers full", makeState(1, 100, 1, maxWriters), 10, 1, false},
		{"last writer", makeState(1, 100, 1, maxWriters-1), 10, 1, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.s.roomFor(tc.size, tc.n, 1000, 50); got != tc.want {
				t.Errorf("roomFor = %t, want %t", got, tc.want)
			}
		})
	}
}

func TestSealOnlyItsLife(t *testing.T) {
	var c stateCell
	c.store(makeState(5, 100, 1, 1))
	if _, won := c.seal(4); won {
		t.Error("sealed with the generation of an earlier life")
	}
	if s, won := c.seal(5); !won || s.complete() {
		t.Errorf("seal = %t, complete %t with a writer inside", won, s.complete())
	}
	if _, won := c.seal(5); won {
		t.Error("sealed twice")
	}
	if s := c.commit(); !s.complete() {
		t.Error("the last one out does not see a complete batch")
	}
}

func TestWords(t *testing.T) {
	w := makeWord(genMask, 7)
	if w.gen() != genMask || w.index() != 7 || w.empty() || w.closed() {
		t.Errorf("makeWord: %#x", uint64(w))
	}
	if l := emptyLink(3); !l.empty() || l.closed() || l.gen() != 3 {
		t.Errorf("emptyLink: %#x", uint64(l))
	}
	if l := closedLink(3); l.empty() || !l.closed() || l.gen() != 3 {
		t.Errorf("closedLink: %#x", uint64(l))
	}
}

func TestSequenceOnWire(t *testing.T) {
	for in, want := range map[int64]int32{-1: -1, 0: 0, 1<<31 - 1: 1<<31 - 1, 1 << 31: 0, 1<<31 + 5: 5, 1<<32 + 1: 1} {
		if got := SequenceOnWire(in); got != want {
			t.Errorf("SequenceOnWire(%d) = %d, want %d", in, got, want)
		}
	}
}
