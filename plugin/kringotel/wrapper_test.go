package kringotel_test

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/kringtest"
	"github.com/kring-go/kring/plugin/kringotel"
)

// stage is a Wrapper between an SDK that remembers and a producer.
type stage struct {
	*kringotel.Wrapper
	spans   *tracetest.InMemoryExporter
	tracers *sdktrace.TracerProvider
	reader  *sdkmetric.ManualReader
}

func wrap(t *testing.T, p kringotel.Producer, opts ...kringotel.Option) *stage {
	t.Helper()
	s := &stage{spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	s.tracers = sdktrace.NewTracerProvider(sdktrace.WithSyncer(s.spans))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(s.reader))
	var err error
	s.Wrapper, err = kringotel.Wrap(p, append([]kringotel.Option{
		kringotel.TracerProvider(s.tracers), kringotel.MeterProvider(meters),
		kringotel.Propagator(propagation.TraceContext{}),
		kringotel.ClientID("shop"), kringotel.Server("kafka.example:9092"),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// parent is a context with a sampled span, which ends with the test.
func (s *stage) parent(t *testing.T) context.Context {
	t.Helper()
	ctx, span := s.tracers.Tracer("test").Start(soon(t), "request")
	t.Cleanup(func() { span.End() })
	return ctx
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// unsampled is a context with a span that its sampler left out.
func unsampled(t *testing.T) context.Context {
	t.Helper()
	return trace.ContextWithSpanContext(soon(t), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2},
	}))
}

// lines is a set of attributes as text, one a line, in alphabetical order.
func lines(attributes []attribute.KeyValue) string {
	var list []string
	for _, a := range attributes {
		list = append(list, fmt.Sprintf("%s=%v", a.Key, a.Value.String()))
	}
	sort.Strings(list)
	return strings.Join(list, "\n")
}

// common is what every span has.
const common = `messaging.client.id=shop
messaging.destination.name=orders
messaging.operation.name=send
messaging.operation.type=send
messaging.system=kafka
server.address=kafka.example
server.port=9092`

func with(more ...string) string {
	list := append(strings.Split(common, "\n"), more...)
	sort.Strings(list)
	return strings.Join(list, "\n")
}

// produceSync produces through Produce and waits for the callback.
func produceSync(ctx context.Context, w *kringotel.Wrapper, r kring.Record) (kring.Delivery, error) {
	done := make(chan kring.Delivery, 1)
	if err := w.Produce(ctx, r, func(d kring.Delivery) { done <- d }); err != nil {
		return kring.Delivery{}, err
	}
	d := <-done
	return d, d.Err
}

// TestSpans checks the one span of a record, by each way to produce it.
func TestSpans(t *testing.T) {
	value := []byte("v")
	refused := errors.New("kring: no")
	for _, tc := range []struct {
		name    string
		record  kring.Record
		outcome kringtest.Outcome
		want    string
		failed  bool
	}{
		{
			"delivered",
			kring.Record{Topic: "orders", Value: value},
			kringtest.Delivered(),
			with("messaging.destination.partition.id=0", "messaging.kafka.offset=0"), false,
		},
		{
			"key and tombstone",
			kring.Record{Topic: "orders", Key: []byte("k")},
			kringtest.Delivered(),
			with("messaging.destination.partition.id=0", "messaging.kafka.offset=0", "messaging.kafka.message.key=k", "messaging.kafka.message.tombstone=true"), false,
		},
		{
			"refused by the broker",
			kring.Record{Topic: "orders", Value: value},
			kringtest.Failed(kring.MessageTooLarge, kring.NotPersisted),
			with("messaging.destination.partition.id=0", "error.type=MESSAGE_TOO_LARGE", "kring.certainty=NotPersisted"), true,
		},
		{
			"timed out",
			kring.Record{Topic: "orders", Value: value},
			kringtest.Failed(kring.ErrDeliveryTimeout, kring.PossiblyPersisted),
			with("messaging.destination.partition.id=0", "error.type=kring.ErrDeliveryTimeout", "kring.certainty=PossiblyPersisted"), true,
		},
		{
			"not accepted",
			kring.Record{Topic: "orders", Value: value},
			kringtest.Refused(refused),
			with("error.type=_OTHER"), true,
		},
	} {
		for how, produce := range map[string]func(context.Context, *kringotel.Wrapper, kring.Record) (kring.Delivery, error){
			"Produce": produceSync,
			"TryProduce": func(ctx context.Context, w *kringotel.Wrapper, r kring.Record) (kring.Delivery, error) {
				done := make(chan kring.Delivery, 1)
				if err := w.TryProduce(ctx, r, func(d kring.Delivery) { done <- d }); err != nil {
					return kring.Delivery{}, err
				}
				d := <-done
				return d, d.Err
			},
			"ProduceSync": func(ctx context.Context, w *kringotel.Wrapper, r kring.Record) (kring.Delivery, error) {
				return w.ProduceSync(ctx, r)
			},
		} {
			t.Run(tc.name+"/"+how, func(t *testing.T) {
				rec := kringtest.NewRecorder(t)
				rec.Next(tc.outcome)
				s := wrap(t, rec, kringotel.RecordKeys(func(key []byte) string { return string(key) }))
				ctx := s.parent(t)
				_, err := produce(ctx, s.Wrapper, tc.record)
				if (err != nil) != tc.failed {
					t.Errorf("error %v", err)
				}
				ended := s.spans.GetSpans()
				if len(ended) != 1 {
					t.Fatalf("%d spans ended, want 1", len(ended))
				}
				span := ended[0]
				if span.Name != "send orders" || span.SpanKind != trace.SpanKindProducer ||
					span.Parent.SpanID() != trace.SpanContextFromContext(ctx).SpanID() {
					t.Errorf("span %q of kind %v below %v", span.Name, span.SpanKind, span.Parent.SpanID())
				}
				if got := lines(span.Attributes); got != tc.want {
					t.Errorf("attributes\n%s\nwant\n%s", got, tc.want)
				}
				if got := span.Status.Code == codes.Error; got != tc.failed {
					t.Errorf("status %v", span.Status)
				}
			})
		}
	}
}

// TestWhichRecordsAreTraced: spans and headers by what the context has.
func TestWhichRecordsAreTraced(t *testing.T) {
	for _, tc := range []struct {
		name    string
		ctx     func(*testing.T, *stage) context.Context
		opts    []kringotel.Option
		spans   int
		headers bool
	}{
		{"sampled", func(t *testing.T, s *stage) context.Context { return s.parent(t) }, nil, 1, true},
		{"not sampled", func(t *testing.T, _ *stage) context.Context { return unsampled(t) }, nil, 0, false},
		{"no span", func(t *testing.T, _ *stage) context.Context { return soon(t) }, nil, 0, false},
		{"nil", func(*testing.T, *stage) context.Context { return nil }, nil, 0, false},
		{"no span, RootSpans", func(t *testing.T, _ *stage) context.Context { return soon(t) }, []kringotel.Option{kringotel.RootSpans()}, 1, true},
		{"not sampled, RootSpans", func(t *testing.T, _ *stage) context.Context { return unsampled(t) }, []kringotel.Option{kringotel.RootSpans()}, 0, false},
		{"not sampled, PropagateUnsampled", func(t *testing.T, _ *stage) context.Context { return unsampled(t) }, []kringotel.Option{kringotel.PropagateUnsampled()}, 0, true},
		{"no span, PropagateUnsampled", func(t *testing.T, _ *stage) context.Context { return soon(t) }, []kringotel.Option{kringotel.PropagateUnsampled()}, 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rec := kringtest.NewRecorder(t)
			s := wrap(t, rec, tc.opts...)
			own := []kring.Header{header("a", "1"), {}}[:1] // room that is not the Wrapper's
			if _, err := produceSync(tc.ctx(t, s), s.Wrapper, kring.Record{Topic: "orders", Headers: own}); err != nil {
				t.Fatal(err)
			}
			if n := len(s.spans.GetSpans()); n != tc.spans {
				t.Errorf("%d spans, want %d", n, tc.spans)
			}
			sent := rec.Records()[0].Headers
			if (len(sent) == 2) != tc.headers || sent[0].Key != "a" {
				t.Errorf("headers %q, want the context's: %t", text(sent), tc.headers)
			}
			if own[:2][1].Key != "" {
				t.Errorf("the caller's slice was written to: %q", text(own[:2]))
			}
		})
	}
}

// TestPropagation follows a trace through a cluster's log.
func TestPropagation(t *testing.T) {
	c := kringtest.NewCluster(t)
	s := wrap(t, c.NewProducer())
	if _, err := produceSync(s.parent(t), s.Wrapper, kring.Record{Topic: "orders", Value: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	record := c.Records("orders", 0)[0]
	far := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), kringotel.NewCarrier(record.Headers)))
	sent := s.spans.GetSpans()[0].SpanContext
	if far.TraceID() != sent.TraceID() || far.SpanID() != sent.SpanID() || !far.IsSampled() {
		t.Errorf("the consumer reads %+v, the producer's span is %+v", far, sent)
	}
}

// collect returns every data point as name{attributes}: count.
func (s *stage) collect(t *testing.T) map[string]uint64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := s.reader.Collect(soon(t), &all); err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					if p.Sum < 0 || m.Unit != "s" {
						t.Errorf("%s: sum %v %s", m.Name, p.Sum, m.Unit)
					}
					got[m.Name+"\n"+lines(p.Attributes.ToSlice())] = p.Count
				}
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					got[m.Name+"\n"+lines(p.Attributes.ToSlice())] = uint64(p.Value)
				}
			default:
				t.Errorf("%s is a %T", m.Name, data)
			}
		}
	}
	return got
}

func TestMetrics(t *testing.T) {
	c := kringtest.NewCluster(t, kringtest.Partitions(3))
	p := c.NewProducer()
	s := wrap(t, p)
	ctx := soon(t)
	c.OnProduce(kringtest.Fail(kring.PolicyViolation).Times(1))
	if _, err := produceSync(ctx, s.Wrapper, kring.Record{Topic: "orders"}); !errors.Is(err, kring.PolicyViolation) {
		t.Fatalf("error %v, want POLICY_VIOLATION", err)
	}
	for range 100 {
		if err := s.Produce(ctx, kring.Record{Topic: "orders"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.ProduceSync(ctx, kring.Record{Topic: "orders"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Produce(ctx, kring.Record{Topic: "orders", Partition: kring.On(-1)}, nil); !errors.Is(err, kring.ErrInvalidPartition) {
		t.Errorf("error %v, want ErrInvalidPartition", err)
	}
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	const counts = `
messaging.destination.name=orders
messaging.operation.name=send
`
	const server = `messaging.system=kafka
server.address=kafka.example
server.port=9092`
	const durations = counts + "messaging.operation.type=send\n"
	want := map[string]uint64{
		"messaging.client.sent.messages" + counts + server:                                               101,
		"messaging.client.sent.messages\nerror.type=POLICY_VIOLATION" + counts + server:                  1,
		"messaging.client.operation.duration" + durations + server:                                       101,
		"messaging.client.operation.duration\nerror.type=POLICY_VIOLATION" + durations + server:          1,
		"messaging.client.operation.duration\nerror.type=kring.ErrInvalidPartition" + durations + server: 1,
	}
	got := s.collect(t)
	for key, n := range want {
		if got[key] != n {
			t.Errorf("%d, want %d, of %s", got[key], n, key)
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("not wanted: %s", key)
		}
	}
	if n := len(s.spans.GetSpans()); n != 0 {
		t.Errorf("%d spans of records without a parent", n)
	}
}

func TestErrorType(t *testing.T) {
	code := &kring.ProduceError{Code: int16(kring.NotEnoughReplicas), Err: kring.ErrDeliveryTimeout}
	for want, err := range map[string]error{
		"NOT_ENOUGH_REPLICAS":      code,
		"kring.ErrDeliveryTimeout": &kring.ProduceError{Err: kring.ErrDeliveryTimeout},
		"kring.ErrBufferFull":      kring.ErrBufferFull,
		"kring.ErrMaxBlock":        fmt.Errorf("%w: memory", kring.ErrMaxBlock),
		"context.Canceled":         fmt.Errorf("kring: record was not accepted: %w", context.Canceled),
		"_OTHER":                   errors.New("something"),
	} {
		if got := kringotel.ErrorType(err); got != want {
			t.Errorf("%v has type %s, want %s", err, got, want)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, bad := range []string{"", "kafka", "kafka:port", "kafka:70000"} {
		if _, err := kringotel.Wrap(kringtest.NewRecorder(t), kringotel.Server(bad)); err == nil || !strings.HasPrefix(err.Error(), "kring:") {
			t.Errorf("Server(%q): error %v", bad, err)
		}
	}
}

// TestOnDelivery: records without a callback have the common one, once.
func TestOnDelivery(t *testing.T) {
	var mu sync.Mutex
	heard := map[uint64]int{}
	all := func(d kring.Delivery) {
		mu.Lock()
		defer mu.Unlock()
		heard[d.Tag]++
	}
	rec := kringtest.NewRecorder(t, kringtest.OnDelivery(all))
	s := wrap(t, rec, kringotel.OnDelivery(all))
	if err := s.Produce(s.parent(t), kring.Record{Topic: "orders", Tag: 1}, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.TryProduce(soon(t), kring.Record{Topic: "orders", Tag: 2}, nil); err != nil {
		t.Fatal(err)
	}
	if err := rec.Close(soon(t)); err != nil {
		t.Fatal(err)
	}
	if heard[1] != 1 || heard[2] != 1 {
		t.Errorf("heard %v, want 1 and 2 once each", heard)
	}
}

// TestManyGoroutines shares one Wrapper: operations come from a pool.
func TestManyGoroutines(t *testing.T) {
	c := kringtest.NewCluster(t, kringtest.Partitions(3))
	p := c.NewProducer()
	s := wrap(t, p)
	ctx := s.parent(t)
	const each = 500
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[uint64]int{}
	for g := range uint64(4) {
		wg.Go(func() {
			for i := range uint64(each) {
				tag := g*each + i
				if err := s.Produce(ctx, kring.Record{Topic: "orders", Tag: tag}, func(d kring.Delivery) {
					mu.Lock()
					defer mu.Unlock()
					if d.Tag != tag || d.Err != nil {
						t.Errorf("callback of record %d got %+v", tag, d)
					}
					seen[tag]++
				}); err != nil {
					t.Errorf("Produce: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if err := p.Flush(soon(t)); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 4*each || len(s.spans.GetSpans()) != 4*each {
		t.Errorf("%d callbacks and %d spans, want %d each", len(seen), len(s.spans.GetSpans()), 4*each)
	}
}

// TestNil: what is nil is refused when it is given, and not by a panic at the
// first record.
func TestNil(t *testing.T) {
	var none *kring.Producer
	for name, fails := range map[string]func() error{
		"Wrap: the producer is nil":      func() error { _, err := kringotel.Wrap(nil); return err },
		"Wrap: the producer is nil ":     func() error { _, err := kringotel.Wrap(none); return err },
		"NewSource: the producer is nil": func() error { _, err := kringotel.NewSource(none); return err },
		"option 2 of 2 is nil": func() error {
			_, err := kringotel.NewSource(&kring.Producer{}, kringotel.ClientID("c"), nil)
			return err
		},
		"TracerProvider is nil": func() error { _, err := kringotel.Wrap(&kring.Producer{}, kringotel.TracerProvider(nil)); return err },
		"MeterProvider is nil":  func() error { _, err := kringotel.Wrap(&kring.Producer{}, kringotel.MeterProvider(nil)); return err },
		"Propagator is nil":     func() error { _, err := kringotel.Wrap(&kring.Producer{}, kringotel.Propagator(nil)); return err },
	} {
		if err := fails(); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(name)) {
			t.Errorf("%v, want %s", err, name)
		}
	}
}
