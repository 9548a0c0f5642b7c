//go:build !race

package ring

import "testing"

func TestNoAllocation(t *testing.T) {
	r := New[item](3)
	n := testing.AllocsPerRun(1000, func() {
		for range r.Cap() + 1 { // The last one finds it full, or empty.
			r.TryPush(item{seq: 1})
		}
		for range r.Cap() + 1 {
			r.TryPop()
		}
	})
	if n != 0 {
		t.Errorf("fill and drain: %v allocations per run, want 0", n)
	}
}
