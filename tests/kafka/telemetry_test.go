//go:build kafka

package kafka_test

import (
	"os"
	"path/filepath"
	"strings"
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
	subscribe(t, c, "org.apache.kafka.producer.", "300")
	topic := c.topic(t, 3)

	p, err := kring.New(kring.Brokers(c.bootstrap...), kring.ClientID("shop"), kring.ClientRack("r1"))
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
	for i, file := range files {
		parts := strings.Fields(filepath.Base(file))
		if parts[1] != id {
			t.Errorf("push %d is of the instance %s, want %s", i, parts[1], id)
		}
		if last := i == len(files)-1; (parts[2] == "last") != last {
			t.Errorf("push %d of %d: %s", i, len(files), parts[2])
		}
		for name := range decoded(t, file) {
			names[name] = true
		}
	}
	for _, want := range []string{
		"connection.creation.rate", "connection.creation.total", "node.request.latency.avg", "node.request.latency.max",
		"produce.throttle.time.avg", "produce.throttle.time.max", "record.queue.time.avg", "record.queue.time.max",
	} {
		if !names["org.apache.kafka.producer."+want] {
			t.Errorf("%s has not arrived; these have: %v", want, names)
		}
	}
	for name := range names {
		if !strings.HasPrefix(name, "org.apache.kafka.producer.") {
			t.Errorf("%s has arrived, and nobody has subscribed to it", name)
		}
	}
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
