package kring_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestInlineDelivery: every record is called back once, a panic ends only its
// callback, a callback may produce on, and nothing is left behind.
func TestInlineDelivery(t *testing.T) {
	defer goleak.VerifyNone(t)
	b, err := broker.Start(broker.Config{Brokers: 2, Partitions: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	inline, err := kring.FromProperties(map[string]string{"kring.delivery.inline": "true"})
	if err != nil {
		t.Fatal(err)
	}
	var calls, again, accepted atomic.Int64
	var p *kring.Producer
	p, err = kring.New(inline, kring.Brokers(b.Addrs()...), kring.OnDelivery(func(d kring.Delivery) {
		if d.Err != nil {
			t.Error(d.Err)
		}
		if calls.Add(1)%1000 == 0 {
			err := p.TryProduce(kring.Record{Topic: "t", Value: []byte("again")}, func(kring.Delivery) { again.Add(1) })
			switch {
			case err == nil:
				accepted.Add(1)
			case !errors.Is(err, kring.ErrBufferFull) && !errors.Is(err, kring.ErrClosed):
				t.Error(err)
			}
		}
		if d.Tag == 5000 {
			panic("a callback may be wrong")
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	const n = 20000
	for i := range uint64(n) {
		if err := p.Produce(ctx, kring.Record{Topic: "t", Value: make([]byte, 100), Tag: i}, nil); err != nil {
			t.Fatal(err)
		}
		if i == n/2 { // or all callbacks may come during Close, which refuses what they produce
			if err := p.Flush(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := p.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if calls.Load() != n || again.Load() != accepted.Load() || again.Load() == 0 {
		t.Errorf("%d deliveries of %d, %d of %d records produced inside a callback", calls.Load(), n, again.Load(), accepted.Load())
	}
	if got := p.Stats().CallbackPanics; got != 1 {
		t.Errorf("%d panics reported, want 1", got)
	}
}
