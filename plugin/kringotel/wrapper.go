package kringotel

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/kring-go/kring"
)

// scope is the name of the tracer and of the meter.
const scope = "github.com/kring-go/kring/plugin/kringotel"

// Producer is what a Wrapper needs; *kring.Producer has it.
type Producer interface {
	Produce(ctx context.Context, r kring.Record, cb kring.Callback) error
	TryProduce(r kring.Record, cb kring.Callback) error
	ProduceSync(ctx context.Context, r kring.Record) (kring.Delivery, error)
}

// Wrapper produces with traces and metrics. Its methods may be called from any
// goroutine. It holds nothing that would have to be closed.
type Wrapper struct {
	next   Producer
	cfg    config
	tracer trace.Tracer

	duration metric.Float64Histogram
	sent     metric.Int64Counter

	topics     sync.Map  // of *topic by name
	operations sync.Pool // of *operation
}

// Wrap makes a Wrapper around p. It fails if p is nil, or an option or a name is
// refused.
//
// A producer with kring.OnDelivery needs the same function here; see OnDelivery.
func Wrap(p Producer, opts ...Option) (*Wrapper, error) {
	cfg, err := configured(opts)
	if err = errors.Join(given("Wrap: the producer", p), err); err != nil {
		return nil, err
	}
	w := &Wrapper{next: p, cfg: cfg}
	w.tracer = w.cfg.tracers.Tracer(scope, trace.WithInstrumentationVersion(kring.Version), trace.WithSchemaURL(semconv.SchemaURL))
	meter := w.cfg.meters.Meter(scope, metric.WithInstrumentationVersion(kring.Version), metric.WithSchemaURL(semconv.SchemaURL))
	w.duration, err = meter.Float64Histogram("messaging.client.operation.duration",
		metric.WithUnit("s"),
		metric.WithDescription("Duration of messaging operation initiated by a producer or consumer client."),
		metric.WithExplicitBucketBoundaries(durationBounds()...))
	if err != nil {
		return nil, fmt.Errorf("kring: otel: %w", err)
	}
	w.sent, err = meter.Int64Counter("messaging.client.sent.messages",
		metric.WithUnit("{message}"),
		metric.WithDescription("Number of messages producer attempted to send to the broker."))
	if err != nil {
		return nil, fmt.Errorf("kring: otel: %w", err)
	}
	w.operations.New = func() any {
		op := &operation{w: w}
		op.callback = op.done
		return op
	}
	return w, nil
}

// Produce is that of kring.Producer. The span's parent is that of ctx.
func (w *Wrapper) Produce(ctx context.Context, r kring.Record, cb kring.Callback) error {
	op := w.begin(ctx, &r, cb)
	if op == nil {
		return w.next.Produce(ctx, r, cb)
	}
	err := w.next.Produce(ctx, r, op.callback)
	if err != nil {
		op.refused(err)
	}
	return err
}

// TryProduce is that of kring.Producer, with the context that the span's parent
// is in; it is used for nothing else.
func (w *Wrapper) TryProduce(ctx context.Context, r kring.Record, cb kring.Callback) error {
	op := w.begin(ctx, &r, cb)
	if op == nil {
		return w.next.TryProduce(r, cb)
	}
	err := w.next.TryProduce(r, op.callback)
	if err != nil {
		op.refused(err)
	}
	return err
}

// ProduceSync is that of kring.Producer.
func (w *Wrapper) ProduceSync(ctx context.Context, r kring.Record) (kring.Delivery, error) {
	op := w.begin(ctx, &r, nil)
	if op == nil {
		return w.next.ProduceSync(ctx, r)
	}
	d, err := w.next.ProduceSync(ctx, r)
	if err != nil && d.Err == nil { // refused, or ctx ended before the outcome
		op.refused(err)
	} else {
		op.user = nil // the caller hears of it
		op.done(d)
	}
	return d, err
}

// begin starts the span of a record, and what measures it. nil: neither is
// wanted for this record.
func (w *Wrapper) begin(ctx context.Context, r *kring.Record, cb kring.Callback) *operation {
	if ctx == nil { // a forgiven mistake, as in kring
		ctx = context.Background()
	}
	parent := trace.SpanContextFromContext(ctx)
	traced := parent.IsSampled() || w.cfg.roots && !parent.IsValid()
	measured := w.duration.Enabled(ctx) || w.sent.Enabled(ctx)
	if !traced && w.cfg.everywhere && parent.IsValid() {
		w.inject(ctx, r)
	}
	if !traced && !measured {
		return nil
	}
	op := w.operations.Get().(*operation)
	if cb == nil {
		cb = w.cfg.onDelivery
	}
	op.topic, op.user, op.ctx, op.span = w.topic(r.Topic), cb, context.Background(), nil
	op.measured = measured
	if measured {
		op.start = time.Now()
	}
	if traced {
		op.ctx, op.span = w.tracer.Start(ctx, op.topic.spanName, op.topic.spanOptions...)
		op.describe(r)
		w.inject(op.ctx, r)
	}
	return op
}

// inject adds the context's headers to the record, whose slice the caller may
// share between goroutines.
func (w *Wrapper) inject(ctx context.Context, r *kring.Record) {
	c := NewCarrier(r.Headers)
	w.cfg.propagator.Inject(ctx, c)
	r.Headers = c.Headers
}

// describe adds what of the record belongs into the span.
func (op *operation) describe(r *kring.Record) {
	if !op.span.IsRecording() {
		return
	}
	if text := op.w.cfg.keys; text != nil && r.Key != nil {
		op.span.SetAttributes(semconv.MessagingKafkaMessageKey(text(r.Key)))
	}
	if r.Value == nil {
		op.span.SetAttributes(semconv.MessagingKafkaMessageTombstone(true))
	}
}

// fail marks a span as failed. The text is the error's, which has none of the
// record's data.
func fail(span trace.Span, err error) {
	span.SetStatus(codes.Error, err.Error())
	span.SetAttributes(semconv.ErrorTypeKey.String(ErrorType(err)))
}
