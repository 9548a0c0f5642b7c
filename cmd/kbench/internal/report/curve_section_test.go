package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/compare"
)

// atRates stores a comparison at 10k, 20k and 40k/s, in which franz-go is better
// at 20k and goes further than kring, and sarama ends at 20k.
func atRates(t *testing.T, path string, nodes int) *compare.Report {
	t.Helper()
	version := "4.3.1"
	r := &compare.Report{
		Schema: compare.SchemaName, Started: "2026-01-02T03:04:05Z", Command: []string{"kbench", "compare", "--rates", "10k..40k"}, Base: "franz-go",
		Rounds: 5, Valid: true, Broker: bench.BrokerInfo{Embedded: nodes == 0, Nodes: nodes},
	}
	if nodes > 0 {
		r.Broker.Version = &version
	}
	p99 := map[string][]compare.Figure{"kring": {1e6, 3e6, 9e8}, "franz-go": {2e6, 1e6, 5e6}, "sarama": {3e6, 8e8}}
	ends := map[string]int{"kring": 2, "sarama": 1}
	for i, rate := range []int64{10_000, 20_000, 40_000} {
		s := compare.ScenarioReport{Name: "open-8@" + compare.RateName(rate), Of: "open-8", About: compare.RateName(rate) + " records/s, 100 B, linger 0"}
		s.Plan = bench.Config{Mode: bench.ModeOpen, Rate: rate, Duration: time.Second, Warmup: time.Second, Sizes: bench.FixedSize(100)}
		for _, name := range []string{"kring", "franz-go", "sarama"} {
			if i >= len(p99[name]) {
				continue
			}
			row := func(metric string, median compare.Figure) compare.Row {
				return compare.Row{Metric: metric, Title: metric, Median: median, Spread: 0.05, Ratio: 1.5, Verdict: "worse"}
			}
			c := compare.ClientReport{Name: name, Runs: 5, Rows: []compare.Row{
				row("rate", compare.Figure(rate)), row("p50", 1e5), row("p99", p99[name][i]), row("p999", 2*p99[name][i]), row("cpu", 500),
			}}
			if name == "kring" {
				c.Rows[0].Median-- // Whoever reaches a rate has reached it.
			}
			if end, ok := ends[name]; ok && end == i {
				c.Rows[4].Median = 400 // What is saturated may well be cheap.
				c.Saturated, c.Rows[0].Median = "it reached 50 % of the rate", compare.Figure(rate/2)
			}
			s.Clients = append(s.Clients, c)
		}
		r.Scenarios = append(r.Scenarios, s)
	}
	var text bytes.Buffer
	if err := r.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := compare.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// contains looks for all of want in got, and for none of not.
func contains(t *testing.T, got string, want, not []string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%q is not in\n%s", w, got)
		}
	}
	for _, n := range not {
		if strings.Contains(got, n) {
			t.Errorf("%q is in\n%s", n, got)
		}
	}
}

func TestCurveSection(t *testing.T) {
	dir := t.TempDir()
	atRates(t, filepath.Join(dir, "curve.json"), 0)
	m := Markdown{Path: filepath.Join(dir, "PAGE.md"), Charts: filepath.Join(dir, "charts")}
	page := "<!-- kbench:begin curve ?*/curve.json curve.json -->\n<!-- kbench:end curve -->\n"
	got, err := m.Update(page)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, got, []string{
		"## At which rate does who become late, with the discard broker?", "The workload of open-8 (100 B, linger 0) on a timetable: 5 rounds of 1 s",
		"| offered | kring | franz-go | sarama |", "| 10k/s | 1.00ms ± 5 % (1.50 worse) |", "800ms ± 5 % (1.50 worse), **saturated** |", "| 40k/s | 900ms ± 5 % (1.50 worse), **saturated** | 5.00ms ± 5 % (1.50 worse) | – |",
		"saturated: it reached 50 % of the rate |", `src="charts/p99-by-rate-open-8-light.svg"`, "sarama at 20.0k/s: 800ms, saturated.",
		"- open-8@20k, p99: franz-go has 1.00ms, kring 3.00ms.", "- open-8: franz-go still takes 40k/s, kring 20k/s.",
		"kbench compare --rates 10k..40k\n",
	}, []string{"kafka", "open-8@40k, p99", "sarama has", "@20k, rate", "@10k, rate"})
	if again, err := m.Update(got); err != nil || again != got {
		t.Errorf("a second time it differs: %v", err)
	}
	if err := WriteCharts(m.Charts, m.Drawn); err != nil {
		t.Fatal(err)
	}
	svg, err := os.ReadFile(filepath.Join(m.Charts, "p99-by-rate-open-8-dark.svg"))
	if err != nil || !bytes.Contains(svg, []byte("open-8, the discard broker")) || CheckCharts(m.Charts, m.Drawn) != nil {
		t.Errorf("the chart: %v", err)
	}
	// The same workload elsewhere has a section and a chart of its own; in the same place it can not.
	if err := os.Mkdir(filepath.Join(dir, "kafka-3"), 0o700); err != nil {
		t.Fatal(err)
	}
	atRates(t, filepath.Join(dir, "kafka-3", "curve.json"), 3)
	if got, err = m.Update(page); err != nil {
		t.Fatal(err)
	}
	contains(t, got, []string{"with Apache Kafka 4.3.1 with 3 nodes?", "p99-by-rate-open-8-kafka-3-light.svg", "make kafka-up KAFKA_NODES=3\nkbench compare"}, nil)
	other := atRates(t, filepath.Join(dir, "other.json"), 0)
	other.Scenarios = other.Scenarios[:2]
	var text bytes.Buffer
	if err := other.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "other.json"), text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err = m.Update(strings.Replace(page, " curve.json", " curve.json other.json", 1)); err == nil || !strings.Contains(err.Error(), "have the chart p99-by-rate-open-8") {
		t.Errorf("two curves with one name: %v", err)
	}
	m.Charts = ""
	if _, err = m.Update(page); err == nil || !strings.Contains(err.Error(), "needs --svg") {
		t.Errorf("without a folder for charts: %v", err)
	}
}

func TestClusterSection(t *testing.T) {
	dir := t.TempDir()
	compared(t, filepath.Join(dir, "compare.json"), 1040)
	r, err := compare.Load(filepath.Join(dir, "compare.json"))
	if err != nil {
		t.Fatal(err)
	}
	version := "4.3.1"
	r.Broker = bench.BrokerInfo{Version: &version, Nodes: 3, Colocated: true}
	r.Broker.Topic.Replication = 3
	r.Scenarios[0].Plan.Settings.Acks = "all"
	got := clusterSections([]*compare.Report{r})
	contains(t, got, []string{
		"## Apache Kafka 4.3.1 with 3 nodes, acks=all: does it hold", "with 3 replicas of each partition.", "processors that they share",
		"| lz4-1k | 2.00 better |", "### lz4-1k: How much text", "± 5 %", "### Where we lose against Apache Kafka 4.3.1 with 3 nodes, acks=all\n\n- lz4-1k, cpu: java has",
		"| acks | 1 |", "make kafka-up KAFKA_NODES=3\nkbench compare --client 'a b'\nmake kafka-down",
		"goal: rate of kring ≥ 3 × that of java",
	}, nil)
}

// TestOptionalFiles: what is not there yet leaves a block empty, and what is
// taken away is not in it.
func TestOptionalFiles(t *testing.T) {
	dir := t.TempDir()
	m := Markdown{Path: filepath.Join(dir, "PAGE.md"), Charts: filepath.Join(dir, "charts")}
	for _, kind := range comparisonKinds() {
		page := fmt.Sprintf("<!-- kbench:begin %s ?*/none.json -->\nold\n<!-- kbench:end %s -->\n", kind, kind)
		if got, err := m.Update(page); err != nil || kind != "reproduce" && strings.Contains(got, "old") {
			t.Errorf("%s: %v\n%s", kind, err, got)
		}
	}
	for _, name := range []string{"kafka-1", "peers"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		compared(t, filepath.Join(dir, name, "compare.json"), 1000)
	}
	for _, tc := range []struct {
		patterns string
		want     int
	}{
		{"*/compare.json", 2},
		{"*/compare.json !kafka-*/compare.json", 1},
		{"*/compare.json !none-*/compare.json", 2},
		{"?none-*/compare.json peers/compare.json peers/*.json", 1},
	} {
		if paths, err := m.match("summary", strings.Fields(tc.patterns)); err != nil || len(paths) != tc.want {
			t.Errorf("%s: %v, %v", tc.patterns, paths, err)
		}
	}
}

// TestCurvePage: the page of a curve alone, and beside runs.
func TestCurvePage(t *testing.T) {
	dir := t.TempDir()
	atRates(t, filepath.Join(dir, "curve.json"), 0)
	others, rates, err := Curves([]string{dir, filepath.Join(dir, "curve.json"), "x/result.json"})
	if err != nil || len(others) != 1 || others[0] != "x/result.json" || len(rates) != 2 {
		t.Fatalf("%v, %d, %v", others, len(rates), err)
	}
	var page bytes.Buffer
	if err := Page(&page, nil, rates[:1]); err != nil {
		t.Fatal(err)
	}
	contains(t, page.String(), []string{"<h1>p99 by offered rate: open-8</h1>", `id="curve"`, "<td>900ms ± 5 % (1.50 worse)</td>", "saturated: it reached 50 %", `"client":"sarama"`}, []string{`id="spectrum"`, "<h2>Runs</h2>"})
	page.Reset()
	if err := Page(&page, load(t, stored(t, "ours", 1000)...), rates); err != nil {
		t.Fatal(err)
	}
	contains(t, page.String(), []string{`id="spectrum"`, "<h2>Runs</h2>", `"client":"sarama, open-8"`}, nil)
	if err := os.WriteFile(filepath.Join(dir, "curve.json"), []byte(`{"schema":"kbench.compare/v1"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Curves([]string{dir}); err == nil || !strings.Contains(err.Error(), "has no rates") {
		t.Errorf("a comparison without rates: %v", err)
	}
}
