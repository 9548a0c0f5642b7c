package kring

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// TestStickyStress lets many goroutines share few shards while the sender
// changes the loads. Every choice must be in range, and all partitions together
// must get turns of the right length: a lost or a doubled count of bytes shows
// as turns that are too long or too short.
func TestStickyStress(t *testing.T) {
	const (
		batchSize  = 1 << 12
		partitions = 12
		size       = 64
		goroutines = 8
	)
	records := 200_000
	if testing.Short() {
		records = 20_000
	}
	s := newStickyPartitioner(batchSize, 3)
	var bytes [partitions]atomic.Int64
	var updates, produced atomic.Int64
	// Every partition has been available, and at rest, in so many updates.
	const enough = 10 * 7 * partitions
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			// Two goroutines for each hash, whatever the shards.
			hash := uint32(g/2) << 29
			for i := 0; i < records || updates.Load() < enough; i++ {
				p := s.pick(hash, partitions)
				if p < 0 || p >= partitions {
					t.Errorf("partition %d", p)
					return
				}
				bytes[p].Add(size)
				produced.Add(size)
				s.produced(hash, p, size, i%4 == 0)
				if i%64 == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	stop := make(chan struct{})
	var sender sync.WaitGroup
	sender.Go(func() {
		loads := make([]int32, partitions)
		available := slices.Repeat([]bool{true}, partitions)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			loads[i%partitions] = int32(i % 5)
			available[i%partitions] = i%7 != 0
			s.update(loads, available)
			updates.Add(1)
			runtime.Gosched()
		}
	})
	wg.Wait()
	close(stop)
	sender.Wait()
	if t.Failed() {
		return
	}
	var sum int64
	for p := range bytes {
		n := bytes[p].Load()
		if n == 0 {
			t.Errorf("partition %d got nothing", p)
		}
		sum += n
	}
	if want := produced.Load(); sum != want {
		t.Errorf("%d bytes, want %d", sum, want)
	}
}

// TestStickyCountsEveryByte lets goroutines share a turn that is too long to end,
// so that a count that another goroutine overwrote is missing from the sum.
func TestStickyCountsEveryByte(t *testing.T) {
	const goroutines, size = 4, 3
	records := 1_000_000
	if testing.Short() {
		records = 200_000
	}
	s := newStickyPartitioner(maxBatchSize, 0)
	s.limit.Store(1 << 31)
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range records {
				s.produced(0, s.pick(0, 5), size, false)
			}
		})
	}
	wg.Wait()
	if got, want := s.shard(0).turn.load().bytes(), uint64(goroutines*records*size); got != want {
		t.Errorf("%d bytes counted, want %d", got, want)
	}
}

// TestStickyPickAgrees lets goroutines choose for an empty shard at once: all
// must get the partition of the one that won, or their records would be in a
// batch that nobody fills.
func TestStickyPickAgrees(t *testing.T) {
	const goroutines, partitions = 2, 1000
	rounds := 30_000
	if testing.Short() {
		rounds = 3_000
	}
	s := newStickyPartitioner(100, 0)
	var arrived atomic.Int64
	// meet waits until every goroutine has come here n times. It yields only
	// after a while, so that goroutines leave it at the same moment.
	meet := func(n int) {
		arrived.Add(1)
		for i := 0; arrived.Load() < int64(n*goroutines); i++ {
			if i%1000 == 999 {
				runtime.Gosched()
			}
		}
	}
	var picked [goroutines]int32
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for round := range rounds {
				meet(3*round + 1)
				picked[g] = s.pick(0, partitions)
				meet(3*round + 2)
				if g == 0 {
					held := s.pick(0, partitions)
					if (picked[0] != held || picked[1] != held) && !t.Failed() {
						t.Errorf("round %d: goroutines picked %v, the shard's turn is at %d", round, picked, held)
					}
					s.produced(0, s.pick(0, partitions), 200, true)
				}
				meet(3*round + 3)
			}
		})
	}
	wg.Wait()
}

func BenchmarkSticky(b *testing.B) {
	// What a record costs, alone and with all cores at one topic, if each
	// is counted by itself or all of a batch together.
	const batchSize, size = 16384, 110
	each := func(s *stickyPartitioner, _ int) {
		h := shardOf()
		s.produced(h, s.pick(h, 12), size, true)
	}
	together := func(s *stickyPartitioner, i int) {
		h := shardOf()
		if p := s.pick(h, 12); i%(batchSize/size) == 0 {
			s.produced(h, p, batchSize, true)
		}
	}
	for name, record := range map[string]func(*stickyPartitioner, int){"count=record": each, "count=batch": together} {
		b.Run(name+"/goroutines=1", func(b *testing.B) {
			s := newStickyPartitioner(batchSize, 0)
			for i := 0; b.Loop(); i++ {
				record(s, i)
			}
		})
		b.Run(name+"/goroutines=all", func(b *testing.B) {
			s := newStickyPartitioner(batchSize, 0)
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					record(s, i)
				}
			})
			b.ReportMetric(float64(int(1)<<(oneShard-s.shift.Load())), "shards")
		})
	}
	b.Run("turn=record", func(b *testing.B) {
		s := newStickyPartitioner(1, 0)
		s.update([]int32{0, 3, 1, 0, 0, 7, 0, 0, 0, 1, 1, 1}, nil)
		for b.Loop() {
			each(s, 0)
		}
	})
}
