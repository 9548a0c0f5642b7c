package kring_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// told keeps everything that hooks are told, in order.
type told struct {
	mu   sync.Mutex
	list []any
}

func (h *told) add(e any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, e)
}

func (h *told) OnBrokerConnect(e kring.BrokerConnect)       { h.add(e) }
func (h *told) OnBrokerDisconnect(e kring.BrokerDisconnect) { h.add(e) }
func (h *told) OnRequestSent(e kring.RequestSent)           { h.add(e) }
func (h *told) OnRequestAnswered(e kring.RequestAnswered)   { h.add(e) }
func (h *told) OnBatchFinished(e kring.BatchFinished)       { h.add(e) }
func (h *told) OnSequenceLost(e kring.SequenceLost)         { h.add(e) }

// eventsOf is what h was told of one kind.
func eventsOf[E any](h *told) (list []E) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.list {
		if one, ok := e.(E); ok {
			list = append(list, one)
		}
	}
	return list
}

// onBatch is a hook of one method.
type onBatch func(kring.BatchFinished)

func (f onBatch) OnBatchFinished(e kring.BatchFinished) { f(e) }

// hooked makes a producer that hooks look at.
func hooked(t *testing.T, b *broker.Broker, hooks []kring.Hook, more ...kring.Option) *kring.Producer {
	t.Helper()
	p, err := kring.New(quick(b.Addrs(), append(more, kring.Hooks(hooks...))...)...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestHooksHearEverything: of one record after the other, each event in its
// place and with its numbers, and the last before Close returns.
func TestHooksHearEverything(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	b.SetHook(func(info *broker.ProduceInfo) broker.Action { return broker.Action{ThrottleMs: int32(info.Request)} })
	all, batches := &told{}, &told{}
	p := hooked(t, b, []kring.Hook{all, onBatch(func(e kring.BatchFinished) { batches.add(e) })})
	syncAll(t, p, 3)
	closeEmpty(t, p)
	var kinds []string
	for _, e := range all.list {
		kinds = append(kinds, strings.TrimPrefix(fmt.Sprintf("%T", e), "kring."))
	}
	// The answer to a request comes before the outcome of its batches.
	each := "RequestSent RequestAnswered BatchFinished "
	if got, want := strings.Join(kinds, " "), "BrokerConnect "+strings.Repeat(each, 3)+"BrokerDisconnect"; got != want {
		t.Fatalf("told %s\nwant %s", got, want)
	}
	c, d := eventsOf[kring.BrokerConnect](all)[0], eventsOf[kring.BrokerDisconnect](all)[0]
	if c.Err != nil || c.Broker != 1 || c.Took <= 0 || c.At.IsZero() || !slices.Contains(b.Addrs(), c.Address) {
		t.Errorf("%+v", c)
	}
	if !errors.Is(d.Err, kring.ErrClosed) || d.Broker != 1 || d.Address != c.Address || d.Open <= 0 {
		t.Errorf("%+v", d)
	}
	for i := range 3 {
		sent, answered := eventsOf[kring.RequestSent](all)[i], eventsOf[kring.RequestAnswered](all)[i]
		batch := eventsOf[kring.BatchFinished](all)[i]
		info := kring.RequestInfo{Broker: 1, Address: c.Address, Bytes: sent.Bytes, Batches: 1, Records: 1}
		if sent.RequestInfo != info || sent.Bytes <= batch.Bytes || sent.Oldest < 0 || sent.Write < 0 || sent.At.Before(c.At) {
			t.Errorf("request %d: %+v", i, sent)
		}
		if answered.RequestInfo != info || answered.Err != nil || answered.Codes != nil || answered.Latency <= 0 ||
			answered.Throttle != time.Duration(i+1)*time.Millisecond {
			t.Errorf("answer %d: %+v", i, answered)
		}
		if batch.Topic != "t" || batch.Partition != 0 || batch.Broker != 1 || batch.Records != 1 || batch.Bytes <= 61 ||
			batch.Attempts != 1 || batch.Age <= 0 || batch.Offset != int64(i) || batch.Err != nil {
			t.Errorf("batch %d: %+v", i, batch)
		}
	}
	if !slices.Equal(eventsOf[kring.BatchFinished](batches), eventsOf[kring.BatchFinished](all)) {
		t.Errorf("the second hook heard %+v", batches.list)
	}
	if s := p.HookStats(); s != (kring.HookStats{Told: uint64(len(all.list))}) {
		t.Errorf("%+v for %d events", s, len(all.list))
	}
}

// TestHooksHearFailures: what goes wrong with a record's request, and what
// becomes of its batch.
func TestHooksHearFailures(t *testing.T) {
	for name, c := range map[string]struct {
		act      func(n uint64) broker.Action // of the n-th request of a connection
		attempts int
		err      error
		codes    string // of all answers
		broken   int    // requests without an answer
	}{
		"again": {func(n uint64) broker.Action {
			if n <= 2 {
				return refuse(kring.NotEnoughReplicas)
			}
			return broker.Action{}
		}, 3, nil, "map[NOT_ENOUGH_REPLICAS:2]", 0},
		"refused": {func(uint64) broker.Action {
			return refuse(kring.TopicAuthorizationFailed)
		}, 1, kring.TopicAuthorizationFailed, "map[TOPIC_AUTHORIZATION_FAILED:1]", 0},
		"silence": {func(uint64) broker.Action {
			return broker.Action{DropAfter: true}
		}, 3, kring.ErrRetriesExhausted, "map[]", 3},
	} {
		t.Run(name, func(t *testing.T) {
			b := caseBroker(t, broker.Config{})
			b.SetHook(func(info *broker.ProduceInfo) broker.Action { return c.act(info.Request) })
			h := &told{}
			p := hooked(t, b, []kring.Hook{h}, kring.Retries(2))
			_, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Value: []byte("x")})
			if !errors.Is(err, c.err) {
				t.Fatal(err)
			}
			closeEmpty(t, p)
			batches := eventsOf[kring.BatchFinished](h)
			if len(batches) != 1 || batches[0].Attempts != c.attempts || !errors.Is(batches[0].Err, c.err) {
				t.Errorf("batches: %+v", batches)
			}
			codes, broken := map[string]int{}, 0
			answers := eventsOf[kring.RequestAnswered](h)
			for _, a := range answers {
				for code, n := range a.Codes {
					codes[code.Name()] += n
				}
				if a.Err != nil {
					broken++
				}
			}
			if got := fmt.Sprint(codes); got != c.codes || broken != c.broken || len(answers) != c.attempts {
				t.Errorf("%d answers with %s, %d requests without; want %d, %s, %d", len(answers)-broken, got, broken, c.attempts, c.codes, c.broken)
			}
		})
	}
}

// TestHooksHearOfABrokerThatIsGone: every attempt to connect, failed or not.
func TestHooksHearOfABrokerThatIsGone(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	gone := errors.New("no route")
	var deny atomic.Bool
	h := &told{}
	p := hooked(t, b, []kring.Hook{h}, kring.WithDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
		if deny.Load() {
			return nil, gone
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}))
	syncAll(t, p, 1)
	b.SetHook(func(*broker.ProduceInfo) broker.Action {
		deny.Store(true)
		b.SetHook(nil)
		return broker.Action{DropBefore: true}
	})
	got := newOutcomes()
	produceTags(t, p, 0, 1, 1, got)
	failures := func() (n int) {
		for _, e := range eventsOf[kring.BrokerConnect](h) {
			if errors.Is(e.Err, gone) && e.Broker == 1 && e.Address != "" {
				n++
			}
		}
		return n
	}
	until(t, "two attempts have failed", func() bool { return failures() >= 2 })
	deny.Store(false)
	got.wait(t, 1)
	closeEmpty(t, p)
	ends := eventsOf[kring.BrokerDisconnect](h)
	if len(ends) != 2 || errors.Is(ends[0].Err, kring.ErrClosed) || !errors.Is(ends[1].Err, kring.ErrClosed) {
		t.Errorf("connections ended: %+v", ends)
	}
	if n := len(eventsOf[kring.BrokerConnect](h)) - failures(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

// TestHooksAgree: whatever happens to them, every record is in exactly one batch
// that is told of, every request that has left ends once, and so does every
// connection.
func TestHooksAgree(t *testing.T) {
	b := caseBroker(t, broker.Config{Brokers: 2, Partitions: 3})
	b.SetHook(func(*broker.ProduceInfo) broker.Action {
		switch rand.IntN(10) {
		case 0:
			return broker.Action{DropBefore: true}
		case 1:
			return broker.Action{DropAfter: true}
		case 2:
			return refuse(kring.MessageTooLarge)
		case 3:
			return refuse(kring.TopicAuthorizationFailed)
		}
		return broker.Action{}
	})
	h := &told{}
	p := hooked(t, b, []kring.Hook{h}, kring.Linger(time.Millisecond), kring.DisableIdempotence())
	const n = 2000
	got := newOutcomes()
	for i := range uint64(n) {
		if err := p.Produce(patient(t), kring.Record{Topic: "t", Value: make([]byte, 100), Tag: i}, got.take); err != nil {
			t.Fatal(err)
		}
	}
	got.wait(t, n)
	closeEmpty(t, p)
	var acked, failed uint64
	for _, e := range eventsOf[kring.BatchFinished](h) {
		if e.Err == nil {
			acked += uint64(e.Records)
		} else {
			failed += uint64(e.Records)
		}
	}
	if s := p.Stats(); acked != s.AckedRecords || failed != s.FailedRecords || acked+failed != n {
		t.Errorf("batches with %d and %d records, but %d were acknowledged and %d failed of %d", acked, failed, s.AckedRecords, s.FailedRecords, n)
	}
	if sent, ended := len(eventsOf[kring.RequestSent](h)), len(eventsOf[kring.RequestAnswered](h)); sent != ended {
		t.Errorf("%d requests have left, %d ended", sent, ended)
	}
	open := 0
	for _, e := range eventsOf[kring.BrokerConnect](h) {
		if e.Err == nil {
			open++
		}
	}
	if ended := len(eventsOf[kring.BrokerDisconnect](h)); open != ended {
		t.Errorf("%d connections, %d ended", open, ended)
	}
	if s := p.HookStats(); s.Lost != 0 || s.Panics != 0 {
		t.Errorf("%+v", s)
	}
}

// TestHooksCount: what the events say of requests and batches is what the broker
// has got.
func TestHooksCount(t *testing.T) {
	for _, codec := range []kring.Codec{kring.NoCompression, kring.LZ4} {
		t.Run(codec.String(), func(t *testing.T) {
			b := caseBroker(t, broker.Config{Partitions: 3})
			h := &told{}
			p := hooked(t, b, []kring.Hook{h}, kring.Linger(time.Minute), kring.Compression(codec))
			const n, size = 300, 100
			for i := range n {
				r := kring.Record{Topic: "t", Partition: kring.On(int32(i % 3)), Value: make([]byte, size)}
				if err := p.Produce(patient(t), r, nil); err != nil {
					t.Fatal(err)
				}
			}
			closeEmpty(t, p)
			var records, batches, bytes, rawBytes, requestBytes, requestRecords int64
			for _, e := range eventsOf[kring.RequestSent](h) {
				batches += int64(e.Batches)
				requestRecords += int64(e.Records)
				requestBytes += int64(e.Bytes)
			}
			for _, e := range eventsOf[kring.BatchFinished](h) {
				records += int64(e.Records)
				bytes, rawBytes = bytes+int64(e.Bytes), rawBytes+int64(e.RawBytes)
			}
			s := b.Stats()
			if records != n || requestRecords != n || batches != s.Batches || bytes != s.Bytes {
				t.Errorf("told of %d and %d records, %d batches, %d bytes; the broker has %d, %d, %d",
					records, requestRecords, batches, bytes, s.Records, s.Batches, s.Bytes)
			}
			if rawBytes < n*size || (rawBytes > bytes) != (codec != kring.NoCompression) {
				t.Errorf("%d bytes were sent of %d", bytes, rawBytes)
			}
			if requestBytes <= bytes || bytes > n*size == (codec != kring.NoCompression) {
				t.Errorf("%d bytes of requests, %d of batches", requestBytes, bytes)
			}
		})
	}
}

// TestHooksWithoutAcks: a request is over when it has left.
func TestHooksWithoutAcks(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	h := &told{}
	p := hooked(t, b, []kring.Hook{h}, kring.RequireAcks(kring.AcksNone))
	syncAll(t, p, 2)
	closeEmpty(t, p)
	batches := eventsOf[kring.BatchFinished](h)
	if len(batches) != 2 || batches[0].Offset != -1 || batches[0].Err != nil {
		t.Errorf("batches: %+v", batches)
	}
	if sent, answered := len(eventsOf[kring.RequestSent](h)), len(eventsOf[kring.RequestAnswered](h)); sent != 2 || answered != 0 {
		t.Errorf("%d requests have left, %d were answered; want 2 and 0", sent, answered)
	}
}

// TestHooksThatEndBadly: panics and runtime.Goexit cost the hook its event, and
// nobody else anything.
func TestHooksThatEndBadly(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	h := &told{}
	bad := onBatch(func(e kring.BatchFinished) {
		switch e.Offset {
		case 0:
			panic("a hook may be wrong")
		case 1:
			runtime.Goexit()
		}
	})
	p := hooked(t, b, []kring.Hook{bad, h})
	syncAll(t, p, 3)
	closeEmpty(t, p)
	var offsets []int64
	for _, e := range eventsOf[kring.BatchFinished](h) {
		offsets = append(offsets, e.Offset)
	}
	// Goexit ends the round of its event, so that the second hook misses it.
	if s := p.HookStats(); fmt.Sprint(offsets) != "[0 2]" || s.Panics != 1 || s.Lost != 0 || s.Told != 11 {
		t.Errorf("the other hook heard of %v; %+v", offsets, s)
	}
}

// TestHookThatDoesNotReturn holds back no record, and Close does not wait for it
// for ever.
func TestHookThatDoesNotReturn(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	free := make(chan struct{})
	p := hooked(t, b, []kring.Hook{onBatch(func(kring.BatchFinished) { <-free })})
	topic := p.Topic("t")
	const n = 5000 // more than the queue has room for
	for range n {
		if _, err := topic.ProduceSync(patient(t), kring.Record{Value: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	if s := p.HookStats(); s.Lost == 0 || s.Told != 0 {
		t.Errorf("%+v, with a hook that does not return", s)
	}
	if err := p.Close(patient(t)); err == nil || !strings.Contains(err.Error(), "hook") {
		t.Errorf("Close: %v", err)
	}
	close(free)
	until(t, "what was left is lost", func() bool { s := p.HookStats(); return s.Told == 1 && s.Told+s.Lost == n })
}

// TestHooksThatCall: a hook may do what a callback may.
func TestHooksThatCall(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	var p *kring.Producer
	again := newOutcomes()
	answers := make(chan []error, 1)
	var once sync.Once
	p = hooked(t, b, []kring.Hook{onBatch(func(kring.BatchFinished) {
		once.Do(func() {
			ctx := context.Background()
			_, sync := p.ProduceSync(ctx, kring.Record{Topic: "t"})
			_, drain := p.Drain(ctx)
			errs := []error{sync, drain, p.Close(ctx), p.Flush(ctx)}
			answers <- append(errs, p.TryProduce(kring.Record{Topic: "t"}, again.take))
		})
	})})
	syncAll(t, p, 1)
	errs := <-answers
	for i, err := range errs[:4] {
		if !errors.Is(err, kring.ErrInCallback) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if errs[4] != nil {
		t.Errorf("TryProduce: %v", errs[4])
	}
	if d := again.wait(t, 1)[0]; d.Err != nil {
		t.Error(d.Err)
	}
	if err := p.Flush(patient(t)); err != nil { // outside of the hook, while one may be called
		t.Error(err)
	}
	closeEmpty(t, p)
}

// TestHooksAreChecked: a hook that would hear nothing is a mistake.
func TestHooksAreChecked(t *testing.T) {
	for name, h := range map[string]kring.Hook{"nil": nil, "no method": 3, "another signature": struct{}{}} {
		_, err := kring.New(kring.Brokers("localhost:9092"), kring.Hooks(&told{}, h))
		if !errors.Is(err, kring.ErrConfig) || !strings.Contains(err.Error(), "argument 2 of 2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	p, err := kring.New(kring.Brokers("localhost:1"), kring.Hooks())
	if err != nil {
		t.Fatal(err)
	}
	closeEmpty(t, p)
	if s := p.HookStats(); s != (kring.HookStats{}) {
		t.Errorf("%+v without hooks", s)
	}
}
