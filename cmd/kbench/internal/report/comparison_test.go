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

// compared stores a comparison of kring, java and a bound in one scenario.
func compared(t *testing.T, path string, kring compare.Figure) {
	t.Helper()
	row := func(metric string, median, ratio compare.Figure, verdict string) compare.Row {
		return compare.Row{Metric: metric, Title: metric, Median: median, Spread: 0.05, Ratio: ratio, P: 0.01, Adjusted: 0.02, Verdict: verdict}
	}
	client := func(name string, bound bool, cpu, rate compare.Figure) compare.ClientReport {
		return compare.ClientReport{
			Name: name, Version: "v1", GitSHA: "abc", Lang: "go1", Bound: bound, Runs: 10, Others: 0.01,
			Props: map[string]string{"acks": "1", "compression.type": "lz4"},
			Rows:  []compare.Row{row("rate", rate, rate/1e6, "better"), row("cpu", cpu, cpu/1000, "~")},
		}
	}
	failed := compare.ClientReport{Name: "broken", Failed: "it | broke"}
	plan := bench.Config{Mode: bench.ModeClosed, Duration: 2500 * time.Millisecond, Warmup: time.Second, Sizes: bench.FixedSize(1000)}
	plan.Settings.Compression = "lz4"
	r := &compare.Report{
		Schema: compare.SchemaName, Started: "2026-01-02T03:04:05Z", Command: []string{"kbench", "compare", "--client", "a b"}, Base: "java",
		Rounds: 10, Valid: true, Notes: []string{"a note"}, Skipped: []compare.Skip{{Client: "librdkafka", Why: "no cgo"}},
		Env: bench.EnvInfo{CPUs: 2, CPUModel: "Model", Kernel: "6.1"}, Broker: bench.BrokerInfo{Embedded: true, Colocated: true},
		Scenarios: []compare.ScenarioReport{{
			Name: "lz4-1k", About: "1 KB of text", Plan: plan,
			Clients: []compare.ClientReport{client("kring", false, kring, 2e6), client("java", false, 1000, 1e6), client("rawlimit", true, 1, 9e6), failed},
			Goals:   []compare.Verdict{{Metric: "rate", Against: []string{"java"}, Want: "≥ 3", Got: 2, Met: false}},
		}},
	}
	var text bytes.Buffer
	if err := r.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestComparisonBlocks: each kind shows what it is for, and the same again.
func TestComparisonBlocks(t *testing.T) {
	dir := t.TempDir()
	compared(t, filepath.Join(dir, "compare.json"), 1040)
	m := Markdown{Path: filepath.Join(dir, "PAGE.md"), Charts: filepath.Join(dir, "charts")}
	for _, tc := range []struct {
		kind string
		want []string
		not  string
	}{
		{"summary", []string{"kring beside java", "| lz4-1k | 2.00 better | 1.04 ~ | – |", "**VALID**. a note."}, "rawlimit"},
		{"comparison", []string{
			"### lz4-1k: How much text, compressed with lz4, and at what price?", "1 KB of text.", "| kring | 2.00M/s ± 5 % | 2.00 | 0.020 better |",
			"| rawlimit (no client) |", `| broken | it \| broke |`, "it is 2.000: missed", "librdkafka was skipped: no cgo",
		}, "old"},
		{"losses", []string{"- lz4-1k, cpu: java has 1000ns, kring 1040ns (their runs overlap).", "- lz4-1k, rate: 2.000 × that of java; the goal is ≥ 3."}, "rawlimit"},
		{"parity", []string{"<summary>lz4-1k</summary>", "| compression | lz4 | lz4 | lz4 |", "| acks | 1 |"}, "broken"},
		{"method", []string{"2026-01-02: 10 rounds, in turn, 1 scenario of 2.5 s after 1 s", "2 × Model, Linux 6.1", "discard broker", "- kring v1 (abc), go1."}, "rawlimit"},
		{"reproduce", []string{"kbench compare --client 'a b'"}, "old"},
		{"bars", []string{`srcset="charts/cpu-lz4-1k-dark.svg"`, "kring: 1040ns."}, "old"},
	} {
		t.Run(tc.kind, func(t *testing.T) {
			text := fmt.Sprintf("<!-- kbench:begin %s *.json -->\nold\n<!-- kbench:end %s -->\n", tc.kind, tc.kind)
			got, err := m.Update(text)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tc.want {
				if !strings.Contains(strings.ReplaceAll(got, "2.0M/s", "2.00M/s"), want) {
					t.Errorf("%q is not in\n%s", want, got)
				}
			}
			if strings.Contains(got, tc.not) {
				t.Errorf("%q is in\n%s", tc.not, got)
			}
			if again, err := m.Update(got); err != nil || again != got {
				t.Errorf("a second time it differs (%v):\n%s", err, again)
			}
		})
	}
	if len(m.Drawn) == 0 || WriteCharts(m.Charts, m.Drawn) != nil || CheckCharts(m.Charts, m.Drawn) != nil {
		t.Errorf("%d charts were drawn, or differ from themselves", len(m.Drawn))
	}
	compared(t, filepath.Join(dir, "compare.json"), 2000)
	if got, err := m.Update("<!-- kbench:begin losses *.json -->\n<!-- kbench:end losses -->\n"); err != nil || strings.Contains(got, "overlap") {
		t.Errorf("twice as much lies within the spread: %v\n%s", err, got)
	}
}

func TestComparisonBlocksNeedFiles(t *testing.T) {
	dir := t.TempDir()
	compared(t, filepath.Join(dir, "compare.json"), 1000)
	if err := os.WriteFile(filepath.Join(dir, "other.json"), []byte(`{"schema":"x"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	m := Markdown{Path: filepath.Join(dir, "PAGE.md")}
	for head, want := range map[string]string{
		"summary": "names no compare.json", "summary no*": "nothing matches", "summary other.json": "want kbench.compare/v1",
		"bars compare.json": "needs --svg",
	} {
		kind, _, _ := strings.Cut(head, " ")
		_, err := m.Update(fmt.Sprintf("<!-- kbench:begin %s -->\n<!-- kbench:end %s -->\n", head, kind))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", head, err, want)
		}
	}
}
