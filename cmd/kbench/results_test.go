package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/schema"
	"golang.org/x/perf/benchfmt"
)

// measured runs kbench into folders below dir, for the commands that read them.
func measured(t *testing.T, n int, args ...string) []string {
	t.Helper()
	dir := t.TempDir()
	var paths []string
	for i := range n {
		path := filepath.Join(dir, fmt.Sprint(i))
		all := append([]string{"run", "--in-process", "-q", "-o", path, "-i", "20ms", "--max-lag", "1m"}, args...)
		if code, stdout, stderr := kbench(t, all...); code != bench.ExitOK {
			t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
		}
		paths = append(paths, path)
	}
	return paths
}

func TestRunMatchesItsSchema(t *testing.T) {
	for _, args := range []string{
		"-n 5k", "-r 20k -d 200ms --warmup 50ms --slo p99(response)<1ns --latency-sample 3", "-n 100 --verify none --acks 0 --keys zipf:10,1.1",
	} {
		code, stdout, stderr := kbench(t, strings.Fields("run --in-process -q --format json --max-lag 1m "+args)...)
		if stdout == "" {
			t.Fatalf("%s: exit code %d, %s", args, code, stderr)
		}
		if err := schema.Validate(strings.NewReader(stdout)); err != nil {
			t.Errorf("%s: %v", args, err)
		}
	}
	dir := measured(t, 1, "-r", "20k", "-d", "200ms")[0]
	file := filepath.Join(dir, "result.json")
	if code, stdout, stderr := kbench(t, "schema", file); code != bench.ExitOK || !strings.Contains(stdout, ": ok") {
		t.Errorf("schema: %d, %q, %q", code, stdout, stderr)
	}
	for _, name := range []string{"intervals.csv", "latency.hlog", "response.hgrm"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() < 100 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if code, stdout, _ := kbench(t, "schema"); code != bench.ExitOK || !json.Valid([]byte(stdout)) {
		t.Errorf("schema: %d, %q", code, stdout)
	}
}

func TestHistCommands(t *testing.T) {
	paths := measured(t, 2, "-r", "20k", "-d", "200ms")
	merged := filepath.Join(t.TempDir(), "all.hlog")
	code, stdout, stderr := kbench(t, "hist", "merge", "-o", merged, paths[0], filepath.Join(paths[1], "latency.hlog"))
	if code != bench.ExitOK || !strings.Contains(stdout, "response") {
		t.Fatalf("exit code %d, %q, %q", code, stdout, stderr)
	}
	list, span, err := bench.ReadDistributions(merged)
	if err != nil {
		t.Fatal(err)
	}
	want := uint64(0)
	for _, path := range paths {
		r, err := bench.ReadResult(path)
		if err != nil {
			t.Fatal(err)
		}
		want += r.Latency.Response.N
	}
	if list[0].Name != "response" || list[0].Count() != want || !span.To.After(span.From) {
		t.Errorf("%d values of %s in %v, want %d", list[0].Count(), list[0].Name, span, want)
	}
	for _, tc := range []struct{ format, want string }{
		{"human", "HISTOGRAM"},
		{"csv", "response,0.5,"},
		{"json", `"value_ns"`},
		{"hgrm", "1/(1-Percentile)"},
	} {
		code, stdout, stderr := kbench(t, "hist", "print", "--tag", "response", "--format", tc.format, merged)
		if code != bench.ExitOK || !strings.Contains(stdout, tc.want) || strings.Contains(stdout, "service") {
			t.Errorf("%s: exit code %d, %q, %q", tc.format, code, stdout, stderr)
		}
	}
}

func TestDiffCommand(t *testing.T) {
	a, b := measured(t, 4, "-n", "5k", "-s", "100"), measured(t, 4, "-n", "5k", "-s", "100")
	args := append(append(append([]string{"diff"}, a...), "--"), b...)
	code, stdout, stderr := kbench(t, append(args, "--metrics", "p99,cpu")...)
	if code != bench.ExitOK || !strings.Contains(stdout, "n=4+4") || !strings.Contains(stdout, "CPU per record") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	// Two folders of results are the same.
	code, stdout, stderr = kbench(t, "diff", filepath.Dir(a[0]), filepath.Dir(b[0]), "--format", "json")
	var report struct {
		Rows []struct{ Metric string } `json:"rows"`
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || code != bench.ExitOK || len(report.Rows) != 5 {
		t.Errorf("exit code %d, %v: %s%s", code, err, stdout, stderr)
	}
	// Every run of the other side costs a hundred times as much.
	for _, path := range b {
		file := filepath.Join(path, "result.json")
		r, err := bench.ReadResult(file)
		if err != nil {
			t.Fatal(err)
		}
		r.Cost.CPUPerRecordNs *= 100
		var text bytes.Buffer
		if err := bench.WriteJSON(&text, r); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, stdout, stderr = kbench(t, append(args, "--fail-on", "cpu>+10%")...)
	if code != bench.ExitSLO || !strings.Contains(stdout, "FAILED  cpu>+10%") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	other := measured(t, 4, "-n", "5k", "-s", "101")
	code, _, stderr = kbench(t, append([]string{"diff", a[0], a[1], a[2], a[3], "--"}, other...)...)
	if code != bench.ExitUsage || !strings.Contains(stderr, "size differs: fixed:100 and fixed:101") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

func TestGobenchFormats(t *testing.T) {
	paths := measured(t, 2, "-n", "5k")
	code, one, stderr := kbench(t, "run", "--in-process", "-q", "-n", "5k", "--format", "gobench")
	if code != bench.ExitOK {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	code, two, stderr := kbench(t, append([]string{"report", "--format", "gobench"}, paths...)...)
	if code != bench.ExitOK {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	for _, tc := range []struct {
		text string
		want int
	}{{one, 1}, {two, 2}} {
		reader, n := benchfmt.NewReader(strings.NewReader(tc.text), "test"), 0
		for reader.Scan() {
			switch r := reader.Result().(type) {
			case *benchfmt.SyntaxError:
				t.Errorf("%v in\n%s", r, tc.text)
			case *benchfmt.Result:
				n++
				if r.Iters != 5000 || !strings.HasPrefix(string(r.Name), "Kbench/client=kring/acks=all/size=100/rate=max/") {
					t.Errorf("%s %d", r.Name, r.Iters)
				}
			}
		}
		if n != tc.want {
			t.Errorf("%d lines, want %d:\n%s", n, tc.want, tc.text)
		}
	}
}

func TestReportCommand(t *testing.T) {
	paths := measured(t, 1, "-r", "20k", "-d", "200ms")
	dir := t.TempDir()
	page, charts, md := filepath.Join(dir, "out.html"), filepath.Join(dir, "charts"), filepath.Join(dir, "PAGE.md")
	if err := os.WriteFile(md, []byte("<!-- kbench:begin results -->\n<!-- kbench:end results -->\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"report", paths[0], "--md", md, "--svg", charts}
	if code, _, stderr := kbench(t, append(args, "--check")...); code != bench.ExitRuntime || !strings.Contains(stderr, "PAGE.md is stale") {
		t.Errorf("a page that is not made yet: exit code %d, %q", code, stderr)
	}
	if code, _, stderr := kbench(t, append(args, "--html", page)...); code != bench.ExitOK {
		t.Fatalf("exit code %d, %q", code, stderr)
	}
	for _, name := range []string{page, filepath.Join(charts, "percentiles-light.svg")} {
		if info, err := os.Stat(name); err != nil || info.Size() < 1000 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if code, _, stderr := kbench(t, append(args, "--check")...); code != bench.ExitOK {
		t.Errorf("a page that was just made: exit code %d, %q", code, stderr)
	}
}

func TestResultUsageErrors(t *testing.T) {
	dir := t.TempDir()
	notAResult := filepath.Join(dir, "x.json")
	if err := os.WriteFile(notAResult, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args string
		code int
		text string
	}{
		{"diff", bench.ExitUsage, "files"},
		{"diff a b c", bench.ExitUsage, "OLD... -- NEW..."},
		{"diff -- a", bench.ExitUsage, "OLD... -- NEW..."},
		{"diff nowhere nothing", bench.ExitUsage, "nowhere"},
		{"diff a b --fail-on p99", bench.ExitUsage, "--fail-on"},
		{"diff a b --metrics speed", bench.ExitUsage, "--metrics"},
		{"diff a b --alpha 2", bench.ExitUsage, "--alpha"},
		{"report", bench.ExitUsage, "nothing to do"},
		{"report --html x.html", bench.ExitUsage, "name results"},
		{"report nowhere --html x.html", bench.ExitUsage, "nowhere"},
		{"report --check --format gobench", bench.ExitUsage, "--check needs --md"},
		{"report --md nowhere.md", bench.ExitUsage, "nowhere.md"},
		{"hist", bench.ExitUsage, "print"},
		{"hist print nowhere", bench.ExitUsage, "nowhere"},
		{"hist merge x", bench.ExitUsage, "--out"},
		{"schema nowhere", bench.ExitUsage, "nowhere"},
		{"schema " + notAResult, bench.ExitRuntime, "missing properties"},
		{"report --html x.html " + notAResult, bench.ExitUsage, "want kbench.result/v1"},
		{"report --html x.html " + t.TempDir(), bench.ExitUsage, "holds no result"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			code, stdout, stderr := kbench(t, strings.Fields(tc.args)...)
			if code != tc.code || !strings.Contains(stderr, tc.text) || strings.Count(stderr, "\n") != 1 || stdout != "" {
				t.Errorf("exit code %d, %q, %q; want %d and one line with %q", code, stdout, stderr, tc.code, tc.text)
			}
		})
	}
}

func TestResultHelp(t *testing.T) {
	for _, command := range []string{"diff", "report", "hist", "schema"} {
		code, stdout, stderr := kbench(t, command, "--help")
		if code != bench.ExitOK || stderr != "" || !strings.Contains(stdout, "Examples:") || !strings.Contains(stdout, "kbench "+command) {
			t.Errorf("%s --help: exit code %d, %q\n%s", command, code, stderr, stdout)
		}
	}
}
