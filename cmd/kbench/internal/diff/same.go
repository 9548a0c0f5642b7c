package diff

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/runs"
)

// durationShare is how far the lengths of runs that end by time may differ.
const durationShare = 0.2

// fact is one thing that two runs have in common or not.
type fact struct{ name, value string }

// check refuses what says nothing, and returns notes about what differs
// and may differ.
func check(old, changed []runs.Run, allowInvalid bool) ([]string, error) {
	for _, side := range []struct {
		name string
		list []runs.Run
	}{{"before", old}, {"after", changed}} {
		if n := len(side.list); n < minRuns {
			return nil, fmt.Errorf("kbench: %d runs %s the -- are too few: with fewer than %d on a side nothing can be told from chance", n, side.name, minRuns)
		}
	}
	all := slices.Concat(old, changed)
	seen := map[bench.RunID]string{}
	for _, r := range all {
		if first, again := seen[r.Result.RunID]; again {
			return nil, fmt.Errorf("kbench: %s and %s are the same run %v", first, r.Path, r.Result.RunID)
		}
		seen[r.Result.RunID] = r.Path
		if !allowInvalid && (!r.Result.Valid || r.Result.Partial) {
			return nil, fmt.Errorf("kbench: %s says nothing: it is %s; leave it out, or use --allow-invalid", r.Path, why(r.Result))
		}
		if err := sameFacts(all[0], r, workload); err != nil {
			return nil, err
		}
	}
	for _, list := range [][]runs.Run{old, changed} {
		for _, r := range list {
			if err := sameFacts(list[0], r, client); err != nil {
				return nil, fmt.Errorf("%w; runs of one side must be of one client", err)
			}
		}
	}
	notes := []string{}
	for _, facts := range []func(*bench.Result) []fact{client, machine} {
		notes = append(notes, differences(old[0].Result, changed[0].Result, facts)...)
	}
	return notes, nil
}

func why(r *bench.Result) string {
	if r.Partial {
		return "partial (interrupted)"
	}
	return fmt.Sprintf("invalid %q", r.InvalidReasons)
}

func sameFacts(a, b runs.Run, facts func(*bench.Result) []fact) error {
	if d := differences(a.Result, b.Result, facts); len(d) > 0 {
		return fmt.Errorf("kbench: %s and %s can not be compared: %s", a.Path, b.Path, d[0])
	}
	// The length is measured, and never twice the same.
	x, y := a.Result.Workload, b.Result.Workload
	if x.Records == 0 && math.Abs(float64(x.DurationNs-y.DurationNs)) > durationShare*float64(x.DurationNs) {
		return fmt.Errorf("kbench: %s and %s can not be compared: their durations are %s and %s",
			a.Path, b.Path, bench.FormatNanos(x.DurationNs), bench.FormatNanos(y.DurationNs))
	}
	return nil
}

// differences are those facts that are not the same, in words.
func differences(a, b *bench.Result, facts func(*bench.Result) []fact) []string {
	left, right := facts(a), facts(b)
	have := map[string]string{}
	for _, f := range right {
		have[f.name] = f.value
	}
	var list []string
	for _, f := range left {
		value, ok := have[f.name]
		delete(have, f.name)
		if !ok {
			value = "not set"
		}
		if value != f.value {
			list = append(list, fmt.Sprintf("%s differs: %s and %s", f.name, f.value, value))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		list = append(list, fmt.Sprintf("%s differs: not set and %s", name, have[name]))
	}
	return list
}

// workload is what must be equal: what was asked, and of what.
func workload(r *bench.Result) []fact {
	w, b := &r.Workload, &r.Broker
	return []fact{
		{"mode", string(w.Mode)},
		{"arrival", w.Arrival},
		{"rate", bench.FormatCount(w.RateTarget)},
		{"outstanding", fmt.Sprint(w.Outstanding)},
		{"senders", fmt.Sprint(w.Senders)},
		{"busy callers", bench.FormatNanos(w.BusyNs)},
		{"partitioner", w.Partitioner},
		{"size", w.Size},
		{"keys", w.Keys},
		{"payload", cmp.Or(w.Payload, bench.PayloadRandom)},
		{"compressibility", fmt.Sprintf("%.2f", w.Compressibility)},
		{"warm-up", bench.FormatNanos(w.WarmupNs)},
		{"records", bench.FormatCount(w.Records)},
		{"latency sample", fmt.Sprint(w.LatencySample)},
		{"verification", string(r.Verify.Mode)},
		{"embedded broker", fmt.Sprint(b.Embedded)},
		{"broker nodes", fmt.Sprint(b.Nodes)},
		{"partitions", fmt.Sprint(b.Topic.Partitions)},
		{"replication", fmt.Sprint(b.Topic.Replication)},
	}
}

// client is what is usually under test: equal within a side, free between them.
func client(r *bench.Result) []fact {
	list := []fact{{"client", r.Client.Name}, {"version", r.Client.Version}, {"Go", r.Client.Lang}}
	for _, name := range slices.Sorted(maps.Keys(r.Client.Props)) {
		list = append(list, fact{name, r.Client.Props[name]})
	}
	return list
}

// machine may differ, but it is worth knowing.
func machine(r *bench.Result) []fact {
	e := &r.Env
	return []fact{
		{"machine", e.HostnameHash},
		{"CPU", e.CPUModel},
		{"CPUs", fmt.Sprint(e.CPUs)},
		{"GOMAXPROCS", fmt.Sprint(e.GOMAXPROCS)},
		{"GOGC", e.GOGC},
		{"kernel", e.Kernel},
	}
}
