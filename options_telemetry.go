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

// metricsPushProperty is enable.metrics.push.
const metricsPushProperty = "enable.metrics.push"
