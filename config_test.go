package kring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// build makes a configuration with a broker, so that tests are about the rest.
func build(opts ...Option) (*config, error) {
	return newConfig(append([]Option{Brokers("localhost:9092")}, opts...))
}

func TestDefaultsAreJavas(t *testing.T) {
	c, err := build()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name      setting
		got, want any
	}{
		{setClientID, c.clientID, ""},
		{setAcks, c.acks, int16(-1)},
		{setIdempotence, c.idempotence, true},
		{setRetries, c.retries, 2147483647},
		{setMaxInFlight, c.maxInFlight, 5},
		{setLinger, c.linger, 5 * time.Millisecond},
		{setBatchSize, c.batchSize, 16384},
		{setBufferMemory, c.bufferMemory, int64(33554432)},
		{setMaxRequestSize, c.maxRequestSize, 1048576},
		{setMaxBlock, c.maxBlock, 60 * time.Second},
		{setDeliveryTimeout, c.deliveryTimeout, 120 * time.Second},
		{setRequestTimeout, c.requestTimeout, 30 * time.Second},
		{setRetryBackoff, c.retryBackoff, 100 * time.Millisecond},
		{setRetryBackoffMax, c.retryBackoffMax, 1000 * time.Millisecond},
		{setReconnectBackoff, c.reconnectBackoff, 50 * time.Millisecond},
		{setReconnectBackoffMax, c.reconnectBackoffMax, 1000 * time.Millisecond},
		{setConnSetupTimeout, c.connSetupTimeout, 10 * time.Second},
		{setConnSetupTimeoutMax, c.connSetupTimeoutMax, 30 * time.Second},
		{setConnMaxIdle, c.connMaxIdle, 540 * time.Second},
		{setSendBuffer, c.sendBuffer, 131072},
		{setReceiveBuffer, c.receiveBuffer, 32768},
		{setMetadataMaxAge, c.metadataMaxAge, 300 * time.Second},
		{setMetadataMaxIdle, c.metadataMaxIdle, 300 * time.Second},
		{setRebootstrap, c.rebootstrap, true},
		{setRebootstrapTrigger, c.rebootstrapTrigger, 300 * time.Second},
		{setAdaptive, c.adaptive, true},
		{setAvailabilityTimeout, c.availabilityTimeout, time.Duration(0)},
		{setIgnoreKeys, c.ignoreKeys, false},
		{setCompression, c.codec, NoCompression},
		{setGzipLevel, c.levels[Gzip], -1},
		{setLZ4Level, c.levels[LZ4], 9},
		{setZstdLevel, c.levels[Zstd], 3},
		{setTransactionalID, c.transactionalID, ""},
		{setTransactionTimeout, c.transactionTimeout, 60 * time.Second},
	}
	for _, tc := range tests {
		t.Run(tc.name.String(), func(t *testing.T) {
			if tc.got != tc.want {
				t.Errorf("default = %v, want %v", tc.got, tc.want)
			}
		})
	}
	if len(tests) != int(settings)-1 { // all but the brokers
		t.Errorf("%d of %d settings tested", len(tests), settings)
	}
	if c.logger == nil || c.dial == nil || c.onDelivery != nil || c.exactTimestamps {
		t.Errorf("unexpected defaults: %+v", c)
	}
}

// refusal is a configuration that newConfig refuses, and the problems that it
// names, in the caller's words, one after another.
type refusal struct {
	name string
	opts []Option
	want string
}

func (tc refusal) check(t *testing.T) {
	t.Helper()
	c, err := build(tc.opts...)
	if err == nil || c != nil {
		t.Fatalf("accepted: %v, %v", c, err)
	}
	if err.Error() != tc.want {
		t.Errorf("error:\n%s\nwant:\n%s", err, tc.want)
	}
	if !errors.Is(err, ErrConfig) {
		t.Error("the error is not ErrConfig")
	}
}

// TestConfigLimits has the limits of every single option.
func TestConfigLimits(t *testing.T) {
	for _, tc := range []refusal{
		{"negative linger", []Option{Linger(-time.Millisecond)}, "kring: Linger(-1ms): must not be negative"},
		{"negative batch size", []Option{BatchSize(-1)}, "kring: BatchSize(-1): must not be negative"},
		{"batch above 2 MiB", []Option{BatchSize(2<<20 + 1)}, "kring: BatchSize(2097153): must be at most 2097152; a batch holds at most 2 MiB"},
		{"no memory", []Option{BufferMemory(0)}, "kring: BufferMemory(0): must be at least 1"},
		{"memory beyond any machine's", []Option{BufferMemory(math.MaxInt64)}, fmt.Sprintf("kring: BufferMemory(9223372036854775807): must be at most %d; New allocates it whole", maxBufferMemory)},
		{"request size", []Option{MaxRequestSize(0)}, "kring: MaxRequestSize(0): must be at least 1"},
		{"negative retries", []Option{Retries(-1)}, "kring: Retries(-1): must not be negative"},
		{"no requests", []Option{MaxInFlight(0)}, "kring: MaxInFlight(0): must be at least 1"},
		{"too many in flight", []Option{MaxInFlight(65), DisableIdempotence()}, "kring: MaxInFlight(65): must be at most 64"},
		{"acks", []Option{RequireAcks(2)}, "kring: RequireAcks(2): acks must be all (-1), 1 or 0"},
		{"zero request timeout", []Option{RequestTimeout(0)}, "kring: RequestTimeout(0s): must be at least 1ms"},
		{"request timeout beyond int32 ms", []Option{RequestTimeout(25 * 24 * time.Hour)}, "kring: RequestTimeout(600h0m0s): must be at most 596h31m23.647s"},
		{"negative max block", []Option{MaxBlock(-1)}, "kring: MaxBlock(-1ns): must not be negative"},
		{"no time to connect", []Option{ConnectionSetupTimeout(0, time.Second)}, "kring: ConnectionSetupTimeout(0s, 1s): must be at least 1ms"},
		{"zero idle", []Option{ConnectionsMaxIdle(0)}, "kring: ConnectionsMaxIdle(0s): must be positive, or negative to keep idle connections for ever"},
		{"send buffer 0", []Option{SendBuffer(0)}, "kring: SendBuffer(0): must be positive, or -1 for the system's default"},
		{"receive buffer -2", []Option{ReceiveBuffer(-2)}, "kring: ReceiveBuffer(-2): must be at least -1"},
		{"metadata age", []Option{MetadataMaxAge(-1)}, "kring: MetadataMaxAge(-1ns): must not be negative"},
		{"metadata idle", []Option{MetadataMaxIdle(time.Second)}, "kring: MetadataMaxIdle(1s): must be at least 5s"},
		{"rebootstrap", []Option{RebootstrapAfter(-1)}, "kring: RebootstrapAfter(-1ns): must not be negative"},
		{"availability", []Option{PartitionAvailabilityTimeout(-1)}, "kring: PartitionAvailabilityTimeout(-1ns): must not be negative"},
		{"client id", []Option{ClientID("\xff")}, "kring: ClientID(\"\\xff\"): must be UTF-8 and at most 32767 bytes long"},
		{"nil option", []Option{nil}, "kring: option 2 of 2 is nil"},
	} {
		t.Run(tc.name, tc.check)
	}
}

// TestConfigContradictions is S29, S43, E32 and H9: settings that are possible
// each by itself, and not together.
func TestConfigContradictions(t *testing.T) {
	for _, tc := range []refusal{
		{
			"batch above memory",
			[]Option{BatchSize(1 << 20), BufferMemory(1<<20 - 1)},
			"kring: BatchSize(1048576) exceeds BufferMemory(1048575): not one batch would fit into the buffer",
		},
		{"default batch above memory", []Option{BufferMemory(100)}, "kring: the default of batch.size exceeds BufferMemory(100): not one batch would fit into the buffer"},
		{
			"six in flight with idempotence",
			[]Option{MaxInFlight(6)},
			"kring: MaxInFlight(6): must be at most 5 with idempotence, which brokers can check no further back; lower it, or turn idempotence off with DisableIdempotence() or enable.idempotence=false",
		},
		{"acks=1 with idempotence", []Option{RequireAcks(AcksLeader), EnableIdempotence()}, "kring: RequireAcks(1) contradicts EnableIdempotence(): idempotence needs acks=all"},
		{"no retries with idempotence", []Option{EnableIdempotence(), Retries(0)}, "kring: Retries(0) contradicts EnableIdempotence(): idempotence needs retries"},
		{
			"delivery below linger + request",
			[]Option{DeliveryTimeout(10 * time.Second), Linger(time.Second), RequestTimeout(10 * time.Second)},
			"kring: DeliveryTimeout(10s): must be at least linger + request timeout = 11s (Linger(1s), RequestTimeout(10s))",
		},
		{
			"delivery below the defaults",
			[]Option{DeliveryTimeout(30 * time.Second)},
			"kring: DeliveryTimeout(30s): must be at least linger + request timeout = 30.005s (the default of linger.ms, the default of request.timeout.ms)",
		},
		{"backoff reversed", []Option{RetryBackoff(2*time.Second, time.Second)}, "kring: RetryBackoff(2s, 1s): the first must not be longer than the second"},
		{"both of a pair negative", []Option{ReconnectBackoff(-1, -1)}, "kring: ReconnectBackoff(-1ns, -1ns): must not be negative"},
		{
			"everything at once, each mistake one line",
			[]Option{Linger(-1), RequestTimeout(-1), DeliveryTimeout(1), MaxInFlight(9), nil},
			"kring: option 6 of 6 is nil\n" +
				"kring: Linger(-1ns): must not be negative\n" +
				"kring: DeliveryTimeout(1ns): must be at least 1ms\n" +
				"kring: RequestTimeout(-1ns): must be at least 1ms\n" +
				"kring: MaxInFlight(9): must be at most 5 with idempotence, which brokers can check no further back; lower it, or turn idempotence off with DisableIdempotence() or enable.idempotence=false",
		},
	} {
		t.Run(tc.name, tc.check)
	}
}

// TestConfigSettles is what Java does silently, or nearly.
func TestConfigSettles(t *testing.T) {
	tests := []struct {
		name string
		opts []Option
		ok   func(c *config) bool
		log  string
	}{
		{"acks=1 turns the default off", []Option{RequireAcks(AcksLeader)}, func(c *config) bool { return !c.idempotence }, "idempotence is off"},
		{"acks=0 turns the default off", []Option{RequireAcks(AcksNone)}, func(c *config) bool { return !c.idempotence }, "idempotence is off"},
		{"no retries turn the default off", []Option{Retries(0)}, func(c *config) bool { return !c.idempotence }, "idempotence is off"},
		{"acks=all stays idempotent", []Option{RequireAcks(AcksAll), EnableIdempotence()}, func(c *config) bool { return c.idempotence }, ""},
		{"64 in flight without idempotence", []Option{DisableIdempotence(), MaxInFlight(64)}, func(c *config) bool { return c.maxInFlight == 64 }, ""},
		{"the last one wins", []Option{EnableIdempotence(), DisableIdempotence(), RequireAcks(AcksNone)}, func(c *config) bool { return !c.idempotence }, ""},
		{"the default delivery timeout is raised", []Option{RequestTimeout(3 * time.Minute)}, func(c *config) bool { return c.deliveryTimeout == 3*time.Minute+5*time.Millisecond }, "raised"},
		{"for the longest linger", []Option{Linger(math.MaxInt64)}, func(c *config) bool { return c.deliveryTimeout == longestTime }, "raised"},
		{"a sufficient delivery timeout", []Option{DeliveryTimeout(30005 * time.Millisecond)}, func(c *config) bool { return c.deliveryTimeout == 30005*time.Millisecond }, ""},
		{"batch size 0 is 1", []Option{BatchSize(0)}, func(c *config) bool { return c.batchSize == 1 }, ""},
		{"the largest batch", []Option{BatchSize(2 << 20)}, func(c *config) bool { return c.batchSize == 2<<20 }, ""},
		{"one batch of memory", []Option{BatchSize(100), BufferMemory(100)}, func(c *config) bool { return c.bufferMemory == 100 }, ""},
		{"negative idle is for ever", []Option{ConnectionsMaxIdle(-1)}, func(c *config) bool { return c.connMaxIdle < 0 }, ""},
		{"never block", []Option{MaxBlock(0), Linger(0), MetadataMaxAge(0)}, func(c *config) bool { return c.maxBlock == 0 && c.linger == 0 }, ""},
		{"nil means the default", []Option{Logger(nil), WithDialer(nil), OnDelivery(nil)}, func(c *config) bool { return c.logger != nil && c.dial != nil && c.onDelivery == nil }, ""},
		{"switches", []Option{UniformPartitioning(), IgnoreKeys(), ExactTimestamps(), DisableRebootstrap()}, func(c *config) bool { return !c.adaptive && c.ignoreKeys && c.exactTimestamps && !c.rebootstrap }, ""},
		{"switches back", []Option{UniformPartitioning(), AdaptivePartitioning(), DisableRebootstrap(), RebootstrapAfter(time.Second)}, func(c *config) bool { return c.adaptive && c.rebootstrap && c.rebootstrapTrigger == time.Second }, ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var log bytes.Buffer
			logger := Logger(slog.New(slog.NewTextHandler(&log, nil)))
			c, err := build(append([]Option{logger}, tc.opts...)...)
			if err != nil {
				t.Fatal(err)
			}
			if !tc.ok(c) {
				t.Errorf("settled to %+v", c)
			}
			if got := log.String(); !strings.Contains(got, tc.log) || (tc.log == "") != (got == "") {
				t.Errorf("logged %q, want %q", got, tc.log)
			}
		})
	}
}

func TestBrokerAddresses(t *testing.T) {
	tests := []struct {
		name  string
		given []string
		want  []string
		err   string
	}{
		{name: "one", given: []string{"localhost:9092"}, want: []string{"localhost:9092"}},
		{name: "a list in one", given: []string{"a:1, b:2", "c:3"}, want: []string{"a:1", "b:2", "c:3"}},
		{name: "twice", given: []string{"a:1", "b:2", "a:1"}, want: []string{"a:1", "b:2"}},
		{name: "IPv6", given: []string{"[::1]:9092"}, want: []string{"[::1]:9092"}},
		{name: "with protocol", given: []string{"PLAINTEXT://a:1"}, want: []string{"a:1"}},
		{name: "none", err: `no broker to start from: give Brokers("host:9092") or bootstrap.servers`},
		{name: "empty", given: []string{""}, err: "Brokers: an address is empty"},
		{name: "stray comma", given: []string{"a:1,"}, err: "Brokers: an address is empty"},
		{name: "no port", given: []string{"localhost"}, err: `Brokers: address "localhost": want host:port, such as "localhost:9092"`},
		{name: "bare IPv6", given: []string{"::1"}, err: `Brokers: address "::1": want host:port, an IPv6 host in brackets as in "[::1]:9092"`},
		{name: "port 0", given: []string{"a:0"}, err: `Brokers: address "a:0": the port must be a number from 1 to 65535`},
		{name: "port 65536", given: []string{"a:65536"}, err: `Brokers: address "a:65536": the port must be a number from 1 to 65535`},
		{name: "named port", given: []string{"a:kafka"}, err: `Brokers: address "a:kafka": the port must be a number from 1 to 65535`},
		{name: "no host", given: []string{":9092"}, err: `Brokers: address ":9092": the host is missing or malformed`},
		{name: "TLS", given: []string{"SSL://a:1"}, err: `Brokers: address "SSL://a:1": connections are PLAINTEXT; change the address, or say security.protocol or TLS and SASL`},
		{name: "no protocol", given: []string{"http://a:1"}, err: `Brokers: address "http://a:1": "http" is no protocol of Kafka's`},
		{name: "path", given: []string{"a/b:1"}, err: `Brokers: address "a/b:1": the host is missing or malformed`},
		{name: "password", given: []string{"user:hunter2@a:1"}, err: "Brokers: an address contains an @: want host:port without a user"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			c, err := newConfig([]Option{Brokers(tc.given...)})
			if tc.err != "" {
				if tc.given == nil {
					_, err = newConfig(nil)
				}
				if err == nil || err.Error() != "kring: "+tc.err {
					t.Fatalf("error %v, want %s", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(c.brokers, tc.want) {
				t.Errorf("brokers = %q, want %q", c.brokers, tc.want)
			}
		})
	}
}

func TestWithDialerIsUsed(t *testing.T) {
	want := errors.New("dialled")
	c, err := build(WithDialer(func(context.Context, string, string) (net.Conn, error) { return nil, want }))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.dial(t.Context(), "tcp", "localhost:1"); err != want {
		t.Errorf("dial returned %v", err)
	}
}

func TestSettingNames(t *testing.T) {
	seen := make(map[string]bool)
	for s := range settings {
		name := s.String()
		if seen[name] {
			t.Errorf("%s names two settings", name)
		}
		seen[name] = true
	}
	if n := len(strings.Fields(settingNames)); n != int(settings) {
		t.Errorf("%d names for %d settings", n, settings)
	}
}
