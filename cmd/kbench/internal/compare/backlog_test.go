package compare

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring/bench"
)

// holding is a run with a full buffer, of a client whose memory is Go's or not.
func holding(s bench.Session, seed uint64) *bench.Result {
	r := result(source(seed), s.Library.Name, 1)
	r.Workload.Mode, r.Totals.RateAchieved = bench.ModeClosed, 200_000
	r.Latency.Service = &bench.Latency{Mean: 2_000_000_000}
	r.Totals.Bytes = 100 * r.Totals.Sent
	r.Cost.RSSPeakBytes, r.Cost.CPUUserNs = 100<<20+int64(seed), 1e9
	if s.Library.Name == "c" {
		return r
	}
	pauses, cpu, live := int64(3_000_000), int64(1e8), int64(70<<20)
	r.Cost.GCCount, r.Cost.GCPauseMaxNs, r.Cost.AllocsPerRecord = 4, 1_000_000, 0.5
	r.Cost.GCPauseTotalNs, r.Cost.GCCPUNs, r.Cost.HeapLiveBytes = &pauses, &cpu, &live
	if s.Library.Name == "b" {
		r.Cost.AllocsPerRecord, r.Cost.RSSPeakBytes = 3, 3*r.Cost.RSSPeakBytes
	}
	return r
}

// TestBacklog: what clients and broker are told, what the table shows of those
// that know their memory and of those that do not, and which differences are
// asked about: with five rounds a difference must still be found.
func TestBacklog(t *testing.T) {
	list, err := FindScenarios("backlog")
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(0)
	o := options(5, func(_ context.Context, s bench.Session) (*bench.Result, error) {
		if s.Config.Settings.BufferBytes != 64<<20 || s.Embedded.Throughput != 20e6 || s.Config.Duration != 10*time.Second || s.Config.Warmup != 5*time.Second {
			t.Errorf("plan %+v on %+v", s.Config, s.Embedded)
		}
		seed++
		return holding(s, seed), nil
	}, "a", "b", "c", "rawlimit")
	o.Scenarios = list
	if got := o.Estimate(); got != 3*5*16*time.Second {
		t.Errorf("estimated %v", got)
	}
	report := mustRun(t, o)
	if n := len(report.Scenarios[0].Clients); n != 3 {
		t.Fatalf("%d clients", n)
	}
	verdicts := map[string]string{}
	for _, row := range report.Scenarios[0].Clients[1].Rows {
		verdicts[row.Metric] = row.Verdict
	}
	if verdicts["rss"] != "worse" || verdicts["allocs"] != "worse" || verdicts["gccpu"] != "~" || verdicts["rate"]+verdicts["heap"]+verdicts["gc"]+verdicts["backlog"] != "" {
		t.Errorf("verdicts %v", verdicts)
	}
	for _, row := range report.Scenarios[0].Clients[2].Rows {
		if unknown := slices.Contains([]string{"heap", "gc", "gcpause", "gctotal", "gccpu", "allocs"}, row.Metric); unknown != math.IsNaN(float64(row.Median)) {
			t.Errorf("c has %v of %s", row.Median, row.Metric)
		}
	}
	var text bytes.Buffer
	if err := report.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"70.0 MiB", "GC cycles", "3.00ms", "10.0 %", "n/a", "300.0 MiB ± 0 % (3.00 worse)", "38.1 MiB"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, &text)
		}
	}
	o.Brokers, o.Messages = []string{"127.0.0.1:1"}, &text
	report = mustRun(t, o)
	if len(report.Scenarios) != 0 || len(report.Notes) != 1 || !strings.Contains(report.Notes[0], "backlog was left out") {
		t.Errorf("on a cluster: %+v", report)
	}
}

// fieldsOf lists every key of a JSON document as path and kind.
func fieldsOf(path string, v any, out map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			if !strings.HasSuffix(path, ".props") && !strings.HasSuffix(path, ".plan") && path != ".env" && path != ".broker" {
				fieldsOf(path+"."+key, inner, out)
			}
		}
		if path != "" {
			out[path] = "object"
		}
	case []any:
		if out[path] = "array"; len(v) > 0 {
			fieldsOf(path+"[]", v[0], out)
		}
	case string:
		out[path] = "string"
	case bool:
		out[path] = "boolean"
	case float64:
		out[path] = "number"
	case nil:
		out[path] = "null"
	}
}

// TestCompareSchema holds kbench.compare/v1 to what was published: it may gain
// fields, and no consumer may lose one. Its parts plan, env and broker are those
// of a run.
func TestCompareSchema(t *testing.T) {
	o := rated(t, 5, []int64{10_000}, func(_ bench.Session, r *bench.Result) (*bench.Result, error) { return r, nil }, "a", "b")
	o.Clients = append(o.Clients, Client{Name: "c", Skipped: "none"})
	report := mustRun(t, o)
	report.Scenarios[0].Clients = report.Scenarios[0].Clients[1:]
	report.Scenarios[0].Goals = []Verdict{{Metric: "p50", Against: []string{"a"}, Want: "≤ 1", Got: 1, Met: true}}
	var text bytes.Buffer
	if err := report.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(text.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{}
	fieldsOf("", doc, fields)
	var lines []string
	for path, kind := range fields {
		lines = append(lines, path+" "+kind)
	}
	slices.Sort(lines)
	published, err := os.ReadFile(filepath.Join("testdata", "compare.v1.fields"))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(published)), "\n")
	for _, line := range want {
		if !slices.Contains(lines, line) {
			t.Errorf("%s is missing: consumers of v1 rely on it", line)
		}
	}
	for _, line := range lines {
		if !slices.Contains(want, line) {
			t.Errorf("testdata/compare.v1.fields does not list %s", line)
		}
	}
}

// TestOldComparisons: a file from before rates is read as it was.
func TestOldComparisons(t *testing.T) {
	for _, name := range []string{"peers", "scenarios"} {
		path := filepath.Join("..", "..", "..", "..", "bench", "results", name, "compare.json")
		if _, err := os.Stat(path); os.IsNotExist(err) {
			continue // It has given way to others.
		}
		r, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if r.IsCurve() || len(r.Workloads()) > 0 || len(r.Scenarios) == 0 {
			t.Errorf("%s: %v, %d scenarios", path, r.Workloads(), len(r.Scenarios))
		}
	}
	path := filepath.Join(t.TempDir(), "compare.json")
	if err := os.WriteFile(path, []byte(`{"schema":"kbench.compare/v1","scenarios":[{"name":"x","clients":[{"name":"a"}]}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := Load(path); err != nil || r.IsCurve() || r.Scenarios[0].Throughput != 0 || r.Scenarios[0].Clients[0].Saturated != "" {
		t.Errorf("%v, %+v", err, r)
	}
}
