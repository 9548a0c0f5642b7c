package diff

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/metric"
	"github.com/kring-go/kring/cmd/kbench/internal/runs"
)

// sample makes n runs whose numbers scatter as those of real ones do; slower
// scales times and cost.
func sample(r *rand.Rand, side string, n int, slower float64) []runs.Run {
	var list []runs.Run
	for i := range n {
		res := &bench.Result{RunID: bench.RunID(r.Uint64()), Valid: true, Verify: bench.VerifyResult{Mode: bench.VerifyFull}}
		res.Client = bench.ClientInfo{Name: "kring", Version: "v1", Props: map[string]string{"acks": "all", "linger.ms": "0"}}
		res.Workload = bench.WorkloadInfo{Mode: bench.ModeOpen, RateTarget: 20_000, Size: "fixed:100", DurationNs: 5e9 + int64(r.IntN(1e8))}
		// One bad moment of the machine shows in all of a run's numbers.
		mood := math.Exp(0.1 * r.NormFloat64())
		noisy := func(center float64) float64 { return center * slower * mood * math.Exp(0.05*r.NormFloat64()) }
		res.Latency.Response = &bench.Latency{P50: int64(noisy(2e5)), P99: int64(noisy(3e6)), P999: int64(noisy(9e6))}
		res.Cost.CPUPerRecordNs = noisy(25_000)
		// Counters are discrete, with ties.
		res.Cost.Allocs = 1
		res.Cost.AllocsPerRecord = float64(r.IntN(3)) / 1000
		list = append(list, runs.Run{Path: fmt.Sprintf("%s/%d/result.json", side, i), Result: res})
	}
	return list
}

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func compare(t *testing.T, a, b []runs.Run, o Options) *Report {
	t.Helper()
	if o.Alpha == 0 {
		o.Alpha = 0.05
	}
	report, err := Compare(a, b, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestAA compares a program with itself, over and over: at least 95 % of the
// comparisons find nothing, whatever the number of runs.
func TestAA(t *testing.T) {
	const seeds = 1000
	for _, n := range []int{4, 5, 6, 10, 20} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			found := 0
			for seed := range uint64(seeds) {
				r := source(seed)
				if compare(t, sample(r, "a", n, 1), sample(r, "b", n, 1), Options{}).Found() {
					found++
				}
			}
			t.Logf("found a difference in %d of %d comparisons of equals", found, seeds)
			if found > seeds*5/100 {
				t.Errorf("found a difference in %d of %d comparisons of equals", found, seeds)
			}
		})
	}
}

// TestAB: what differs by a third is found nearly always.
func TestAB(t *testing.T) {
	const seeds = 200
	for _, n := range []int{5, 10} {
		found := 0
		for seed := range uint64(seeds) {
			r := source(seed)
			report := compare(t, sample(r, "a", n, 1), sample(r, "b", n, 1.33), Options{})
			if report.Rows[1].Metric == "p99" && report.Rows[1].Verdict == Worse {
				found++
			}
		}
		if want := map[int]int{5: seeds / 3, 10: seeds * 9 / 10}[n]; found < want {
			t.Errorf("n=%d: found the difference in %d of %d, want %d", n, found, seeds, want)
		}
	}
}

func TestGates(t *testing.T) {
	for _, tc := range []struct {
		gate   string
		slower float64
		breach bool
	}{
		{"p99>+10%", 1.5, true},
		{"p99>+10%", 1, false},
		{"p99>+100%", 1.5, false}, // Significant, and less than the bound.
		{"cpu<-20%", 0.6, true},
		{"cpu<-20%", 1.5, false}, // The other direction.
		{"p99.9(response)>+10%, cpu>+10%", 1.5, true},
	} {
		gates, err := ParseGates(tc.gate)
		if err != nil {
			t.Fatal(err)
		}
		r := source(3)
		report := compare(t, sample(r, "a", 10, 1), sample(r, "b", 10, tc.slower), Options{Gates: gates})
		if got := len(report.Breaches) > 0; got != tc.breach || len(report.Rows) != len(gates) {
			t.Errorf("%s at x%v: breaches %q with %d rows, want %t", tc.gate, tc.slower, report.Breaches, len(report.Rows), tc.breach)
		}
	}
	for _, bad := range []string{"p99", "p99>10", "p98>+1%", "p99>-5%", "rate<+5%", "p99>+x%"} {
		if _, err := ParseGates(bad); err == nil || !strings.Contains(err.Error(), "--fail-on") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestFromNothing: a change from zero has no percentage, and is beyond each.
func TestFromNothing(t *testing.T) {
	r := source(5)
	a, b := sample(r, "a", 6, 1), sample(r, "b", 6, 1)
	for i := range a {
		a[i].Result.Cost.AllocsPerRecord, b[i].Result.Cost.AllocsPerRecord = 0, 1
	}
	for i := range b {
		other := *b[i].Result
		other.Cost.Allocs = 0
		unknown := slices.Clone(b)
		unknown[i].Result = &other
		if report := compare(t, a, unknown, Options{}); slices.ContainsFunc(report.Rows, func(r Row) bool { return r.Metric == "allocs" }) {
			t.Errorf("allocations are compared with a run that does not know them: %+v", report.Rows)
		}
	}
	gates, err := ParseGates("allocs>+50%")
	if err != nil {
		t.Fatal(err)
	}
	report := compare(t, a, b, Options{Gates: gates})
	if len(report.Breaches) != 1 || report.Rows[0].Delta() != "from 0" {
		t.Errorf("%+v", report)
	}
}

func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(a, b []runs.Run) ([]runs.Run, []runs.Run)
		want   string
	}{
		{"too few", func(a, b []runs.Run) ([]runs.Run, []runs.Run) { return a[:3], b }, "3 runs before the --"},
		{"too few after", func(a, b []runs.Run) ([]runs.Run, []runs.Run) { return a, b[:1] }, "1 runs after the --"},
		{"the same run", func(a, b []runs.Run) ([]runs.Run, []runs.Run) { return a, append(b, a[0]) }, "same run"},
		{"workload", func(a, b []runs.Run) ([]runs.Run, []runs.Run) {
			b[2].Result.Workload.RateTarget = 10_000
			return a, b
		}, "b/2/result.json can not be compared: rate differs: 20,000 and 10,000"},
		{"target", func(a, b []runs.Run) ([]runs.Run, []runs.Run) {
			b[2].Result.Broker.Topic.Partitions = 7
			return a, b
		}, "partitions differs: 0 and 7"},
		{"duration", func(a, b []runs.Run) ([]runs.Run, []runs.Run) {
			b[0].Result.Workload.DurationNs = 9e9
			return a, b
		}, "durations are"},
		{"mixed side", func(a, b []runs.Run) ([]runs.Run, []runs.Run) {
			b[1].Result.Client.Props["linger.ms"] = "5"
			return a, b
		}, "linger.ms differs: 0 and 5; runs of one side"},
		{"invalid", func(a, b []runs.Run) ([]runs.Run, []runs.Run) {
			a[1].Result.Valid, a[1].Result.InvalidReasons = false, []string{"woke up late"}
			return a, b
		}, "woke up late"},
		{"partial", func(a, b []runs.Run) ([]runs.Run, []runs.Run) {
			a[1].Result.Partial = true
			return a, b
		}, "interrupted"},
		{"not measured", func(a, b []runs.Run) ([]runs.Run, []runs.Run) {
			b[1].Result.Latency.Response = nil
			return a, b
		}, "has no p50"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := source(1)
			a, b := tc.change(sample(r, "a", 5, 1), sample(r, "b", 5, 1))
			if _, err := Compare(a, b, Options{Alpha: 0.05}); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}

// TestNotes: what may differ is told, and so is what few runs can not show.
func TestNotes(t *testing.T) {
	r := source(1)
	a, b := sample(r, "a", 4, 1), sample(r, "b", 4, 3)
	for i := range b {
		b[i].Result.Client.Props = map[string]string{"acks": "1"}
		b[i].Result.Env.CPUs = 8
	}
	report := compare(t, a, b, Options{})
	notes := strings.Join(report.Notes, "\n")
	for _, want := range []string{"acks differs: all and 1", "linger.ms differs: 0 and not set", "CPUs differs", "are few", "can not show a difference in one of 5"} {
		if !strings.Contains(notes, want) {
			t.Errorf("%q is not among the notes:\n%s", want, notes)
		}
	}
	one, err := metric.ParseList("p99")
	if err != nil {
		t.Fatal(err)
	}
	report = compare(t, a, b, Options{Metrics: one})
	if report.Rows[0].Verdict != Worse {
		t.Errorf("4+4 runs, one metric, three times slower: %+v", report.Rows[0])
	}
	var text, table bytes.Buffer
	if err := report.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if err := report.WriteMarkdown(&table); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "worse") || !strings.Contains(text.String(), "n=4+4") || !strings.HasPrefix(table.String(), "| metric |") {
		t.Errorf("%s\n%s", &text, &table)
	}
}

func TestHolm(t *testing.T) {
	rows := []Row{{P: 0.04}, {P: 0.01}, {P: 0.9}, {P: 0.02}}
	holm(rows)
	for i, want := range []float64{0.08, 0.04, 0.9, 0.06} {
		if math.Abs(rows[i].Adjusted-want) > 1e-12 {
			t.Errorf("p %v is adjusted to %v, want %v", rows[i].P, rows[i].Adjusted, want)
		}
	}
}
