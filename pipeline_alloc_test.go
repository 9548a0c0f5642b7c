//go:build !race

package kring_test

import (
	"context"
	"runtime/debug"
	"testing"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestAllocPipeline: interceptors, a partitioner and serializers cost no
// allocation per record of their own either.
func TestAllocPipeline(t *testing.T) {
	b, err := broker.Start(broker.Config{Partitions: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx := context.Background()
	check := func(d kring.Delivery) {
		if d.Err != nil {
			t.Error(d.Err)
		}
	}
	s := &spy{}
	p, err := kring.New(kring.Brokers(b.Addrs()...), kring.BufferMemory(1<<20), kring.OnDelivery(check),
		kring.Interceptors(s), kring.PartitionBy(kring.RoundRobin()))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(ctx)
	typed := kring.NewTyped(p, "t", kring.Int64Serializer{}, kring.StringSerializer{})
	value, headers := string(make([]byte, 100)), []kring.Header{{Key: "k", Value: []byte("v")}}
	var n int64
	produce := func() {
		for range 1000 {
			n++
			var cb kring.Callback
			if n%2 == 0 {
				cb = check
			}
			if err := typed.Produce(ctx, kring.TypedRecord[int64, string]{Key: n, Value: value, Headers: headers}, cb); err != nil {
				t.Fatal(err)
			}
		}
		// So that never more than these are under way: each record under way has an
		// object of its own.
		if err := p.Flush(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for range 300 {
		produce()
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))              // the pools forget at a collection
	if perRun := testing.AllocsPerRun(100, produce); perRun > 8 { // Flush needs some
		t.Errorf("%v allocations per 1000 records", perRun)
	}
	if s.sent.Load() != n {
		t.Errorf("%d of %d records passed the interceptor", s.sent.Load(), n)
	}
}
