package accum

import (
	"testing"
	"time"

	"github.com/kring-go/kring/internal/latency"
)

// TestStages: each stage gets the time that was spent in it, once per batch.
func TestStages(t *testing.T) {
	a, parts, _ := newTest(t, Config{BatchSize: 512, BufferMemory: 1 << 16, Linger: time.Hour, AlwaysComplete: true}, 1)
	lane := NewLane(func(Delivery) {}, nil)
	p := parts[0]
	appendAll(t, p, "one")
	begin := p.Head().Created()
	w := p.open.load()
	p.Head().seal(w.gen(), begin+100)
	p.Head().seal(w.gen(), begin+200) // it was sealed before
	env := &Env{Now: begin + 1000, MaxInFlight: 1}
	b, _ := p.Next(env)
	p.Take(b, env)
	p.Requeue(b, 0)
	env.Now += 1 << 30
	b, _ = p.Next(env)
	p.Take(b, env) // the second time counts no more
	p.Drop(b, true)
	p.Finish(b, Outcome{}, lane)
	b.finishedAt -= int64(time.Second) // as if the lane were late
	lane.complete(lane.pop())
	for _, tc := range []struct {
		name   string
		h      *latency.Histogram
		lo, hi time.Duration
	}{
		{"fill", &a.Stages().Fill, 100, 107},
		{"queue", &a.Stages().Queue, 900, 960},
		{"callback", &a.Stages().Callback, time.Second, time.Minute},
	} {
		s := tc.h.Snapshot()
		if got := s.Quantile(1); s.Count != 1 || got < tc.lo || got > tc.hi {
			t.Errorf("%s: %d times, the longest %v, want once, %v to %v", tc.name, s.Count, got, tc.lo, tc.hi)
		}
	}
}

// TestSealedAtOnce: what was sealed when it was opened took no time to fill.
func TestSealedAtOnce(t *testing.T) {
	a, parts, _ := newTest(t, Config{BatchSize: 512, BufferMemory: 1 << 16}, 1)
	p := parts[0]
	appendAll(t, p, string(make([]byte, 2000)))
	env := &Env{Now: p.Head().Created() + 500, MaxInFlight: 1}
	b, w := p.Next(env)
	if w != Go {
		t.Fatal(w)
	}
	p.Take(b, env)
	if s := a.Stages().Fill.Snapshot(); s.Count != 1 || s.Quantile(1) != 0 {
		t.Errorf("fill: %d times, %v", s.Count, s.Quantile(1))
	}
}
