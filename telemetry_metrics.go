package kring

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kring-go/kring/cluster"
	"github.com/kring-go/kring/internal/otlp"
)

// The names of the metrics: those that KIP-714 wants of every producer and
// those that Java's has too, and kring's own.
const (
	javaMetrics = "org.apache.kafka.producer."
	ownMetrics  = "com.github.kring-go.producer."
)

// extent is what there may be in a push besides the numbers of the producer.
type extent struct {
	brokers bool // those of each broker
	app     bool // those of the program
}

// collector makes the metrics of a subscription. It belongs to the telemetry
// goroutine, and outlives it: what was pushed is not pushed again by the next. Gauges that are an average or a maximum are about the time since
// the last push that arrived, sums since that or since the beginning; so nothing
// is lost with a push that fails, or before the first one.
type collector struct {
	p     *Producer
	born  time.Time
	since time.Time // the last push that arrived

	subscription *cluster.Subscription  // the last one
	before, now  totals                 // at since, and as last collected
	latency      map[int32]*meterWindow // by broker
	throttle     meterWindow
	queue        meterWindow
	app          *appMetrics // nil: none
}

func newCollector(p *Producer) *collector {
	now := time.Now()
	return &collector{p: p, born: now, since: now, latency: make(map[int32]*meterWindow), app: newAppMetrics(p, now)}
}

// totals are the counters, by name.
type totals map[string]int64

func (c *collector) totals() totals {
	s := c.p.Stats()
	all := totals{
		javaMetrics + "connection.creation.total": int64(c.p.telemetry.dials.Load()),
		javaMetrics + "record.error.total":        int64(s.FailedRecords),
		javaMetrics + "batch.split.total":         int64(s.Splits),
		ownMetrics + "record.acked.total":         int64(s.AckedRecords),
		ownMetrics + "batch.retry.total":          int64(s.Retries),
		ownMetrics + "disconnect.total":           int64(s.Disconnects),
		ownMetrics + "call.blocked.total":         int64(s.BlockedCalls),
		ownMetrics + "callback.stuck.total":       int64(s.StuckCallbacks),
	}
	if c.app != nil {
		all[ownMetrics+"app.call.failed.total"] = c.app.failed
		all[ownMetrics+"app.point.refused.total"] = c.app.refused
	}
	return all
}

// pushed starts the next window: what was collected has arrived.
func (c *collector) pushed() {
	c.since, c.before = time.Now(), c.now
	c.throttle.restart()
	c.queue.restart()
	for _, w := range c.latency {
		w.restart()
	}
	c.app.pushed()
}

// readApp asks the program for its metrics, if any of them can be wanted.
func (c *collector) readApp(ctx context.Context) {
	if c.app != nil {
		c.app.read(ctx, c)
	}
}

// collect reads everything but the program's metrics, which readApp has read.
func (c *collector) collect(now time.Time, e extent) *otlp.Data {
	c.now = c.totals()
	c.read()
	d := &otlp.Data{Resource: c.resource(), ScopeName: "kring", ScopeVers: Version}
	for _, name := range slices.Sorted(maps.Keys(c.now)) {
		c.sum(d, name, c.now[name], now)
	}
	dials := c.now[javaMetrics+"connection.creation.total"] - c.before[javaMetrics+"connection.creation.total"]
	c.gauge(d, now, "connection.creation.rate", "1/s", float64(dials)/max(now.Sub(c.since).Seconds(), 1e-3))
	c.window(d, now, "produce.throttle.time", &c.throttle)
	c.window(d, now, "record.queue.time", &c.queue)
	if e.brokers {
		for id, w := range c.latency {
			c.window(d, now, "node.request.latency", w, otlp.Attribute{Key: "node_id", Value: strconv.Itoa(int(id))})
		}
	}
	s := c.p.Stats()
	c.gauge(d, now, "buffer.total.bytes", "By", float64(s.BufferTotal))
	c.gauge(d, now, "buffer.available.bytes", "By", float64(s.BufferFree))
	c.gauge(d, now, "waiting.threads", "1", float64(s.BufferWaiting))
	c.app.add(d, e.app)
	return d
}

// read takes what the brokers' meters have had since the last look.
func (c *collector) read() {
	for _, b := range *c.p.brokers.Load() {
		w := c.latency[b.id]
		if w == nil {
			w = &meterWindow{}
			c.latency[b.id] = w
		}
		w.take(&b.meters.latency)
		c.throttle.take(&b.meters.throttle)
		c.queue.take(&b.meters.queue)
	}
}

// resource is what KIP-714 has the client add; the broker knows the rest.
func (c *collector) resource() (list []otlp.Attribute) {
	if id := c.p.cfg.transactionalID; id != "" {
		list = append(list, otlp.Attribute{Key: "transactional_id", Value: id})
	}
	if rack := c.p.cfg.pipeline.rack; rack != "" {
		list = append(list, otlp.Attribute{Key: "client_rack", Value: rack})
	}
	return list
}

// wanted says that the subscription has a prefix of name.
func (c *collector) wanted(name string) bool {
	if c.subscription == nil {
		return false
	}
	for _, prefix := range c.subscription.Metrics {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func (c *collector) sum(d *otlp.Data, name string, n int64, now time.Time) {
	if !c.wanted(name) {
		return
	}
	start, delta := c.born, c.subscription.Delta
	if delta {
		start, n = c.since, n-c.before[name]
	}
	d.Metrics = append(d.Metrics, otlp.Metric{
		Name: name, Unit: "1", Sum: true, Delta: delta,
		Points: []otlp.Point{{Start: start, Time: now, Count: n}},
	})
}

func (c *collector) gauge(d *otlp.Data, now time.Time, name, unit string, v float64, attributes ...otlp.Attribute) {
	name = javaMetrics + name
	if !c.wanted(name) {
		return
	}
	point := otlp.Point{Start: c.since, Time: now, Value: v, Attributes: attributes}
	for i := range d.Metrics {
		if d.Metrics[i].Name == name {
			d.Metrics[i].Points = append(d.Metrics[i].Points, point)
			return
		}
	}
	d.Metrics = append(d.Metrics, otlp.Metric{Name: name, Unit: unit, Points: []otlp.Point{point}})
}

// window is an average and a maximum, in milliseconds. Of nothing there is
// neither.
func (c *collector) window(d *otlp.Data, now time.Time, name string, w *meterWindow, attributes ...otlp.Attribute) {
	if w.count == 0 {
		return
	}
	const ms = float64(time.Millisecond)
	c.gauge(d, now, name+".avg", "ms", float64(w.sum)/float64(w.count)/ms, attributes...)
	c.gauge(d, now, name+".max", "ms", float64(w.longest)/ms, attributes...)
}
