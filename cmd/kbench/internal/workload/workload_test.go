package workload

import (
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	w, err := Parse("w.yaml", []byte("name: n\ndescription: d\nrate: 20k\nsenders: 4\nquiet: true\nproperty:\n  acks: 1\n  linger.ms: 5\n"))
	if err != nil {
		t.Fatal(err)
	}
	if w.Name != "n" || w.Description != "d" || len(w.Flags) != 3 || w.Flags["rate"] != "20k" || w.Flags["senders"] != "4" || w.Flags["quiet"] != "true" {
		t.Errorf("%+v", w)
	}
	if !slices.Equal(w.Properties, []string{"acks=1", "linger.ms=5"}) {
		t.Errorf("properties %v", w.Properties)
	}
	if w, err = Parse("w.yaml", []byte("property: [acks=all, 'client.id=a=b']")); err != nil || !slices.Equal(w.Properties, []string{"acks=all", "client.id=a=b"}) {
		t.Errorf("%v, %v", w, err)
	}
}

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"", "no workload"},
		{"- a\n- b", "no workload"},
		{"rate: [", "w.yaml"},
		{"rate: 1\nsenders: 2\nrate: 3", "w.yaml:3: rate stands here for the second time"},
		{"rate: [1, 2]", "w.yaml:1: rate: want a single value"},
		{"rate:", "w.yaml:1: rate: has no value"},
		{"property: acks", "w.yaml:1: property: want name: value"},
		{"property: [acks]", "list of name=value"},
		{"property: {acks: {a: b}}", "acks: want a single value"},
	} {
		if _, err := Parse("w.yaml", []byte(tc.text)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: %v, want %q", tc.text, err, tc.want)
		}
	}
}

func TestBuiltins(t *testing.T) {
	names := Builtins()
	for _, want := range []string{"latency-small", "log-shipping", "mixed", "keyed-zipf"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is missing among %v", want, names)
		}
	}
	for _, name := range names {
		w, err := Load(name)
		if err != nil {
			t.Error(err)
		} else if w.Name != name || w.Description == "" || len(w.Flags) == 0 {
			t.Errorf("%s: %+v", name, w)
		}
	}
	if _, err := Load("none"); err == nil || !strings.Contains(err.Error(), "latency-small") {
		t.Errorf("got %v, want the names", err)
	}
	if _, err := Load("none.yaml"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("got %v", err)
	}
}

// ombText is written after the workloads that OpenMessaging Benchmark ships.
const ombText = `
name: 10 topics / 3 partitions / 1Kb

topics: 10
partitionsPerTopic: 3
keyDistributor: "NO_KEY"
messageSize: 1024
useRandomizedPayloads: true
randomBytesRatio: 0.5
randomizedPayloadPoolSize: 1000
subscriptionsPerTopic: 1
consumerPerSubscription: 2
producersPerTopic: 2
producerRate: 50000
consumerBacklogSizeGB: 0
testDurationMinutes: 15
`

const ombDriverText = `
name: Kafka
driverClass: io.openmessaging.benchmark.driver.kafka.KafkaBenchmarkDriver
replicationFactor: 3
topicConfig: |
  min.insync.replicas=2
commonConfig: |
  bootstrap.servers=localhost:9092
producerConfig: |
  acks=all
  linger.ms=1
  batch.size=1048576
consumerConfig: |
  auto.offset.reset=earliest
`

func TestConvert(t *testing.T) {
	text, err := Convert([]byte(ombText), []byte(ombDriverText))
	if err != nil {
		t.Fatal(err)
	}
	w, err := Parse("converted", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for flag, want := range map[string]string{
		"partitions": "30", "senders": "20", "record-size": "1024", "rate": "50000", "duration": "900s",
		"warmup": "60s", "keys": "none", "compressibility": "0.5", "replication": "3", "brokers": "localhost:9092",
	} {
		if w.Flags[flag] != want {
			t.Errorf("%s is %q, want %q\n%s", flag, w.Flags[flag], want, text)
		}
	}
	if w.Name != "10 topics / 3 partitions / 1Kb" || !slices.Equal(w.Properties, []string{"acks=all", "batch.size=1048576", "linger.ms=1"}) {
		t.Errorf("%q, %v", w.Name, w.Properties)
	}
	for _, note := range []string{"10 topics of 3 partitions", "Consumers were left out", "share one client"} {
		if !strings.Contains(text, note) {
			t.Errorf("no word of %q in\n%s", note, text)
		}
	}
}

func TestConvertSearchAndErrors(t *testing.T) {
	text, err := Convert([]byte("messageSize: 100\nproducerRate: 0\ntestDurationMinutes: 0.5\nwarmupDurationMinutes: 0\nkeyDistributor: KEY_ROUND_ROBIN\npayloadFile: p.data\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"rate: max", "kbench ramp", "duration: 30s", "warmup: 0s", "keys: uniform:10k", `"p.data" was left out`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	for _, tc := range []struct{ text, want string }{
		{"rate: 5", "no workload of OpenMessaging"},
		{"topics: 1", "messageSize"},
		{"messageSize: 1", "testDurationMinutes"},
		{"messageSize: 1\ntestDurationMinutes: 1\ntopics: -1", "negative"},
	} {
		if _, err := Convert([]byte(tc.text), nil); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: %v", tc.text, err)
		}
	}
	if _, err := Convert([]byte(ombText), []byte("[")); err == nil || !strings.Contains(err.Error(), "driver") {
		t.Errorf("got %v", err)
	}
}
