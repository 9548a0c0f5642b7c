package latency

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

// TestBucketsHoldWhatTheySay: every value is at most 1/16 below the top of its
// bucket and above the bucket before.
func TestBucketsHoldWhatTheySay(t *testing.T) {
	for e := range 40 {
		for _, v := range []uint64{1 << e, 1<<e + 1, 1<<e - 1, 1<<e + 1<<e/3, 3 << e / 2} {
			if v > longest {
				continue
			}
			b := bucketOf(v)
			if b >= buckets || v > highest(b) || b > 0 && v <= highest(b-1) {
				t.Fatalf("%d is in bucket %d, of %d to %d", v, b, highest(b-1)+1, highest(b))
			}
			if over := highest(b) - v; float64(over) > float64(v)/sub {
				t.Errorf("%d counts as %d", v, highest(b))
			}
		}
	}
	if bucketOf(longest) != buckets-1 {
		t.Errorf("the longest is in bucket %d of %d", bucketOf(longest), buckets)
	}
}

func TestQuantiles(t *testing.T) {
	var h Histogram
	if s := h.Snapshot(); s.Quantile(0.5) != 0 || s.Mean() != 0 {
		t.Error("an empty histogram has quantiles")
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	var all []int64
	var sum int64
	for range 50_000 {
		v := int64(math.Exp(rnd.Float64()*20 + 2))
		all = append(all, v)
		sum += v
		h.Record(v)
	}
	slices.Sort(all)
	s := h.Snapshot()
	if s.Count != uint64(len(all)) || s.Sum != time.Duration(sum) {
		t.Errorf("%d recorded, %v in all", s.Count, s.Sum)
	}
	for _, q := range []float64{0.001, 0.5, 0.9, 0.99, 0.999, 1} {
		want := all[max(int(q*float64(len(all))+0.5)-1, 0)]
		if got := s.Quantile(q); int64(got) < want || float64(got) > float64(want)*(1+1.0/sub)+1 {
			t.Errorf("quantile %v is %d, want about %d", q, got, want)
		}
	}
	if n := s.Below(time.Duration(all[25_000])); math.Abs(float64(n)-25_000) > 1000 {
		t.Errorf("%d are below the median", n)
	}
}

func TestExtremesAndSince(t *testing.T) {
	var h Histogram
	h.Record(-5)
	h.Record(math.MaxInt64)
	first := h.Snapshot()
	if first.Quantile(0) != 0 || first.Quantile(1) != longest {
		t.Errorf("got %v and %v", first.Quantile(0), first.Quantile(1))
	}
	h.Record(1000)
	if s := h.Snapshot().Since(first); s.Count != 1 || s.Quantile(0.5) < 1000 || s.Quantile(0.5) > 1063 || s.Sum != 1000 {
		t.Errorf("since: %d, %v, %v", s.Count, s.Quantile(0.5), s.Sum)
	}
}

func TestManyRecorders(t *testing.T) {
	var h Histogram
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 10_000 {
				h.Record(int64(g*1000 + i))
			}
		})
	}
	for range 100 {
		if s := h.Snapshot(); s.Count > 40_000 {
			t.Errorf("%d recorded", s.Count)
		}
	}
	wg.Wait()
	if s := h.Snapshot(); s.Count != 40_000 {
		t.Errorf("%d recorded, want 40000", s.Count)
	}
	if n := testing.AllocsPerRun(100, func() { h.Record(77) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	var h Histogram
	b.RunParallel(func(pb *testing.PB) {
		for i := int64(0); pb.Next(); i++ {
			h.Record(i)
		}
	})
}
