package kring

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring/cluster"
	"github.com/kring-go/kring/internal/otlp"
)

// appRig is a collector whose program has metrics; prefixes are what is wanted.
func appRig(t *testing.T, read func() []AppMetric, prefixes ...string) (*collector, *bytes.Buffer) {
	t.Helper()
	p, _ := metered(t)
	log := new(bytes.Buffer) // only the test's goroutine logs
	p.log = slog.New(slog.NewTextHandler(log, nil))
	p.cfg.appMetrics = read
	c := newCollector(p)
	c.subscription = &cluster.Subscription{Metrics: prefixes}
	return c, log
}

// collectApp is a push as far as it is made before it is sent.
func (c *collector) collectApp(ctx context.Context) *otlp.Data {
	c.readApp(ctx)
	return c.collect(time.Now(), extent{app: true})
}

// TestAppCounters follows a count and a sum over pushes, of which some do not
// arrive, and a reset, also between two that do not.
func TestAppCounters(t *testing.T) {
	steps := []struct {
		total      int64
		arrives    bool
		delta      int64 // what a delta push has
		sinceStart bool  // cumulative: it counts since the producer was made
	}{
		{total: 10, arrives: true, delta: 10, sinceStart: true},
		{total: 15, delta: 5, sinceStart: true},
		{total: 17, delta: 7, sinceStart: true},
		{total: 17, arrives: true, delta: 7, sinceStart: true},
		{total: 17, arrives: true, delta: 0, sinceStart: true},
		{total: 20, delta: 3, sinceStart: true},
		{total: 2, delta: 5},
		{total: 1, delta: 6},
		{total: 4, arrives: true, delta: 9},
		{total: 9, arrives: true, delta: 5},
	}
	for _, delta := range []bool{false, true} {
		var total int64
		attributes := map[string]string{"shop": "a"}
		c, log := appRig(t, func() []AppMetric {
			return []AppMetric{
				{Name: "com.example.n", Unit: "{order}", Kind: AppCounter, Count: total, Value: 99, Attributes: attributes},
				{Name: "com.example.s", Unit: "s", Kind: AppSum, Value: float64(total) / 2, Count: 99},
				{Name: "com.example.g", Value: -float64(total)},
			}
		}, "com.example.")
		c.subscription.Delta = delta
		arrived := c.born
		for i, step := range steps {
			total = step.total
			asked := time.Now()
			d := c.collectApp(t.Context())
			n, s, g := find(d, "com.example.n"), find(d, "com.example.s"), find(d, "com.example.g")
			if n == nil || s == nil || g == nil || len(d.Metrics) != 3 {
				t.Fatalf("push %d: %+v", i, d.Metrics)
			}
			want := step.total
			if delta {
				want = step.delta
			}
			if !n.Sum || n.Float || n.Delta != delta || n.Unit != "{order}" || n.Points[0].Count != want {
				t.Errorf("delta %t, push %d: %+v, want %d", delta, i, n, want)
			}
			if !s.Sum || !s.Float || s.Delta != delta || s.Points[0].Value != float64(want)/2 {
				t.Errorf("delta %t, push %d: %+v, want %v", delta, i, s, float64(want)/2)
			}
			if g.Sum || g.Points[0].Value != -float64(total) || g.Points[0].Attributes != nil {
				t.Errorf("push %d: %+v", i, g)
			}
			if got := n.Points[0].Attributes; !slices.Equal(got, []otlp.Attribute{{Key: "shop", Value: "a"}}) {
				t.Errorf("push %d: attributes %v", i, got)
			}
			start := n.Points[0].Start
			if delta && !start.Equal(arrived) {
				t.Errorf("push %d counts since %v, want %v", i, start, arrived)
			}
			if !delta && step.sinceStart != start.Equal(c.born) {
				t.Errorf("push %d counts since %v, the producer was made at %v", i, start, c.born)
			}
			if at := n.Points[0].Time; at.Before(asked) {
				t.Errorf("push %d is of %v, and was asked for at %v", i, at, asked)
			}
			if step.arrives {
				arrived = n.Points[0].Time
				c.pushed()
			}
		}
		if log.Len() != 0 {
			t.Errorf("the log has %s", log)
		}
	}
}

// TestAppWanted: the program is asked only if the subscription may have
// something of it, and gives only what it has.
func TestAppWanted(t *testing.T) {
	for _, tc := range []struct {
		prefixes []string
		asked    bool
		want     []string
	}{
		{nil, false, nil},
		{[]string{"org.apache.kafka.producer.", "com.github.kring-go.producer.record"}, false, nil},
		{[]string{"com.other."}, true, nil},
		{[]string{"com.example.b"}, true, []string{"com.example.b", "com.example.bc"}},
		{[]string{"org.apache.kafka.producer.none", "com.example.a"}, true, []string{"com.example.a"}},
	} {
		asked := 0
		c, _ := appRig(t, func() []AppMetric {
			asked++
			return []AppMetric{{Name: "com.example.a"}, {Name: "com.example.b"}, {Name: "com.example.bc"}}
		}, tc.prefixes...)
		var got []string
		for _, m := range c.collectApp(t.Context()).Metrics {
			if !reservedMetric(m.Name) {
				got = append(got, m.Name)
			}
		}
		if asked != map[bool]int{true: 1}[tc.asked] || !slices.Equal(got, tc.want) {
			t.Errorf("%q: asked %d times, got %q, want %q", tc.prefixes, asked, got, tc.want)
		}
	}
}

// TestAppRefused: a bad metric is left out of each push, and logged once.
func TestAppRefused(t *testing.T) {
	good := AppMetric{Name: "com.example.x", Unit: "s", Attributes: map[string]string{"a": "1", "b": "2"}}
	with := func(change func(*AppMetric)) AppMetric {
		m := good
		change(&m)
		return m
	}
	for _, tc := range []struct {
		name string
		bad  AppMetric
	}{
		{"no name", with(func(m *AppMetric) { m.Name = "" })},
		{"a long name", with(func(m *AppMetric) { m.Name = "a" + strings.Repeat("b", 255) })},
		{"upper case", with(func(m *AppMetric) { m.Name = "com.Example" })},
		{"a blank", with(func(m *AppMetric) { m.Name = "com example" })},
		{"no ASCII", with(func(m *AppMetric) { m.Name = "com.exämple" })},
		{"a digit first", with(func(m *AppMetric) { m.Name = "9com" })},
		{"the producer's", with(func(m *AppMetric) { m.Name = "org.apache.kafka.producer.record.error.total" })},
		{"kring's", with(func(m *AppMetric) { m.Name = "com.github.kring-go.producer.mine" })},
		{"a long unit", with(func(m *AppMetric) { m.Name, m.Unit = "com.a", strings.Repeat("s", 64) })},
		{"a unit of no ASCII", with(func(m *AppMetric) { m.Name, m.Unit = "com.a", "µs" })},
		{"no kind", with(func(m *AppMetric) { m.Name, m.Kind = "com.a", 3 })},
		{"no number", with(func(m *AppMetric) { m.Name, m.Value = "com.a", math.NaN() })},
		{"infinity", with(func(m *AppMetric) { m.Name, m.Kind, m.Value = "com.a", AppSum, math.Inf(1) })},
		{"a negative count", with(func(m *AppMetric) { m.Name, m.Kind, m.Count = "com.a", AppCounter, -1 })},
		{"a negative sum", with(func(m *AppMetric) { m.Name, m.Kind, m.Value = "com.a", AppSum, -1 })},
		{"an attribute without a name", with(func(m *AppMetric) { m.Name, m.Attributes = "com.a", map[string]string{"": "x"} })},
		{"twice", good},
		{"another unit", with(func(m *AppMetric) { m.Unit, m.Attributes = "ms", nil })},
		{"another kind", with(func(m *AppMetric) { m.Kind, m.Attributes = AppCounter, nil })},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, log := appRig(t, func() []AppMetric { return []AppMetric{good, tc.bad, {Name: "com.example.y"}} }, "")
			for range 3 {
				d := c.collectApp(t.Context())
				var got []string
				for _, m := range d.Metrics {
					if !reservedMetric(m.Name) {
						got = append(got, m.Name)
					}
				}
				if !slices.Equal(got, []string{"com.example.x", "com.example.y"}) || len(find(d, "com.example.x").Points) != 1 {
					t.Errorf("pushed %q", got)
				}
				c.pushed()
			}
			if n := strings.Count(log.String(), "is left out"); n != 1 {
				t.Errorf("logged %d times:\n%s", n, log)
			}
			if m := find(c.collect(time.Now(), extent{}), ownMetrics+"app.point.refused.total"); m == nil || m.Points[0].Count != 3 {
				t.Errorf("counted %+v, want 3", m)
			}
		})
	}
}

// TestAppBounds: neither points, nor memory, nor the log grow without end.
func TestAppBounds(t *testing.T) {
	round := 0
	c, log := appRig(t, func() (list []AppMetric) {
		for i := range appPoints + 5 {
			list = append(list, AppMetric{Name: "com.a", Kind: AppCounter, Attributes: map[string]string{"i": fmt.Sprint(round, i)}})
		}
		for i := range 30 {
			list = append(list, AppMetric{Name: fmt.Sprint("Bad", round, i)})
		}
		round++
		return list
	}, "com.")
	for range 7 {
		if n := len(find(c.collectApp(t.Context()), "com.a").Points); n != appPoints {
			t.Errorf("%d points, want %d", n, appPoints)
		}
		if n := len(c.app.series); n > appSeriesMax {
			t.Errorf("%d counters are remembered", n)
		}
	}
	if n := strings.Count(log.String(), "\n"); n != appLogged {
		t.Errorf("%d lines in the log, want %d", n, appLogged)
	}
	if n := strings.Count(log.String(), "more than 1000 points"); n != 1 {
		t.Errorf("%d lines about too many points", n)
	}
}

// TestAppPanics: what the function may do costs the push its metrics only.
func TestAppPanics(t *testing.T) {
	for name, bad := range map[string]func(){"panic": func() { panic("boom") }, "goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			well, n := true, int64(10)
			c, log := appRig(t, func() []AppMetric {
				if !well {
					bad()
				}
				return []AppMetric{{Name: "com.a", Kind: AppCounter, Count: n}}
			}, "")
			c.subscription.Delta = true
			c.collectApp(t.Context())
			c.pushed()
			well = false
			for range 2 {
				d := c.collectApp(t.Context())
				if find(d, "com.a") != nil || find(d, javaMetrics+"record.error.total") == nil {
					t.Errorf("pushed %+v", d.Metrics)
				}
				if m := find(d, ownMetrics+"app.call.failed.total"); m == nil || m.Points[0].Count != 1 {
					t.Errorf("counted %+v, want 1 more", m)
				}
				c.pushed()
			}
			if got := log.String(); strings.Count(got, "panicked") != 1 || name == "panic" && !strings.Contains(got, "boom") {
				t.Errorf("the log has %q", got)
			}
			well, n = true, 12
			d := c.collectApp(t.Context())
			if m := find(d, "com.a"); m == nil || m.Points[0].Count != 2 {
				t.Errorf("after the panics: %+v, want 2: what was pushed before is not forgotten", m)
			}
		})
	}
}

// TestAppSlow: a push does not wait for ever, and the next one has what the call
// came to; meanwhile there is no other call.
func TestAppSlow(t *testing.T) {
	calls, gate := 0, make(chan struct{})
	c, log := appRig(t, func() []AppMetric {
		calls++
		<-gate
		return []AppMetric{{Name: "com.a"}}
	}, "")
	c.app.patience = time.Millisecond
	for range 3 {
		if d := c.collectApp(t.Context()); find(d, "com.a") != nil || find(d, javaMetrics+"record.error.total") == nil {
			t.Errorf("pushed %+v", d.Metrics)
		}
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	c.app.patience = time.Hour
	c.readApp(over) // Close does not wait
	close(gate)
	if d := c.collectApp(t.Context()); find(d, "com.a") == nil {
		t.Errorf("pushed %+v", d.Metrics)
	}
	if calls != 1 || c.app.failed != 3 || strings.Count(log.String(), "has not returned") != 1 {
		t.Errorf("%d calls, %d counted, log:\n%s", calls, c.app.failed, log)
	}
}
