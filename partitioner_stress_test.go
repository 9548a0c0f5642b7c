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
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			// Two goroutines for each hash, whatever the shards.
			hash := uint32(g/2) << 29
			for i := range records {
				p := s.pick(hash, partitions)
				if p < 0 || p >= partitions {
					t.Errorf("partition %d", p)
					return
				}
				bytes[p].Add(size)
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
	if want := int64(goroutines * records * size); sum != want {
		t.Errorf("%d bytes, want %d", sum, want)
	}
}

// TestStickyCountsEveryByte has no sender, so every turn ends by its bytes. A
// goroutine whose turn was ended by another loses its count of one record, and
// nothing more: so turns are never longer than two batches, one record and one
// for each other goroutine that was between pick and produced.
func TestStickyCountsEveryByte(t *testing.T) {
	const (
		batchSize  = 1 << 12
		partitions = 5
		size       = 64
		goroutines = 4
	)
	records := 100_000
	if testing.Short() {
		records = 10_000
	}
	s := newStickyPartitioner(batchSize, 0)
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range records {
				p := s.pick(0, partitions)
				s.produced(0, p, size, false)
			}
		})
	}
	wg.Wait()
	turns := int(s.next.Load())
	total := goroutines * records * size
	least := total / (2*batchSize + goroutines*size)
	// Each loser of a race for an empty turn uses up one number, too.
	if most := total/(2*batchSize)*goroutines + goroutines; turns < least || turns > most {
		t.Errorf("%d turns for %d bytes, want %d to %d", turns, total, least, most)
	}
}

// TestStickySplitsUnderContention lets goroutines disturb each other for
// certain: each failed write is a disturbance, and the test makes them fail by
// writing in between.
func TestStickySplitsUnderContention(t *testing.T) {
	s := newStickyPartitioner(1<<20, 0)
	before := s.shift.Load()
	sh := s.shard(0)
	s.pick(0, 12)
	for range disturbancesToSplit - 1 {
		sh.disturbances.Add(1)
	}
	if got := s.shift.Load(); got != before {
		t.Fatalf("shift %d before the last disturbance, want %d", got, before)
	}
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					s.produced(0, s.pick(0, 12), 1, false)
				}
			}
		})
	}
	// One core cannot disturb itself except by preemption, which takes long.
	for i := 0; s.shift.Load() == before && i < 100_000_000; i++ {
		s.produced(0, s.pick(0, 12), 1, false)
	}
	close(stop)
	wg.Wait()
	if runtime.GOMAXPROCS(0) > 1 && s.shift.Load() == before {
		t.Errorf("no split although %d goroutines wrote to one shard", 5)
	}
	for range 100 {
		s.split()
	}
	if got := s.shift.Load(); got != s.minShift {
		t.Errorf("shift %d after many splits, want %d", got, s.minShift)
	}
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
			b.ReportMetric(float64(int(1)<<(32-s.shift.Load())), "shards")
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
