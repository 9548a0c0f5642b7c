package kringtest_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/kringtest"
)

// onBoth runs a test on a Recorder and on a real producer: whatever holds for
// one of them has to hold for the other.
func onBoth(t *testing.T, test func(t *testing.T, p kringtest.Producer)) {
	t.Helper()
	noLeaks(t)
	t.Run("recorder", func(t *testing.T) { test(t, kringtest.NewRecorder(t)) })
	t.Run("producer", func(t *testing.T) { test(t, kringtest.NewCluster(t).NewProducer()) })
}

func order(tag uint64) kring.Record { return kring.Record{Topic: "orders", Tag: tag} }

func TestOrderAndFlush(t *testing.T) {
	onBoth(t, func(t *testing.T, p kringtest.Producer) {
		var got []uint64 // callbacks run one at a time; Flush orders the read
		for tag := range uint64(100) {
			if err := p.Produce(soon(t), order(tag), func(d kring.Delivery) {
				if d.Err != nil || d.Offset != int64(tag) || d.Topic != "orders" || d.Timestamp == 0 {
					t.Errorf("delivery %d is %+v", tag, d)
				}
				got = append(got, d.Tag)
			}); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Flush(soon(t)); err != nil {
			t.Fatal(err)
		}
		if len(got) != 100 {
			t.Fatalf("%d callbacks have run after Flush, want 100", len(got))
		}
		for i, tag := range got {
			if tag != uint64(i) {
				t.Fatalf("callback %d is that of record %d", i, tag)
			}
		}
	})
}

func TestClose(t *testing.T) {
	onBoth(t, func(t *testing.T, p kringtest.Producer) {
		called := 0
		for range 10 {
			if err := p.Produce(soon(t), order(0), func(kring.Delivery) { called++ }); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := p.Close(soon(t)); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if called != 10 {
			t.Errorf("%d callbacks have run after Close, want 10", called)
		}
		if err := p.Produce(soon(t), order(0), nil); !errors.Is(err, kring.ErrClosed) {
			t.Errorf("Produce: %v, want ErrClosed", err)
		}
		if err := p.TryProduce(order(0), nil); !errors.Is(err, kring.ErrClosed) {
			t.Errorf("TryProduce: %v, want ErrClosed", err)
		}
		if _, err := p.ProduceSync(soon(t), order(0)); !errors.Is(err, kring.ErrClosed) {
			t.Errorf("ProduceSync: %v, want ErrClosed", err)
		}
		if err := p.Flush(soon(t)); err != nil {
			t.Errorf("Flush: %v", err)
		}
	})
}

// TestRefusals: what was not accepted has no callback, and says so.
func TestRefusals(t *testing.T) {
	onBoth(t, func(t *testing.T, p kringtest.Producer) {
		never := func(kring.Delivery) { t.Error("the callback of a refused record ran") }
		ended, cancel := context.WithCancel(soon(t))
		cancel()
		if _, err := p.ProduceSync(soon(t), order(0)); err != nil {
			t.Fatal(err) // from here on the topic is known
		}
		for _, tc := range []struct {
			name string
			ctx  context.Context
			r    kring.Record
			want error
		}{
			{"ended context", ended, order(0), context.Canceled},
			{"no topic", soon(t), kring.Record{}, kring.ErrInvalidTopic},
			{"partition -1", soon(t), kring.Record{Topic: "orders", Partition: kring.On(-1)}, kring.ErrInvalidPartition},
			{"before 1970", soon(t), kring.Record{Topic: "orders", Timestamp: time.UnixMilli(-1)}, kring.ErrInvalidRecord},
		} {
			if err := p.Produce(tc.ctx, tc.r, never); !errors.Is(err, tc.want) {
				t.Errorf("%s: Produce: %v, want %v", tc.name, err, tc.want)
			}
			if _, err := p.ProduceSync(tc.ctx, tc.r); !errors.Is(err, tc.want) {
				t.Errorf("%s: ProduceSync: %v, want %v", tc.name, err, tc.want)
			}
		}
		if err := p.Flush(soon(t)); err != nil {
			t.Error(err)
		}
	})
}

// TestInCallback: what would wait for itself is refused; the rest works.
func TestInCallback(t *testing.T) {
	onBoth(t, func(t *testing.T, p kringtest.Producer) {
		again := make(chan error, 1)
		if _, err := p.ProduceSync(soon(t), order(0)); err != nil {
			t.Fatal(err)
		}
		if err := p.Produce(soon(t), order(1), func(kring.Delivery) {
			if err := p.Flush(context.Background()); !errors.Is(err, kring.ErrInCallback) {
				t.Errorf("Flush: %v", err)
			}
			if err := p.Close(context.Background()); !errors.Is(err, kring.ErrInCallback) {
				t.Errorf("Close: %v", err)
			}
			if _, err := p.ProduceSync(context.Background(), order(2)); !errors.Is(err, kring.ErrInCallback) {
				t.Errorf("ProduceSync: %v", err)
			}
			if err := p.TryProduce(order(3), func(d kring.Delivery) { again <- d.Err }); err != nil {
				t.Errorf("TryProduce: %v", err)
				again <- err
			}
		}); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-again:
			if err != nil {
				t.Error(err)
			}
		case <-soon(t).Done():
			t.Fatal("the record that a callback produced has no outcome")
		}
	})
}

// TestGoexit: a callback that ends its goroutine takes no other with it.
func TestGoexit(t *testing.T) {
	onBoth(t, func(t *testing.T, p kringtest.Producer) {
		if err := p.Produce(soon(t), order(0), func(kring.Delivery) { runtime.Goexit() }); err != nil {
			t.Fatal(err)
		}
		if _, err := p.ProduceSync(soon(t), order(1)); err != nil {
			t.Error(err)
		}
		if err := p.Close(soon(t)); err != nil {
			t.Error(err)
		}
	})
}

func TestRecorderOutcomes(t *testing.T) {
	noLeaks(t)
	var defaulted []uint64
	r := kringtest.NewRecorder(t, kringtest.OnDelivery(func(d kring.Delivery) { defaulted = append(defaulted, d.Tag) }))
	cause := errors.New("the dog ate it")
	r.Next(kringtest.Delivered(), kringtest.Refused(kring.ErrBufferFull))
	r.Next(kringtest.Failed(kring.MessageTooLarge, kring.NotPersisted))
	r.Decide(func(rec kring.Record) kringtest.Outcome {
		if rec.Tag == 4 {
			return kringtest.Failed(cause, kring.PossiblyPersisted)
		}
		return kringtest.Delivered()
	})
	for tag := range uint64(6) {
		err := r.TryProduce(kring.Record{Topic: "orders", Tag: tag}, nil)
		if want := error(nil); tag == 1 {
			want = kring.ErrBufferFull
			if err != want {
				t.Errorf("record 1: %v, want %v itself", err, want)
			}
		} else if err != nil {
			t.Errorf("record %d: %v", tag, err)
		}
	}
	if err := r.Flush(soon(t)); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"0: offset 0",
		"2: NotPersisted MESSAGE_TOO_LARGE",
		"3: offset 1",
		"4: PossiblyPersisted the dog ate it",
		"5: offset 2",
	}
	var got []string
	for _, d := range r.Deliveries() {
		line := fmt.Sprintf("%d: offset %d", d.Tag, d.Offset)
		var pe *kring.ProduceError
		var code kring.KafkaError
		switch {
		case errors.As(d.Err, &code) && errors.As(d.Err, &pe):
			line = fmt.Sprintf("%d: %v %v", d.Tag, pe.Certainty, code.Name())
		case errors.As(d.Err, &pe) && errors.Is(d.Err, cause):
			line = fmt.Sprintf("%d: %v %v", d.Tag, pe.Certainty, pe.Err)
		}
		got = append(got, line)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("deliveries\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if fmt.Sprint(defaulted) != "[0 2 3 4 5]" {
		t.Errorf("OnDelivery heard of %v", defaulted)
	}
	if n := len(r.Records()); n != 5 {
		t.Errorf("%d records were accepted, want 5", n)
	}
}

// TestRecorderCopies: a service may reuse its slices as soon as Produce returns.
func TestRecorderCopies(t *testing.T) {
	noLeaks(t)
	r := kringtest.NewRecorder(t, kringtest.RecorderPartitions(3))
	key, value, header := []byte("key"), []byte("value"), []byte("header")
	headers := []kring.Header{{Key: "h", Value: header}}
	d, err := r.ProduceSync(soon(t), kring.Record{Topic: "orders", Key: key, Value: value, Headers: headers})
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.ProduceSync(soon(t), kring.Record{Topic: "orders", Key: key})
	if err != nil || again.Partition != d.Partition {
		t.Errorf("the same key went to partition %d, then to %d (%v)", d.Partition, again.Partition, err)
	}
	last, err := r.ProduceSync(soon(t), kring.Record{Topic: "orders", Partition: kring.On(2)})
	if err != nil || last.Partition != 2 {
		t.Errorf("On(2) went to partition %d (%v)", last.Partition, err)
	}
	for _, b := range [][]byte{key, value, header} {
		b[0] = '!'
	}
	headers[0].Key = "!"
	got := r.Records()[0]
	if string(got.Key) != "key" || string(got.Value) != "value" || got.Headers[0].Key != "h" || string(got.Headers[0].Value) != "header" {
		t.Errorf("the record changed with the service's slices: %+v", got)
	}
	if got.Timestamp.IsZero() {
		t.Error("the record has no time")
	}
}

func TestRecorderHoldAndCapacity(t *testing.T) {
	noLeaks(t)
	r := kringtest.NewRecorder(t, kringtest.Capacity(2))
	r.Hold()
	for range 2 {
		if err := r.TryProduce(order(0), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.TryProduce(order(0), nil); !errors.Is(err, kring.ErrBufferFull) {
		t.Errorf("TryProduce beyond the capacity: %v", err)
	}
	short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := r.Produce(short, order(0), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Produce beyond the capacity: %v", err)
	}
	if err := r.Flush(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Flush while records are held: %v", err)
	}
	if n := len(r.Deliveries()); n != 0 {
		t.Errorf("%d deliveries while records are held", n)
	}
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if err := r.Produce(soon(t), order(3), nil); err != nil {
			t.Errorf("Produce that waits for room: %v", err)
		}
	})
	r.Release()
	waiting.Wait()
	if err := r.Flush(soon(t)); err != nil {
		t.Error(err)
	}
	if n := len(r.Deliveries()); n != 3 {
		t.Errorf("%d deliveries, want 3", n)
	}
}

// TestRecorderCloseGivesUp: what Close does not wait for has an outcome.
func TestRecorderCloseGivesUp(t *testing.T) {
	noLeaks(t)
	r := kringtest.NewRecorder(t, kringtest.Capacity(1))
	r.Hold()
	var got error
	if err := r.Produce(soon(t), order(0), func(d kring.Delivery) { got = d.Err }); err != nil {
		t.Fatal(err)
	}
	waits := make(chan error, 1)
	go func() { waits <- r.Produce(context.Background(), order(1), nil) }()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.Close(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Close: %v", err)
	}
	var pe *kring.ProduceError
	if !errors.As(got, &pe) || !errors.Is(got, kring.ErrClosed) || pe.Certainty != kring.PossiblyPersisted {
		t.Errorf("the record's outcome: %v", got)
	}
	if err := <-waits; !errors.Is(err, kring.ErrClosed) {
		t.Errorf("Produce that waited for room: %v, want ErrClosed", err)
	}
}

// TestRecorderEnd: the end of a test stops what it has left, and a callback that
// panics fails it.
func TestRecorderEnd(t *testing.T) {
	noLeaks(t)
	tb := &spy{TB: t}
	r := kringtest.NewRecorder(tb)
	if err := r.Produce(soon(t), order(0), func(kring.Delivery) { panic("oops") }); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ProduceSync(soon(t), order(1)); err != nil {
		t.Error(err)
	}
	tb.want(t, "panicked: oops")
	r.Hold()
	if err := r.Produce(soon(t), order(2), func(kring.Delivery) { t.Error("called back after the end") }); err != nil {
		t.Fatal(err)
	}
	tb.end()
	if err := r.Flush(soon(t)); err != nil {
		t.Errorf("Flush after the end: %v", err)
	}
	if err := r.Close(soon(t)); !errors.Is(err, kring.ErrClosed) {
		t.Errorf("Close after the end: %v", err)
	}
	if len(tb.failures) != 0 {
		t.Errorf("the end of the test failed: %q", tb.failures)
	}
}

// TestRecorderProduceRecord: one Record for many records, which is only read.
func TestRecorderProduceRecord(t *testing.T) {
	noLeaks(t)
	r := kringtest.NewRecorder(t)
	record := kring.Record{Topic: "orders", Value: []byte("0")}
	for i := range 3 {
		record.Value[0] = byte('0' + i)
		before := record
		if err := r.ProduceRecord(soon(t), &record, nil); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(record, before) {
			t.Errorf("%+v became %+v", before, record)
		}
	}
	if err := r.Flush(soon(t)); err != nil {
		t.Fatal(err)
	}
	for i, got := range r.Records() {
		if string(got.Value) != string(byte('0'+i)) {
			t.Errorf("record %d: %q", i, got.Value)
		}
	}
	if n := len(r.Records()); n != 3 {
		t.Errorf("%d records, want 3", n)
	}
}

// TestOutcomeWithoutCause: a record that the test wants to fail is not delivered
// because its cause was left out.
func TestOutcomeWithoutCause(t *testing.T) {
	noLeaks(t)
	r := kringtest.NewRecorder(t)
	r.Next(kringtest.Failed(nil, kring.NotPersisted), kringtest.Refused(nil))
	for _, accepted := range []int{1, 1} {
		if _, err := r.ProduceSync(soon(t), order(1)); err == nil || len(r.Records()) != accepted {
			t.Errorf("%v, %d records", err, len(r.Records()))
		}
	}
}
