package bench

import (
	"context"
	"runtime"
	"testing"
	"time"
)

// TestMemoryOfACollector: what the runtime did in the window is counted, and is
// not told of a library whose records it does not hold.
func TestMemoryOfACollector(t *testing.T) {
	from, to := newMeter(), newMeter()
	from.read(0)
	runtime.GC()
	runtime.GC()
	to.read(1)
	c := costBetween(from, to, 100)
	if c.GCCount < 2 || c.GCPauseTotalNs == nil || *c.GCPauseTotalNs <= c.GCPauseMaxNs || c.GCCPUNs == nil || *c.GCCPUNs <= 0 || c.HeapLiveBytes == nil || *c.HeapLiveBytes <= 0 {
		t.Errorf("%+v", c)
	}
	for _, tc := range []struct {
		traits []Trait
		known  bool
	}{{nil, true}, {[]Trait{Foreign()}, false}} {
		cfg := testConfig()
		cfg.Mode, cfg.Rate, cfg.Records, cfg.Duration = ModeOpen, 5000, 0, 50*time.Millisecond
		r := mustRun(t, context.Background(), cfg, (&fakeClient{partitions: 3}).library(tc.traits...), Output{})
		c := &r.Cost
		if known := c.GCPauseTotalNs != nil && c.GCCPUNs != nil && c.HeapLiveBytes != nil; known != tc.known || !known && c.Allocs+c.GCCount > 0 || c.RSSPeakBytes == 0 {
			t.Errorf("foreign %t: %+v", !tc.known, c)
		}
	}
	sum := Cost{}
	sum.add(&c, true)
	sum.add(&c, false)
	if *sum.GCPauseTotalNs != 2**c.GCPauseTotalNs || *sum.GCCPUNs != 2**c.GCCPUNs || *sum.HeapLiveBytes != *c.HeapLiveBytes {
		t.Errorf("of two shards: %+v", sum)
	}
	less := *c.HeapLiveBytes - 1
	sum.add(&Cost{GCPauseTotalNs: &less, GCCPUNs: &less, HeapLiveBytes: &less}, false)
	if *sum.HeapLiveBytes != *c.HeapLiveBytes {
		t.Errorf("the largest live heap is %d, want %d", *sum.HeapLiveBytes, *c.HeapLiveBytes)
	}
	sum.add(&Cost{}, false)
	if sum.GCPauseTotalNs != nil || sum.GCCPUNs != nil || sum.HeapLiveBytes == nil {
		t.Errorf("with a shard that does not know: %+v", sum)
	}
}
