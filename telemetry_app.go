package kring

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kring-go/kring/internal/otlp"
)

// appMetrics has the program's metrics ready for a push (KIP-1076). It belongs
// to the telemetry goroutine. Only the program's function runs on another one:
// it may hang, and then keeps neither the pushes nor Close.
//
//	read ─► call ─────► take ─────► add: to the push ─► pushed: the next delta
//	          │           └ bad, too many: left out
//	          └ panicked, slow: none in this push
type appMetrics struct {
	p        *Producer
	source   func() []AppMetric
	patience time.Duration
	born     time.Time
	call     *appCall // under way, or its result is not taken; nil: none

	at       time.Time // when the program was last asked
	families []otlp.Metric
	index    map[string]int        // of the families, by name
	points   int                   // in families
	added    bool                  // to the last push
	series   map[string]*appSeries // of counters, by name and attributes

	failed, refused int64
	logged          map[string]bool // what need not be logged again
}

const (
	appPatience  = 5 * time.Second
	appPoints    = 1000          // in a push
	appSeriesMax = 4 * appPoints // remembered
	appLogged    = 100           // different complaints
)

// newAppMetrics is nil where the program has none.
func newAppMetrics(p *Producer, now time.Time) *appMetrics {
	if p.cfg.appMetrics == nil {
		return nil
	}
	return &appMetrics{
		p: p, source: p.cfg.appMetrics, patience: appPatience, born: now, at: now,
		series: make(map[string]*appSeries), logged: make(map[string]bool),
	}
}

// appSeries is what is known of one counter.
type appSeries struct {
	kind  AppMetricKind
	start time.Time // of the counter: the producer's, or its last reset
	since time.Time // the last push of it that arrived; first, the producer's start
	last  amount    // as last read
	base  amount    // as it was at since; zero after a reset
	kept  amount    // what was counted since then and before a reset
	fresh bool      // in the reading that is about to be pushed
}

// amount is the number of a counter: one of the two is used.
type amount struct {
	count int64
	value float64
}

func (a amount) plus(b amount) amount  { return amount{a.count + b.count, a.value + b.value} }
func (a amount) minus(b amount) amount { return amount{a.count - b.count, a.value - b.value} }
func (a amount) smaller(b amount) bool { return a.count < b.count || a.value < b.value }
func (m *AppMetric) amount() (a amount) {
	if m.Kind == AppCounter {
		a.count = m.Count
	} else {
		a.value = m.Value
	}
	return a
}

// appCall is one call of the program's function. done publishes the rest.
type appCall struct {
	done     chan struct{}
	list     []AppMetric
	returned bool
	panicked any
}

func (c *appCall) run(source func() []AppMetric) {
	defer close(c.done)
	defer func() {
		if !c.returned {
			c.panicked = recover() // nil: runtime.Goexit
		}
	}()
	c.list = source()
	c.returned = true
}

// read asks the program, unless nothing of it can be wanted.
func (a *appMetrics) read(ctx context.Context, c *collector) {
	a.families, a.index, a.points = nil, make(map[string]int), 0
	for _, s := range a.series {
		s.fresh = false
	}
	if !c.wantsApp() {
		return
	}
	list, ok := a.await(ctx)
	if !ok {
		return
	}
	before := a.at
	a.at = time.Now()
	seen := make(map[string]bool, min(len(list), appPoints))
	for i := range list {
		m := &list[i]
		key, problem := a.check(m, seen)
		switch {
		case problem != "":
			a.refuse(m.Name, problem)
		case !c.wanted(m.Name):
		case a.points == appPoints:
			a.refuse("", fmt.Sprintf("more than %d points are wanted", appPoints))
		default:
			a.take(m, key, before, c)
		}
		seen[key] = true
	}
	if len(a.series) > appSeriesMax {
		maps.DeleteFunc(a.series, func(_ string, s *appSeries) bool { return !s.fresh })
	}
}

// await is the result of the call that is under way, or of a new one.
func (a *appMetrics) await(ctx context.Context) ([]AppMetric, bool) {
	if a.call == nil {
		call := &appCall{done: make(chan struct{})}
		a.call = call
		go a.p.as("telemetry", func() { call.run(a.source) })()
	}
	timer := time.NewTimer(a.patience)
	defer timer.Stop()
	select {
	case <-a.call.done:
	case <-ctx.Done(): // there is no push either
		return nil, false
	case <-timer.C:
		a.failed++
		a.once(slog.LevelWarn, "slow", "kring: the function of AppMetrics has not returned; its metrics are left out of this push", "waited", a.patience)
		return nil, false
	}
	call := a.call
	a.call = nil
	if !call.returned {
		a.failed++
		a.once(slog.LevelError, "panic", "kring: the function of AppMetrics panicked; its metrics are left out of this push", "panic", call.panicked)
	}
	return call.list, call.returned
}

// take adds a good point to its family, and notes what it counts.
func (a *appMetrics) take(m *AppMetric, key string, before time.Time, c *collector) {
	a.points++
	point := otlp.Point{Start: c.since, Time: a.at, Value: m.Value, Attributes: attributesOf(m)}
	delta := m.Kind != AppGauge && c.subscription.Delta
	if m.Kind != AppGauge {
		s := a.series[key]
		if s == nil || s.kind != m.Kind {
			s = &appSeries{kind: m.Kind, start: a.born, since: a.born}
			a.series[key] = s
		}
		s.count(m.amount(), before)
		n := s.last
		point.Start = s.start
		if delta {
			n, point.Start = s.kept.plus(s.last.minus(s.base)), s.since
		}
		point.Count, point.Value = n.count, n.value
	}
	i, there := a.index[m.Name]
	if !there {
		i = len(a.families)
		a.index[m.Name] = i
		a.families = append(a.families, otlp.Metric{
			Name: m.Name, Unit: m.Unit, Sum: m.Kind != AppGauge, Float: m.Kind == AppSum, Delta: delta,
		})
	}
	a.families[i].Points = append(a.families[i].Points, point)
}

// count takes the counter's total. A smaller one than before is that of a
// counter which has begun again, at some time after before.
func (s *appSeries) count(n amount, before time.Time) {
	if n.smaller(s.last) {
		s.kept = s.kept.plus(s.last.minus(s.base))
		s.base = amount{}
		s.start = before
	}
	s.last, s.fresh = n, true
}

// add puts what was read into the push, if it may have it.
func (a *appMetrics) add(d *otlp.Data, may bool) {
	if a == nil {
		return
	}
	if a.added = may; may {
		d.Metrics = append(d.Metrics, a.families...)
	} else if a.points > 0 {
		a.once(slog.LevelWarn, "size", "kring: the metrics of AppMetrics are too large for the broker and are left out", "points", a.points)
	}
}

// pushed notes that what was read has arrived.
func (a *appMetrics) pushed() {
	if a == nil || !a.added {
		return
	}
	for _, s := range a.series {
		if s.fresh {
			s.base, s.kept, s.since = s.last, amount{}, a.at
		}
	}
}

// wantsApp says that the subscription may have metrics of the program: those of
// the producer are not all that it has a prefix of.
func (c *collector) wantsApp() bool {
	return slices.ContainsFunc(c.subscription.Metrics, func(prefix string) bool { return !reservedMetric(prefix) })
}

// reservedMetric says that name is among the producer's own.
func reservedMetric(name string) bool {
	return strings.HasPrefix(name, javaMetrics) || strings.HasPrefix(name, ownMetrics)
}
