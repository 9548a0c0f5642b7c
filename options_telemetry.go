package kring

// DisableMetricsPush keeps the producer from sending metrics of itself to the
// cluster. They are sent by default, as Java does, because nothing is sent
// unless the cluster's operators have both installed a plug-in that takes
// metrics and subscribed to some; then it is a few kilobytes every few minutes,
// with no record's data, over a connection of their own. Java:
// enable.metrics.push=false (KIP-714).
func DisableMetricsPush() Option {
	return option(func(c *config) { c.metricsPush = false })
}

// AppMetrics sends metrics of the program along with those that the producer
// pushes to the cluster, as far as the cluster's operators have subscribed to
// them: they see how the program is doing where they see its producer. read is
// called once for each push, every few minutes, and only if a subscription names
// more than the producer's own metrics; without one it is never called.
//
// It is called on a goroutine of its own, one call at a time, so it may take its
// time: a push waits 5 s for it, then leaves without, and the next one takes what
// the call returned in the end. A panic is logged once. Neither keeps kring's
// metrics from being pushed; com.github.kring-go.producer.app.call.failed.total
// counts both. Close waits at most 1 s for a last call, and leaves behind one that
// does not return.
//
// At most 1000 points that were subscribed to go into a push, and all are left
// out if they are larger than the broker takes. What a name or a value can not be
// is left out, logged once and counted in app.point.refused.total: see AppMetric.
// Given again, the last one wins. The default is none; DisableMetricsPush turns
// it off. Java: registerMetricForSubscription (KIP-1076).
func AppMetrics(read func() []AppMetric) Option {
	return option(func(c *config) { c.appMetrics = read })
}

// AppMetric is one point of a metric of the program, for AppMetrics. Points with
// the same name make one metric: they have one Kind and one Unit, and different
// Attributes.
type AppMetric struct {
	// Name is what subscriptions match by prefix, as it stands:
	// com.example.shop.orders.total. It starts with a letter and has at most 255 of
	// a-z, 0-9, dot, underscore and hyphen. What starts with
	// org.apache.kafka.producer. or com.github.kring-go.producer. is the producer's
	// own and refused.
	Name string

	// Unit is UCUM's, as OpenTelemetry wants it: "s", "By", "{order}"; at most 63
	// bytes of ASCII. Empty is no unit.
	Unit string

	// Kind says which number counts. The default is AppGauge.
	Kind AppMetricKind

	// Value is the number of an AppGauge or AppSum; NaN and infinities are refused.
	Value float64

	// Count is the number of an AppCounter.
	Count int64

	// Attributes tell the points of a metric from each other. A name must not be
	// empty. The map belongs to kring until the next call.
	Attributes map[string]string
}

// AppMetricKind is what the number of an AppMetric is.
type AppMetricKind uint8

const (
	// AppGauge is a Value that goes up and down.
	AppGauge AppMetricKind = iota

	// AppCounter is a Count that only grows, from 0 when the producer was made or
	// later. It is always given as the total. Where the subscription wants deltas,
	// what is sent is the difference since the last push of it that arrived. A count
	// that is smaller than before has been reset, and starts again from 0; a
	// negative one is refused. Of 4000 counters it is known what was sent; beyond
	// that, one that has not been returned for a while is forgotten and starts again.
	AppCounter

	// AppSum is AppCounter with a Value: seconds, say.
	AppSum
)

// metricsPushProperty is enable.metrics.push.
const metricsPushProperty = "enable.metrics.push"
