package main

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring/bench"
)

// run is a sample with the given values, and NaN for the others.
func run(values map[string]float64) sample {
	v := map[string]float64{}
	for _, m := range metrics() {
		v[m] = math.NaN()
	}
	for m, x := range values {
		v[m] = x
	}
	return sample{values: v}
}

func TestMedianAndSpread(t *testing.T) {
	nan := math.NaN()
	for _, test := range []struct {
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
		t.Run(test.name, func(t *testing.T) {
			if got := median(test.values); !same(got, test.median) {
				t.Errorf("median = %v, want %v", got, test.median)
			}
			if got := spread(test.values); !same(got, test.spread) {
				t.Errorf("spread = %v, want %v", got, test.spread)
			}
		})
	}
}

func same(a, b float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) < 1e-12
}

// A ratio compares runs of one round, so a machine that is slower in the second
// round does not change it.
func TestRatioIsOfTheSameRound(t *testing.T) {
	r := rounds{
		"kring":    {run(map[string]float64{metricRate: 30}), run(map[string]float64{metricRate: 3}), run(map[string]float64{metricRate: 12})},
		"franz-go": {run(map[string]float64{metricRate: 10}), run(map[string]float64{metricRate: 1}), run(map[string]float64{metricRate: 3})},
	}
	if got := r.ratio("kring", metricRate, []string{"franz-go"}, true); got != 3 {
		t.Errorf("ratio = %v, want 3", got)
	}
}

func TestRatioIsAgainstTheBest(t *testing.T) {
	r := rounds{
		"kring":    {run(map[string]float64{metricP50: 6, metricRate: 6})},
		"franz-go": {run(map[string]float64{metricP50: 20, metricRate: 2})},
		"java":     {run(map[string]float64{metricP50: 10, metricRate: 3})},
	}
	both := []string{"franz-go", "java", "absent"}
	if got := r.ratio("kring", metricP50, both, false); got != 0.6 {
		t.Errorf("where less is better: %v, want 0.6", got)
	}
	if got := r.ratio("kring", metricRate, both, true); got != 2 {
		t.Errorf("where more is better: %v, want 2", got)
	}
}

func TestJudge(t *testing.T) {
	s := &scenario{goals: []goal{
		{metricRate, []string{"franz-go"}, true, 3},
		{metricCPU, []string{"franz-go", "java"}, false, 0.5},
		{metricP99, []string{"franz-go"}, false, 0.4},
	}}
	r := rounds{
		"kring":    {run(map[string]float64{metricRate: 29, metricCPU: 5})},
		"franz-go": {run(map[string]float64{metricRate: 10, metricCPU: 10})},
	}
	got := judge(s, r)
	if len(got) != 2 {
		t.Fatalf("%d verdicts, want 2: no run has a p99", len(got))
	}
	if got[0].Met || got[0].Got != 2.9 || got[0].Want != "≥ 3" {
		t.Errorf("rate: %+v, want 2.9, missed", got[0])
	}
	if !got[1].Met || len(got[1].Against) != 1 {
		t.Errorf("cpu: %+v, want 0.5 against franz-go alone, met", got[1])
	}
}

func TestTableHasAClientThatIsNotThere(t *testing.T) {
	var b strings.Builder
	r := rounds{"kring": {run(map[string]float64{metricRate: 1e6})}}
	writeTable(&b, &scenario{name: "n", about: "a"}, []string{"kring", "java"}, r)
	for _, want := range []string{"| kring | 1000 |", "| java | not available |"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, b.String())
		}
	}
}

func TestOthers(t *testing.T) {
	from := machine{busy: 10 * time.Second, all: 100 * time.Second}
	for _, test := range []struct {
		name string
		to   machine
		own  time.Duration
		want float64
	}{
		{"all busy time is ours", machine{14 * time.Second, 110 * time.Second}, 4 * time.Second, 0},
		{"half of it", machine{14 * time.Second, 110 * time.Second}, 2 * time.Second, 0.2},
		{"rounding never makes it negative", machine{11 * time.Second, 110 * time.Second}, 2 * time.Second, 0},
		{"no clock has moved", from, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := others(from, test.to, test.own); !same(got, test.want) {
				t.Errorf("others = %v, want %v", got, test.want)
			}
		})
	}
}

func TestScenariosByName(t *testing.T) {
	if all, err := findScenarios("all"); err != nil || len(all) != 4 {
		t.Errorf("all: %d scenarios, %v", len(all), err)
	}
	if two, err := findScenarios("open-8,keyless"); err != nil || len(two) != 2 || two[0].name != "open-8" {
		t.Errorf("two: %v, %v", two, err)
	}
	if _, err := findScenarios("nosuch"); err == nil {
		t.Error("an unknown scenario is no error")
	}
}

// Every plan must be one that the workers accept.
func TestPlansAreValid(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			o := &options{acks: "1", partitions: 12, size: 100, duration: time.Second, brokers: []string{"127.0.0.1:9092"}}
			plan := s.plan(o)
			if err := plan.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A client that does nothing has latencies of 0, and ratios to it are infinite.
func TestReportHasWhatJSONHasNot(t *testing.T) {
	r := rounds{"null": {run(map[string]float64{metricP50: 0, metricP99: math.Inf(1), metricRate: 5})}}
	r["null"][0].result = &bench.Result{}
	verdicts := []verdict{{Metric: metricRate, Got: figure(math.Inf(1))}, {Metric: metricCPU, Got: 2.5}}
	file, err := save(t.TempDir(), time.Now(), &scenario{name: "n"}, bench.Config{}, r, verdicts)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Clients map[string]struct{ Median, Spread map[string]*float64 }
		Goals   []struct{ Got *float64 }
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	m, s := got.Clients["null"].Median, got.Clients["null"].Spread
	if m[metricRate] == nil || *m[metricRate] != 5 || m[metricP50] == nil || *m[metricP50] != 0 {
		t.Errorf("medians %v, want a rate of 5 and a p50 of 0", m)
	}
	if _, there := m[metricP99]; !there || m[metricP99] != nil || m[metricCPU] != nil || s[metricP50] != nil {
		t.Errorf("medians %v and spreads %v, want null for what is infinite, unknown or 0/0", m, s)
	}
	if got.Goals[0].Got != nil || got.Goals[1].Got == nil {
		t.Errorf("goals %v, want null and 2.5", got.Goals)
	}
	if n := number(math.Inf(1), 0) + percent(math.Inf(-1)); n != "––" {
		t.Errorf("in the table: %q, want dashes", n)
	}
}

// Every name that the help lists is known, and has a program.
func TestWorkersByName(t *testing.T) {
	for name := range strings.SplitSeq(clientNames+", mine=/opt/worker", ", ") {
		t.Run(name, func(t *testing.T) {
			got, err := workers("bin", []string{name})
			if err != nil || len(got) != 1 || len(got[0].command) == 0 {
				t.Fatalf("%v, %v", got, err)
			}
			if target := packageOf(name); target != "" && filepath.Base(target) != filepath.Base(got[0].command[0]) {
				t.Errorf("%s is built, and %s started", target, got[0].command[0])
			}
		})
	}
	if _, err := workers("bin", []string{"nosuch"}); err == nil {
		t.Error("an unknown client is no error")
	}
}

// A program that is not there, or says that it can not work here, is skipped;
// any other failure is one.
func TestMeasureSkips(t *testing.T) {
	for _, test := range []struct {
		name     string
		command  []string
		optional bool
		skipped  bool
	}{
		{"says so", []string{"sh", "-c", "exit 6"}, false, true},
		{"is missing", []string{filepath.Join(t.TempDir(), "nosuch")}, true, true},
		{"is missing, and named by the user", []string{filepath.Join(t.TempDir(), "nosuch")}, false, false},
		{"fails", []string{"sh", "-c", "exit 1"}, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := worker{name: "w", command: test.command, optional: test.optional}
			_, _, err := w.measure(t.Context(), bench.Config{})
			if err == nil || errors.Is(err, errSkipped) != test.skipped {
				t.Errorf("error %v, want skipped %v", err, test.skipped)
			}
		})
	}
}
