package kring_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// BenchmarkProduce is a call of a Writer with the Record by value and by
// reference. Its fields are new for each record, as they are in a program.
func BenchmarkProduce(b *testing.B) {
	value := make([]byte, 100)
	by := map[string]func(ctx context.Context, w *kring.Writer, i int) error{
		"by=value": func(ctx context.Context, w *kring.Writer, i int) error {
			return w.Produce(ctx, kring.Record{Value: value[i&1:], Tag: uint64(i)}, nil)
		},
		"by=reference": func(ctx context.Context, w *kring.Writer, i int) error {
			var r kring.Record
			r.Value, r.Tag = value[i&1:], uint64(i)
			return w.ProduceRecord(ctx, &r, nil)
		},
	}
	for name, produce := range by {
		b.Run(name, func(b *testing.B) {
			s, err := broker.Start(broker.Config{Partitions: 12})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			p, err := kring.New(kring.Brokers(s.Addrs()...), kring.RequireAcks(kring.AcksLeader))
			if err != nil {
				b.Fatal(err)
			}
			ctx := context.Background()
			defer p.Close(ctx)
			w := p.Topic("t").NewWriter()
			defer w.Close()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := produce(ctx, w, i); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkProduceSync is 32 goroutines that wait for each record, at a broker
// that takes 2 ms for each request.
func BenchmarkProduceSync(b *testing.B) {
	for _, linger := range []time.Duration{0, 5 * time.Millisecond} {
		b.Run(fmt.Sprintf("linger=%v", linger), func(b *testing.B) {
			s, err := broker.Start(broker.Config{Service: 2 * time.Millisecond})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			p, err := kring.New(kring.Brokers(s.Addrs()...), kring.Linger(linger))
			if err != nil {
				b.Fatal(err)
			}
			ctx := context.Background()
			defer p.Close(ctx)
			b.SetParallelism(16) // times two processors
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := p.ProduceSync(ctx, kring.Record{Topic: "t", Value: []byte("v")}); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
