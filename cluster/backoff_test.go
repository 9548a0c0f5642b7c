package cluster

import (
	"math"
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name        string
		base, limit time.Duration
		failures    int
		random      float64
		want        time.Duration
	}{
		{"nothing failed", 50 * ms, time.Second, 0, 0.5, 0},
		{"negative failures", 50 * ms, time.Second, -3, 0.5, 0},
		{"no base", 0, time.Second, 3, 0.5, 0},
		{"first", 50 * ms, time.Second, 1, 0.5, 50 * ms},
		{"second", 50 * ms, time.Second, 2, 0.5, 100 * ms},
		{"fifth", 50 * ms, time.Second, 5, 0.5, 800 * ms},
		{"limited", 50 * ms, time.Second, 6, 0.5, time.Second},
		{"lowest jitter", 100 * ms, time.Second, 1, 0, 80 * ms},
		{"highest jitter", 100 * ms, time.Second, 1, 1, 120 * ms},
		{"jitter at the limit", 100 * ms, time.Second, 100, 1, 1200 * ms},
		{"base above the limit", 3 * time.Second, time.Second, 1, 0.5, time.Second},
		{"no overflow", 50 * ms, math.MaxInt64 / 2, math.MaxInt, 0, time.Duration(float64(math.MaxInt64/2) * 0.8)},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got := Backoff(tc.base, tc.limit, tc.failures, func() float64 { return tc.random })
			if diff := (got - tc.want).Abs(); diff > time.Microsecond {
				t.Errorf("Backoff() = %v, want %v", got, tc.want)
			}
		})
	}
}

func TestClampThrottle(t *testing.T) {
	tests := []struct {
		name string
		ms   int32
		want time.Duration
	}{
		{"none", 0, 0},
		{"negative", -1, 0},
		{"lowest", math.MinInt32, 0},
		{"plain", 250, 250 * time.Millisecond},
		{"endless", math.MaxInt32, MaxThrottle},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got := ClampThrottle(tc.ms); got != tc.want {
				t.Errorf("ClampThrottle(%d) = %v, want %v", tc.ms, got, tc.want)
			}
		})
	}
}
