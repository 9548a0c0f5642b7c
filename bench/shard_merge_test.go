package bench

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// shardRuns runs a fake client as the shards of one run, one after another.
func shardRuns(t *testing.T, of int) []*Result {
	t.Helper()
	var list []*Result
	for i := range of {
		cfg := testConfig()
		cfg.Shard, cfg.StartAt, cfg.RunID = Shard{i, of}, time.Now().Add(time.Second), 99
		fake := &fakeClient{}
		if i == 1 {
			fake.fail = func(tg tag) error {
				if tg.seq() == 3 && tg.sender() == 0 {
					return errors.New("planted")
				}
				return nil
			}
		}
		r := mustRun(t, t.Context(), cfg, fake.library(), Output{})
		if i > 0 {
			r.Shard.StartAt = list[0].Shard.StartAt // Here they run one after another.
		}
		list = append(list, r)
	}
	return list
}

func TestMergeShards(t *testing.T) {
	list := shardRuns(t, 3)
	merged, err := MergeShards([]*Result{list[2], list[0], list[1]})
	if err != nil {
		t.Fatal(err)
	}
	big := NewDistribution("service", list[0].Latency.Service.Sampled)
	acked, failed := int64(0), int64(0)
	for _, r := range list {
		d, err := r.Latency.Service.Distribution("service")
		if err == nil {
			err = big.Merge(d)
		}
		if err != nil {
			t.Fatal(err)
		}
		acked += r.Totals.Acked
		failed += r.Totals.Failed
	}
	if merged.Totals.Acked != acked || merged.Totals.Failed != failed || failed != 1 || merged.Totals.Sent != testConfig().Records {
		t.Errorf("%+v: want %d acked, 1 failed, of %d", merged.Totals, acked, testConfig().Records)
	}
	if s := merged.Latency.Service; s.P99 != big.Quantile(0.99) || s.N != big.Count() {
		t.Errorf("p99 %d of %d values, one big histogram has %d of %d", s.P99, s.N, big.Quantile(0.99), big.Count())
	}
	if merged.Shard != nil || !merged.Valid || len(merged.Errors) != 1 {
		t.Errorf("shard %v, valid %v (%v), errors %v", merged.Shard, merged.Valid, merged.InvalidReasons, merged.Errors)
	}
}

func TestMergeShardsRefuses(t *testing.T) {
	list := shardRuns(t, 2)
	merged, err := MergeShards(list[:1])
	if err != nil || merged.Valid || !strings.Contains(strings.Join(merged.InvalidReasons, " "), "1 of 2 shards are missing") {
		t.Errorf("a missing shard: %v, %+v", err, merged)
	}
	if _, err := MergeShards([]*Result{list[0], list[0]}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a shard twice: %v", err)
	}
	other := *list[1]
	other.RunID++
	if _, err := MergeShards([]*Result{list[0], &other}); err == nil || !strings.Contains(err.Error(), "not shards of one run") {
		t.Errorf("another run: %v", err)
	}
	other.Shard = nil
	if _, err := MergeShards([]*Result{&other}); err == nil {
		t.Error("a run that is no shard was merged")
	}
	if _, err := MergeShards(nil); err == nil {
		t.Error("nothing was merged")
	}
	slow := *list[1]
	slow.InvalidReasons, slow.Partial = []string{"late"}, true
	if merged, err = MergeShards([]*Result{list[0], &slow}); err != nil || !merged.Partial || !slices.Contains(merged.InvalidReasons, "shard 1: late") {
		t.Errorf("an invalid shard: %v, %+v", err, merged)
	}
}

// TestMergeShardsOfOtherPlans: a run's id is made of topic, start and number,
// so machines that were told different things can have the same.
func TestMergeShardsOfOtherPlans(t *testing.T) {
	list := shardRuns(t, 2)
	for what, change := range map[string]func(*Result){
		"client":       func(r *Result) { r.Client.Name = "other" },
		"start":        func(r *Result) { r.Shard.StartAt = "2026-01-01T00:00:00Z" },
		"rate":         func(r *Result) { r.Shard.RateTotal++ },
		"record size":  func(r *Result) { r.Workload.Size = "fixed:7" },
		"keys":         func(r *Result) { r.Workload.Keys = "seq" },
		"seed":         func(r *Result) { r.Workload.Seed++ },
		"verification": func(r *Result) { r.Verify.Mode = VerifyCount },
		"acks":         func(r *Result) { r.Client.Props = map[string]string{"acks": "0"} },
	} {
		other := *list[1]
		list[0].Client.Props = map[string]string{"acks": "1", "client.id": "machine-0"}
		other.Client.Props = map[string]string{"acks": "1", "client.id": "machine-1"}
		other.Shard = &ShardInfo{Index: 1, Of: 2, StartAt: list[0].Shard.StartAt, RateTotal: list[0].Shard.RateTotal}
		if _, err := MergeShards([]*Result{list[0], &other}); err != nil {
			t.Fatalf("two of one plan: %v", err)
		}
		change(&other)
		if _, err := MergeShards([]*Result{list[0], &other}); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestStolenFrom: what was stolen from a machine counts once, however many shards
// it had, and is not known where one of them does not know it.
func TestStolenFrom(t *testing.T) {
	run := func(host string, ns int64) *Result {
		r := &Result{}
		r.Env.HostnameHash, r.Cost.StealNs = host, &ns
		return r
	}
	for _, x := range []struct {
		list []*Result
		want int64
	}{
		{[]*Result{run("a", 5)}, 5},
		{[]*Result{run("a", 5), run("a", 7), run("a", 6)}, 7},
		{[]*Result{run("a", 5), run("b", 7), run("a", 6)}, 13},
	} {
		if got := stolenFrom(x.list); got == nil || *got != x.want {
			t.Errorf("%v, want %d", got, x.want)
		}
	}
	if got := stolenFrom([]*Result{run("a", 5), {}}); got != nil {
		t.Errorf("%d, want nothing", *got)
	}
}
