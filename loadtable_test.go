package kring

import (
	"math"
	"slices"
	"testing"
)

func TestLoadTable(t *testing.T) {
	const y, n = true, false
	tests := []struct {
		name       string
		loads      []int32
		available  []bool
		wantNil    bool
		partitions []int32
		cumulative []uint64
	}{
		{name: "nothing known", wantNil: true},
		{name: "all equal", loads: []int32{3, 3, 3}, available: []bool{y, y, y}, wantNil: true},
		{name: "all available, no loads", available: []bool{y, y}, wantNil: true},
		{name: "none available", loads: []int32{1, 2}, available: []bool{n, n}, wantNil: true},
		{name: "the KIP's example", loads: []int32{0, 3, 1}, partitions: []int32{0, 1, 2}, cumulative: []uint64{4, 5, 8}},
		{name: "one without leader", available: []bool{y, n, y}, partitions: []int32{0, 2}},
		{name: "equal among the available", loads: []int32{2, 9, 2}, available: []bool{y, n, y}, partitions: []int32{0, 2}},
		{name: "weighed among the available", loads: []int32{0, 9, 2}, available: []bool{y, n, y}, partitions: []int32{0, 2}, cumulative: []uint64{3, 4}},
		{name: "the first is not available", loads: []int32{9, 0, 2}, available: []bool{n, y, y}, partitions: []int32{1, 2}, cumulative: []uint64{3, 4}},
		{name: "one left", loads: []int32{5, 7}, available: []bool{n, y}, partitions: []int32{1}},
		{name: "more partitions than loads", loads: []int32{2}, available: []bool{y, y}, partitions: []int32{0, 1}, cumulative: []uint64{1, 4}},
		{name: "more loads than availabilities", loads: []int32{0, 0, 0}, available: []bool{y, y}, partitions: []int32{0, 1}},
		{name: "a negative load is none", loads: []int32{-5, 1}, partitions: []int32{0, 1}, cumulative: []uint64{2, 3}},
		{name: "the longest queues", loads: []int32{math.MaxInt32, 0}, partitions: []int32{0, 1}, cumulative: []uint64{1, math.MaxInt32 + 2}},
		{name: "one partition", loads: []int32{4}, available: []bool{y}, wantNil: true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got := newLoadTable(tc.loads, tc.available)
			if got == nil || tc.wantNil {
				if (got == nil) != tc.wantNil {
					t.Fatalf("newLoadTable = %+v, want nil: %v", got, tc.wantNil)
				}
				return
			}
			if !slices.Equal(got.partitions, tc.partitions) {
				t.Errorf("partitions = %v, want %v", got.partitions, tc.partitions)
			}
			if !slices.Equal(got.cumulative, tc.cumulative) {
				t.Errorf("cumulative = %v, want %v", got.cumulative, tc.cumulative)
			}
			for p := range int32(10) {
				if got.holds(p) != slices.Contains(tc.partitions, p) {
					t.Errorf("holds(%d) = %v", p, got.holds(p))
				}
			}
		})
	}
}

// TestLoadTableShares holds the turns that partitions get against their
// weights, within a few rounds and wherever the counter of turns stands.
func TestLoadTableShares(t *testing.T) {
	tests := []struct {
		name  string
		loads []int32
		want  []int // of the sum of the weights
	}{
		{name: "the KIP's example", loads: []int32{0, 3, 1}, want: []int{4, 1, 3}},
		{name: "as in Java's test", loads: []int32{5, 0, 3, 0, 1}, want: []int{1, 6, 3, 6, 5}},
		{name: "one is slow", loads: []int32{0, 0, 0, 99}, want: []int{100, 100, 100, 1}},
	}
	for _, tc := range tests {
		for _, start := range []uint32{0, 12345, math.MaxUint32 - 100} {
			t.Run(tc.name, func(t *testing.T) {
				table := newLoadTable(tc.loads, nil)
				sum := int(table.cumulative[len(table.cumulative)-1])
				const rounds = 100
				got := make([]int, len(tc.loads))
				n := start
				for range rounds * sum {
					n++
					got[table.at(n)]++
				}
				for p, want := range tc.want {
					// One point of discrepancy per fold of the golden ratio,
					// and one more where the counter wraps: far below what
					// random choice would need.
					if diff := got[p] - want*rounds; diff < -12 || diff > 12 {
						t.Errorf("partition %d: %d turns of %d, want %d", p, got[p], rounds*sum, want*rounds)
					}
				}
			})
		}
	}
}

func TestStickyAvoidsLeaderless(t *testing.T) {
	const batchSize = 100
	s := newStickyPartitioner(batchSize, 0)
	s.update(nil, []bool{true, false, true, false})
	got := s.produce(0, 1000, 50, batchSize, 4)
	if got[1] != 0 || got[3] != 0 {
		t.Errorf("bytes per partition: %v; 1 and 3 have no leader", got)
	}
	if diff := got[0] - got[2]; diff < -2*batchSize || diff > 2*batchSize {
		t.Errorf("bytes per partition: %v; 0 and 2 should get the same", got)
	}

	t.Run("none has one", func(t *testing.T) {
		s.update(nil, make([]bool, 4))
		got := s.produce(0, 1000, 50, batchSize, 4)
		if slices.Min(got) == 0 {
			t.Errorf("bytes per partition: %v; all should be used", got)
		}
	})
	t.Run("the leaders are back", func(t *testing.T) {
		s.update(nil, []bool{true, true, true, true})
		got := s.produce(0, 1000, 50, batchSize, 4)
		if slices.Min(got) == 0 {
			t.Errorf("bytes per partition: %v; all should be used", got)
		}
	})
}

func TestStickyFollowsLoads(t *testing.T) {
	const batchSize = 100
	s := newStickyPartitioner(batchSize, 0)
	s.update([]int32{0, 3, 1}, nil)
	got := s.produce(0, 80_000, 100, batchSize, 3)
	for p, weight := range []int{4, 1, 3} {
		want := weight * 1_000_000
		if diff := got[p] - want; diff < -want/50 || diff > want/50 {
			t.Errorf("partition %d: %d bytes, want %d within 2 %%", p, got[p], want)
		}
	}
}

func TestStickyUpdateEndsTurnsOfTheLeaderless(t *testing.T) {
	s, hashes := spread(t, 16384, 4)
	const partitions = 4
	before := make([]int32, len(hashes))
	for i, h := range hashes {
		before[i] = s.pick(h, partitions)
	}
	available := []bool{true, true, true, true}
	available[before[0]] = false
	s.update(nil, available)
	for i, h := range hashes {
		got := s.pick(h, partitions)
		if got == before[0] {
			t.Errorf("shard %d is at partition %d, which has no leader", i, got)
		}
		if before[i] != before[0] && got != before[i] {
			t.Errorf("shard %d moved from %d to %d, though its partition has a leader", i, before[i], got)
		}
	}
}

func TestStickyPartitionCountChanges(t *testing.T) {
	s := newStickyPartitioner(1, 0)
	s.update([]int32{0, 9, 9, 9, 9, 0}, nil) // mostly 0 and 5
	for i := range 100 {
		p := s.pick(0, 6)
		s.produced(0, p, 1, true)
		if got := s.pick(0, 2); got < 0 || got > 1 {
			t.Fatalf("turn %d: partition %d of 2", i, got)
		}
		// A turn that began when there were six partitions does not go on.
		if got := s.pick(0, 1); got != 0 {
			t.Fatalf("turn %d: partition %d of 1", i, got)
		}
	}
}

// TestLeastBackedUpChoice: the shortest queue, of equals each in turn, and only
// partitions that are available.
func TestLeastBackedUpChoice(t *testing.T) {
	queues := []int32{3, 1, 1, 2, 0, 1}
	backlog := func(p int32) int32 { return queues[p] }
	for n := range uint32(20) {
		if p := leastBackedUp(n, 6, nil, backlog); p != 4 {
			t.Fatalf("turn %d goes to partition %d, want 4", n, p)
		}
	}
	queues[4] = 9
	turns := map[int32]int{}
	for n := range uint32(600) {
		turns[leastBackedUp(n, 6, nil, backlog)]++
	}
	if len(turns) != 3 || turns[1] < 100 || turns[2] < 100 || turns[5] < 100 {
		t.Errorf("turns %v, want partitions 1, 2 and 5", turns)
	}
	some := newLoadTable(nil, []bool{true, false, false, true, false, false})
	for n := range uint32(20) {
		if p := leastBackedUp(n, 6, some, backlog); p != 3 {
			t.Fatalf("turn %d goes to partition %d, want 3 of 0 and 3", n, p)
		}
	}
	if p := leastBackedUp(7, 2, some, backlog); p != 1 {
		t.Errorf("a topic with fewer partitions: %d, want 1", p)
	}
	looked := 0
	leastBackedUp(5, 100_000, nil, func(int32) int32 { looked++; return 1 })
	if looked > 2*mostCompared {
		t.Errorf("%d looks for one turn", looked)
	}
}
