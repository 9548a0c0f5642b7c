package kringprom_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/kringtest"
	"github.com/kring-go/kring/plugin/kringprom"
)

// numbers is a producer whose statistics are made up.
type numbers kring.Stats

func (n numbers) Stats() kring.Stats         { return kring.Stats(n) }
func (n numbers) Latencies() kring.Latencies { return kring.Latencies{} }

// counted has a number of its own in every field, from 1 in their order.
func counted() numbers {
	var n numbers
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
	}
	return n
}

// gather returns every metric as name{outcome or stage}: value.
func gather(t *testing.T, c prometheus.Collector) map[string]*dto.Metric {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	if err := r.Register(c); err != nil {
		t.Fatal(err)
	}
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*dto.Metric{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				if l.GetName() == "outcome" || l.GetName() == "stage" {
					name += "{" + l.GetValue() + "}"
				}
			}
			all[name] = m
		}
	}
	return all
}

func value(m *dto.Metric) float64 {
	if m.GetCounter() != nil {
		return m.GetCounter().GetValue()
	}
	return m.GetGauge().GetValue()
}

func TestLint(t *testing.T) {
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(kringprom.New(counted(), kringprom.Labels{"client_id": "a"}))
	problems, err := testutil.GatherAndLint(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestEveryFieldIsShown: every number of the statistics is in exactly one
// metric, of the kind that its name promises.
func TestEveryFieldIsShown(t *testing.T) {
	fields := map[float64]string{}
	v := reflect.ValueOf(counted())
	for i := range v.NumField() {
		fields[float64(i+1)] = v.Type().Field(i).Name
	}
	for name, m := range gather(t, kringprom.New(counted(), nil)) {
		if m.GetHistogram() != nil {
			continue
		}
		field, ok := fields[value(m)]
		if !ok {
			t.Errorf("%s shows a field that another metric shows, or none: %v", name, value(m))
		}
		delete(fields, value(m))
		base, _, _ := strings.Cut(name, "{")
		if isCounter := m.GetCounter() != nil; isCounter != strings.HasSuffix(base, "_total") {
			t.Errorf("%s (%s): is it a counter? %t", name, field, isCounter)
		}
	}
	for _, f := range fields {
		t.Errorf("Stats.%s is in no metric", f)
	}
}

func TestWhichFieldIsWhich(t *testing.T) {
	all := gather(t, kringprom.New(numbers{
		AckedRecords: 1, FailedRecords: 2, Retries: 3, BufferTotal: 4, BufferFree: 5, ConnectedBrokers: 6, Brokers: 7, Connections: 8,
	}, nil))
	for name, want := range map[string]float64{
		"kring_producer_records_total{acked}":  1,
		"kring_producer_records_total{failed}": 2,
		"kring_producer_batch_retries_total":   3,
		"kring_producer_buffer_size_bytes":     4,
		"kring_producer_buffer_free_bytes":     5,
		"kring_producer_connected_brokers":     6,
		"kring_producer_open_connections":      8,
		"kring_producer_known_brokers":         7,
	} {
		if m := all[name]; m == nil || value(m) != want {
			t.Errorf("%s is %v, want %v", name, m, want)
		}
	}
}

func TestLabels(t *testing.T) {
	r := prometheus.NewPedanticRegistry()
	for _, id := range []string{"a", "b"} {
		if err := r.Register(kringprom.New(numbers{}, kringprom.Labels{"client_id": id})); err != nil {
			t.Errorf("client %s: %v", id, err)
		}
	}
	if err := r.Register(kringprom.New(numbers{}, kringprom.Labels{"client_id": "a"})); err == nil {
		t.Error("two producers with the same labels were registered")
	}
	for _, bad := range []string{"outcome", "stage", "broker", "connection", ""} {
		if err := prometheus.NewRegistry().Register(kringprom.New(numbers{}, kringprom.Labels{bad: "x"})); err == nil {
			t.Errorf("a label named %q was accepted", bad)
		}
	}
}

// TestProducer collects from a producer at work, while it works.
func TestProducer(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c := kringtest.NewCluster(t, kringtest.Partitions(3))
	p := c.NewProducer()
	collector := kringprom.New(p, kringprom.Labels{"client_id": "shop"})
	script := c.OnProduce(
		kringtest.Fail(kring.NotEnoughReplicas).Times(2),
		kringtest.Fail(kring.PolicyViolation).Times(1),
	)
	if _, err := p.ProduceSync(ctx, kring.Record{Topic: "orders"}); err == nil {
		t.Error("the record was delivered, against the script")
	}
	for range 500 {
		if err := p.Produce(ctx, kring.Record{Topic: "orders", Value: []byte("x")}, nil); err != nil {
			t.Fatal(err)
		}
		if testutil.CollectAndCount(collector) == 0 {
			t.Fatal("nothing was collected")
		}
	}
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	all := gather(t, collector)
	for name, want := range map[string]float64{
		"kring_producer_records_total{acked}":  500,
		"kring_producer_records_total{failed}": 1,
		"kring_producer_batch_retries_total":   2,
		"kring_producer_incomplete_batches":    0,
		"kring_producer_buffer_size_bytes":     4 << 20,
		"kring_producer_buffer_free_bytes":     4 << 20,
		"kring_producer_connected_brokers":     1,
		"kring_producer_known_brokers":         1,
	} {
		if m := all[name]; m == nil || value(m) != want {
			t.Errorf("%s is %v, want %v", name, m, want)
		}
	}
	if script.Met() != 3 {
		t.Errorf("the faults were met %d times, want 3", script.Met())
	}
	if n := value(all["kring_producer_requests_total"]); n < 3 {
		t.Errorf("%v requests, want 3 or more", n)
	}
	if err := p.Close(ctx); err != nil {
		t.Fatal(err)
	}
	checkStages(t, p, gather(t, collector))
	if m := gather(t, collector)["kring_producer_connected_brokers"]; value(m) != 0 {
		t.Errorf("after Close %v brokers are connected", value(m))
	}
}

// TestNil: a producer that is nil is refused when the Collector is registered, and
// a scrape of one that is not registered has an error and no panic.
func TestNil(t *testing.T) {
	var none *kring.Producer
	for name, c := range map[string]*kringprom.Collector{
		"nil": kringprom.New(nil, nil), "nil pointer": kringprom.New(none, nil), "zero": {},
	} {
		if err := prometheus.NewRegistry().Register(c); err == nil || !strings.Contains(err.Error(), "no producer") {
			t.Errorf("%s: %v", name, err)
		}
		out := make(chan prometheus.Metric, 1)
		c.Collect(out)
		if err := (<-out).Write(&dto.Metric{}); err == nil {
			t.Errorf("%s: a scrape without a producer has no error", name)
		}
	}
}
