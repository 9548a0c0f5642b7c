package kringotel

import (
	"fmt"
	"net"
	"reflect"
	"strconv"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/kring-go/kring"
)

// Option changes one default of Wrap.
type Option func(*config) error

type config struct {
	tracers    trace.TracerProvider
	meters     metric.MeterProvider
	propagator propagation.TextMapPropagator
	clientID   string
	server     []attribute.KeyValue
	keys       func(key []byte) string
	roots      bool
	everywhere bool
	onDelivery kring.Callback
}

func defaults() config {
	return config{
		tracers:    otel.GetTracerProvider(),
		meters:     otel.GetMeterProvider(),
		propagator: otel.GetTextMapPropagator(),
	}
}

// configured is the defaults with the changes of opts.
func configured(opts []Option) (config, error) {
	c := defaults()
	for i, o := range opts {
		if o == nil {
			return c, fmt.Errorf("kring: otel: option %d of %d is nil", i+1, len(opts))
		}
		if err := o(&c); err != nil {
			return c, err
		}
	}
	return c, nil
}

// given refuses nil, also a pointer's in an interface. Otherwise the first record
// would panic.
func given(what string, v any) error {
	if r := reflect.ValueOf(v); v == nil || r.Kind() == reflect.Pointer && r.IsNil() {
		return fmt.Errorf("kring: otel: %s is nil", what)
	}
	return nil
}

// TracerProvider makes the spans. The default is the global one.
func TracerProvider(p trace.TracerProvider) Option {
	return func(c *config) error { c.tracers = p; return given("TracerProvider", p) }
}

// MeterProvider takes the metrics. The default is the global one.
func MeterProvider(p metric.MeterProvider) Option {
	return func(c *config) error { c.meters = p; return given("MeterProvider", p) }
}

// Propagator writes the span's context into headers. The default is the global
// one, which writes nothing until the program sets it; see
// propagation.TraceContext.
func Propagator(p propagation.TextMapPropagator) Option {
	return func(c *config) error { c.propagator = p; return given("Propagator", p) }
}

// ClientID is the value of messaging.client.id: what kring.ClientID was given.
// The default is none.
func ClientID(id string) Option {
	return func(c *config) error { c.clientID = id; return nil }
}

// Server is the address of the cluster, host:port, as server.address and
// server.port. Which broker a record went to is not told, and would be one more
// label of every metric. The default is none.
func Server(address string) Option {
	return func(c *config) error {
		host, service, err := net.SplitHostPort(address)
		if err != nil {
			return fmt.Errorf("kring: otel: Server(%q) is not host:port: %w", address, err)
		}
		port, err := strconv.ParseUint(service, 10, 16)
		if err != nil {
			return fmt.Errorf("kring: otel: Server(%q): the port is not a number up to 65535: %w", address, err)
		}
		c.server = []attribute.KeyValue{semconv.ServerAddress(host), semconv.ServerPort(int(port))}
		return nil
	}
}

// RecordKeys shows the records' keys in messaging.kafka.message.key, as text
// makes them; for keys that are text, func(b []byte) string { return string(b) }.
// The default leaves them out, since keys are often personal data.
func RecordKeys(text func(key []byte) string) Option {
	return func(c *config) error { c.keys = text; return nil }
}

// RootSpans also starts a span where the context has none: the provider's
// sampler then decides about it. The default has spans only below a sampled one.
func RootSpans() Option {
	return func(c *config) error { c.roots = true; return nil }
}

// PropagateUnsampled also writes the context of a span that is not sampled into
// the headers, so that consumers do not sample it either. It costs the headers
// in every such record, and their allocation. The default does not.
func PropagateUnsampled() Option {
	return func(c *config) error { c.everywhere = true; return nil }
}

// OnDelivery is called for records without a callback of their own. It takes the
// same function as kring.OnDelivery: the producer calls that one only for the
// records that the Wrapper leaves alone, since it needs the callback of the
// others. The default is none.
func OnDelivery(cb kring.Callback) Option {
	return func(c *config) error { c.onDelivery = cb; return nil }
}
