package bench

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kring-go/kring/bench/broker"
	"github.com/kring-go/kring/wire"
)

// fill sends records to a cluster, and returns a reader of all of them.
func fill(t *testing.T, b *broker.Broker, sizes string) (*reader, *Verifier, *Ledger) {
	t.Helper()
	c := testConfig()
	c.Settings = Settings{Acks: "all", Idempotent: true, Brokers: b.Addrs(), Topic: "t", Props: map[string]string{}}
	c.Partitions, c.Records = 4, 12_000
	var err error
	if c.Sizes, err = ParseSizes(sizes); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if _, _, err := ensureTopic(ctx, accessTo(t, b.Addrs()...), "t", 0, 0); err != nil {
		t.Fatal(err)
	}
	r := mustRun(t, ctx, c, Kring(), Output{})
	to, err := listOffsets(ctx, accessTo(t, b.Addrs()...), "t", offsetLatest)
	if err != nil || sum(to) != 12_000 {
		t.Fatalf("%d offsets, %v; totals %+v", sum(to), err, r.Totals)
	}
	from, err := listOffsets(ctx, accessTo(t, b.Addrs()...), "t", offsetEarliest)
	if err != nil || sum(from) != 0 {
		t.Fatalf("earliest offsets %v, %v", from, err)
	}
	v, err := NewVerifier(c.verifyPlan())
	if err != nil {
		t.Fatal(err)
	}
	return &reader{access: accessTo(t, b.Addrs()...), topic: "t", from: from, to: to, record: v.Record}, v, r.Ledger
}

// TestReadbackSurvivesALeader stops a broker in the middle of the reading.
func TestReadbackSurvivesALeader(t *testing.T) {
	b := startCluster(t, 0)
	r, v, ledger := fill(t, b, "1KiB")
	var once sync.Once
	r.record = func(partition int32, offset int64, value []byte) {
		v.Record(partition, offset, value)
		if offset == 100 {
			once.Do(func() {
				for _, err := range []error{b.StopNode(1), b.FailOver(1)} {
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	if err := r.read(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := v.Report(ledger); got.Failed() || got.Read != 12_000 || r.skipped != 0 {
		t.Errorf("%+v, %d skipped; want every record once", got, r.skipped)
	}
}

func TestReadbackFromTheMiddle(t *testing.T) {
	b := startCluster(t, 0)
	r, _, _ := fill(t, b, "uniform:0-200")
	var mu sync.Mutex
	seen := map[int32][]int64{}
	r.record = func(partition int32, offset int64, _ []byte) {
		mu.Lock()
		defer mu.Unlock()
		seen[partition] = append(seen[partition], offset)
	}
	r.from = []int64{7, 0, 100, r.to[3]}
	r.to[1] = 5
	want := [][2]int64{{7, r.to[0]}, {0, 5}, {100, r.to[2]}, {}}
	from := slices.Clone(r.from)
	if err := r.read(context.Background()); err != nil {
		t.Fatal(err)
	}
	for p, w := range want {
		got := seen[int32(p)]
		if int64(len(got)) != max(w[1]-w[0], 0) || len(got) > 0 && (got[0] != w[0] || got[len(got)-1] != w[1]-1) {
			t.Errorf("partition %d from %d: %d offsets, want [%d, %d)", p, from[p], len(got), w[0], w[1])
		}
	}
}

func TestReadbackRefusesWhatItCanNotRead(t *testing.T) {
	r := &reader{to: []int64{10}, record: func(int32, int64, []byte) { t.Error("a record was read") }}
	err := r.batch(0, &wire.BatchHeader{Attributes: 4, RecordCount: 1}, 0, 0, []byte("zstd"))
	if err == nil || !strings.Contains(err.Error(), "codec 4") || passing(err) {
		t.Errorf("error %v, want one that ends the reading", err)
	}
	if err := r.batch(0, &wire.BatchHeader{RecordCount: 1}, 0, 0, []byte{9}); err == nil || passing(err) {
		t.Errorf("a cut record: %v, want an error", err)
	}
	if err := r.batch(0, &wire.BatchHeader{}, 0, 0, []byte{1}); err == nil || passing(err) {
		t.Errorf("bytes behind the records: %v, want an error", err)
	}
	if err := r.batch(0, &wire.BatchHeader{Attributes: attributeControl, RecordCount: 1}, 0, 0, []byte{1}); err != nil {
		t.Errorf("a control batch: %v, want to skip it", err)
	}
}
