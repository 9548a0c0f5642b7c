package ring

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
)

var implementations = []struct {
	name string
	make func(capacity int) queue
}{
	{"ring", func(capacity int) queue { return New[item](capacity) }},
	{"chan", func(capacity int) queue { return make(chanQueue, capacity) }},
	{"mutex", func(capacity int) queue { return newMutexQueue(capacity) }},
}

// BenchmarkHandOff moves b.N items from producers to one consumer. One op is
// one item, pushed and popped.
func BenchmarkHandOff(b *testing.B) {
	for _, impl := range implementations {
		for _, producers := range []int{1, 2, 8} {
			b.Run(fmt.Sprintf("impl=%s/cap=64/producers=%d", impl.name, producers), func(b *testing.B) {
				q := impl.make(64)
				var wg sync.WaitGroup
				b.ReportAllocs()
				b.ResetTimer()
				for p := range producers {
					n := b.N / producers
					if p == 0 {
						n += b.N % producers
					}
					wg.Go(func() {
						for i := 0; i < n; {
							if q.TryPush(item{producer: uint64(p), seq: uint64(i)}) {
								i++
							} else {
								runtime.Gosched()
							}
						}
					})
				}
				for left := b.N; left > 0; {
					if _, ok := q.TryPop(); ok {
						left--
					} else {
						runtime.Gosched()
					}
				}
				wg.Wait()
			})
		}
	}
}

// BenchmarkPair pushes and pops on one goroutine: the cost without a second
// core.
func BenchmarkPair(b *testing.B) {
	for _, impl := range implementations {
		b.Run("impl="+impl.name, func(b *testing.B) {
			q := impl.make(64)
			b.ReportAllocs()
			for b.Loop() {
				q.TryPush(item{seq: 1})
				if _, ok := q.TryPop(); !ok {
					b.Fatal("the item that was pushed is not there")
				}
			}
		})
	}
}
