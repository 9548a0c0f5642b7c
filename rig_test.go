package kring_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// This file is what the cases share: a broker, a producer with short pauses,
// and the checks that every case ends with.

// patience bounds every wait of a case. It is only met by a case that hangs.
const patience = 30 * time.Second

func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// noLeaks is the last check of a case; it has to be called first.
func noLeaks(t *testing.T) {
	t.Helper()
	t.Cleanup(func() { goleak.VerifyNone(t) })
}

// caseBroker starts an embedded cluster that keeps what it gets.
func caseBroker(t *testing.T, cfg broker.Config) *broker.Broker {
	t.Helper()
	noLeaks(t)
	return besideBroker(t, cfg)
}

// besideBroker is caseBroker for tests that run beside one another: their
// parent looks for what they leave behind.
func besideBroker(t *testing.T, cfg broker.Config) *broker.Broker {
	t.Helper()
	cfg.Verify = broker.VerifyFull
	b, err := broker.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// quick is the options of a producer that a test can wait for.
func quick(addrs []string, more ...kring.Option) []kring.Option {
	return append([]kring.Option{
		kring.Brokers(addrs...), kring.Linger(0), kring.BufferMemory(1 << 20),
		kring.RetryBackoff(time.Millisecond, 10*time.Millisecond),
		kring.ReconnectBackoff(time.Millisecond, 10*time.Millisecond),
	}, more...)
}

// caseProducer makes a producer that is closed when the test ends, and must be
// empty then.
func caseProducer(t *testing.T, addrs []string, more ...kring.Option) *kring.Producer {
	t.Helper()
	p, err := kring.New(quick(addrs, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeEmpty(t, p) })
	return p
}

// closeEmpty closes p and checks that nothing is left in it.
func closeEmpty(t *testing.T, p *kring.Producer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.Close(ctx); err != nil {
		t.Errorf("Close: %v\n%s", err, p.DebugState())
	}
	if s := p.Stats(); s.BufferFree != s.BufferTotal || s.IncompleteBatch != 0 || s.BufferWaiting != 0 || s.Connections != 0 {
		t.Errorf("after Close: %+v", s)
	}
}

// outcomes collects deliveries.
type outcomes struct {
	mu   sync.Mutex
	list []kring.Delivery
	news chan struct{}
}

func newOutcomes() *outcomes { return &outcomes{news: make(chan struct{}, 1)} }

func (o *outcomes) take(d kring.Delivery) {
	o.mu.Lock()
	o.list = append(o.list, d)
	o.mu.Unlock()
	select {
	case o.news <- struct{}{}:
	default:
	}
}

func (o *outcomes) all() []kring.Delivery {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]kring.Delivery(nil), o.list...)
}

// wait returns when there are n deliveries.
func (o *outcomes) wait(t *testing.T, n int) []kring.Delivery {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		if all := o.all(); len(all) >= n {
			return all
		}
		select {
		case <-o.news:
		case <-limit.C:
			t.Fatalf("%d deliveries after %v, want %d", len(o.all()), patience, n)
		}
	}
}

// produceError is d's error as a *ProduceError.
func produceError(t *testing.T, d kring.Delivery) *kring.ProduceError {
	t.Helper()
	var pe *kring.ProduceError
	if !errors.As(d.Err, &pe) {
		t.Fatalf("delivery %+v: error is %T, want *ProduceError", d, d.Err)
	}
	return pe
}

// logValues reads the values of a partition.
func logValues(t *testing.T, b *broker.Broker, topic string, partition int32) (values []string) {
	t.Helper()
	log, err := b.Log(topic, partition)
	if err != nil {
		t.Fatal(err)
	}
	for r := range log.Records() {
		values = append(values, string(r.Value))
	}
	return values
}

// until waits for a condition that nobody signals.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.Now().Add(patience)
	for tick := time.NewTicker(2 * time.Millisecond); ; {
		if ok() {
			tick.Stop()
			return
		}
		if time.Now().After(limit) {
			tick.Stop()
			t.Fatalf("not after %v: %s", patience, what)
		}
		<-tick.C
	}
}

// within runs f and fails if it does not return.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s does not return", what)
	}
}

// refuse answers code for every batch.
func refuse(code kring.KafkaError) broker.Action {
	return broker.Action{Errors: []broker.PartitionError{{Partition: broker.AllPartitions, Code: int16(code)}}}
}
