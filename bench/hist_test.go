package bench

import (
	"math"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
)

func TestHistIndexIsHdr(t *testing.T) {
	// Every index's highest value lies at that index, and the next one does not.
	for i := range histCounts {
		v := histValue(i)
		if v > histMax {
			break
		}
		if histIndex(v) != i {
			t.Fatalf("histIndex(histValue(%d)=%d) = %d", i, v, histIndex(v))
		}
		if histIndex(v+1) != i+1 {
			t.Fatalf("histIndex(%d) = %d, want %d", v+1, histIndex(v+1), i+1)
		}
	}
	if i := histIndex(histMax); i >= histCounts {
		t.Fatalf("histIndex(histMax) = %d, beyond %d", i, histCounts)
	}
}

func TestHistAgreesWithLibrary(t *testing.T) {
	parts := []*hist{new(hist), new(hist), new(hist)}
	whole := hdrhistogram.New(1, histMax, histDigits)
	r := newRNG(11, 0)
	for i := range 200_000 {
		v := int64(math.Exp(r.unit() * 24)) // 1 ns to 26 s
		parts[i%len(parts)].record(v)
		if err := whole.RecordValue(v); err != nil {
			t.Fatal(err)
		}
	}
	merged := newSnapshot()
	for _, p := range parts {
		merged.add(p)
	}
	if merged.n != 200_000 {
		t.Fatalf("n = %d", merged.n)
	}
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999, 0.9999} {
		got, want := merged.quantileSince(nil, q), whole.ValueAtQuantile(q*100)
		if got != want {
			t.Errorf("quantile %v = %d, the library says %d", q, got, want)
		}
	}
	if d := math.Abs(merged.mean()-whole.Mean()) / whole.Mean(); d > 0.001 {
		t.Errorf("mean = %v, the library says %v", merged.mean(), whole.Mean())
	}
	if got := merged.hdr(); !got.Equals(whole) {
		t.Error("the converted histogram differs from one that was recorded as a whole")
	}
}

// TestHistRoundsRanks compares quantiles where every single rank shows.
func TestHistRoundsRanks(t *testing.T) {
	for n := 1; n <= 40; n++ {
		h, lib := new(hist), hdrhistogram.New(1, histMax, histDigits)
		for i := range n {
			v := int64(100 * (i + 1))
			h.record(v)
			if err := lib.RecordValue(v); err != nil {
				t.Fatal(err)
			}
		}
		s := newSnapshot()
		s.add(h)
		for _, q := range []float64{0, 0.1, 0.5, 0.9, 0.99, 0.999, 1} {
			// Both are rounded to three digits; max is exact in ours only.
			got, want := s.quantileSince(nil, q), min(lib.ValueAtQuantile(q*100), int64(100*n))
			if got != want {
				t.Errorf("n %d, quantile %v: %d, the library says %d", n, q, got, want)
			}
		}
	}
}

func TestHistOverflowIsCounted(t *testing.T) {
	h := new(hist)
	h.record(-5)
	h.record(histMax)
	h.record(histMax + 1)
	h.record(math.MaxInt64)
	s := newSnapshot()
	s.add(h)
	if s.n != 4 || s.overflow != 2 || s.max != math.MaxInt64 {
		t.Errorf("n %d, overflow %d, max %d; want 4, 2, MaxInt64", s.n, s.overflow, s.max)
	}
	if got := s.quantileSince(nil, 0.99); got != math.MaxInt64 {
		t.Errorf("p99 = %d, want the maximum: it overflowed", got)
	}
}

func TestQuantileSince(t *testing.T) {
	h := new(hist)
	h.record(1000)
	h.record(1000)
	before := newSnapshot()
	before.add(h)
	for range 10 {
		h.record(500)
	}
	now := newSnapshot()
	now.add(h)
	if got := now.quantileSince(before, 0.99); got != 500 {
		t.Errorf("p99 of the interval = %d, want 500", got)
	}
	if got := now.quantileSince(now, 0.99); got != 0 {
		t.Errorf("p99 of nothing = %d, want 0", got)
	}
}
