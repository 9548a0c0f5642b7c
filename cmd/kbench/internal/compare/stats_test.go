package compare

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring/bench"
)

func same(a, b float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) < 1e-12
}

func TestMedianAndSpread(t *testing.T) {
	nan := math.NaN()
	for _, tc := range []struct {
		name           string
		values         []float64
		median, spread float64
	}{
		{"one", []float64{4}, 4, 0},
		{"odd", []float64{9, 1, 5}, 5, 0.8},
		{"even", []float64{2, 4, 6, 8}, 5, 0.6},
		{"missing values do not count", []float64{nan, 2, nan, 4}, 3, 1.0 / 3},
		{"nothing", []float64{nan}, nan, nan},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := median(tc.values); !same(got, tc.median) {
				t.Errorf("median = %v, want %v", got, tc.median)
			}
			if got := spread(tc.values); !same(got, tc.spread) {
				t.Errorf("spread = %v, want %v", got, tc.spread)
			}
		})
	}
}

// rates are rounds of which only the rate is known.
func rates(values ...float64) []sample {
	var out []sample
	for _, v := range values {
		out = append(out, sample{result: &bench.Result{Totals: bench.Totals{RateAchieved: v}, Cost: bench.Cost{CPUPerRecordNs: v}}})
	}
	return out
}

// A ratio compares runs of one round, so a machine that is slower in the second
// round does not change it.
func TestRatioIsOfTheSameRound(t *testing.T) {
	m := must("rate")[0]
	if got := ratio(rates(30, 3, 12), rates(10, 1, 3), m); got != 3 {
		t.Errorf("ratio = %v, want 3", got)
	}
	if got := ratio(rates(30, 3, 12), nil, m); !math.IsNaN(got) {
		t.Errorf("without a base: %v", got)
	}
}

func TestRatioIsAgainstTheBest(t *testing.T) {
	bases := [][]sample{rates(20), rates(10), nil}
	if got := ratioToBest(rates(6), bases, must("cpu")[0]); got != 0.6 {
		t.Errorf("where less is better: %v, want 0.6", got)
	}
	if got := ratioToBest(rates(6), bases, must("rate")[0]); got != 0.3 {
		t.Errorf("where more is better: %v, want 0.3", got)
	}
}

func TestGoals(t *testing.T) {
	s := &Scenario{Goals: []Goal{
		{"rate", []string{"franz-go"}, 3},
		{"cpu", []string{"franz-go", "java"}, 3},
		{"p99", []string{"franz-go"}, 0.4},
		ofLimit("rate", 1),
		plain("rate", 28),
	}}
	b := &books{s: s, samples: map[string][]sample{"kring": rates(29), "franz-go": rates(10)}}
	got := judgeGoals(b)
	if len(got) != 3 {
		t.Fatalf("%d verdicts, want 3: no run has a p99, and nothing is there of the limit", len(got))
	}
	if got[0].Met || got[0].Got != 2.9 || got[0].Want != "≥ 3" {
		t.Errorf("rate: %+v, want 2.9, missed", got[0])
	}
	if !got[1].Met || len(got[1].Against) != 1 {
		t.Errorf("cpu: %+v, want 2.9 against franz-go alone, met", got[1])
	}
	if v := got[2]; !v.Met || v.Got != 29 || v.Want != "≥ 28/s" || v.Of() != "" || v.Measured() != "29/s" || v.Outcome() != "met" {
		t.Errorf("without others: %+v, want 29/s, met", v)
	}
	if got := got[0].Of() + got[1].Of(); got != " × that of franz-go × that of franz-go" {
		t.Errorf("the ratio is to %q", got)
	}
	if v := (&Verdict{Against: []string{"a", "b", "c"}}); v.Of() != " × the best of a, b and c" {
		t.Errorf("the ratio is to %q", v.Of())
	}
	b.o, b.plan.Settings.Brokers = &Options{}, []string{"k1:9092"}
	if got := judgeGoals(b); len(got) != 0 {
		t.Errorf("on a cluster: %+v", got)
	}
	s.Name, b.plan.Settings.Acks = "partitioned", "1"
	if got := judgeGoals(b); len(got) != 1 || got[0].Want != "≤ 0.3" {
		t.Errorf("on a cluster, of a scenario with goals there: %+v", got)
	}
	b.plan.Settings.Brokers = nil
	b.failed = map[string]failure{"kring": {}}
	if got := judgeGoals(b); len(got) != 0 {
		t.Errorf("of a client that failed: %+v", got)
	}
}

func TestOthers(t *testing.T) {
	from := machine{busy: 10 * time.Second, all: 100 * time.Second, own: time.Second}
	for _, tc := range []struct {
		name string
		to   machine
		want float64
	}{
		{"all busy time is ours", machine{14 * time.Second, 110 * time.Second, 5 * time.Second}, 0},
		{"half of it", machine{14 * time.Second, 110 * time.Second, 3 * time.Second}, 0.2},
		{"rounding never makes it negative", machine{11 * time.Second, 110 * time.Second, 3 * time.Second}, 0},
		{"no clock has moved", from, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := others(from, tc.to); !same(got, tc.want) {
				t.Errorf("others = %v, want %v", got, tc.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	awaitQuiet(ctx, -1, time.Hour) // Never quiet: it is the context that ends it.
}

func TestScenariosByName(t *testing.T) {
	if all, err := FindScenarios("all"); err != nil || len(all) != len(Scenarios()) {
		t.Errorf("all: %d scenarios, %v", len(all), err)
	}
	if core, err := FindScenarios("core,open-8"); err != nil || len(core) != 4 {
		t.Errorf("core: %d scenarios, %v", len(core), err)
	}
	if two, err := FindScenarios("open-8, keyless"); err != nil || len(two) != 2 || two[0].Name != "open-8" {
		t.Errorf("two: %v, %v", two, err)
	}
	if _, err := FindScenarios("nosuch"); err == nil || !strings.Contains(err.Error(), "busy") {
		t.Errorf("an unknown scenario: %v", err)
	}
}

// Every plan must be one that the workers accept, and every metric one that is
// known.
func TestPlansAreValid(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			plan, err := s.plan(&Options{Acks: "1", Duration: time.Second, Verify: bench.VerifyNone, Pacer: bench.PacerAuto})
			if err == nil {
				err = plan.Validate()
			}
			if err != nil || seen[s.Name] || s.About == "" || len(must(s.metrics())) < 3 {
				t.Errorf("%v: %+v", err, plan)
			}
			for _, g := range s.Goals {
				must(g.Metric)
			}
			seen[s.Name] = true
		})
	}
}

// Every name that the help lists is known; what is not available says why.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"franzgo", "kbench-worker-java", "mine"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	f := &Finder{Self: []string{"kbench", "worker"}, Dir: dir, Source: dir, Build: dir, Messages: &strings.Builder{}}
	names := append(strings.Split(ClientNames(), ", "), "x="+filepath.Join(dir, "mine"))
	list, err := f.Find(t.Context(), names)
	if err != nil || len(list) != len(names) {
		t.Fatalf("%v, %v", list, err)
	}
	for _, c := range list {
		there := strings.HasPrefix(c.Name, "kring") || strings.HasPrefix(c.Name, "franz-go") || c.Name == "java" || c.Name == "x"
		if (c.Skipped == "") != there || len(c.Command) == 0 || strings.Contains(c.Skipped, "\n") {
			t.Errorf("%+v, want it there: %v", c, there)
		}
	}
	for _, bad := range []string{"nosuch", "x=/no/such/program", "=/bin/sh", "a/b=/bin/sh"} {
		if _, err := f.Find(t.Context(), []string{bad}); err == nil || !strings.Contains(err.Error(), "--client") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := f.Find(t.Context(), []string{"kring", "kring"}); err == nil {
		t.Error("one client twice is no error")
	}
}

func TestBuilderSaysWhy(t *testing.T) {
	err := command(t.Context(), "sh", "-c", "echo 'java: skipped: no java on the PATH' >&2; exit 6")
	if err == nil || err.Error() != "no java on the PATH" {
		t.Errorf("%v", err)
	}
	err = command(t.Context(), "sh", "-c", "echo first; echo last; exit 1")
	if err == nil || !strings.HasSuffix(err.Error(), ": last") {
		t.Errorf("%v", err)
	}
	if err := command(t.Context(), "true"); err != nil {
		t.Error(err)
	}
	if oneLine(errors.New("a\nb")) != "a; b" {
		t.Error("more than one line")
	}
}

// Each line of the parity table finds what libraries call it.
func TestParity(t *testing.T) {
	s := &ScenarioReport{Clients: []ClientReport{
		{Name: "a", Props: map[string]string{"acks": "1", "RequiredAcks": "leader", "DisableIdempotentWrite": "true"}},
		{Name: "gone", Failed: "why"},
		{Name: "b", Props: map[string]string{"acks": "1", "compression.type": "none"}},
	}}
	got := parity(s)
	if len(got.head) != 3 || strings.Join(got.body[0], " ") != "acks leader 1" || got.body[1][1] != "false" || got.body[6][2] != "none" || got.body[2][1] != "its default" {
		t.Errorf("%+v", got)
	}
}
