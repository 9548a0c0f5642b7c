package kringprom

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kring-go/kring"
)

func depthDesc(prefix string, labels Labels) *prometheus.Desc {
	return prometheus.NewDesc(prefix+"requests_in_flight_limit",
		"Requests that a connection may have in flight now; it follows the broker.", []string{"broker", "connection"}, labels)
}

func (c *Collector) collectDepths(stats *kring.Stats, out chan<- prometheus.Metric) {
	for _, d := range stats.Depths {
		out <- prometheus.MustNewConstMetric(c.depths, prometheus.GaugeValue, float64(d.Depth),
			strconv.Itoa(int(d.Broker)), strconv.Itoa(d.Connection))
	}
}
