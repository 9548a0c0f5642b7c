package kring

import (
	"sync"
	"testing"
)

func TestShardOf(t *testing.T) {
	t.Run("stays in a goroutine", func(t *testing.T) {
		first := shardOf()
		for range 1000 {
			if got := shardOf(); got != first {
				t.Fatalf("shardOf = %#x, then %#x", first, got)
			}
		}
	})
	t.Run("differs between goroutines", func(t *testing.T) {
		const goroutines = 32
		hashes := make([]uint32, goroutines)
		var ready, done sync.WaitGroup
		ready.Add(goroutines)
		for i := range goroutines {
			done.Go(func() {
				hashes[i] = shardOf()
				ready.Done()
				ready.Wait() // all stacks are alive at once
			})
		}
		done.Wait()
		shards := make(map[uint32]bool)
		for _, h := range hashes {
			shards[h>>26] = true
		}
		// 32 balls in 64 boxes occupy 25 on average; 12 is out of reach for
		// anything like a hash, and a constant occupies one.
		if len(shards) < 12 {
			t.Errorf("%d goroutines fall into %d of 64 shards", goroutines, len(shards))
		}
	})
}
