package slab

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
)

var implementations = []struct {
	name string
	make func(slots, size int) source
}{
	{"slab", newSlabSource},
	{"pool", newPoolSource},
	{"chan", newChanSource},
	{"mutex", newMutexSource},
}

// BenchmarkPair takes a buffer of 16 KiB and gives it back, on every core at
// once. With touch=all it is filled in between, as a batch is, so that the
// price of a cold buffer shows.
func BenchmarkPair(b *testing.B) {
	const slots, size = 256, 16384
	for _, impl := range implementations {
		for _, touch := range []string{"none", "all"} {
			b.Run(fmt.Sprintf("impl=%s/touch=%s", impl.name, touch), func(b *testing.B) {
				src := impl.make(slots, size)
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						buf := src.get()
						for buf == nil {
							runtime.Gosched()
							buf = src.get()
						}
						if touch == "all" {
							clear(buf.bytes)
						}
						src.put(buf)
					}
				})
			})
		}
	}
}

// BenchmarkAlone is the same on one goroutine, nothing touched.
func BenchmarkAlone(b *testing.B) {
	for _, impl := range implementations {
		b.Run("impl="+impl.name, func(b *testing.B) {
			src := impl.make(256, 16384)
			b.ReportAllocs()
			for b.Loop() {
				src.put(src.get())
			}
		})
	}
}

// BenchmarkChain takes several slots at once: one CAS, however many.
func BenchmarkChain(b *testing.B) {
	for _, n := range []int{1, 4, 64} {
		b.Run(fmt.Sprintf("slots=%d", n), func(b *testing.B) {
			s := New(256*64, 64)
			dst := make([]uint32, n)
			b.ReportAllocs()
			for b.Loop() {
				if !s.Try(dst) {
					b.Fatal("no slots")
				}
				for _, i := range dst {
					s.ReleaseRecord(i)
				}
			}
		})
	}
}

// BenchmarkExhausted is 8 goroutines on 2 buffers: nearly every call waits.
// The channel is the baseline: its queue is FIFO and parks too.
func BenchmarkExhausted(b *testing.B) {
	const goroutines, slots = 8, 2
	run := func(b *testing.B, once func()) {
		b.ReportAllocs()
		var wg sync.WaitGroup
		for g := range goroutines {
			n := b.N / goroutines
			if g == 0 {
				n += b.N % goroutines
			}
			wg.Go(func() {
				for range n {
					once()
				}
			})
		}
		wg.Wait()
	}
	b.Run("impl=slab", func(b *testing.B) {
		s := New(slots*64, 64)
		run(b, func() {
			var one [1]uint32
			if err := s.Get(context.Background(), stallLimit, one[:]); err != nil {
				b.Error(err)
				return
			}
			runtime.Gosched()
			s.ReleaseRecord(one[0])
		})
	})
	b.Run("impl=chan", func(b *testing.B) {
		c := make(chan int, slots)
		for i := range slots {
			c <- i
		}
		run(b, func() {
			i := <-c
			runtime.Gosched()
			c <- i
		})
	})
}
