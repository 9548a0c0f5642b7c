package bench

import (
	"encoding/json"
	"math"
	"testing"
	"time"
)

func TestParseArrival(t *testing.T) {
	for text, want := range map[string]string{
		"": "constant", "constant": "constant", "poisson": "poisson", "burst:1": "burst:1", "burst:1k": "burst:1000",
	} {
		a, err := ParseArrival(text)
		if err != nil || a.String() != want {
			t.Errorf("%q: %v, %v; want %s", text, a, err, want)
		}
		var back Arrival
		line, err := json.Marshal(a)
		if err != nil || json.Unmarshal(line, &back) != nil || back != a {
			t.Errorf("%q: %s becomes %v", text, line, back)
		}
	}
	for _, text := range []string{"burst", "burst:", "burst:0", "burst:-1", "burst:2M", "burst:x", "poisson:3", "constant:1", "normal", ":", " poisson"} {
		if a, err := ParseArrival(text); err == nil {
			t.Errorf("%q is %v, want an error", text, a)
		}
	}
}

// arrivalSchedules are timetables of each kind.
func arrivalSchedules(t *testing.T) []schedule {
	t.Helper()
	var list []schedule
	for _, text := range []string{"poisson", "burst:1", "burst:7", "burst:1000"} {
		a, err := ParseArrival(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, rate := range []uint64{1, 20_000, 3_000_000, maxRate} {
			list = append(list, schedule{rate: rate, senders: 3, first: 2, arrivals: newArrivals(a, 5)})
		}
	}
	return list
}

// TestArrivalsKeepTheRate: records fall due in order, and however long the run,
// a block early or late at most.
func TestArrivalsKeepTheRate(t *testing.T) {
	for _, s := range arrivalSchedules(t) {
		s.senders, s.first = 1, 0
		for _, from := range []uint64{0, 3*s.arrivals.block - 20, 12_345 * s.arrivals.block} {
			last := int64(math.MinInt64)
			for n := from; n < from+100; n++ {
				at := s.intended(0, n)
				if at < last {
					t.Errorf("rate %d, block %d: record %d is due at %d, before the last", s.rate, s.arrivals.block, n, at)
				}
				last = at
				first := n - n%s.arrivals.block
				if at < whenConstant(first, s.rate) || at > whenConstant(first+s.arrivals.block, s.rate) {
					t.Errorf("rate %d, block %d: record %d is due at %d, outside its block", s.rate, s.arrivals.block, n, at)
				}
			}
		}
	}
}

// TestArrivalsBefore: before counts what is intended before an instant.
func TestArrivalsBefore(t *testing.T) {
	for _, s := range arrivalSchedules(t) {
		for _, at := range []int64{-1, 0, 1, 999_999_999, 1_000_000_000, 2_500_000_001} {
			for sender := range int(s.senders) {
				n := s.before(sender, at)
				if n > 0 && s.intended(sender, n-1) >= at {
					t.Errorf("rate %d, block %d: record %d is due at %d, not before %d", s.rate, s.arrivals.block, n-1, s.intended(sender, n-1), at)
				}
				if at > 0 && s.intended(sender, n) < at {
					t.Errorf("rate %d, block %d: record %d is due at %d, before %d", s.rate, s.arrivals.block, n, s.intended(sender, n), at)
				}
			}
		}
	}
}

// TestPoissonArrivals: gaps have the spread of a Poisson process, and no memory.
func TestPoissonArrivals(t *testing.T) {
	s := schedule{rate: 1000, senders: 1, arrivals: newArrivals(Arrival{kind: arrivalPoisson}, 9)}
	mean, square, product, long, before := 0.0, 0.0, 0.0, 0, 0.0
	for n := range uint64(arrivalBlock) {
		gap := float64(s.intended(0, n+1)-s.intended(0, n)) / float64(time.Millisecond)
		mean, square, product = mean+gap, square+gap*gap, product+gap*before
		before = gap
		if gap > 3 {
			long++
		}
	}
	mean, square, product = mean/arrivalBlock, square/arrivalBlock, product/arrivalBlock
	if math.Abs(mean-1) > 1e-6 || math.Abs(square-2) > 0.1 || math.Abs(product-1) > 0.05 {
		t.Errorf("gaps have mean %v, mean square %v and mean product %v; want 1, 2, 1", mean, square, product)
	}
	if share := float64(long) / arrivalBlock; math.Abs(share-math.Exp(-3)) > 0.005 {
		t.Errorf("%.4f of the gaps are longer than three means, want %.4f", share, math.Exp(-3))
	}
	if other := newArrivals(Arrival{kind: arrivalPoisson}, 10); other.offsets[100] == s.arrivals.offsets[100] {
		t.Error("another seed has the same timetable")
	}
}

// TestBurstArrivals: all of a burst is due when its first record is, and the next
// burst when the rate has it.
func TestBurstArrivals(t *testing.T) {
	s := schedule{rate: 1000, senders: 2, arrivals: newArrivals(Arrival{kind: arrivalBurst, burst: 4}, 0)}
	for n := range uint64(40) {
		if got, want := s.intended(int(n%2), n/2), int64(n/4*4)*int64(time.Millisecond); got != want {
			t.Errorf("record %d is due at %d, want %d", n, got, want)
		}
	}
}

// TestArrivalIsToldAndChecked: the result says how records arrived, and a closed
// loop has no timetable.
func TestArrivalIsToldAndChecked(t *testing.T) {
	for _, text := range []string{"constant", "poisson", "burst:50"} {
		c := testConfig()
		c.Mode, c.Rate, c.Records, c.Duration, c.Outstanding = ModeOpen, 20_000, 2000, 0, 0
		var err error
		if c.Arrival, err = ParseArrival(text); err != nil {
			t.Fatal(err)
		}
		f := &fakeClient{partitions: 3}
		r := mustRun(t, t.Context(), c, f.library(), Output{})
		if r.Workload.Arrival != text || r.Totals.Acked != 2000 {
			t.Errorf("%s: told as %s, %d records", text, r.Workload.Arrival, r.Totals.Acked)
		}
	}
	c := testConfig()
	c.Mode, c.Rate, c.Arrival = ModeClosed, 0, Arrival{kind: arrivalPoisson}
	if err := c.Validate(); err == nil {
		t.Error("a closed loop with arrivals is accepted")
	}
}
