package bench

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
)

func TestParseSizes(t *testing.T) {
	for _, tc := range []struct {
		in        string
		spec      string
		low, high int
	}{
		{"100", "fixed:100", 100, 100},
		{"1KiB", "fixed:1024", 1024, 1024},
		{"0", "fixed:0", 0, 0},
		{"uniform:10-500", "uniform:10-500", 10, 500},
		{"mix:90%x128,10%x4096", "mix:90%x128,10%x4096", 128, 4096},
		{"mix:99.5%x0,0.5%x1KiB-2KiB", "mix:99.5%x0,0.5%x1KiB-2KiB", 0, 2048},
	} {
		t.Run(tc.in, func(t *testing.T) {
			s, err := ParseSizes(tc.in)
			if err != nil {
				t.Fatal(err)
			}
			if s.String() != tc.spec || s.Min() != tc.low || s.Max() != tc.high {
				t.Errorf("got %s from %d to %d, want %s from %d to %d", s, s.Min(), s.Max(), tc.spec, tc.low, tc.high)
			}
			r := newRNG(1, 2)
			for range 1000 {
				if n := s.Draw(r); n < tc.low || n > tc.high {
					t.Fatalf("Draw() = %d, want %d to %d", n, tc.low, tc.high)
				}
			}
		})
	}
	for _, in := range []string{"", "x", "uniform:5", "uniform:9-1", "mix:50%x1", "mix:50x1,50%x2", "lognormal:1", "1GiB", "mix:0%x1,100%x2"} {
		t.Run("bad "+in, func(t *testing.T) {
			if s, err := ParseSizes(in); err == nil {
				t.Errorf("ParseSizes(%q) = %s, want an error", in, s)
			}
		})
	}
}

func TestMixHasItsShares(t *testing.T) {
	s, err := ParseSizes("mix:90%x128,10%x4096")
	if err != nil {
		t.Fatal(err)
	}
	large, r := 0, newRNG(7, 0)
	for range 100_000 {
		if s.Draw(r) == 4096 {
			large++
		}
	}
	if large < 9_500 || large > 10_500 {
		t.Errorf("%d of 100,000 values are large, want 10 %%", large)
	}
}

func TestKeys(t *testing.T) {
	for _, bad := range []string{"uniform:0", "uniform:", "zipf:x", "zipf:5,99", "random", "seq:4", "uniform:99G"} {
		if k, err := ParseKeys(bad); err == nil {
			t.Errorf("ParseKeys(%q) = %s, want an error", bad, k)
		}
	}
	count := func(spec string, n int) map[string]int {
		k, err := ParseKeys(spec)
		if err != nil {
			t.Fatal(err)
		}
		table, r, scratch, seen := newKeyTable(k), newRNG(3, 1), make([]byte, keySize), map[string]int{}
		for i := range n {
			seen[string(table.pick(r, uint64(i), scratch))]++
		}
		return seen
	}
	if seen := count("none", 10); seen[""] != 10 {
		t.Errorf("none: keys %v, want no key", seen)
	}
	if seen := count("seq", 1000); len(seen) != 1000 {
		t.Errorf("seq: %d different keys of 1000, want all", len(seen))
	}
	if seen := count("uniform:10", 1000); len(seen) != 10 {
		t.Errorf("uniform:10: %d keys", len(seen))
	}
	top := 0
	for _, n := range count("zipf:1000", 100_000) {
		top = max(top, n)
	}
	// The first of 1000 keys with exponent 1 gets 1/H(1000) = 13.4 %.
	if top < 12_000 || top > 15_000 {
		t.Errorf("zipf: the most frequent key has %d of 100,000, want about 13,400", top)
	}
}

func TestStamp(t *testing.T) {
	value := bytes.Repeat([]byte{7}, 64)
	id := makeTag(3, 12345)
	putStamp(value, 99, uint64(id))
	if got, ours, whole := stampOf(value, 99); tag(got) != id || !ours || !whole {
		t.Fatalf("stampOf = %x, %v, %v, want %x of ours, whole", got, ours, whole, id)
	}
	if _, ours, _ := stampOf(value, 98); ours {
		t.Error("a value of another run counts as ours")
	}
	if _, ours, _ := stampOf(value[:StampSize-1], 99); ours {
		t.Error("a value without room for a stamp counts as ours")
	}
	if _, _, whole := stampOf(value[:40], 99); whole {
		t.Error("a value that was cut counts as whole")
	}
	for at := 8; at < StampSize; at++ {
		value[at] ^= 1
		if _, ours, whole := stampOf(value, 99); !ours || whole {
			t.Errorf("byte %d altered: ours %v, whole %v, want ours and not whole", at, ours, whole)
		}
		value[at] ^= 1
	}
}

func TestPoolIsReproducible(t *testing.T) {
	a, b := newPool(5, FixedSize(300), 0.5), newPool(5, FixedSize(300), 0.5)
	if len(a.bodies) != poolBodies || !bytes.Equal(a.bodies[9], b.bodies[9]) {
		t.Fatalf("%d bodies, equal %v", len(a.bodies), bytes.Equal(a.bodies[9], b.bodies[9]))
	}
	if bytes.Equal(a.bodies[0], newPool(6, FixedSize(300), 0.5).bodies[0]) {
		t.Error("another seed gives the same bodies")
	}
	if r := a.ratio(); math.Abs(r-0.5) > 0.05 {
		t.Errorf("compressibility %v, want about 0.5", r)
	}
	if n := len(newPool(1, FixedSize(8<<20), 0).bodies); n != 2 {
		t.Errorf("%d bodies of 8 MiB, want 2", n)
	}
}

func TestConfigTravels(t *testing.T) {
	c := testConfig()
	c.Sizes, _ = ParseSizes("mix:90%x128,10%x4096")
	c.Keys, _ = ParseKeys("zipf:100,1.5")
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back Config
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || !bytes.Equal(text, again) {
		t.Errorf("the plan came back as %s (%v), want %s", again, err, text)
	}
	if back.Sizes.Max() != 4096 || back.Keys.n != 100 || back.RunID != c.RunID {
		t.Errorf("sizes, keys or run id lost: %+v", back)
	}
}

func TestSourceMakesTheWorkload(t *testing.T) {
	c := testConfig()
	c.Partitioner = PartitionerRoundRobin
	for _, sizes := range []string{"100", "uniform:24-100"} {
		t.Run(sizes, func(t *testing.T) {
			c.Sizes, _ = ParseSizes(sizes)
			c.Keys, _ = ParseKeys("seq")
			p := newPool(c.Seed, c.Sizes, 0)
			s := newSource(&c, &payload{pool: p}, newKeyTable(c.Keys), 1, 0)
			lengths, keys := map[int]bool{}, map[string]bool{}
			for seq := range uint64(1000) {
				id := makeTag(1, seq)
				r := s.make(seq, id|tagSampled)
				got, ours, whole := stampOf(r.Value, uint64(c.RunID))
				if tag(got) != id || !ours || !whole || !p.matches(seq, r.Value) {
					t.Fatalf("record %d: stamp %x, ours %v, whole %v", seq, got, ours, whole)
				}
				if want := int32((seq + 1) % 3); r.Partition != want {
					t.Fatalf("record %d goes to partition %d, want %d", seq, r.Partition, want)
				}
				lengths[len(r.Value)], keys[string(r.Key)] = true, true
			}
			if want := c.Sizes.Max() - c.Sizes.Min() + 1; len(lengths) != want || len(keys) != 1000 {
				t.Errorf("%d sizes and %d keys, want %d and 1000", len(lengths), len(keys), want)
			}
		})
	}
}
