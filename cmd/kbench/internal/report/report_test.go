package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/runs"
)

// stored writes runs of a client at several rates, as kbench run -o does.
func stored(t *testing.T, client string, rates ...int64) []string {
	t.Helper()
	var paths []string
	for i, rate := range rates {
		r := &bench.Result{Schema: bench.SchemaName, RunID: bench.RunID(rate), Started: "2026-01-02T03:04:05Z", Valid: true}
		r.Command = []string{"kbench", "run", "--slo", "p99(response)<5ms", "-X", "client.id=</script><b>"}
		r.Client = bench.ClientInfo{Name: client, Version: "v1", Props: map[string]string{"acks": "all", client + ".only": "x|y"}}
		r.Workload = bench.WorkloadInfo{Mode: bench.ModeOpen, RateTarget: rate, Size: "fixed:100", Keys: "none", Senders: 4}
		r.Totals.Sent, r.Totals.Acked, r.Totals.RateAchieved = rate, rate, float64(rate)
		r.Cost.CPUPerRecordNs = 200 + float64(i)
		r.Events = []bench.Event{
			{TNs: 1e9, Kind: "fault", Detail: "reset, 2 connections cut"},
			{TNs: 2e9, Kind: "fault", Detail: "latency:50ms begins"},
			{TNs: 3e9, Kind: "fault", Detail: "latency:50ms ends"},
		}
		d := bench.NewDistribution("response", 1)
		for n := range 2000 {
			d.Record(int64(math.Exp(float64(n)/250) * 1e5 * float64(i+1)))
		}
		r.Latency.Response = d.Latency()
		name, hlog := "intervals.csv", "latency.hlog"
		r.Intervals, r.Hlog = &name, &hlog
		dir := filepath.Join(t.TempDir(), client)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := bench.WriteJSON(&text, r); err != nil {
			t.Fatal(err)
		}
		csv := "t_ns,phase,acked,failed,bytes,p50_ns,p99_ns,lag_p99_ns,cpu_ns\n" +
			"1000000000,warm-up,100,0,1,200000,300000,5000,500000000\n3000000000,run,400,0,1,0,0,0,1000000000\n"
		for file, content := range map[string]string{"result.json": text.String(), name: csv, hlog: "#log\n"} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		paths = append(paths, dir)
	}
	return paths
}

func load(t *testing.T, paths ...string) []runs.Run {
	t.Helper()
	list, err := runs.Load(paths)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestCollect(t *testing.T) {
	list := load(t, append(stored(t, "ours", 1000, 20_000), stored(t, "theirs", 1000)...)...)
	data, err := collect(list, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(data.Runs) != 3 || len(data.Curve) != 1 || data.Curve[0].Points[1][0] != 20_000 {
		t.Fatalf("%d runs, curves %+v", len(data.Runs), data.Curve)
	}
	spectrum := data.Runs[0].Spectra["response"]
	at := func(nine float64) float64 {
		for i, x := range data.Nines {
			if math.Abs(x-nine) < nine/1000 {
				return *spectrum[i]
			}
		}
		t.Fatalf("no point at %v", nine)
		return 0
	}
	l := list[0].Result.Latency.Response
	if at(100) != float64(l.P99)/1e6 || at(1000) != float64(l.P999)/1e6 || spectrum[len(spectrum)-1] != nil {
		t.Errorf("p99 %v, p99.9 %v; want those of %+v, and nothing beyond the last value", at(100), at(1000), l)
	}
	tl := data.Runs[0].Timeline
	if tl == nil || tl.Rate[1] != 200 || tl.CPU[1] != 0.5 || tl.P99[0] != 0.3 {
		t.Errorf("timeline %+v", tl)
	}
	if data.Runs[0].Hlog != "#log\n" || !json.Valid(data.Runs[0].Result) {
		t.Errorf("hlog %q", data.Runs[0].Hlog)
	}
	for _, bad := range []string{"t_ns,acked\n1,2\n", "t_ns\nx\n", "a,b\n1\n"} {
		if tl, err := parseTimeline(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, tl)
		}
	}
	if tl, err := parseTimeline("t_ns\n"); tl != nil || err != nil {
		t.Errorf("no interval: %+v, %v", tl, err)
	}
}

// TestPageIsSelfContained: whatever is in a result, the page stays one file,
// asks for nothing, and shows text as text.
func TestPageIsSelfContained(t *testing.T) {
	var page bytes.Buffer
	if err := Page(&page, load(t, stored(t, "ours", 1000)...), nil); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	for _, want := range []string{"VALID", "uPlot", "Leon Sorokin", "default-src 'none'", "download latency.hlog", "--slo &#39;p99(response)&lt;5ms&#39;"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
	for _, bad := range []string{"src=\"", "href=\"", "@import", "url(", "</script><b>", "fetch(", "XMLHttpRequest"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q is in the page", bad)
		}
	}
}

func TestCharts(t *testing.T) {
	list := load(t, append(stored(t, "ours", 1000, 20_000), stored(t, "theirs", 1000, 20_000)...)...)
	charts, err := Charts(list)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "charts")
	if err := WriteCharts(dir, charts); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"percentiles", "cpu", "p99-by-rate"} {
		for _, theme := range []string{"light", "dark"} {
			text, err := os.ReadFile(filepath.Join(dir, name+"-"+theme+".svg"))
			if err != nil {
				t.Fatal(err)
			}
			if len(text) > 100_000 || !strings.Contains(string(text), "<title>") {
				t.Errorf("%s-%s has %d bytes", name, theme, len(text))
			}
			if err := xml.Unmarshal(text, new(struct{})); err != nil {
				t.Errorf("%s-%s: %v", name, theme, err)
			}
		}
	}
	if err := CheckCharts(dir, charts); err != nil {
		t.Errorf("the same results gave other bytes: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cpu-dark.svg"), []byte("<svg/>"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CheckCharts(dir, charts); err == nil || !strings.Contains(err.Error(), "cpu-dark.svg is stale") {
		t.Errorf("%v", err)
	}
	if alt := charts[2].Alt; !strings.Contains(alt, "ours at 20.0k/s: ") {
		t.Errorf("the text for those who can not see it: %q", alt)
	}
}

func TestMarkdown(t *testing.T) {
	paths := append(stored(t, "ours", 1000, 20_000), stored(t, "theirs", 1000)...)
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "raw"), os.DirFS(paths[1])); err != nil {
		t.Fatal(err)
	}
	m := Markdown{Path: filepath.Join(dir, "PAGE.md"), Runs: load(t, paths...), Charts: filepath.Join(dir, "charts")}
	block := func(head, body string) string {
		return fmt.Sprintf("<!-- kbench:begin %s -->\n%s<!-- kbench:end %s -->\n", head, body, strings.Fields(head)[0])
	}
	text := "before\n" + block("results", "old\n") + "between\n" + block("results raw", "") + block("settings", "") +
		block("environment", "") + block("commands", "") + block("charts", "") + "after\n"
	got, err := m.Update(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"before\n<!-- kbench:begin results -->\n| client |", "\nbetween\n", "<!-- kbench:end charts -->\nafter\n",
		"| ours | 20.0k/s", "| theirs |", "| `theirs.only` | (default) | x\\|y |", "2026-01-02", "kbench run --slo 'p99(response)<5ms'",
		`srcset="charts/percentiles-dark.svg"`,
	} {
		if !strings.Contains(strings.ReplaceAll(got, "20k/s", "20.0k/s"), want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "old") || strings.Count(got, "| ours |") != 3 {
		t.Errorf("%d lines of ours:\n%s", strings.Count(got, "| ours |"), got)
	}
	if again, err := m.Update(got); err != nil || again != got {
		t.Errorf("a second time it differs (%v):\n%s", err, again)
	}
	for _, tc := range []struct{ text, want string }{
		{"no block", "has no block"},
		{"<!-- kbench:begin results\n", "is not closed"},
		{"<!-- kbench:begin results -->\n", "has no"},
		{"<!-- kbench:begin results -->\n" + block("results", ""), "has no"},
		{block("weather", ""), "none of"},
		{block("results nowhere/*", ""), `nothing matches "nowhere/*"`},
	} {
		if _, err := m.Update(tc.text); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: %v, want %q", tc.text, err, tc.want)
		}
	}
	empty := Markdown{Path: m.Path}
	if _, err := empty.Update(block("results", "")); err == nil || !strings.Contains(err.Error(), "names no results") {
		t.Errorf("%v", err)
	}
}
