//go:build !race

package kringotel_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/plugin/kringotel"
)

// sink delivers at once and allocates nothing.
type sink struct{}

func (sink) Produce(_ context.Context, _ kring.Record, cb kring.Callback) error {
	if cb != nil {
		cb(kring.Delivery{})
	}
	return nil
}

func (s sink) TryProduce(r kring.Record, cb kring.Callback) error {
	return s.Produce(context.Background(), r, cb)
}

func (sink) ProduceSync(context.Context, kring.Record) (kring.Delivery, error) {
	return kring.Delivery{}, nil
}

// TestAllocations: a record that is not sampled costs nothing, measured or not.
func TestAllocations(t *testing.T) {
	record := kring.Record{Topic: "orders", Value: []byte("x"), Headers: []kring.Header{header("a", "1")}}
	tracers := kringotel.TracerProvider(sdktrace.NewTracerProvider())
	silent, err := kringotel.Wrap(sink{}, tracers, kringotel.MeterProvider(noop.NewMeterProvider()))
	if err != nil {
		t.Fatal(err)
	}
	measured := wrap(t, sink{})
	ctx := unsampled(t)
	delivered := 0
	cb := func(kring.Delivery) { delivered++ }
	carrier := kringotel.Carrier{Headers: record.Headers}
	for _, tc := range []struct {
		name string
		do   func()
	}{
		{"no metrics", func() { _ = silent.Produce(ctx, record, cb) }},
		{"no metrics, TryProduce", func() { _ = silent.TryProduce(ctx, record, cb) }},
		{"metrics", func() { _ = measured.Produce(ctx, record, cb) }},
		{"carrier without the header", func() { _ = carrier.Get("traceparent") }},
		{"extract from other headers", func() { _ = propagation.TraceContext{}.Extract(ctx, &carrier) }},
	} {
		if n := testing.AllocsPerRun(1000, tc.do); n != 0 {
			t.Errorf("%s: %v allocations, want 0", tc.name, n)
		}
	}
	if delivered == 0 {
		t.Error("no callback ran")
	}
}

func BenchmarkProduce(b *testing.B) {
	record := kring.Record{Topic: "orders", Value: []byte("x")}
	tracers := kringotel.TracerProvider(sdktrace.NewTracerProvider())
	w, err := kringotel.Wrap(sink{}, tracers, kringotel.MeterProvider(noop.NewMeterProvider()))
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Produce(ctx, record, nil); err != nil {
			b.Fatal(err)
		}
	}
}
