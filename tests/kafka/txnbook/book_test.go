package txnbook

import (
	"strings"
	"testing"
)

// TestVerdict: every way in which a log can contradict the producers is found,
// and nothing else.
func TestVerdict(t *testing.T) {
	const a0, a1 = "a 0", "a 1"
	tests := []struct {
		name string
		said string // words, with spaces between
		read []string
		want string // part of the error; empty: none
	}{
		{"committed", "begin try committed", []string{a1, a0}, ""},
		{"lost", "begin try committed", nil, "lost"},
		{"lost in part", "begin try committed", []string{a0}, "lost"},
		{"twice", "begin try committed", []string{a0, a1, a0, a1}, "twice"},
		{"one twice", "begin try committed", []string{a0, a1, a1}, "twice"},
		{"aborted", "begin aborted", nil, ""},
		{"aborted after a try", "begin try aborted", nil, ""},
		{"aborted and seen", "begin try aborted", []string{a0, a1}, "never committed"},
		{"cut off", "begin", nil, ""},
		{"cut off and seen", "begin", []string{a1}, "never committed"},
		{"unheard of", "", []string{a0, a1}, "nobody has begun"},
		{"unclear, all", "begin try", []string{a0, a1}, ""},
		{"unclear, none", "begin try", nil, ""},
		{"unclear, torn", "begin try", []string{a1}, "a part"},
		{"unclear, twice", "begin try", []string{a0, a1, a0, a1}, "twice"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			b := New(2)
			for word := range strings.FieldsSeq(tc.said) {
				if err := b.Note(Line(word, "a")); err != nil {
					t.Fatal(err)
				}
			}
			for _, value := range tc.read {
				if err := b.Read(value); err != nil {
					t.Fatal(err)
				}
			}
			_, err := b.Verdict()
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("the verdict is %v, want %q", err, tc.want)
			}
		})
	}
}

// TestNonsense: what no producer says and nobody has sent is refused.
func TestNonsense(t *testing.T) {
	b := New(2)
	for _, line := range []string{"", "begin", "begin ", "try a", "committed a", "fatal: no", "begin a"} {
		if err := b.Note(line); (err == nil) != (line == "begin a") {
			t.Errorf("%q: %v", line, err)
		}
	}
	for i, line := range []string{"committed a", "try a", "committed a", "committed a", "aborted a"} {
		if err := b.Note(line); (err == nil) != (i == 1 || i == 2) {
			t.Errorf("%d, %q: %v", i, line, err)
		}
	}
	for _, value := range []string{"", "a", "a x", "a -1", "a 2"} {
		if err := b.Read(value); err == nil {
			t.Errorf("%q was taken", value)
		}
	}
}

// TestVerdictIsShort: a log full of faults does not fill the screen.
func TestVerdictIsShort(t *testing.T) {
	b := New(1)
	for i := range 30 {
		for _, word := range []string{Begin, Try, Committed} {
			if err := b.Note(Line(word, string(rune('a'+i)))); err != nil {
				t.Fatal(err)
			}
		}
	}
	sum, err := b.Verdict()
	if err == nil || strings.Count(err.Error(), "\n") != 10 || !strings.Contains(err.Error(), "and 20 more") || sum.Committed != 30 {
		t.Errorf("%v: %v", sum, err)
	}
}
