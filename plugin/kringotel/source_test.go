package kringotel_test

import (
	"errors"
	"reflect"
	"testing"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/kringtest"
	"github.com/kring-go/kring/plugin/kringotel"
)

// numbers is a producer whose statistics are made up.
type numbers kring.Stats

func (n numbers) Stats() kring.Stats         { return kring.Stats(n) }
func (n numbers) Latencies() kring.Latencies { return kring.Latencies{} }

// read collects through a reader of the SDK, as a program would.
func read(t *testing.T, p kringotel.Statistics, opts ...kringotel.Option) map[string]metricdata.Metrics {
	t.Helper()
	source, err := kringotel.NewSource(p, opts...)
	if err != nil {
		t.Fatal(err)
	}
	reader := sdkmetric.NewManualReader(sdkmetric.WithProducer(source))
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	t.Cleanup(func() { _ = provider.Shutdown(soon(t)) })
	var all metricdata.ResourceMetrics
	if err := reader.Collect(soon(t), &all); err != nil {
		t.Fatal(err)
	}
	got := map[string]metricdata.Metrics{}
	for _, s := range all.ScopeMetrics {
		for _, m := range s.Metrics {
			if _, twice := got[m.Name]; twice || m.Unit == "" || m.Description == "" {
				t.Errorf("%s: twice, or without unit or description: %+v", m.Name, m)
			}
			got[m.Name] = m
		}
	}
	return got
}

// TestSourceShowsEveryField: every number of the statistics is in exactly one
// metric.
func TestSourceShowsEveryField(t *testing.T) {
	var n numbers
	fields := map[int64]string{}
	v := reflect.ValueOf(&n).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case f.CanUint():
			f.SetUint(uint64(i + 1))
		case f.CanInt():
			f.SetInt(int64(i + 1))
		default: // Depths
			f.Set(reflect.ValueOf([]kring.BrokerDepth{{Broker: 7, Connection: 1, Depth: i + 1}}))
		}
		fields[int64(i+1)] = v.Type().Field(i).Name
	}
	for name, m := range read(t, n) {
		var points []metricdata.DataPoint[int64]
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			points = data.DataPoints
		case metricdata.Gauge[int64]:
			points = data.DataPoints
		}
		for _, p := range points {
			if _, ok := fields[p.Value]; !ok {
				t.Errorf("%s shows %d, a field that another metric shows, or none", name, p.Value)
			}
			delete(fields, p.Value)
		}
	}
	for _, f := range fields {
		t.Errorf("Stats.%s is in no metric", f)
	}
}

func TestSource(t *testing.T) {
	c := kringtest.NewCluster(t)
	p := c.NewProducer()
	c.OnProduce(kringtest.Fail(kring.PolicyViolation).Times(1))
	if _, err := p.ProduceSync(soon(t), kring.Record{Topic: "orders"}); !errors.Is(err, kring.PolicyViolation) {
		t.Fatalf("error %v, want POLICY_VIOLATION", err)
	}
	for range 3 {
		if _, err := p.ProduceSync(soon(t), kring.Record{Topic: "orders", Value: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Close(soon(t)); err != nil {
		t.Fatal(err)
	}
	got := read(t, p, kringotel.ClientID("shop"), kringotel.Server("kafka.example:9092"))

	const common = "messaging.client.id=shop\nmessaging.operation.name=send\nmessaging.system=kafka\nserver.address=kafka.example\nserver.port=9092"
	sent := got["messaging.client.sent.messages"].Data.(metricdata.Sum[int64])
	counts := map[string]int64{}
	for _, point := range sent.DataPoints {
		counts[lines(point.Attributes.ToSlice())] = point.Value
	}
	want := map[string]int64{common: 3, "error.type=_OTHER\n" + common: 1}
	if !reflect.DeepEqual(counts, want) || !sent.IsMonotonic || sent.Temporality != metricdata.CumulativeTemporality {
		t.Errorf("sent %v, want %v", counts, want)
	}

	stages := map[string]kring.Latency{}
	l := p.Latencies()
	stages["fill"], stages["queue"], stages["write"], stages["ack"], stages["callback"] = l.Fill, l.Queue, l.Write, l.Ack, l.Callback
	for _, point := range got["kring.producer.stage.duration"].Data.(metricdata.Histogram[float64]).DataPoints {
		name, _ := point.Attributes.Value("kring.stage")
		latency := stages[name.AsString()]
		delete(stages, name.AsString())
		var all uint64
		for _, n := range point.BucketCounts {
			all += n
		}
		if all != latency.Count() || point.Count != all || all == 0 || point.Sum != latency.Sum().Seconds() || len(point.BucketCounts) != len(point.Bounds)+1 {
			t.Errorf("stage %s: %+v, want %d in %v", name.AsString(), point, latency.Count(), latency.Sum())
		}
	}
	if len(stages) != 0 {
		t.Errorf("stages without a histogram: %v", stages)
	}
}

func TestSourceChecksOptions(t *testing.T) {
	if _, err := kringotel.NewSource(numbers{}, kringotel.Server("kafka")); err == nil {
		t.Error("a server without a port was accepted")
	}
}
