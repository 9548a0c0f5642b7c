package kring_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/internal/expand"
)

// collectorBroker is the telemetry side of a wireBroker.
type collectorBroker struct {
	*wireBroker
	mu     sync.Mutex
	answer func(*kmsg.GetTelemetrySubscriptionsResponse)
	code   func(n int, r *kmsg.PushTelemetryRequest) (code int16, hang bool)       // of the nth push, from 1
	cut    func(c *wireConn, key, version int16, correlation int32) (handled bool) // raw of wireBroker
	asked  []*kmsg.GetTelemetrySubscriptionsRequest
	pushes []*kmsg.PushTelemetryRequest
}

var instanceID = [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}

func newCollectorBroker(t *testing.T, script func(*collectorBroker)) *collectorBroker {
	t.Helper()
	b := &collectorBroker{}
	if script != nil {
		script(b)
	}
	b.wireBroker = newWireBroker(t, func(w *wireBroker) {
		w.telemetry, w.raw = b.telemetry, b.cut
		w.apis = func(resp *kmsg.ApiVersionsResponse) {
			for _, key := range []int16{71, 72} {
				k := kmsg.NewApiVersionsResponseApiKey()
				k.ApiKey = key
				resp.ApiKeys = append(resp.ApiKeys, k)
			}
		}
	})
	return b
}

func (b *collectorBroker) telemetry(req kmsg.Request) kmsg.Response {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch r := req.(type) {
	case *kmsg.GetTelemetrySubscriptionsRequest:
		b.asked = append(b.asked, r)
		resp := r.ResponseKind().(*kmsg.GetTelemetrySubscriptionsResponse)
		if r.ClientInstanceID == [16]byte{} {
			resp.ClientInstanceID = instanceID
		}
		resp.SubscriptionID, resp.PushIntervalMillis, resp.TelemetryMaxBytes = 7, 100, 1<<20
		resp.AcceptedCompressionTypes, resp.RequestedMetrics = []int8{4, 3, 1, 2}, []string{""}
		if b.answer != nil {
			b.answer(resp)
		}
		return resp
	case *kmsg.PushTelemetryRequest:
		b.pushes = append(b.pushes, r)
		resp := r.ResponseKind().(*kmsg.PushTelemetryResponse)
		if b.code != nil {
			code, hang := b.code(len(b.pushes), r)
			if hang {
				return nil
			}
			resp.ErrorCode = code
		}
		return resp
	}
	return nil
}

func (b *collectorBroker) pushed() []*kmsg.PushTelemetryRequest {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]*kmsg.PushTelemetryRequest(nil), b.pushes...)
}

func (b *collectorBroker) subscribed() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.asked)
}

// producing makes a producer and has it deliver a record, so that it knows the
// cluster.
func (b *collectorBroker) producing(t *testing.T, more ...kring.Option) *kring.Producer {
	t.Helper()
	p, err := kring.New(quick([]string{b.addr()}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(patient(t)); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	deliverOne(t, p)
	return p
}

func deliverOne(t *testing.T, p *kring.Producer) {
	t.Helper()
	if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Value: []byte("x")}); err != nil {
		t.Fatal(err)
	}
}

func TestTelemetry(t *testing.T) {
	b := newCollectorBroker(t, nil)
	p := b.producing(t)
	until(t, "two pushes", func() bool { return len(b.pushed()) >= 2 })
	id, err := p.ClientInstanceID(patient(t))
	if want := base64.RawURLEncoding.EncodeToString(instanceID[:]); id != want || err != nil {
		t.Errorf("instance %q, error %v, want %q", id, err, want)
	}
	if err := p.Close(patient(t)); err != nil {
		t.Fatal(err)
	}
	pushes := b.pushed()
	for i, push := range pushes {
		if push.ClientInstanceID != instanceID || push.SubscriptionID != 7 || push.CompressionType != 4 {
			t.Errorf("push %d is of %v, subscription %d, codec %d", i, push.ClientInstanceID, push.SubscriptionID, push.CompressionType)
		}
		if last := i == len(pushes)-1; push.Terminating != last {
			t.Errorf("push %d of %d is terminating: %t", i, len(pushes), push.Terminating)
		}
	}
	data, err := expand.Expand(int8(pushes[0].CompressionType), pushes[0].Metrics)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"connection.creation.rate", "connection.creation.total", "node.request.latency.avg", "node.request.latency.max",
		"produce.throttle.time.avg", "produce.throttle.time.max", "record.queue.time.avg", "record.queue.time.max",
	} {
		if !bytes.Contains(data, []byte("org.apache.kafka.producer."+name)) {
			t.Errorf("KIP-714 wants %s of every producer", name)
		}
	}
	if n := b.subscribed(); n != 1 {
		t.Errorf("subscribed %d times, want once", n)
	}
}

// TestTelemetryNotWanted: where nobody wants metrics, none are sent.
func TestTelemetryNotWanted(t *testing.T) {
	for _, tc := range []struct {
		name   string
		opts   []kring.Option
		script func(*collectorBroker)
		asked  bool
		id     bool
	}{
		{"no subscription", nil, func(b *collectorBroker) {
			b.answer = func(r *kmsg.GetTelemetrySubscriptionsResponse) { r.RequestedMetrics = nil }
		}, true, true},
		{"switched off", []kring.Option{kring.DisableMetricsPush()}, nil, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newCollectorBroker(t, tc.script)
			p := b.producing(t, tc.opts...)
			if tc.asked {
				until(t, "three questions", func() bool { return b.subscribed() >= 3 })
			}
			_, err := p.ClientInstanceID(patient(t))
			if tc.id != (err == nil) || err != nil && !errors.Is(err, kring.ErrNoTelemetry) {
				t.Errorf("ClientInstanceID: %v", err)
			}
			if err := p.Close(patient(t)); err != nil {
				t.Fatal(err)
			}
			if n := len(b.pushed()); n != 0 || !tc.asked && b.subscribed() != 0 {
				t.Errorf("%d pushes, %d questions", n, b.subscribed())
			}
		})
	}
}

// TestTelemetryNotOffered: a broker that does not offer to take metrics gets
// neither a request nor a connection for them.
func TestTelemetryNotOffered(t *testing.T) {
	b := newWireBroker(t, nil)
	p, err := kring.New(quick([]string{b.addr()})...)
	if err != nil {
		t.Fatal(err)
	}
	deliverOne(t, p)
	b.mu.Lock()
	accepted := b.accepted
	b.mu.Unlock()
	if accepted != 2 {
		t.Errorf("%d connections, want 2: for metadata and for records", accepted)
	}
	if _, err := p.ClientInstanceID(patient(t)); !errors.Is(err, kring.ErrNoTelemetry) {
		t.Errorf("ClientInstanceID: %v, want ErrNoTelemetry", err)
	}
	if err := p.Close(patient(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.ClientInstanceID(patient(t)); !errors.Is(err, kring.ErrClosed) {
		t.Errorf("ClientInstanceID after Close: %v, want ErrClosed", err)
	}
}

// TestClientInstanceIDFirst asks before anything was produced.
func TestClientInstanceIDFirst(t *testing.T) {
	b := newCollectorBroker(t, nil)
	p, err := kring.New(quick([]string{b.addr()})...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close(patient(t)) }()
	if id, err := p.ClientInstanceID(patient(t)); err != nil || len(id) != 22 {
		t.Errorf("instance %q, error %v", id, err)
	}
}

// TestTelemetryRefused: what follows the codes that a push may get.
func TestTelemetryRefused(t *testing.T) {
	for _, tc := range []struct {
		name  string
		code  int16
		again bool // there is another push
		asks  int  // subscriptions, if there is
		log   string
	}{
		{"UNKNOWN_SUBSCRIPTION_ID", 117, true, 2, ""},
		{"UNSUPPORTED_COMPRESSION_TYPE", 76, true, 2, ""},
		{"THROTTLING_QUOTA_EXCEEDED", 89, true, 1, ""},
		{"TELEMETRY_TOO_LARGE", 118, false, 0, "too large for the broker"},
		{"INVALID_RECORD", 87, false, 0, "refuses this producer's metrics"},
		{"INVALID_REQUEST", 42, false, 0, "refuses this producer's metrics"},
		{"UNSUPPORTED_VERSION", 35, false, 0, "refuses this producer's metrics"},
		{"INVALID_CONFIG", 40, false, 0, "refuses this producer's metrics"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var log lockedBuffer
			b := newCollectorBroker(t, func(b *collectorBroker) {
				b.code = func(n int, _ *kmsg.PushTelemetryRequest) (int16, bool) {
					if n == 1 {
						return tc.code, false
					}
					return 0, false
				}
			})
			p := b.producing(t, kring.Logger(slog.New(slog.NewTextHandler(&log, nil))))
			if tc.again {
				until(t, "another push", func() bool { return len(b.pushed()) >= 2 })
			} else {
				until(t, "the log", func() bool { return strings.Contains(log.String(), tc.log) })
			}
			asks := b.subscribed()
			if err := p.Close(patient(t)); err != nil {
				t.Fatal(err)
			}
			if n := len(b.pushed()); tc.again && asks != tc.asks || !tc.again && n != 1 {
				t.Errorf("%d pushes and %d subscriptions", n, asks)
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			for i, r := range b.asked[1:] {
				if r.ClientInstanceID != instanceID {
					t.Errorf("question %d is of instance %v", i+2, r.ClientInstanceID)
				}
			}
		})
	}
}

// TestTelemetryTooMuch: what the broker does not take is not sent; without the
// numbers of each broker it may fit.
func TestTelemetryTooMuch(t *testing.T) {
	limit := func(bytes int32) func(*collectorBroker) {
		return func(b *collectorBroker) {
			b.answer = func(r *kmsg.GetTelemetrySubscriptionsResponse) {
				r.AcceptedCompressionTypes, r.TelemetryMaxBytes = nil, bytes
				r.RequestedMetrics = []string{"org.apache.kafka.producer.node.", "org.apache.kafka.producer.connection.creation.total"}
			}
		}
	}
	t.Run("less", func(t *testing.T) {
		b := newCollectorBroker(t, limit(150))
		b.producing(t)
		until(t, "a push", func() bool { return len(b.pushed()) > 0 })
		got := b.pushed()[0].Metrics
		if len(got) > 150 || !bytes.Contains(got, []byte("creation.total")) || bytes.Contains(got, []byte("node.")) {
			t.Errorf("%d bytes were pushed: %q", len(got), got)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		var log lockedBuffer
		b := newCollectorBroker(t, limit(10))
		p := b.producing(t, kring.Logger(slog.New(slog.NewTextHandler(&log, nil))))
		until(t, "the log", func() bool { return strings.Contains(log.String(), "too large for the broker") })
		if err := p.Close(patient(t)); err != nil {
			t.Fatal(err)
		}
		if n := len(b.pushed()); n != 0 {
			t.Errorf("%d pushes", n)
		}
	})
}

// TestTelemetryHangs: a broker that never answers a push holds up neither
// records nor, for long, Close.
func TestTelemetryHangs(t *testing.T) {
	b := newCollectorBroker(t, func(b *collectorBroker) {
		b.code = func(int, *kmsg.PushTelemetryRequest) (int16, bool) { return 0, true }
	})
	p := b.producing(t)
	until(t, "a push", func() bool { return len(b.pushed()) == 1 })
	for range 100 {
		deliverOne(t, p)
	}
	watch := startStopwatch(t)
	if err := p.Close(patient(t)); err != nil {
		t.Fatal(err)
	}
	if d := watch.took(); d > 10*time.Second {
		t.Errorf("Close took %v", d)
	}
	pushes := b.pushed()
	if len(pushes) != 2 || !pushes[1].Terminating {
		t.Errorf("%d pushes, want two, the second one terminating", len(pushes))
	}
}

// TestTelemetryComesBack: after a lost connection metrics are pushed again.
func TestTelemetryComesBack(t *testing.T) {
	var lost atomic.Bool
	b := newCollectorBroker(t, func(b *collectorBroker) {
		b.cut = func(c *wireConn, key, _ int16, _ int32) bool {
			if key != 72 || lost.Swap(true) {
				return false
			}
			_ = c.nc.Close()
			return true
		}
	})
	b.producing(t)
	until(t, "a push", func() bool { return len(b.pushed()) >= 1 })
	if n := b.subscribed(); n != 1 {
		t.Errorf("subscribed %d times, want once: the subscription outlives the connection", n)
	}
}

// TestAppMetrics: the program's metrics are in every push, once for each a call;
// where they are too large, kring's own are pushed.
func TestAppMetrics(t *testing.T) {
	for _, tc := range []struct {
		name  string
		size  int
		limit int32
		there bool
	}{{"fits", 10, 1 << 20, true}, {"too large", 5000, 4000, false}} {
		t.Run(tc.name, func(t *testing.T) {
			noLeaks(t)
			var calls atomic.Int64
			var log lockedBuffer
			b := newCollectorBroker(t, func(b *collectorBroker) {
				b.answer = func(r *kmsg.GetTelemetrySubscriptionsResponse) {
					r.AcceptedCompressionTypes, r.TelemetryMaxBytes = nil, tc.limit
					r.RequestedMetrics = []string{"com.example.", "org.apache.kafka.producer.record.error"}
				}
			})
			p := b.producing(t, kring.Logger(slog.New(slog.NewTextHandler(&log, nil))), kring.AppMetrics(func() []kring.AppMetric {
				calls.Add(1)
				return []kring.AppMetric{{
					Name: "com.example.orders", Kind: kring.AppCounter, Count: 7,
					Attributes: map[string]string{"shop": strings.Repeat("s", tc.size)},
				}}
			}))
			until(t, "two pushes", func() bool { return len(b.pushed()) >= 2 })
			if err := p.Close(patient(t)); err != nil {
				t.Fatal(err)
			}
			for i, push := range b.pushed() {
				if bytes.Contains(push.Metrics, []byte("com.example.orders")) != tc.there || !bytes.Contains(push.Metrics, []byte("record.error.total")) {
					t.Errorf("push %d: %q", i, push.Metrics)
				}
			}
			// Close may have cut off a push that had made its call.
			if n, pushes := int(calls.Load()), len(b.pushed()); n < pushes || n > pushes+1 {
				t.Errorf("%d calls for %d pushes", n, pushes)
			}
			if n := strings.Count(log.String(), "are too large for the broker and are left out"); n != map[bool]int{false: 1}[tc.there] {
				t.Errorf("logged %d times:\n%s", n, log.String())
			}
		})
	}
}

// TestAppMetricsNotAsked: the program is not called where nobody wants its
// metrics, nor where none are pushed.
func TestAppMetricsNotAsked(t *testing.T) {
	for _, tc := range []struct {
		name     string
		prefixes []string
		pushes   bool
		opts     []kring.Option
	}{
		{"no subscription", nil, false, nil},
		{"only the producer's", []string{"org.apache.kafka.producer."}, true, nil},
		{"switched off", []string{""}, false, []kring.Option{kring.DisableMetricsPush()}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var calls atomic.Int64
			b := newCollectorBroker(t, func(b *collectorBroker) {
				b.answer = func(r *kmsg.GetTelemetrySubscriptionsResponse) { r.RequestedMetrics = tc.prefixes }
			})
			p := b.producing(t, append(tc.opts, kring.AppMetrics(func() []kring.AppMetric { calls.Add(1); return nil }))...)
			switch {
			case tc.pushes:
				until(t, "two pushes", func() bool { return len(b.pushed()) >= 2 })
			case tc.opts == nil:
				until(t, "two questions", func() bool { return b.subscribed() >= 2 })
			}
			if err := p.Close(patient(t)); err != nil {
				t.Fatal(err)
			}
			if n := calls.Load(); n != 0 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

// TestAppMetricsHang: a function that hangs, or closes the producer, does not
// keep Close.
func TestAppMetricsHang(t *testing.T) {
	noLeaks(t)
	b := newCollectorBroker(t, nil)
	called, gate, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var p *kring.Producer
	ready := make(chan struct{})
	p = b.producing(t, kring.AppMetrics(func() []kring.AppMetric {
		defer close(ended)
		close(called)
		<-ready
		if err := p.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
		<-gate
		return nil
	}))
	close(ready)
	<-called
	if err := p.Close(patient(t)); err != nil {
		t.Errorf("Close: %v", err)
	}
	close(gate)
	<-ended
}
