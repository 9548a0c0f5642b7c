//go:build !race

package kring_test

import (
	"context"
	"testing"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestReserveAllocatesNothing: neither what is committed nor what is taken back
// costs an allocation, in a batch or in a buffer.
func TestReserveAllocatesNothing(t *testing.T) {
	for name, options := range map[string][]kring.Option{"direct": nil, "buffer": {kring.PartitionBy(kring.RoundRobin())}} {
		t.Run(name, func(t *testing.T) {
			b, err := broker.Start(broker.Config{Partitions: 3})
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			ctx := context.Background()
			p, err := kring.New(append(options, kring.Brokers(b.Addrs()...), kring.BufferMemory(1<<20))...)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close(ctx)
			cb := func(d kring.Delivery) {
				if d.Err != nil {
					t.Error(d.Err)
				}
			}
			w := p.Topic("t").NewWriter()
			key, headers, tag := []byte("key"), []kring.Header{{Key: "k", Value: []byte("v")}}, uint64(0)
			produce := func() {
				for range 1000 {
					tag++
					r := kring.Record{Headers: headers, Tag: tag}
					if tag%2 == 0 {
						r.Key = key
					}
					x, err := w.Reserve(ctx, r, 100)
					if err != nil {
						t.Fatal(err)
					}
					if copy(x.Value(), "hello"); tag%7 == 0 {
						x.Abort()
					} else if err := x.Commit(100-int(tag%50), cb); err != nil {
						t.Fatal(err)
					}
				}
			}
			for range 100 {
				produce()
			}
			if n := testing.AllocsPerRun(100, produce); n > 8 { // of 1000 records
				t.Errorf("%v allocations per 1000 records", n)
			}
		})
	}
}
