//go:build !race

package ring

import "testing"

func TestNoAllocation(t *testing.T) {
	r := New[item](3)
	n := testing.AllocsPerRun(1000, func() {
		for r.TryPush(item{seq: 1}) {
		}
		for {
			if _, ok := r.TryPop(); !ok {
				break
			}
		}
	})
	if n != 0 {
		t.Errorf("fill and drain: %v allocations per run, want 0", n)
	}
}
