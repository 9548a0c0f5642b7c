//go:build !race

package compress

import "testing"

// Under the race detector sync.Pool forgets a part of what it is given, and
// the lz4 library keeps its tables in one, so this does not run there.
func TestNoAllocation(t *testing.T) {
	src := jsonLike(40 << 10)
	for _, c := range codecs() {
		z, err := New(c, DefaultLevel)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, 0, 128<<10)
		run := func() {
			if _, err := z.Append(dst, src); err != nil {
				t.Fatal(err)
			}
		}
		run()
		if n := testing.AllocsPerRun(20, run); n > 0 {
			t.Errorf("%v: %v allocations per call", c, n)
		}
	}
}
