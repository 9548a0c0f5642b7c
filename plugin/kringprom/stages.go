package kringprom

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kring-go/kring"
)

func stageDesc(prefix string, labels Labels) *prometheus.Desc {
	return prometheus.NewDesc(prefix+"stage_duration_seconds",
		"Where the time of records goes, by stage: fill, queue and callback of batches, write and ack of requests.",
		[]string{"stage"}, labels)
}

// bounds are from what a broker on the same machine needs to the default
// request timeout.
func bounds() []time.Duration {
	const us, ms, s = time.Microsecond, time.Millisecond, time.Second
	return []time.Duration{
		100 * us, 250 * us, 500 * us, 1 * ms, 2500 * us, 5 * ms, 10 * ms, 25 * ms, 50 * ms, 100 * ms,
		250 * ms, 500 * ms, 1 * s, 2500 * ms, 5 * s, 10 * s, 30 * s,
	}
}

func (c *Collector) collectStages(out chan<- prometheus.Metric) {
	l := c.producer.Latencies()
	for _, stage := range []struct {
		name    string
		latency kring.Latency
	}{
		{"fill", l.Fill}, {"queue", l.Queue}, {"write", l.Write}, {"ack", l.Ack}, {"callback", l.Callback},
	} {
		buckets := make(map[float64]uint64)
		for _, d := range bounds() {
			buckets[d.Seconds()] = stage.latency.Below(d)
		}
		out <- prometheus.MustNewConstHistogram(c.stages,
			stage.latency.Count(), stage.latency.Sum().Seconds(), buckets, stage.name)
	}
}
