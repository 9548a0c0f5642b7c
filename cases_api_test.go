package kring_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestMisuse is H1: what no caller should pass gets a typed error or a
// documented default, and never a panic.
func TestMisuse(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 2})
	p := caseProducer(t, b.Addrs(), kring.MaxBlock(100*time.Millisecond), kring.MetadataMaxAge(20*time.Millisecond))
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	var none context.Context
	ok := kring.Record{Topic: "t", Value: []byte("v")}
	for _, c := range []struct {
		name string
		ctx  context.Context //nolint:containedctx // a table of contexts
		r    kring.Record
		want error
		text string
	}{
		{"zero record", context.Background(), kring.Record{}, kring.ErrInvalidTopic, "empty"},
		{"topic .", context.Background(), kring.Record{Topic: "."}, kring.ErrInvalidTopic, `"."`},
		{"topic ..", context.Background(), kring.Record{Topic: ".."}, kring.ErrInvalidTopic, `".."`},
		{"topic of 250 characters", context.Background(), kring.Record{Topic: strings.Repeat("x", 250)}, kring.ErrInvalidTopic, "249"},
		{"topic with a slash", context.Background(), kring.Record{Topic: "a/b"}, kring.ErrInvalidTopic, `a/b`},
		{"partition -5", context.Background(), kring.Record{Topic: "t", Partition: kring.On(-5)}, kring.ErrInvalidPartition, "-5"},
		{"partition that is not", context.Background(), kring.Record{Topic: "t", Partition: kring.On(7)}, kring.ErrInvalidPartition, "7"},
		{"largest partition", context.Background(), kring.Record{Topic: "t", Partition: kring.On(1<<31 - 1)}, kring.ErrInvalidPartition, `"t"`},
		{"before 1970", context.Background(), kring.Record{Topic: "t", Timestamp: time.Unix(-1, 0)}, kring.ErrInvalidRecord, "1970"},
		{"context that has ended", ended, ok, context.Canceled, "not accepted"},
		{"nil context", none, ok, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			called := false
			err := p.Produce(c.ctx, c.r, func(kring.Delivery) { called = true })
			if c.want == nil {
				if err != nil {
					t.Errorf("error: %v", err)
				}
				return
			}
			checkText(t, err, c.want, c.text)
			if ferr := p.Flush(none); ferr != nil || called {
				t.Errorf("refused, and yet the callback was called: %t; flush: %v", called, ferr)
			}
		})
	}
	if err := p.Produce(patient(t), ok, nil); err != nil {
		t.Errorf("nil callback: %v", err)
	}
}

// TestCloseFromEverywhere is H2: Close before the first record, twice, and
// from 100 goroutines at once.
func TestCloseFromEverywhere(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	for _, records := range []int{0, 100} {
		t.Run(fmt.Sprint(records, " records"), func(t *testing.T) {
			p, err := kring.New(quick(b.Addrs())...)
			if err != nil {
				t.Fatal(err)
			}
			var done atomic.Int64
			for range records {
				if err := p.Produce(patient(t), kring.Record{Topic: "t", Value: []byte("v")}, func(kring.Delivery) { done.Add(1) }); err != nil {
					t.Fatal(err)
				}
			}
			var all sync.WaitGroup
			for range 100 {
				all.Go(func() {
					if err := p.Close(patient(t)); err != nil {
						t.Errorf("Close: %v", err)
					}
					if n := done.Load(); n != int64(records) {
						t.Errorf("Close returned after %d of %d deliveries", n, records)
					}
				})
			}
			all.Wait()
			if err := p.Flush(patient(t)); err != nil {
				t.Errorf("Flush after Close: %v", err)
			}
			closeEmpty(t, p)
		})
	}
}

// TestSecondCloseHasItsOwnContext: a Close that only waits for another one
// ends with its own context.
func TestSecondCloseHasItsOwnContext(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	hold := make(chan struct{})
	b.SetHook(func(*broker.ProduceInfo) broker.Action { return broker.Action{Stall: hold} })
	p := caseProducer(t, b.Addrs())
	if err := p.Produce(patient(t), kring.Record{Topic: "t"}, nil); err != nil {
		t.Fatal(err)
	}
	first := make(chan error, 1)
	go func() { first <- p.Close(context.Background()) }()
	until(t, "the first Close has begun", func() bool {
		return errors.Is(p.TryProduce(kring.Record{Topic: "t"}, nil), kring.ErrClosed)
	})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	var second error
	within(t, "the second Close", func() { second = p.Close(ctx) })
	checkText(t, second, context.DeadlineExceeded, "still at work")
	close(hold)
	if err := <-first; err != nil {
		t.Errorf("first Close: %v", err)
	}
}

// TestProduceDuringClose is H3: each Produce that races Close gets ErrClosed
// and no callback, or none and exactly one; and everything after it ErrClosed.
func TestProduceDuringClose(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 3})
	for round := range 20 {
		p, err := kring.New(quick(b.Addrs(), kring.BufferMemory(32<<10), kring.BatchSize(512))...)
		if err != nil {
			t.Fatal(err)
		}
		var accepted, delivered, refused atomic.Int64
		var all sync.WaitGroup
		started := make(chan struct{}, 8)
		for g := range 8 {
			all.Go(func() {
				for i := 0; ; i++ {
					r := kring.Record{Topic: "t", Value: make([]byte, 50), Partition: kring.On(int32((g + i) % 3))}
					var err error
					if g%2 == 0 {
						err = p.Produce(context.Background(), r, func(kring.Delivery) { delivered.Add(1) })
					} else {
						err = p.TryProduce(r, func(kring.Delivery) { delivered.Add(1) })
					}
					switch {
					case err == nil:
						accepted.Add(1)
					case errors.Is(err, kring.ErrClosed):
						refused.Add(1)
						return
					case !errors.Is(err, kring.ErrBufferFull) && !errors.Is(err, kring.ErrMetadataPending):
						t.Errorf("produce: %v", err)
						return
					}
					if i == round {
						started <- struct{}{}
					}
				}
			})
		}
		for range 8 {
			<-started
		}
		closeEmpty(t, p)
		all.Wait()
		if accepted.Load() != delivered.Load() || refused.Load() != 8 {
			t.Errorf("%d accepted, %d delivered, %d of 8 goroutines ended by ErrClosed", accepted.Load(), delivered.Load(), refused.Load())
		}
		if _, err := p.ProduceSync(context.Background(), kring.Record{Topic: "never-seen"}); !errors.Is(err, kring.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}

// TestCallbackEndsBadly is H4: a callback that panics, or ends its goroutine as
// t.FailNow does, costs nobody else anything.
func TestCallbackEndsBadly(t *testing.T) {
	for name, end := range map[string]func(){
		"panic":     func() { panic("on purpose") },
		"nil panic": func() { panic(nil) }, //nolint:govet // on purpose
		"Goexit":    runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			b := caseBroker(t, broker.Config{})
			p := caseProducer(t, b.Addrs(), kring.Linger(time.Millisecond))
			got := newOutcomes()
			const n = 60
			for i := range n {
				cb := got.take
				if i%3 == 1 {
					cb = func(d kring.Delivery) { got.take(d); end() }
				}
				if err := p.Produce(patient(t), kring.Record{Topic: "t", Tag: uint64(i)}, cb); err != nil {
					t.Fatal(err)
				}
			}
			for i, d := range got.wait(t, n) {
				if d.Err != nil || d.Tag != uint64(i) {
					t.Errorf("delivery %d: %+v", i, d)
				}
			}
			if err := p.Flush(patient(t)); err != nil {
				t.Error(err)
			}
			if s := p.Stats(); s.CallbackPanics != n/3 || len(got.all()) != n {
				t.Errorf("%d panics counted, %d deliveries; want %d and %d", s.CallbackPanics, len(got.all()), n/3, n)
			}
		})
	}
}

// TestCallbackBlocks is H5: a callback that does not return holds back the
// callbacks behind it and, in the end, the memory; not the log, and not Close.
func TestCallbackBlocks(t *testing.T) {
	defer goleak.VerifyNone(t)
	b, err := broker.Start(broker.Config{Verify: broker.VerifyFull, Partitions: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	p, err := kring.New(quick(b.Addrs(), kring.BufferMemory(64<<10), kring.BatchSize(4<<10), kring.MaxBlock(50*time.Millisecond))...)
	if err != nil {
		t.Fatal(err)
	}
	release, blocked := make(chan struct{}), make(chan struct{})
	if err := p.Produce(patient(t), kring.Record{Topic: "t", Partition: kring.On(0)}, func(kring.Delivery) { close(blocked); <-release }); err != nil {
		t.Fatal(err)
	}
	<-blocked
	accepted := 0
	for {
		err := p.Produce(patient(t), kring.Record{Topic: "t", Partition: kring.On(1), Value: make([]byte, 3000)}, func(kring.Delivery) {})
		if err != nil {
			checkText(t, err, kring.ErrMaxBlock, "65536 bytes", "t[1]")
			break
		}
		accepted++
	}
	if accepted != 15 { // 16 slots, one held by the blocked callback
		t.Errorf("%d records accepted behind a blocked callback, want 15", accepted)
	}
	until(t, "the other partition flows", func() bool { return len(logValues(t, b, "t", 1)) == accepted })
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	within(t, "Close", func() { err = p.Close(ctx) })
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "callback") {
		t.Errorf("Close: %v", err)
	}
	close(release)
}

// TestCallbackCallsBack is H6: from a callback, TryProduce and Produce work,
// and what would wait for itself is refused at once.
func TestCallbackCallsBack(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs(), kring.BufferMemory(2<<10), kring.BatchSize(512))
	ctx := patient(t)
	got := newOutcomes()
	errs := make(chan error, 16)
	if err := p.Produce(ctx, kring.Record{Topic: "t", Value: []byte("a")}, func(kring.Delivery) {
		errs <- p.Flush(ctx)
		errs <- p.Close(ctx)
		_, err := p.ProduceSync(ctx, kring.Record{Topic: "t"})
		errs <- err
		errs <- p.Produce(ctx, kring.Record{Topic: "unknown-yet"}, nil)
		full := 0 // three slots are left; then a Produce would have to wait
		for ; full < 100; full++ {
			if err = p.Produce(ctx, kring.Record{Topic: "t", Value: make([]byte, 400)}, got.take); err != nil {
				break
			}
		}
		errs <- err
		close(errs)
	}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for err := range errs {
		if n++; !errors.Is(err, kring.ErrInCallback) {
			t.Errorf("call %d in a callback: %v, want ErrInCallback", n, err)
		}
	}
	for _, d := range got.wait(t, 3) {
		if d.Err != nil {
			t.Error(d.Err)
		}
	}
}

// TestReuseAfterProduce is H7: keys, values and headers are the caller's again
// when Produce returns.
func TestReuseAfterProduce(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs(), kring.Linger(5*time.Millisecond))
	key, value, header := make([]byte, 8), make([]byte, 1000), []kring.Header{{Key: "h", Value: make([]byte, 8)}}
	const n = 500
	for i := range n {
		copy(key, fmt.Sprintf("%08d", i))
		copy(value, fmt.Sprintf("%08d", i))
		copy(header[0].Value, fmt.Sprintf("%08d", i))
		if i%100 == 7 { // larger than a batch
			value = append(value, make([]byte, 20<<10)...)
		} else {
			value = value[:1000]
		}
		if err := p.Produce(patient(t), kring.Record{Topic: "t", Key: key, Value: value, Headers: header}, nil); err != nil {
			t.Fatal(err)
		}
		clear(key)
		clear(value)
		clear(header[0].Value)
	}
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	log, err := b.Log("t", 0)
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for r := range log.Records() {
		want := fmt.Sprintf("%08d", i)
		if string(r.Key) != want || string(r.Value[:8]) != want || string(r.Headers[0].Value) != want {
			t.Fatalf("record %d: key %q, value %q, header %q", i, r.Key, r.Value[:8], r.Headers[0].Value)
		}
		i++
	}
	if i != n {
		t.Errorf("%d records, want %d", i, n)
	}
}

// TestSharedRecord is H8: several goroutines produce the same Record.
func TestSharedRecord(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 3})
	p := caseProducer(t, b.Addrs())
	r := kring.Record{Topic: "t", Value: []byte("shared"), Headers: []kring.Header{{Key: "h"}}}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				if err := p.Produce(context.Background(), r, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	if n := b.Stats().Records; n != 800 {
		t.Errorf("%d records, want 800", n)
	}
}

// TestStatsDuringClose is H12.
func TestStatsDuringClose(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	for range 10 {
		p, err := kring.New(quick(b.Addrs())...)
		if err != nil {
			t.Fatal(err)
		}
		stop := make(chan struct{})
		var reader sync.WaitGroup
		reader.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if s := p.Stats(); s.BufferFree < 0 || s.BufferFree > s.BufferTotal || s.AckedRecords > 50 {
					t.Errorf("%+v", s)
					return
				}
			}
		})
		for range 50 {
			if err := p.Produce(patient(t), kring.Record{Topic: "t"}, nil); err != nil {
				t.Error(err)
			}
		}
		closeEmpty(t, p)
		close(stop)
		reader.Wait()
		if s := p.Stats(); s.AckedRecords != 50 {
			t.Errorf("%d acked, want 50", s.AckedRecords)
		}
	}
}
