package kringotel

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/kring-go/kring"
)

// Statistics is what a Source needs; *kring.Producer has it.
type Statistics interface {
	Stats() kring.Stats
	Latencies() kring.Latencies
}

// Source gives a producer's statistics and latencies to a reader of the SDK,
// when that reads and not before: records cost nothing. It is the Producer that
// sdk/metric.WithProducer takes, because OpenTelemetry's API has no histograms
// that are only looked at. It may be used by several readers and goroutines.
type Source struct {
	of     Statistics
	began  time.Time
	common []attribute.KeyValue
}

// NewSource makes a Source of p's numbers. Of the options it takes ClientID and
// Server, and has no use for the others. It fails if p is nil, or an
// option is refused.
func NewSource(p Statistics, opts ...Option) (*Source, error) {
	cfg, err := configured(opts)
	if err = errors.Join(given("NewSource: the producer", p), err); err != nil {
		return nil, err
	}
	common := append([]attribute.KeyValue{semconv.MessagingSystemKafka}, cfg.server...)
	if cfg.clientID != "" {
		common = append(common, semconv.MessagingClientID(cfg.clientID))
	}
	return &Source{of: p, began: time.Now(), common: common}, nil
}

// Produce takes one snapshot. It never fails. Sums are cumulative.
func (s *Source) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	r := reading{s: s, now: time.Now()}
	stats, latencies := s.of.Stats(), s.of.Latencies()
	r.sent(&stats)
	r.counters(&stats)
	r.gauges(&stats)
	r.depths(&stats)
	r.stages(&latencies)
	return []metricdata.ScopeMetrics{{
		Scope:   instrumentation.Scope{Name: scope, Version: kring.Version, SchemaURL: semconv.SchemaURL},
		Metrics: r.metrics,
	}}, nil
}

// reading is one snapshot in the making.
type reading struct {
	s       *Source
	now     time.Time
	metrics []metricdata.Metrics
}

// with is the set of the attributes that all metrics have, and more.
func (r *reading) with(more ...attribute.KeyValue) attribute.Set {
	return attribute.NewSet(append(append([]attribute.KeyValue(nil), r.s.common...), more...)...)
}

func (r *reading) point(n int64, set attribute.Set) metricdata.DataPoint[int64] {
	return metricdata.DataPoint[int64]{Attributes: set, StartTime: r.s.began, Time: r.now, Value: n}
}

func (r *reading) sum(name, unit, help string, points ...metricdata.DataPoint[int64]) {
	r.metrics = append(r.metrics, metricdata.Metrics{
		Name: name, Unit: unit, Description: help,
		Data: metricdata.Sum[int64]{DataPoints: points, Temporality: metricdata.CumulativeTemporality, IsMonotonic: true},
	})
}

// stages are the histograms.
func (r *reading) stages(l *kring.Latencies) {
	var points []metricdata.HistogramDataPoint[float64]
	for _, stage := range []struct {
		name    string
		latency kring.Latency
	}{
		{"fill", l.Fill}, {"queue", l.Queue}, {"write", l.Write}, {"ack", l.Ack}, {"callback", l.Callback},
	} {
		points = append(points, r.histogram(stage.latency, r.with(attribute.String("kring.stage", stage.name))))
	}
	r.metrics = append(r.metrics, metricdata.Metrics{
		Name: "kring.producer.stage.duration", Unit: "s",
		Description: "Where the time of records goes, by stage: fill, queue and callback of batches, write and ack of requests.",
		Data:        metricdata.Histogram[float64]{DataPoints: points, Temporality: metricdata.CumulativeTemporality},
	})
}

func (r *reading) histogram(l kring.Latency, set attribute.Set) metricdata.HistogramDataPoint[float64] {
	p := metricdata.HistogramDataPoint[float64]{
		Attributes: set, StartTime: r.s.began, Time: r.now,
		Count: l.Count(), Sum: l.Sum().Seconds(), Bounds: durationBounds(),
	}
	var before uint64
	for _, bound := range p.Bounds {
		below := l.Below(time.Duration(bound * float64(time.Second)))
		p.BucketCounts = append(p.BucketCounts, below-before)
		before = below
	}
	p.BucketCounts = append(p.BucketCounts, p.Count-before)
	return p
}

// durationBounds are from what a broker on the same machine needs to what a
// delivery timeout allows, in seconds.
func durationBounds() []float64 {
	return []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120}
}
