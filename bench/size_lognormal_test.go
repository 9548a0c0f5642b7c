package bench

import (
	"math"
	"slices"
	"testing"
)

// TestLognormal compares the quantiles of what is drawn with the curve's.
func TestLognormal(t *testing.T) {
	s, err := ParseSizes("lognormal:1000,0.5,64KiB")
	if err != nil {
		t.Fatal(err)
	}
	r := newRNG(1, 1)
	drawn := make([]int, 200_000)
	for i := range drawn {
		drawn[i] = s.Draw(r)
	}
	slices.Sort(drawn)
	// Standard normal quantiles of a tenth, the median, nine tenths and p99.
	for q, z := range map[float64]float64{0.1: -1.2816, 0.5: 0, 0.9: 1.2816, 0.99: 2.3263} {
		want := 1000 * math.Exp(0.5*z)
		if got := float64(drawn[int(q*float64(len(drawn)))]); math.Abs(got/want-1) > 0.03 {
			t.Errorf("quantile %v is %v, want %.0f", q, got, want)
		}
	}
	if s.Max() > 64<<10 || s.Min() < StampSize || drawn[0] < s.Min() || drawn[len(drawn)-1] > s.Max() {
		t.Errorf("bounds %d and %d, drawn up to %d", s.Min(), s.Max(), drawn[len(drawn)-1])
	}
	if s.String() != "lognormal:1000,0.5,64KiB" {
		t.Errorf("written as %s", s)
	}
	if s, err = ParseSizes("lognormal:1000,2,2000"); err != nil || s.Max() != 2000 {
		t.Errorf("cut off at %d, %v", s.Max(), err)
	}
	for _, bad := range []string{"lognormal:", "lognormal:1,2", "lognormal:0,1,10", "lognormal:20,1,10", "lognormal:5,0,10", "lognormal:5,x,10", "lognormal:5,1,x", "lognormal:x,1,10", "lognormal:5,1,1TiB"} {
		if _, err := ParseSizes(bad); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}
