package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kring-go/kring/bench"
)

// TestCompressedRun: the flags reach the client, and every record is found again.
func TestCompressedRun(t *testing.T) {
	code, stdout, stderr := kbench(t, "run", "-n", "3000", "-s", "1000", "--payload", "text", "--compression", "zstd",
		"--in-process", "--max-lag", "1m", "--format", "json")
	var r bench.Result
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != bench.ExitOK {
		t.Fatalf("exit code %d, %v, %s", code, err, stderr)
	}
	if r.Client.Props["compression.type"] != "zstd" || r.Workload.Payload != bench.PayloadText || r.Verify.Read != 3000 {
		t.Errorf("settings %v, payload %q, %d read", r.Client.Props, r.Workload.Payload, r.Verify.Read)
	}
	if r.Totals.BatchBytes == nil || *r.Totals.BatchBytes > r.Totals.Bytes/2 {
		t.Errorf("batches of %v for %d bytes, want less than half", r.Totals.BatchBytes, r.Totals.Bytes)
	}
	if !strings.Contains(stderr, "1000 B of text, compressed with zstd") {
		t.Errorf("the plan: %s", stderr)
	}
}

// TestComparedPage: report writes the blocks of a comparison and their charts,
// and --check finds what is not theirs.
func TestComparedPage(t *testing.T) {
	dir := t.TempDir()
	text, err := os.ReadFile(filepath.Join("..", "..", "bench", "results", "sample", "compare.json"))
	if os.IsNotExist(err) {
		t.Skip("the sample has given way to results")
	}
	page, charts := filepath.Join(dir, "PAGE.md"), filepath.Join(dir, "charts")
	for name, content := range map[string][]byte{
		filepath.Join(dir, "compare.json"): text,
		page:                               []byte("by hand\n<!-- kbench:begin comparison compare.json -->\n<!-- kbench:end comparison -->\n<!-- kbench:begin bars *.json -->\n<!-- kbench:end bars -->\n"),
	} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want int, of string) {
		t.Helper()
		code, _, stderr := kbench(t, "report", "--md", page, "--svg", charts, "--check")
		if code != want || want != bench.ExitOK && !strings.Contains(stderr, of+" is stale") {
			t.Errorf("exit code %d, %q; want %d and %s", code, stderr, want, of)
		}
	}
	check(bench.ExitRuntime, "PAGE.md")
	if code, _, stderr := kbench(t, "report", "--md", page, "--svg", charts); code != bench.ExitOK {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	check(bench.ExitOK, "")
	written, err := filepath.Glob(filepath.Join(charts, "cpu-*-light.svg"))
	if err != nil || len(written) == 0 {
		t.Fatalf("charts %v, %v", written, err)
	}
	if err := os.WriteFile(written[0], []byte("<svg/>"), 0o600); err != nil {
		t.Fatal(err)
	}
	check(bench.ExitRuntime, filepath.Base(written[0]))
	altered := strings.Replace(string(text), `"runs": 2`, `"runs": 3`, 1)
	if err := os.WriteFile(filepath.Join(dir, "compare.json"), []byte(altered), 0o600); err != nil {
		t.Fatal(err)
	}
	check(bench.ExitRuntime, "PAGE.md")
}
