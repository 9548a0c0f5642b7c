package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/compare"
)

// TestRatesToThePage: a client that takes 8000 records per second at most is
// saturated at the second rate and not asked at the third; report shows that in
// a page, a chart and a Markdown section, and --check finds what is stale.
func TestRatesToThePage(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "c1")
	code, stdout, stderr := whole(t, "compare", "--client", "slow="+script(t, faultRole, "slow")+",instant="+script(t, faultRole, "instant"),
		"--rates", "500,50k..100k", "--runs", "1", "-d", "300ms", "--warmup", "0s", "--max-lag", "1m", "-o", out)
	if code != bench.ExitOK || !strings.Contains(stderr, "plan   3 rates, 2 clients, 1 rounds: at most") || !strings.Contains(stderr, "slow       is saturated: it reached") {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	for _, want := range []string{"offered", "500/s", "SATURATED: it reached", "Settings, as"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
	r, err := compare.Load(filepath.Join(out, "curve.json"))
	if err != nil {
		t.Fatal(err)
	}
	// On a machine with much else to do it may happen at the first rate.
	if curves := r.Curves("open-8"); len(curves) != 2 || len(curves[0].Points) > 2 || curves[0].Saturated == "" {
		t.Errorf("curves %+v", curves)
	}

	page, html, charts := filepath.Join(dir, "PAGE.md"), filepath.Join(dir, "c.html"), filepath.Join(dir, "charts")
	if err := os.WriteFile(page, []byte("<!-- kbench:begin curve c1/curve.json -->\n<!-- kbench:end curve -->\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	report := func(want int, args ...string) {
		t.Helper()
		if code, stdout, stderr := kbench(t, append([]string{"report"}, args...)...); code != want {
			t.Fatalf("report %v: exit code %d, want %d\n%s%s", args, code, want, stdout, stderr)
		}
	}
	report(bench.ExitRuntime, "--md", page, "--svg", charts, "--check")
	report(bench.ExitOK, "--md", page, "--svg", charts)
	report(bench.ExitOK, "--md", page, "--svg", charts, "--check")
	report(bench.ExitOK, out, "--html", html)
	report(bench.ExitOK, filepath.Join(out, "curve.json"), "--svg", filepath.Join(dir, "more"))
	report(bench.ExitUsage, out, "--format", "gobench")
	for file, want := range map[string]string{
		page: "**saturated**", html: "saturated: it reached", filepath.Join(charts, "p99-by-rate-open-8-light.svg"): "saturated",
		filepath.Join(dir, "more", "p99-by-rate-open-8-dark.svg"): "saturated",
	} {
		if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v, want %q in it", file, err, want)
		}
	}
	stored := filepath.Join(out, "curve.json")
	text, err := os.ReadFile(stored)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stored, []byte(strings.Replace(string(text), `"rounds": 1`, `"rounds": 2`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	report(bench.ExitRuntime, "--md", page, "--svg", charts, "--check")
}

// TestEmbeddedThroughput: the flag reaches the broker.
func TestEmbeddedThroughput(t *testing.T) {
	code, stdout, stderr := kbench(t, "run", "-n", "2000", "-s", "1000", "--embedded-throughput", "10MB", "--in-process", "--format", "json", "-q", "--linger", "0")
	if code != bench.ExitOK {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	// 2 MB take 200 ms, of which 100 ms can be made up for.
	if window := windowOf(t, stdout); window < 90e6 {
		t.Errorf("2 MB at 10 MB/s took %d ns", window)
	}
}

func windowOf(t *testing.T, text string) int64 {
	t.Helper()
	var r bench.Result
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	return r.Totals.WindowNs
}
