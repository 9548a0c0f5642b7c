package kringprom

import (
	"errors"
	"reflect"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kring-go/kring"
)

// Producer is what a Collector needs; *kring.Producer has it.
type Producer interface {
	Stats() kring.Stats
	Latencies() kring.Latencies
}

// Labels are added to every metric. They tell producers of one process apart:
// two Collectors in one registry need different values under the same names.
// Use what has few values and is known at the start, such as a client id; a
// topic or a host that changes makes a new time series each.
type Labels = prometheus.Labels

// Collector is a prometheus.Collector over one producer. It may be used by any
// number of registries and goroutines.
type Collector struct {
	producer Producer
	metrics  []metric
	stages   *prometheus.Desc
	depths   *prometheus.Desc
}

var _ prometheus.Collector = (*Collector)(nil)

// metric is one number of the statistics.
type metric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	label []string // value of the variable label, if there is one
	read  func(*kring.Stats) float64
}

// New makes a Collector of p's statistics and latencies. labels may be nil. The Collector does
// not keep p from being closed: the last numbers stay.
//
// A label name that Prometheus does not allow, or "outcome", "stage", "broker" or "connection",
// which are taken, is reported when the Collector is registered. So is a p that is nil.
func New(p Producer, labels Labels) *Collector {
	c := &Collector{producer: p}
	c.add("kring_producer_", labels)
	c.stages = stageDesc("kring_producer_", labels)
	c.depths = depthDesc("kring_producer_", labels)
	return c
}

// Describe is for the registry.
func (c *Collector) Describe(out chan<- *prometheus.Desc) {
	if c.empty() {
		out <- prometheus.NewInvalidDesc(errNil)
		return
	}
	for i := range c.metrics {
		// Both outcomes of the records are of one family.
		if i == 0 || c.metrics[i].desc != c.metrics[i-1].desc {
			out <- c.metrics[i].desc
		}
	}
	out <- c.stages
	out <- c.depths
}

// Collect takes one snapshot of the producer's statistics and one of its
// latencies.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	if c.empty() {
		out <- prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(errNil), errNil)
		return
	}
	stats := c.producer.Stats()
	for i := range c.metrics {
		m := &c.metrics[i]
		out <- prometheus.MustNewConstMetric(m.desc, m.kind, m.read(&stats), m.label...)
	}
	c.collectDepths(&stats, out)
	c.collectStages(out)
}

var errNil = errors.New("kring: prom: the Collector has no producer: New was given nil, or not called")

// empty says that there is nothing to ask. A scrape must not panic.
func (c *Collector) empty() bool {
	r := reflect.ValueOf(c.producer)
	return !r.IsValid() || r.Kind() == reflect.Pointer && r.IsNil()
}
