//go:build kafka

package kafka_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/kring-go/kring"
)

// TestTelemetry has a broker with a plug-in for client metrics subscribe to
// some, and reads what arrives there with OpenTelemetry's own code.
func TestTelemetry(t *testing.T) {
	folder := t.TempDir()
	c := need(t, 1, "metric.reporters=TelemetrySink", "kring.telemetry.dir="+folder)
	subscribe(t, c, "org.apache.kafka.producer.,com.example.shop.", "300")
	topic := c.topic(t, 3)

	var orders atomic.Int64
	p, err := kring.New(kring.Brokers(c.bootstrap...), kring.ClientID("shop"), kring.ClientRack("r1"), kring.AppMetrics(func() []kring.AppMetric {
		return []kring.AppMetric{
			{Name: "com.example.shop.orders.total", Unit: "{order}", Kind: kring.AppCounter, Count: orders.Add(3), Attributes: map[string]string{"shop": "a"}},
			{Name: "com.example.shop.busy.total", Unit: "s", Kind: kring.AppSum, Value: 2.5},
			{Name: "com.example.shop.carts", Value: -1.5},
			{Name: "com.example.other", Value: 1},
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	id, err := p.ClientInstanceID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	limit := time.Now().Add(30 * time.Second)
	var files []string
	for len(files) < 3 {
		if time.Now().After(limit) {
			t.Fatalf("%d pushes arrived in 30 s, want 3", len(files))
		}
		if _, err := p.ProduceSync(t.Context(), kring.Record{Topic: topic, Value: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		files = pushedFiles(t, folder)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	files = pushedFiles(t, folder)
	names := map[string]bool{}
	var counted int64
	for i, file := range files {
		parts := strings.Fields(filepath.Base(file))
		if parts[1] != id {
			t.Errorf("push %d is of the instance %s, want %s", i, parts[1], id)
		}
		if last := i == len(files)-1; (parts[2] == "last") != last {
			t.Errorf("push %d of %d: %s", i, len(files), parts[2])
		}
		all := decoded(t, file)
		for name := range all {
			names[name] = true
		}
		counted = checkApp(t, file, all, counted)
	}
	for _, want := range []string{
		"connection.creation.rate", "connection.creation.total", "node.request.latency.avg", "node.request.latency.max",
		"produce.throttle.time.avg", "produce.throttle.time.max", "record.queue.time.avg", "record.queue.time.max",
	} {
		if !names["org.apache.kafka.producer."+want] {
			t.Errorf("%s has not arrived; these have: %v", want, names)
		}
	}
	// A push that Close has cut off may have arrived, and be there twice.
	if n := orders.Load(); counted < n {
		t.Errorf("the pushes count %d orders, the program %d", counted, n)
	}
	for name := range names {
		if !strings.HasPrefix(name, "org.apache.kafka.producer.") && !strings.HasPrefix(name, "com.example.shop.") {
			t.Errorf("%s has arrived, and nobody has subscribed to it", name)
		}
	}
}

// checkApp looks at the program's metrics in one push, and returns how many
// orders it and those before it count.
func checkApp(t *testing.T, file string, all map[string]*metricspb.Metric, before int64) int64 {
	t.Helper()
	orders, busy, carts := all["com.example.shop.orders.total"], all["com.example.shop.busy.total"], all["com.example.shop.carts"]
	if orders == nil || busy == nil || carts == nil {
		t.Errorf("%s: not all of the program's metrics have arrived: %v", file, all)
		return before
	}
	sum, point := orders.GetSum(), orders.GetSum().GetDataPoints()[0]
	if orders.Unit != "{order}" || !sum.GetIsMonotonic() || point.Attributes[0].Key != "shop" || point.Attributes[0].Value.GetStringValue() != "a" {
		t.Errorf("%s: %v", file, orders)
	}
	if n := busy.GetSum().GetDataPoints()[0].GetAsDouble(); !busy.GetSum().GetIsMonotonic() || n != 2.5 && n != 0 {
		t.Errorf("%s: %v", file, busy)
	}
	if n := carts.GetGauge().GetDataPoints()[0].GetAsDouble(); n != -1.5 {
		t.Errorf("%s: %v", file, carts)
	}
	if sum.AggregationTemporality == metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE {
		return point.GetAsInt()
	}
	return before + point.GetAsInt()
}

// subscribe asks for the metrics of every client.
func subscribe(t *testing.T, c *cluster, metrics, interval string) {
	t.Helper()
	admin, err := kgo.NewClient(kgo.SeedBrokers(c.bootstrap...))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	const clientMetrics = 16 // a type of resource
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = clientMetrics, "kring-test"
	for name, value := range map[string]string{"metrics": metrics, "interval.ms": interval, "match": "client_software_name=kring"} {
		config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		config.Name, config.Value = name, kmsg.StringPtr(value)
		resource.Configs = append(resource.Configs, config)
	}
	req.Resources = append(req.Resources, resource)
	resp, err := req.RequestWith(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range resp.Resources {
		if r.ErrorCode != 0 {
			t.Fatalf("the subscription was refused with code %d: %v", r.ErrorCode, r.ErrorMessage)
		}
	}
}

// pushedFiles lists what the plug-in has written, in order.
func pushedFiles(t *testing.T, folder string) (files []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".partial" {
			files = append(files, filepath.Join(folder, e.Name()))
		}
	}
	return files
}

// decoded reads one push, by the metrics' names.
func decoded(t *testing.T, file string) map[string]*metricspb.Metric {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var push metricspb.MetricsData
	if err := proto.Unmarshal(data, &push); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	all := map[string]*metricspb.Metric{}
	for _, r := range push.ResourceMetrics {
		if a := r.Resource.Attributes; len(a) != 1 || a[0].Key != "client_rack" || a[0].Value.GetStringValue() != "r1" {
			t.Errorf("%s: attributes %v", file, a)
		}
		for _, s := range r.ScopeMetrics {
			for _, m := range s.Metrics {
				all[m.Name] = m
			}
		}
	}
	return all
}
