package depth_test

import (
	"testing"

	"github.com/kring-go/kring/internal/depth"
)

const second = 1_000 * ms

// TestSettles holds the law to the model: low where the broker is the queue,
// up to what fills the pipe where the way is long, and never much worse than
// the best fixed depth.
func TestSettles(t *testing.T) {
	open, bursts := load{rate: 20_000}, load{rate: 20_000, burst: 20}
	dense, few, many := load{rate: 100_000}, load{callers: 16}, load{callers: 200, thinks: 5 * ms}
	near := func(request int64, jitter float64) link {
		return link{request: request, record: 200, jitter: jitter}
	}
	far := func(delay, request int64) link {
		return link{delay: delay, request: request, record: 200, jitter: 0.3}
	}
	for _, tc := range []struct {
		name   string
		link   link
		load   load
		lo, hi int // where the depth is most of the time
		worse  float64
	}{
		{"queue, fast broker", near(100*us, 0.3), open, 1, 1, 1.1},
		{"queue, irregular broker", near(100*us, 1), open, 1, 1, 1.2},
		{"queue, followers", near(3*ms, 0.3), open, 1, 1, 1.1},
		{"queue, irregular followers", near(3*ms, 1), open, 1, 1, 1.2},
		{"queue, bursts", near(3*ms, 0.3), bursts, 1, 1, 1.1},
		{"queue, many records", near(500*us, 0.3), dense, 1, 1, 1.1},
		{"queue, callers that wait", near(500*us, 0.3), few, 1, 1, 1.1},
		{"queue, callers that think", near(500*us, 0.3), many, 1, 1, 1.1},
		{"wake-ups, half a service", link{delay: 50 * us, request: 100 * us, record: 200, jitter: 0.3}, open, 1, 2, 1.1},
		{"loopback, idle broker", link{delay: 50 * us, request: 5 * us, record: 200, jitter: 0.3}, open, 2, 5, 1.15},
		{"1 ms", far(ms, 100*us), load{rate: 50_000}, 4, 5, 1.1},
		{"1 ms, twice the service", far(ms, 500*us), load{rate: 50_000}, 2, 3, 1.1},
		{"5 ms", far(5*ms, 100*us), open, 4, 5, 1.1},
		{"5 ms, many records", far(5*ms, 500*us), dense, 4, 5, 1.1},
		{"5 ms, callers that think", far(5*ms, 500*us), many, 4, 5, 1.1},
		{"5 ms, slow followers", far(5*ms, 3*ms), open, 2, 3, 1.1},
		{"queue, outliers", link{request: 3 * ms, record: 200, jitter: 1, outliers: 0.05}, open, 1, 1, 1.2},
		{"queue, slow spells", link{delay: 100 * us, request: 2 * ms, record: 200, jitter: 0.5, spells: 300 * ms}, open, 1, 1, 1.2},
		{"wake-ups, slow spells", link{delay: 60 * us, request: 100 * us, record: 200, jitter: 1, spells: 300 * ms}, open, 1, 2, 1.2},
		{"5 ms, outliers", link{delay: 5 * ms, request: 200 * us, record: 200, jitter: 1, outliers: 0.02}, open, 3, 5, 1.15},
		{"5 ms, swaying", link{delay: 5 * ms, sway: 0.2, request: 50 * us, record: 200, jitter: 1}, open, 2, 5, 1.15},
		{"50 ms, swaying", link{delay: 50 * ms, sway: 0.2, request: 500 * us, record: 200, jitter: 1}, open, 3, 5, 1.15},
		{"50 ms", far(50*ms, 500*us), open, 3, 5, 1.1},
		{"50 ms, bursts", far(50*ms, 3*ms), bursts, 3, 5, 1.15},
		{"50 ms, more than the pipe takes", far(50*ms, 500*us), dense, 5, 5, 1.05},
	} {
		t.Run(tc.name, func(t *testing.T) {
			const from, until = 2 * second, 5 * second
			b := newBench(tc.link, tc.load, 0).run(from, until)
			if got := b.share(tc.lo, tc.hi); got < 0.8 {
				t.Errorf("depth within %d and %d for %.2f of the answers, want 0.8 at least", tc.lo, tc.hi, got)
			}
			best, least := 0, int64(1<<62)
			for _, n := range []int{1, 2, 5} {
				if m := newBench(tc.link, tc.load, n).run(from, until).median(); m < least {
					best, least = n, m
				}
			}
			if got := b.median(); float64(got) > tc.worse*float64(least) {
				t.Errorf("median latency %d us, want at most %.2f times %d us, that of depth %d", got/us, tc.worse, least/us, best)
			}
			b.checkBounds(t)
		})
	}
}

// checkBounds asserts what must hold at any moment.
func (b *bench) checkBounds(t *testing.T) {
	t.Helper()
	if b.mostOut > b.ceiling {
		t.Errorf("%d requests were in flight, want at most %d", b.mostOut, b.ceiling)
	}
	if b.idle > 0 {
		t.Errorf("%d times nothing was in flight and the gate was closed", b.idle)
	}
	for _, d := range b.depths {
		if d < 1 || d > b.ceiling {
			t.Fatalf("depth %d, want 1 to %d", d, b.ceiling)
		}
	}
	if len(b.depths) < 50 {
		t.Errorf("only %d answers: the run proves nothing", len(b.depths))
	}
}

// TestDoesNotOscillate: where the broker is the queue, probes are all that ever
// lifts the gate, and they become rare.
func TestDoesNotOscillate(t *testing.T) {
	for _, l := range []link{
		{request: 100 * us, record: 200, jitter: 0.3},
		{request: 3 * ms, record: 200, jitter: 0.3},
		{delay: 5 * ms, request: 3 * ms, record: 200, jitter: 0.3},
	} {
		b := newBench(l, load{rate: 20_000}, 0).run(2*second, 8*second)
		if n := b.turns(); n > 4 {
			t.Errorf("%+v: the depth changed %d times in six seconds, want at most 4", l, n)
		}
		if got := float64(b.probes) / float64(len(b.depths)); got > 0.1 {
			t.Errorf("%+v: %.3f of the requests were in flight beyond the depth, want at most 0.1", l, got)
		}
		b.checkBounds(t)
	}
}

// TestFollowsSteps: the link changes under the controller, and back.
func TestFollowsSteps(t *testing.T) {
	queue := link{request: 3 * ms, record: 200, jitter: 0.3}
	far := link{delay: 50 * ms, request: 500 * us, record: 200, jitter: 0.3}
	for _, tc := range []struct {
		name        string
		first, then link
		lo, hi      int
		at, settles int64
	}{
		{"the way becomes long", queue, far, 3, 5, 4 * second, 12 * second},
		{"the broker becomes the queue", far, queue, 1, 1, 4 * second, 5 * second},
		{"after a long time of probes in vain", link{request: 100 * us, jitter: 0.3}, link{delay: 5 * ms, request: 100 * us, jitter: 0.3}, 4, 5, 20 * second, 8 * second},
		{"a cold broker", link{request: 300 * ms}, queue, 1, 1, second, 4 * second},
		{"the broker slows down", link{request: 100 * us, jitter: 0.3}, queue, 1, 1, 4 * second, second},
		{"the broker speeds up", link{delay: 5 * ms, request: 3 * ms, jitter: 0.3}, link{delay: 5 * ms, request: 100 * us, jitter: 0.3}, 4, 5, 4 * second, 8 * second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := tc.first
			l.replacing = []change{{at: tc.at, to: tc.then}}
			b := newBench(l, load{rate: 20_000}, 0)
			b.run(tc.at+tc.settles, tc.at+2*tc.settles)
			if got := b.share(tc.lo, tc.hi); got < 0.7 {
				t.Errorf("%d ms after the step: depth within %d and %d for %.2f of the answers, want 0.7 at least; it is %d",
					tc.settles/ms, tc.lo, tc.hi, got, b.ctl.Depth())
			}
			b.checkBounds(t)
		})
	}
}

// TestRecoversFromStall: a broker that is silent for a while is not a slow one.
func TestRecoversFromStall(t *testing.T) {
	for _, tc := range []struct {
		name   string
		link   link
		lo, hi int
	}{
		{"queue", link{request: 3 * ms, record: 200, jitter: 0.3}, 1, 1},
		{"far", link{delay: 5 * ms, request: 100 * us, record: 200, jitter: 0.3}, 4, 5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := tc.link
			l.stallAt, l.stallFor = 2*second, 2*second
			b := newBench(l, load{rate: 20_000}, 0).run(8*second, 11*second)
			if got := b.share(tc.lo, tc.hi); got < 0.8 {
				t.Errorf("4 s after the stall: depth within %d and %d for %.2f of the answers, want 0.8 at least", tc.lo, tc.hi, got)
			}
			if len(b.waiting) > 2000 {
				t.Errorf("%d records still wait", len(b.waiting))
			}
			b.checkBounds(t)
		})
	}
}

// TestThroughputOfLongPipe: what waits behind full requests opens the gate, so
// that a small depth costs no throughput.
func TestThroughputOfLongPipe(t *testing.T) {
	for _, l := range []link{
		{delay: 50 * ms, request: 100 * us, record: 200, jitter: 0.3},
		{delay: 5 * ms, request: 3 * ms, record: 200, jitter: 0.3},
		{request: 500 * us, record: 5 * us, jitter: 0.3},
	} {
		w := load{rate: 400_000}
		most := newBench(l, w, 5).run(2*second, 6*second).acked
		b := newBench(l, w, 0).run(2*second, 6*second)
		if float64(b.acked) < 0.97*float64(most) {
			t.Errorf("%+v: %d records acknowledged, want at least 0.97 of %d, those of depth 5", l, b.acked, most)
		}
		b.checkBounds(t)
	}
}

// TestGate holds Open and Force to their contract, without a model.
func TestGate(t *testing.T) {
	for _, ceiling := range []int{1, 2, 5, 64} {
		var c depth.Controller
		c.Reset(ceiling)
		if c.Depth() != ceiling || !c.Open(ceiling-1) || c.Open(ceiling) {
			t.Errorf("ceiling %d: a new gate has depth %d, Open(%d) %t, Open(%d) %t; want it wide open",
				ceiling, c.Depth(), ceiling-1, c.Open(ceiling-1), ceiling, c.Open(ceiling))
		}
		serve(&c, ceiling, 5_000)
		if c.Depth() != 1 {
			t.Errorf("ceiling %d: depth %d behind a broker that is the queue, want 1", ceiling, c.Depth())
		}
		if !c.Open(0) {
			t.Errorf("ceiling %d: nothing is in flight and the gate is closed", ceiling)
		}
		c.Force(true)
		if !c.Open(ceiling-1) || c.Open(ceiling) {
			t.Errorf("ceiling %d: forced, Open(%d) is %t and Open(%d) %t", ceiling, ceiling-1, c.Open(ceiling-1), ceiling, c.Open(ceiling))
		}
		c.Force(false)
		c.Reset(ceiling)
		if c.Depth() != ceiling {
			t.Errorf("ceiling %d: depth %d after Reset, want the ceiling", ceiling, c.Depth())
		}
	}
}

// serve answers n requests one after another, a millisecond each, and sends
// whenever the gate is open.
func serve(c *depth.Controller, ceiling, n int) {
	var flying []depth.Mark
	now := int64(1)
	for range n {
		for len(flying) < ceiling && c.Open(len(flying)) {
			flying = append(flying, c.Sent(len(flying)+1, now))
		}
		now += ms
		c.Answered(flying[0], now)
		flying = flying[1:]
	}
}

// TestStrangeTimes: a clock that stands still or latencies of zero must not
// make the law divide by nothing or leave its bounds.
func TestStrangeTimes(t *testing.T) {
	for _, step := range []int64{0, 1, 1 << 50} {
		var c depth.Controller
		c.Reset(5)
		var flying []depth.Mark
		now := int64(1)
		for i := range 10_000 {
			for len(flying) < 5 && c.Open(len(flying)) {
				flying = append(flying, c.Sent(len(flying)+1, now))
			}
			if i%3 == 0 {
				now += step
			}
			c.Force(i%7 == 0)
			c.Answered(flying[0], now)
			flying = flying[1:]
			if d := c.Depth(); d < 1 || d > 5 {
				t.Fatalf("step %d, answer %d: depth %d", step, i, d)
			}
		}
	}
}

func TestAllocatesNothing(t *testing.T) {
	var c depth.Controller
	c.Reset(5)
	if n := testing.AllocsPerRun(10, func() { serve64(&c) }); n != 0 {
		t.Errorf("%v allocations for 64 requests, want 0", n)
	}
}

func serve64(c *depth.Controller) {
	var flying [5]depth.Mark
	now, out := int64(1), 0
	for i := range 64 {
		for out < len(flying) && c.Open(out) {
			flying[(i+out)%len(flying)] = c.Sent(out+1, now)
			out++
		}
		now += ms
		c.Answered(flying[i%len(flying)], now)
		out--
	}
}

// BenchmarkRequest is what one request costs: Open, Sent, Answered, Force.
func BenchmarkRequest(b *testing.B) {
	var c depth.Controller
	c.Reset(5)
	b.ReportAllocs()
	for b.Loop() {
		serve64(&c)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/request")
}
