package ledger

import (
	"testing"
	"time"
)

// TestHashVectors holds the values that the JVM reader's hash was compared with
// (Readback.java checks the same table when it starts with --self-test).
func TestHashVectors(t *testing.T) {
	long := make([]byte, 100)
	for i := range long {
		long[i] = byte(i * 7)
	}
	tests := []struct {
		name string
		in   []byte
		want uint64
	}{
		{"null", nil, 0x25b775faeca8f520},
		{"empty", []byte{}, 0x9ca066f1a4ab2eea},
		{"one byte", []byte{0}, 0x3abe221df1afb68},
		{"eight bytes", []byte("12345678"), 0x2aa1e2e0cba750c9},
		{"nine bytes", []byte("123456789"), 0xc4f3a733d351e2cd},
		{"hundred bytes", long, 0xb25ffd00a42da3f0},
	}
	seen := map[uint64]string{}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got := Hash(tc.in)
			if got != tc.want {
				t.Errorf("Hash = %#x, want %#x", got, tc.want)
			}
			if other, ok := seen[got]; ok {
				t.Errorf("Hash is that of %s, too", other)
			}
			seen[got] = tc.name
		})
	}
}

func TestPlanIsAPureFunction(t *testing.T) {
	plan := testPlan()
	first, second := plan.Sources(), plan.Sources()
	var a, b Record
	kinds := map[string]int{}
	for g := range first {
		for {
			id, ok := first[g].Next(&a)
			again, okAgain := second[g].Next(&b)
			if id != again || ok != okAgain {
				t.Fatalf("%v, %v and %v, %v", id, ok, again, okAgain)
			}
			if !ok {
				break
			}
			if digestOf(&a) != digestOf(&b) || a.Partition != b.Partition || a.Timestamp != b.Timestamp {
				t.Fatalf("%v differs the second time", id)
			}
			count(kinds, &a)
		}
	}
	for _, kind := range []string{
		"null key", "empty key", "key", "null value", "empty value", "tiny value", "stamped value",
		"headers", "null header", "empty header", "timestamp", "explicit", "keyed", "keyless",
	} {
		if kinds[kind] == 0 {
			t.Errorf("no record with %s in %d", kind, plan.Records)
		}
	}
}

func count(kinds map[string]int, r *Record) {
	add := func(kind string, is bool) {
		if is {
			kinds[kind]++
		}
	}
	add("null key", r.Key == nil)
	add("empty key", r.Key != nil && len(r.Key) == 0)
	add("key", len(r.Key) > 0)
	add("null value", r.Value == nil)
	add("empty value", r.Value != nil && len(r.Value) == 0)
	add("tiny value", len(r.Value) > 0 && len(r.Value) < StampSize)
	add("stamped value", len(r.Value) >= StampSize)
	add("headers", len(r.Headers) > 1)
	for _, h := range r.Headers {
		add("null header", h.Value == nil)
		add("empty header", h.Value != nil && len(h.Value) == 0)
	}
	add("timestamp", r.Timestamp != 0)
	add("explicit", r.Partition >= 0)
	add("keyed", r.Partition < 0 && r.Key != nil)
	add("keyless", r.Partition < 0 && r.Key == nil)
}

func TestMixedSizesReachTheirEnds(t *testing.T) {
	plan := Plan{Run: 1, Topic: "t", Partitions: 1, Goroutines: 1, Records: 100_000, Sizes: MixedSizes()}
	var (
		r     Record
		total int64
		most  int
	)
	for source := plan.Sources()[0]; ; {
		if _, ok := source.Next(&r); !ok {
			break
		}
		total += int64(len(r.Value))
		most = max(most, len(r.Value))
	}
	if mean := total / int64(plan.Records); mean < 450 || mean > 800 {
		t.Errorf("mean size %d, want about 700: 5 million records must stay below 4 GB", mean)
	}
	if most < 600<<10 || most > 900<<10 {
		t.Errorf("largest value %d, want close to 900 KB and not above", most)
	}
}

func TestIDsAndIndexesAreInverse(t *testing.T) {
	b := NewBook(Plan{Run: 1, Topic: "t", Partitions: 1, Goroutines: 3, Records: 10, Sizes: FixedSize(1)}, Pace{})
	for i := range 10 {
		if got, ok := b.index(b.id(i)); !ok || got != i {
			t.Errorf("index(id(%d)) = %d, %v", i, got, ok)
		}
	}
	for _, id := range []ID{makeID(3, 0), makeID(0, 4), makeID(1, 3)} {
		if _, ok := b.index(id); ok {
			t.Errorf("index(%v) is valid, want none", id)
		}
	}
}

func TestLatencyIsNearestRank(t *testing.T) {
	sorted := make([]int64, 1000)
	for i := range sorted {
		sorted[i] = int64(i + 1)
	}
	got := summarise(sorted)
	want := Latency{Count: 1000, P50: 500, P90: 900, P99: 990, P999: 999, Max: 1000}
	if got != want {
		t.Errorf("summarise = %+v, want %+v", got, want)
	}
	if one := summarise([]int64{7}); one.P50 != 7 || one.P99 != 7 || one.Max != 7*time.Nanosecond {
		t.Errorf("summarise of one value = %+v", one)
	}
}
