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

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestRecordSizes is B1: records whose encoded length is next to every edge of a
// varint, with and without headers, fill batches exactly: none is larger than
// batch.size unless it holds one record, and each decodes.
func TestRecordSizes(t *testing.T) {
	const limit = 1000
	b := caseBroker(t, broker.Config{MaxBatchBytes: 2 << 20})
	var over atomic.Int64
	b.SetHook(func(info *broker.ProduceInfo) broker.Action {
		if p := info.Partitions[0]; len(p.Records) > limit && p.Count > 1 {
			over.Add(1)
		}
		return broker.Action{}
	})
	p := caseProducer(t, b.Addrs(), kring.BatchSize(limit), kring.Linger(time.Millisecond), kring.MaxRequestSize(2<<20),
		kring.BufferMemory(4<<20))
	var want []int
	for _, edge := range []int{0, 63, 127, 128, limit - 61, 8191, 16383, 1 << 20} {
		for d := -14; d <= 3; d++ {
			if edge+d >= 0 {
				want = append(want, edge+d)
			}
		}
	}
	for i, n := range want {
		r := kring.Record{Topic: "t", Value: make([]byte, n)}
		if i%2 == 1 {
			r.Headers = []kring.Header{{Key: strings.Repeat("k", i%130), Value: make([]byte, i%67)}, {Key: ""}}
		}
		if err := p.Produce(patient(t), r, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	for i, v := range logValues(t, b, "t", 0) {
		if len(v) != want[i] {
			t.Fatalf("record %d has %d bytes, want %d", i, len(v), want[i])
		}
	}
	if s := b.Stats(); s.Records != int64(len(want)) || s.CRCErrors+s.BatchErrors != 0 || over.Load() != 0 {
		t.Errorf("%+v; %d batches above batch.size", s, over.Load())
	}
}

// TestTooLarge is B2: above batch.size a record travels alone; above
// max.request.size or buffer.memory it is refused at once, also by Produce.
func TestTooLarge(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs(), kring.BatchSize(1<<10), kring.BufferMemory(64<<10), kring.MaxRequestSize(128<<10), kring.MaxBlock(time.Hour))
	for _, c := range []struct {
		size int
		want error
		text string
	}{
		{1 << 10, nil, ""},
		{60 << 10, nil, ""},
		{70 << 10, kring.ErrRecordTooLarge, "BufferMemory"},
		{200 << 10, kring.ErrRecordTooLarge, "MaxRequestSize"},
	} {
		r := kring.Record{Topic: "t", Value: make([]byte, c.size)}
		within(t, "Produce", func() {
			_, err := p.ProduceSync(patient(t), r)
			if c.want == nil {
				if err != nil {
					t.Errorf("%d bytes: %v", c.size, err)
				}
				return
			}
			checkText(t, err, c.want, `topic "t"`, c.text)
			checkText(t, p.TryProduce(r, nil), c.want, c.text)
		})
	}
}

// TestNullAndEmpty is B3 and B18: what is read back is what was given, with
// its timestamp.
func TestNullAndEmpty(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs(), kring.Linger(time.Hour), kring.DeliveryTimeout(2*time.Hour))
	many := make([]kring.Header, 10_000)
	for i := range many {
		many[i] = kring.Header{Key: "same", Value: []byte{byte(i)}}
	}
	records := []kring.Record{
		{},
		{Key: []byte{}},
		{Value: []byte{}},
		{Key: []byte("k"), Value: nil},
		{Key: nil, Value: []byte("v")},
		{Headers: []kring.Header{{Key: "h"}, {Key: "h", Value: []byte{}}, {Key: "", Value: []byte("x")}}},
		{Headers: many},
	}
	stamps := []int64{5_000, 4_000, 1, 253402300799999, 4_000, 0, 1700000000000}
	for i := range records {
		records[i].Topic, records[i].Timestamp = "t", time.UnixMilli(stamps[i])
		if err := p.Produce(patient(t), records[i], nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	log, err := b.Log("t", 0)
	if err != nil {
		t.Fatal(err)
	}
	same := func(a, b []byte) bool { return (a == nil) == (b == nil) && string(a) == string(b) }
	i := 0
	for r := range log.Records() {
		want := records[i]
		if !same(r.Key, want.Key) || !same(r.Value, want.Value) || len(r.Headers) != len(want.Headers) || r.Timestamp != stamps[i] {
			t.Fatalf("record %d: key %v, value %v, %d headers, timestamp %d", i, r.Key, r.Value, len(r.Headers), r.Timestamp)
		}
		for k := range r.Headers {
			if string(r.Headers[k].Key) != want.Headers[k].Key || !same(r.Headers[k].Value, want.Headers[k].Value) {
				t.Fatalf("record %d header %d: %+v", i, k, r.Headers[k])
			}
		}
		i++
	}
	if i != len(records) {
		t.Errorf("%d records, want %d", i, len(records))
	}
}

// stalled is a broker that looks at nothing until it is released.
func stalled(t *testing.T, cfg broker.Config) (b *broker.Broker, release func()) {
	t.Helper()
	b = caseBroker(t, cfg)
	hold := make(chan struct{})
	release = sync.OnceFunc(func() { close(hold) })
	b.SetHook(func(*broker.ProduceInfo) broker.Action { return broker.Action{Stall: hold} })
	t.Cleanup(release)
	return b, release
}

// fill produces until memory is full.
func fill(t *testing.T, p *kring.Producer, got *outcomes) (n int) {
	t.Helper()
	if err := p.Produce(patient(t), kring.Record{Topic: "t", Value: make([]byte, 300)}, got.take); err != nil {
		t.Fatal(err)
	}
	for n = 1; ; n++ {
		err := p.TryProduce(kring.Record{Topic: "t", Value: make([]byte, 300)}, got.take)
		if errors.Is(err, kring.ErrBufferFull) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestMemoryBound is B4: with a broker that stalls, what many goroutines can
// get accepted is bounded by buffer.memory, and so is the heap.
func TestMemoryBound(t *testing.T) {
	const memory = 4 << 20
	b, release := stalled(t, broker.Config{Partitions: 4})
	p := caseProducer(t, b.Addrs(), kring.BufferMemory(memory))
	if err := p.Produce(patient(t), kring.Record{Topic: "t"}, nil); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var accepted atomic.Int64
	var all sync.WaitGroup
	got := newOutcomes()
	for range 16 {
		all.Go(func() {
			for p.TryProduce(kring.Record{Topic: "t", Value: make([]byte, 1000)}, got.take) == nil {
				accepted.Add(1)
			}
		})
	}
	all.Wait()
	runtime.GC()
	runtime.ReadMemStats(&after)
	if n := accepted.Load(); n*1000 > memory || n*1000 < memory/2 {
		t.Errorf("%d records of 1000 bytes accepted into %d bytes", n, memory)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 2<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	release()
	got.wait(t, int(accepted.Load()))
}

// TestMaxBlock is B5: Produce gives up after MaxBlock, or with its context, and
// says why; nothing was accepted.
func TestMaxBlock(t *testing.T) {
	for _, limit := range []time.Duration{0, 50 * time.Millisecond, time.Hour} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			b, release := stalled(t, broker.Config{})
			p := caseProducer(t, b.Addrs(), kring.BufferMemory(4<<10), kring.BatchSize(512), kring.MaxBlock(max(limit, 50*time.Millisecond)))
			if limit == 0 { // and from nobody no metadata comes, however slow this goroutine is
				q := caseProducer(t, []string{"127.0.0.1:1"}, kring.MaxBlock(0))
				checkText(t, q.Produce(patient(t), kring.Record{Topic: "t"}, nil), kring.ErrMaxBlock, `topic "t"`)
			}
			got := newOutcomes()
			n := fill(t, p, got)
			start, watch := time.Now(), startStopwatch(t)
			ctx, cancel := context.WithTimeout(context.Background(), 40*time.Millisecond)
			defer cancel()
			if limit < time.Hour {
				ctx = context.Background()
			}
			err := p.Produce(ctx, kring.Record{Topic: "t", Value: make([]byte, 300)}, func(kring.Delivery) { t.Error("callback of a refused record") })
			if took := time.Since(start); took < 35*time.Millisecond {
				t.Errorf("returned after %v", took)
			}
			if took := watch.took(); took > 10*time.Second {
				t.Errorf("returned after %v", took)
			}
			if limit < time.Hour {
				checkText(t, err, kring.ErrMaxBlock, "BufferMemory (buffer.memory) of 4096 bytes", "t[0]", "not accepted")
			} else {
				checkText(t, err, context.DeadlineExceeded, "t[0]", "not accepted")
			}
			release()
			got.wait(t, n)
		})
	}
}

// TestOneBudget is B5 under contention: many goroutines wait for one
// partition's memory. A slot that another used up does not restart MaxBlock.
func TestOneBudget(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	b.SetHook(func(*broker.ProduceInfo) broker.Action { return broker.Action{Wait: 2 * time.Millisecond} })
	p := caseProducer(t, b.Addrs(), kring.BufferMemory(1<<10), kring.BatchSize(512), kring.MaxBlock(100*time.Millisecond))
	var all sync.WaitGroup
	var longest atomic.Int64
	watch := startStopwatch(t)
	for range 32 {
		all.Go(func() {
			for range 20 {
				start := time.Now()
				err := p.Produce(context.Background(), kring.Record{Topic: "t", Value: make([]byte, 300)}, nil)
				if err != nil && !errors.Is(err, kring.ErrMaxBlock) {
					t.Error(err)
				}
				for took := int64(time.Since(start)); ; {
					old := longest.Load()
					if took <= old || longest.CompareAndSwap(old, took) {
						break
					}
				}
			}
		})
	}
	all.Wait()
	watch.took()
	if took := time.Duration(longest.Load()); took > 3*time.Second+watch.lostSoFar() {
		t.Errorf("a Produce with a MaxBlock of 100 ms took %v", took)
	}
}

// TestBlockedProduceEnds is B6 and B7: Close wakes what waits for memory or
// metadata; a cancelled Produce does not keep a Flush from ending.
func TestBlockedProduceEnds(t *testing.T) {
	b, release := stalled(t, broker.Config{NoAutoCreate: true})
	if err := b.CreateTopic("t", 1); err != nil {
		t.Fatal(err)
	}
	p := caseProducer(t, b.Addrs(), kring.BufferMemory(4<<10), kring.BatchSize(512), kring.MaxBlock(time.Hour))
	got := newOutcomes()
	n := fill(t, p, got)
	ctx, cancel := context.WithCancel(context.Background())
	errs := make(chan error, 12)
	for i := range 10 {
		use := context.Background()
		if i < 5 {
			use = ctx
		}
		go func() { errs <- p.Produce(use, kring.Record{Topic: "t", Value: make([]byte, 300)}, nil) }()
	}
	go func() { errs <- p.Produce(context.Background(), kring.Record{Topic: "not-there"}, nil) }()
	go func() { errs <- p.Produce(context.Background(), kring.Record{Topic: "t", Partition: kring.On(9)}, nil) }()
	until(t, "all wait for memory", func() bool { return p.Stats().BufferWaiting == 10 })
	flushed := make(chan error, 1)
	go func() { flushed <- p.Flush(patient(t)) }()
	cancel()
	for range 5 {
		checkText(t, <-errs, context.Canceled, "not accepted")
	}
	closed := make(chan error, 1)
	go func() { closed <- p.Close(patient(t)) }()
	for range 7 {
		if err := <-errs; !errors.Is(err, kring.ErrClosed) {
			t.Errorf("error %v, want ErrClosed", err)
		}
	}
	release()
	if err := <-flushed; err != nil {
		t.Error(err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if len(got.all()) != n {
		t.Errorf("%d deliveries, want %d", len(got.all()), n)
	}
}
