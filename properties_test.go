package kring

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// javaDefaults is a Java producer's whole configuration, as Kafka 4 logs it,
// null left out.
const javaDefaults = `
acks=all
batch.size=16384
bootstrap.servers=localhost:9092
buffer.memory=33554432
client.dns.lookup=use_all_dns_ips
client.id=
compression.gzip.level=-1
compression.lz4.level=9
compression.type=none
compression.zstd.level=3
connections.max.idle.ms=540000
delivery.timeout.ms=120000
enable.idempotence=true
enable.metrics.push=true
interceptor.classes=
key.serializer=org.apache.kafka.common.serialization.ByteArraySerializer
linger.ms=5
max.block.ms=60000
max.in.flight.requests.per.connection=5
max.request.size=1048576
metadata.max.age.ms=300000
metadata.max.idle.ms=300000
metadata.recovery.rebootstrap.trigger.ms=300000
metadata.recovery.strategy=rebootstrap
metric.reporters=org.apache.kafka.common.metrics.JmxReporter
metrics.num.samples=2
metrics.recording.level=INFO
metrics.sample.window.ms=30000
partitioner.adaptive.partitioning.enable=true
partitioner.availability.timeout.ms=0
partitioner.ignore.keys=false
receive.buffer.bytes=32768
reconnect.backoff.max.ms=1000
reconnect.backoff.ms=50
request.timeout.ms=30000
retries=2147483647
retry.backoff.max.ms=1000
retry.backoff.ms=100
sasl.mechanism=GSSAPI
security.protocol=PLAINTEXT
send.buffer.bytes=131072
socket.connection.setup.timeout.max.ms=30000
socket.connection.setup.timeout.ms=10000
ssl.enabled.protocols=TLSv1.2,TLSv1.3
ssl.endpoint.identification.algorithm=https
ssl.protocol=TLSv1.3
transaction.timeout.ms=60000
value.serializer=org.apache.kafka.common.serialization.ByteArraySerializer
`

func TestFromPropertiesJavaDefaults(t *testing.T) {
	properties, err := ReadProperties(strings.NewReader(javaDefaults))
	if err != nil {
		t.Fatal(err)
	}
	opt, err := FromProperties(properties)
	if err != nil {
		t.Fatal(err)
	}
	got, err := newConfig([]Option{opt})
	if err != nil {
		t.Fatal(err)
	}
	want, err := build()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*config{got, want} {
		c.given, c.logger, c.dial = [settings]string{}, nil, nil
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("Java's defaults make\n%+v\nwant\n%+v", got, want)
	}
}

func TestFromPropertiesEverySetting(t *testing.T) {
	// One value for each supported name, all different from the default, so
	// that a property that sets another's field shows.
	properties := map[string]string{
		"bootstrap.servers": "a:1,b:2", "client.id": "me", "acks": "1", "enable.idempotence": "FALSE",
		"retries": "11", "max.in.flight.requests.per.connection": "12", "linger.ms": "13", "batch.size": "14",
		"buffer.memory": "15000", "max.request.size": "16", "max.block.ms": "17", "delivery.timeout.ms": "180",
		"request.timeout.ms": "19", "retry.backoff.ms": "20", "retry.backoff.max.ms": "21",
		"reconnect.backoff.ms": "22", "reconnect.backoff.max.ms": "23", "socket.connection.setup.timeout.ms": "24",
		"socket.connection.setup.timeout.max.ms": "25", "connections.max.idle.ms": "-1", "send.buffer.bytes": "-1",
		"receive.buffer.bytes": "28", "metadata.max.age.ms": "29", "metadata.max.idle.ms": "30000",
		"metadata.recovery.strategy": "none", "metadata.recovery.rebootstrap.trigger.ms": "32",
		"partitioner.adaptive.partitioning.enable": " false ", "partitioner.availability.timeout.ms": "34",
		"partitioner.ignore.keys": "true", "compression.type": "zstd", "compression.gzip.level": "5",
		"compression.lz4.level": "6", "compression.zstd.level": "7", "transaction.timeout.ms": "38",
		"kring.completion.lanes": "3", "kring.connections.per.broker": "4", "enable.metrics.push": "false", "kring.adaptive.depth": "false",
		"kring.manual.flush": "true", "kring.partitioner.least.backed.up": "true", "kring.max.buffered.records": "39",
		"metadata.cluster.check.enable": "false",
	}
	opt, err := FromProperties(properties)
	if err != nil {
		t.Fatal(err)
	}
	clear(properties) // the option keeps its own copy
	c, err := newConfig([]Option{opt})
	if err != nil {
		t.Fatal(err)
	}
	ms := time.Millisecond
	want := config{
		brokers: []string{"a:1", "b:2"}, clientID: "me", acks: 1, retries: 11, maxInFlight: 12, linger: 13 * ms,
		batchSize: 14, bufferMemory: 15000, maxRequestSize: 16, maxBlock: 17 * ms, deliveryTimeout: 180 * ms,
		requestTimeout: 19 * ms, retryBackoff: 20 * ms, retryBackoffMax: 21 * ms, reconnectBackoff: 22 * ms,
		reconnectBackoffMax: 23 * ms, connSetupTimeout: 24 * ms, connSetupTimeoutMax: 25 * ms, connMaxIdle: -ms,
		sendBuffer: -1, receiveBuffer: 28, metadataMaxAge: 29 * ms, metadataMaxIdle: 30000 * ms,
		rebootstrapTrigger: 32 * ms, availabilityTimeout: 34 * ms, ignoreKeys: true,
		codec: Zstd, levels: levels{NoCompression: math.MinInt32, Gzip: 5, Snappy: math.MinInt32, LZ4: 6, Zstd: 7}, transactionTimeout: 38 * ms, lanes: 3, stripes: 4, manualFlush: true, leastBackedUp: true, maxRecords: 39,
	}
	for s := range settings {
		if c.given[s] == "" && s != setTransactionalID { // it would demand idempotence
			t.Errorf("%s was not given", s)
		}
	}
	c.given, c.logger, c.dial = [settings]string{}, nil, nil
	if got, want := fmt.Sprintf("%+v", *c), fmt.Sprintf("%+v", want); got != want {
		t.Errorf("config\n%s\nwant\n%s", got, want)
	}
}

func TestFromPropertiesProblems(t *testing.T) {
	tests := []struct {
		name       string
		properties map[string]string
		want       string
	}{
		{"misspelt", map[string]string{"liner.ms": "5"}, `kring: "liner.ms": Kafka's producer has no such property; did you mean linger.ms?`},
		{"underscores", map[string]string{"batch_size": "5"}, `kring: "batch_size": Kafka's producer has no such property; did you mean batch.size?`},
		{"upper case", map[string]string{"ACKS": "all"}, `kring: "ACKS": Kafka's producer has no such property; did you mean acks?`},
		{"blank around", map[string]string{" acks": "all"}, `kring: " acks": Kafka's producer has no such property; did you mean acks?`},
		{"nothing near", map[string]string{"consumer.fetch.frobnication": "5"}, `kring: "consumer.fetch.frobnication": Kafka's producer has no such property`},
		{"empty name", map[string]string{"": "x"}, `kring: "": Kafka's producer has no such property`},
		{"misspelt secret", map[string]string{"ssl.key.pasword": "hunter2"}, `kring: "ssl.key.pasword": Kafka's producer has no such property; did you mean ssl.key.password?`},
		{"duration with a unit", map[string]string{"linger.ms": "5ms"}, `kring: linger.ms="5ms": want a whole number of milliseconds`},
		{"empty number", map[string]string{"batch.size": ""}, `kring: batch.size="": want a whole number of bytes that fits 32 bits`},
		{"number beyond an int", map[string]string{"batch.size": "2147483648"}, `kring: batch.size="2147483648": want a whole number of bytes that fits 32 bits`},
		{"fraction", map[string]string{"retries": "1.5"}, `kring: retries="1.5": want a whole number of attempts that fits 32 bits`},
		{"acks", map[string]string{"acks": "two"}, `kring: acks="two": want all, -1, 1 or 0`},
		{"boolean", map[string]string{"enable.idempotence": "yes"}, `kring: enable.idempotence="yes": want true or false`},
		{"strategy", map[string]string{"metadata.recovery.strategy": "maybe"}, `kring: metadata.recovery.strategy="maybe": want rebootstrap or none`},
		{"out of range", map[string]string{"linger.ms": "-1"}, `kring: linger.ms=-1: must not be negative`},
		{"a broker", map[string]string{"bootstrap.servers": "localhost"}, `kring: bootstrap.servers: address "localhost": want host:port, such as "localhost:9092"`},
		{"no broker", map[string]string{"bootstrap.servers": ""}, `kring: bootstrap.servers: an address is empty`},
		{"compression", map[string]string{"compression.type": "brotli"}, `kring: compression.type="brotli": want none, gzip, snappy, lz4 or zstd`},
		{"compression level", map[string]string{"compression.zstd.level": "23"}, `kring: compression.zstd.level=23: the level of zstd must be -131072 to 22`},
		{"compression level", map[string]string{"compression.gzip.level": "best"}, `kring: compression.gzip.level="best": want a whole number that fits 32 bits`},
		{"serializer", map[string]string{"key.serializer": "org.apache.kafka.common.serialization.StringSerializer"}, `kring: key.serializer: not supported; keys and values are bytes here, use ByteArraySerializer or leave it out; in Go, NewTyped has serializers`},
		{"partitioner", map[string]string{"partitioner.class": "x.Y"}, `kring: partitioner.class: Java's classes can not run here; use the option PartitionBy with a Go implementation, or org.apache.kafka.clients.producer.RoundRobinPartitioner, which RoundRobin stands for`},
		{"plug-in", map[string]string{"interceptor.classes": "x.Y"}, `kring: interceptor.classes: Java's classes can not run here; use the option Interceptors with a Go implementation`},
		{
			"all at once, by name",
			map[string]string{"linger.ms": "x", "acks": "2", "batch.size": "-5", "foo": "1", "sasl.jaas.config": "hunter2"},
			"kring: acks=\"2\": want all, -1, 1 or 0\n" +
				"kring: \"foo\": Kafka's producer has no such property\n" +
				"kring: linger.ms=\"x\": want a whole number of milliseconds\n" +
				"kring: batch.size=-5: must not be negative\n" +
				"kring: sasl.jaas.config: sasl.mechanism is missing, and Java's default for it, GSSAPI, needs FromProperties of the module plugin/kringgssapi in place of kring's; " +
				"set PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER",
		},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			opt, err := FromProperties(tc.properties)
			if err == nil || opt != nil {
				t.Fatalf("accepted: %v, %v", opt, err)
			}
			if err.Error() != tc.want {
				t.Errorf("error:\n%s\nwant:\n%s", err, tc.want)
			}
			if !errors.Is(err, ErrConfig) {
				t.Error("the error is not ErrConfig")
			}
		})
	}
}

// TestFromPropertiesKeepsSecrets gives a canary to every name that kring does
// not support, and to names that nobody does.
func TestFromPropertiesKeepsSecrets(t *testing.T) {
	const canary = "hunter2-canary"
	for name := range knownProperties() {
		if slices.ContainsFunc(openProperties(), func(p property) bool { return p.name == name }) {
			continue
		}
		for _, given := range []string{name, name + "x", strings.ToUpper(name)} {
			_, err := FromProperties(map[string]string{given: canary})
			if err == nil {
				t.Errorf("%s was accepted", given)
			} else if strings.Contains(err.Error(), canary) {
				t.Errorf("%s: the value is in the error: %v", given, err)
			}
		}
	}
}

func TestFromPropertiesJavasExtremes(t *testing.T) {
	opt, err := FromProperties(map[string]string{
		"bootstrap.servers": "a:1", "max.block.ms": "9223372036854775807", "delivery.timeout.ms": "2147483647",
		"reconnect.backoff.ms": "2000", "retry.backoff.ms": "5000", "socket.connection.setup.timeout.ms": "60000",
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := newConfig([]Option{opt})
	if err != nil {
		t.Fatal(err)
	}
	if c.maxBlock < math.MaxInt64-time.Millisecond {
		t.Errorf("max.block.ms = %v, want the longest", c.maxBlock)
	}
	if c.deliveryTimeout != longestTime {
		t.Errorf("delivery.timeout.ms = %v, want %v", c.deliveryTimeout, longestTime)
	}
	if c.reconnectBackoff != 2*time.Second || c.reconnectBackoffMax != 2*time.Second {
		t.Errorf("reconnect backoff %v to %v, want a constant 2s", c.reconnectBackoff, c.reconnectBackoffMax)
	}
	if c.retryBackoff != time.Second || c.retryBackoffMax != time.Second {
		t.Errorf("retry backoff %v to %v, want a constant 1s", c.retryBackoff, c.retryBackoffMax)
	}
	if c.connSetupTimeout != 30*time.Second {
		t.Errorf("connection set-up timeout %v, want 30s", c.connSetupTimeout)
	}
}

func TestFromPropertiesLargeMemory(t *testing.T) {
	if strconv.IntSize < 64 {
		t.Skip("an address space of 32 bits has no room for it")
	}
	opt, err := FromProperties(map[string]string{"bootstrap.servers": "a:1", "buffer.memory": "6000000000"})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := newConfig([]Option{opt}); err != nil || c.bufferMemory != 6000000000 {
		t.Errorf("config %+v, %v", c, err)
	}
}

func TestFromPropertiesOptionsWin(t *testing.T) {
	opt, err := FromProperties(map[string]string{"bootstrap.servers": "a:1", "linger.ms": "7", "enable.idempotence": "true"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := newConfig([]Option{opt, Linger(time.Second)})
	if err != nil || c.linger != time.Second || c.brokers[0] != "a:1" {
		t.Errorf("config %+v, %v", c, err)
	}
	_, err = newConfig([]Option{opt, RequireAcks(AcksLeader)})
	const want = "kring: RequireAcks(1) contradicts enable.idempotence=true: idempotence needs acks=all"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
