package kring

import (
	"math"
	"runtime"
	"slices"
	"testing"
)

// spread returns a partitioner that uses all its shards, and a hash for each.
func spread(t testing.TB, batchSize, shards int) (*stickyPartitioner, []uint32) {
	t.Helper()
	s := newStickyPartitioner(batchSize, 7)
	for s.shift.Load() > s.minShift {
		s.split()
	}
	for len(s.shards) < shards {
		s.shards = make([]stickyShard, 2*len(s.shards))
		s.minShift--
		s.split()
	}
	hashes := make([]uint32, len(s.shards))
	for i := range hashes {
		hashes[i] = uint32(i) << s.minShift
	}
	return s, hashes
}

// produce sends n records of a size the way a producer does: a batch is full
// when the next record does not fit. It returns the bytes per partition.
func (s *stickyPartitioner) produce(hash uint32, n, size, batchSize int, partitions int32) []int {
	bytes := make([]int, partitions)
	fill := make([]int, partitions)
	for range n {
		p := s.pick(hash, partitions)
		if fill[p]+size > batchSize {
			s.produced(hash, p, 0, true)
			fill[p] = 0
			p = s.pick(hash, partitions)
		}
		fill[p] += size
		bytes[p] += size
		s.produced(hash, p, size, false)
	}
	return bytes
}

func TestStickyTurnEnds(t *testing.T) {
	const limit = 1000
	tests := []struct {
		name     string
		bytes    []int
		full     bool // for the last one
		wantStay bool
	}{
		{name: "a byte less, full", bytes: []int{999}, full: true, wantStay: true},
		{name: "enough, not full", bytes: []int{1000}, wantStay: true},
		{name: "enough, full", bytes: []int{1000}, full: true},
		{name: "enough in two, full", bytes: []int{600, 400}, full: true},
		{name: "a byte less than twice", bytes: []int{1000, 999}, wantStay: true},
		{name: "twice, not full", bytes: []int{1000, 1000}},
		{name: "one record of more than twice", bytes: []int{5000}},
		{name: "the largest record", bytes: []int{1, math.MaxInt32}},
		{name: "no bytes", bytes: []int{0, 0}, wantStay: true},
		{name: "full, but empty", bytes: []int{0}, full: true, wantStay: true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			s := newStickyPartitioner(limit, 0)
			first := s.pick(0, 1000)
			for i, n := range tc.bytes {
				s.produced(0, first, n, tc.full && i == len(tc.bytes)-1)
			}
			if stays := s.pick(0, 1000) == first; stays != tc.wantStay {
				t.Errorf("stays = %v, want %v", stays, tc.wantStay)
			}
		})
	}
}

func TestStickyBatchSizeOne(t *testing.T) {
	// Every record is a batch, so every record moves on: also empty ones, or
	// they would all go to one partition.
	for _, size := range []int{0, 1, 100} {
		s := newStickyPartitioner(1, 0)
		before := s.pick(0, 3)
		for range 10 {
			s.produced(0, before, size, true)
			after := s.pick(0, 3)
			if after == before {
				t.Fatalf("records of %d bytes stick to partition %d", size, after)
			}
			before = after
		}
	}
}

func TestStickyIgnoresAnotherTurnsBytes(t *testing.T) {
	s := newStickyPartitioner(1000, 0)
	p := s.pick(0, 4)
	s.produced(0, (p+1)%4, 5000, true) // of a turn that has ended meanwhile
	if got := s.pick(0, 4); got != p {
		t.Errorf("the turn moved from %d to %d", p, got)
	}
	s.produced(0, p, 5000, true)
	s.produced(0, p, 5000, true) // nothing has been chosen since
	if got := s.pick(0, 4); got == p {
		t.Errorf("the turn stays at %d", p)
	}
}

func TestStickyShardsSitOnDifferentPartitions(t *testing.T) {
	s, hashes := spread(t, 16384, 8)
	for _, partitions := range []int32{int32(len(hashes)), 2 * int32(len(hashes)), 1000} {
		seen := make(map[int32]bool)
		for _, h := range hashes {
			p := s.pick(h, partitions)
			if seen[p] {
				t.Errorf("%d partitions: two shards sit on partition %d", partitions, p)
			}
			seen[p] = true
			s.produced(h, p, math.MaxInt32, true)
		}
	}
}

func TestStickyIsEvenByBytes(t *testing.T) {
	const (
		batchSize  = 16384
		partitions = 12
		records    = 200_000
	)
	s, hashes := spread(t, batchSize, 4)
	total := make([]int, partitions)
	sizes := []int{10, 100, 1000, 3000} // equal bytes, not equal records
	for i := range 4 {
		for p, n := range s.produce(hashes[i], records*10/sizes[i], sizes[i], batchSize, partitions) {
			total[p] += n
		}
	}
	lo, hi := slices.Min(total), slices.Max(total)
	// Every shard may be inside a turn, of at most two batches.
	if hi-lo > 4*2*batchSize {
		t.Errorf("bytes per partition: %v; they differ by %d", total, hi-lo)
	}
}

func TestStickyFillsBatches(t *testing.T) {
	const batchSize, size = 16384, 100
	s := newStickyPartitioner(batchSize, 0)
	turns := s.next.Load()
	s.produce(0, 100_000, size, batchSize, 12)
	got := int(s.next.Load() - turns)
	// A batch of 163 records is full with 16300 bytes, 84 short of a turn's
	// bytes. So a turn is two batches, and none is cut short.
	if want := 100_000 / (2 * 163); got < want || got > want+1 {
		t.Errorf("%d turns, want %d", got, want)
	}
}

func TestStickyCounterWraps(t *testing.T) {
	s := newStickyPartitioner(1, math.MaxUint32-2)
	got := s.produce(0, 3000, 1, 1, 7)
	if lo, hi := slices.Min(got), slices.Max(got); hi-lo > 8 {
		t.Errorf("bytes per partition over the wrap: %v", got)
	}
}

func TestStickyShardsFollowTheFlow(t *testing.T) {
	const limit = 1000
	tests := []struct {
		name   string
		filled []bool // how turns end, over and over
		turns  int
		from   uint32 // splits that were made before
		want   uint32 // splits in the end
	}{
		{name: "few full batches", filled: []bool{true}, turns: turnsToChange - 1},
		{name: "full batches", filled: []bool{true}, turns: turnsToChange, want: 1},
		{name: "almost twice as many", filled: []bool{true}, turns: 2*turnsToChange - 1, want: 1},
		{name: "full batches for long", filled: []bool{true}, turns: 1000, want: 3},
		{name: "batches that the linger closes", filled: []bool{false}, turns: 1000},
		{name: "the flow ebbs", filled: []bool{false}, turns: turnsToChange, from: 3, want: 2},
		{name: "the flow ends", filled: []bool{false}, turns: 1000, from: 3},
		{name: "the flow ebbs for twice as long", filled: []bool{false}, turns: 2*turnsToChange - 1, from: 3, want: 2},
		{name: "half and half", filled: []bool{true, false}, turns: 1000, from: 2, want: 2},
		{name: "mostly full", filled: []bool{true, true, false}, turns: 1000, want: 3},
		{name: "mostly not", filled: []bool{true, false, false}, turns: 1000, from: 3},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			s := newStickyPartitioner(limit, 0)
			s.shards, s.minShift = make([]stickyShard, 8), oneShard-3
			for range tc.from {
				s.split()
			}
			for i := range tc.turns {
				hash := uint32(i) * (fibonacci >> 32) // any goroutine
				filled := tc.filled[i%len(tc.filled)]
				bytes := limit
				if !filled {
					bytes = 2 * limit
				}
				s.produced(hash, s.pick(hash, 12), bytes, filled)
			}
			if got := oneShard - s.shift.Load(); got != tc.want {
				t.Errorf("%d splits, want %d", got, tc.want)
			}
		})
	}
}

func TestStickySlowGoroutinesShareATurn(t *testing.T) {
	s := newStickyPartitioner(16384, 0)
	var hash uint32
	first := s.pick(hash, 12)
	for range 50 { // 50 different goroutines, one after another
		hash += fibonacci >> 32
		if got := s.pick(hash, 12); got != first {
			t.Fatalf("hash %#x goes to partition %d, the first to %d: no batch was full yet", hash, got, first)
		}
	}
}

func TestNewStickyPartitionerShards(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for procs, want := range map[int]int{1: 4, 2: 8, 3: 16, 8: 32, 64: 64} {
		runtime.GOMAXPROCS(procs)
		s := newStickyPartitioner(1, 0)
		if got := len(s.shards); got != want {
			t.Errorf("GOMAXPROCS %d: %d shards, want %d", procs, got, want)
		}
		if got := uint32(math.MaxUint32) >> s.minShift; got != uint32(want-1) {
			t.Errorf("GOMAXPROCS %d: the last hash leads to shard %d of %d", procs, got, want)
		}
	}
}

func TestStickyDoesNotAllocate(t *testing.T) {
	s := newStickyPartitioner(1000, 0)
	s.update([]int32{0, 3, 1}, nil)
	if n := testing.AllocsPerRun(1000, func() {
		h := shardOf()
		s.produced(h, s.pick(h, 3), 100, true)
	}); n != 0 {
		t.Errorf("%v allocations per record, want 0", n)
	}
}
