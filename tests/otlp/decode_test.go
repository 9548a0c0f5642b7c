package otlp

import (
	"testing"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/kring-go/kring/internal/otlp"
)

// TestDecode encodes every field and compares what OpenTelemetry reads.
func TestDecode(t *testing.T) {
	start, now := time.Unix(1700000000, 5), time.Unix(1700000060, 7)
	data := otlp.Data{
		Resource:  []otlp.Attribute{{Key: "transactional_id", Value: "t-1"}},
		ScopeName: "kring", ScopeVers: "1.2.3",
		Metrics: []otlp.Metric{
			{Name: "sum.delta", Unit: "1", Sum: true, Delta: true, Points: []otlp.Point{{Start: start, Time: now, Count: 1 << 40}}},
			{Name: "sum.cumulative", Sum: true, Points: []otlp.Point{{Start: start, Time: now, Count: -1}}},
			{Name: "sum.float", Unit: "s", Sum: true, Float: true, Delta: true, Points: []otlp.Point{{Start: start, Time: now, Value: 2.5}}},
			{Name: "gauge", Unit: "ms", Points: []otlp.Point{
				{Start: start, Time: now, Value: 1.5, Attributes: []otlp.Attribute{{Key: "node_id", Value: "1"}, {Key: "ä", Value: ""}}},
				{Start: start, Time: now, Value: 0, Attributes: []otlp.Attribute{{Key: "node_id", Value: "2"}}},
			}},
			{Name: "empty"},
		},
	}
	var got metricspb.MetricsData
	if err := (proto.UnmarshalOptions{DiscardUnknown: false}).Unmarshal(data.Append(nil), &got); err != nil {
		t.Fatal(err)
	}
	s, n := uint64(start.UnixNano()), uint64(now.UnixNano())
	want := &metricspb.MetricsData{ResourceMetrics: []*metricspb.ResourceMetrics{{
		Resource: &resourcepb.Resource{Attributes: []*commonpb.KeyValue{attribute("transactional_id", "t-1")}},
		ScopeMetrics: []*metricspb.ScopeMetrics{{
			Scope: &commonpb.InstrumentationScope{Name: "kring", Version: "1.2.3"},
			Metrics: []*metricspb.Metric{
				{Name: "sum.delta", Unit: "1", Data: sum(metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA,
					&metricspb.NumberDataPoint{StartTimeUnixNano: s, TimeUnixNano: n, Value: &metricspb.NumberDataPoint_AsInt{AsInt: 1 << 40}})},
				{Name: "sum.cumulative", Data: sum(metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE,
					&metricspb.NumberDataPoint{StartTimeUnixNano: s, TimeUnixNano: n, Value: &metricspb.NumberDataPoint_AsInt{AsInt: -1}})},
				{Name: "sum.float", Unit: "s", Data: sum(metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA,
					&metricspb.NumberDataPoint{StartTimeUnixNano: s, TimeUnixNano: n, Value: &metricspb.NumberDataPoint_AsDouble{AsDouble: 2.5}})},
				{Name: "gauge", Unit: "ms", Data: &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{DataPoints: []*metricspb.NumberDataPoint{
					{
						StartTimeUnixNano: s, TimeUnixNano: n, Value: &metricspb.NumberDataPoint_AsDouble{AsDouble: 1.5},
						Attributes: []*commonpb.KeyValue{attribute("node_id", "1"), attribute("ä", "")},
					},
					{
						StartTimeUnixNano: s, TimeUnixNano: n, Value: &metricspb.NumberDataPoint_AsDouble{},
						Attributes: []*commonpb.KeyValue{attribute("node_id", "2")},
					},
				}}}},
				{Name: "empty", Data: &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{}}},
			},
		}},
	}}}
	if !proto.Equal(&got, want) {
		t.Errorf("got\n%s\nwant\n%s", prototext.Format(&got), prototext.Format(want))
	}
	if unknown := len(got.ProtoReflect().GetUnknown()); unknown != 0 {
		t.Errorf("%d bytes that OpenTelemetry does not know", unknown)
	}
}

func attribute(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
}

func sum(temporality metricspb.AggregationTemporality, point *metricspb.NumberDataPoint) *metricspb.Metric_Sum {
	return &metricspb.Metric_Sum{Sum: &metricspb.Sum{
		DataPoints: []*metricspb.NumberDataPoint{point}, AggregationTemporality: temporality, IsMonotonic: true,
	}}
}
