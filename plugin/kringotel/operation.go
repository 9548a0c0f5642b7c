package kringotel

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/kring-go/kring"
)

// operation is one record on its way. It comes from the Wrapper's pool and goes
// back before the caller's callback runs, so that a record costs no closure.
type operation struct {
	w        *Wrapper
	callback kring.Callback // done; made once for all lives

	topic    *topic
	user     kring.Callback
	ctx      context.Context // of the span, for exemplars; else empty
	span     trace.Span      // nil: not traced
	measured bool
	start    time.Time
}

// done is the record's callback.
func (op *operation) done(d kring.Delivery) {
	if op.span != nil {
		op.endSpan(&d)
	}
	if op.measured {
		op.record(d.Err, true)
	}
	user := op.user
	op.free()
	if user != nil {
		user(d)
	}
}

// refused ends a call that accepted nothing, or ended before the outcome.
func (op *operation) refused(err error) {
	if op.span != nil {
		fail(op.span, err)
		op.span.End()
	}
	if op.measured {
		op.record(err, false)
	}
	op.free()
}

func (op *operation) free() {
	op.topic, op.user, op.ctx, op.span = nil, nil, nil, nil
	op.w.operations.Put(op)
}

func (op *operation) endSpan(d *kring.Delivery) {
	if op.span.IsRecording() {
		op.span.SetAttributes(semconv.MessagingDestinationPartitionID(strconv.Itoa(int(d.Partition))))
		if d.Offset >= 0 {
			op.span.SetAttributes(semconv.MessagingKafkaOffset(int(d.Offset)))
		}
		if d.Err != nil {
			fail(op.span, d.Err)
			var pe *kring.ProduceError
			if errors.As(d.Err, &pe) {
				op.span.SetAttributes(attribute.String("kring.certainty", pe.Certainty.String()))
			}
		}
	}
	op.span.End()
}

// record adds to the metrics. Only failures build their attributes anew.
func (op *operation) record(err error, accepted bool) {
	seconds := time.Since(op.start).Seconds()
	durations, counts := op.topic.durations, op.topic.counts
	if err != nil {
		kind := semconv.ErrorTypeKey.String(ErrorType(err))
		durations = append(slices.Clip(durations), metric.WithAttributes(kind))
		counts = append(slices.Clip(counts), metric.WithAttributes(kind))
	}
	op.w.duration.Record(op.ctx, seconds, durations...)
	if accepted {
		op.w.sent.Add(op.ctx, 1, counts...)
	}
}

// topic is what all records of a topic have in common, made once.
type topic struct {
	spanName    string
	spanOptions []trace.SpanStartOption
	durations   []metric.RecordOption
	counts      []metric.AddOption
}

func (w *Wrapper) topic(name string) *topic {
	if t, ok := w.topics.Load(name); ok {
		return t.(*topic)
	}
	common := append([]attribute.KeyValue{
		semconv.MessagingSystemKafka,
		semconv.MessagingOperationName("send"),
		semconv.MessagingDestinationName(name),
	}, w.cfg.server...)
	span := append(slices.Clone(common), semconv.MessagingOperationTypeSend)
	measure := attribute.NewSet(span...)
	if w.cfg.clientID != "" {
		span = append(span, semconv.MessagingClientID(w.cfg.clientID))
	}
	t := &topic{
		spanName: "send " + name,
		spanOptions: []trace.SpanStartOption{
			trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(span...),
		},
		durations: []metric.RecordOption{metric.WithAttributeSet(measure)},
		counts:    []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(common...))},
	}
	kept, _ := w.topics.LoadOrStore(name, t)
	return kept.(*topic)
}

// ErrorType is the value of error.type for an error of kring: Kafka's name of
// the code if a broker answered, else the name of kring's error or of the
// context's, else _OTHER. It has one of a few hundred values, so it may be a
// metric's attribute.
func ErrorType(err error) string {
	var code kring.KafkaError
	if errors.As(err, &code) {
		return code.Name()
	}
	for _, known := range []struct {
		err  error
		name string
	}{
		{kring.ErrClosed, "kring.ErrClosed"},
		{kring.ErrBufferFull, "kring.ErrBufferFull"},
		{kring.ErrMaxBlock, "kring.ErrMaxBlock"},
		{kring.ErrRecordDeadline, "kring.ErrRecordDeadline"}, // before what it matches, too
		{kring.ErrDeliveryTimeout, "kring.ErrDeliveryTimeout"},
		{kring.ErrRetriesExhausted, "kring.ErrRetriesExhausted"},
		{kring.ErrRecordTooLarge, "kring.ErrRecordTooLarge"},
		{kring.ErrUnknownTopic, "kring.ErrUnknownTopic"},
		{kring.ErrInvalidTopic, "kring.ErrInvalidTopic"},
		{kring.ErrInvalidPartition, "kring.ErrInvalidPartition"},
		{kring.ErrInvalidRecord, "kring.ErrInvalidRecord"},
		{kring.ErrBatchRejected, "kring.ErrBatchRejected"},
		{kring.ErrMetadataPending, "kring.ErrMetadataPending"},
		{kring.ErrInCallback, "kring.ErrInCallback"},
		{context.Canceled, "context.Canceled"},
		{context.DeadlineExceeded, "context.DeadlineExceeded"},
	} {
		if errors.Is(err, known.err) {
			return known.name
		}
	}
	return "_OTHER"
}
