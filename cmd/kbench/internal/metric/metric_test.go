package metric

import (
	"strings"
	"testing"

	"github.com/kring-go/kring/bench"
)

func TestParse(t *testing.T) {
	r := &bench.Result{}
	r.Latency.Service = &bench.Latency{P50: 5, P99: 6, P9999: 8, Max: 9}
	r.Latency.Call = &bench.Latency{P999: 7}
	r.Totals.RateAchieved, r.Cost.CPUPerRecordNs, r.Totals.WindowAcked = 1000, 250, 10
	r.Cost.CtxswVol, r.Cost.CtxswInvol = 3, 2
	for _, tc := range []struct {
		name string
		want float64
		text string
	}{
		{"rate", 1000, "1000/s"},
		{"cpu", 250, "250ns"},
		{"ctxsw", 0.5, "0.50000"},
		{"p50", 5, "5ns"},
		{" p99 ", 6, "6ns"},
		{"p99.99(service)", 8, "8ns"},
		{"max", 9, "9ns"},
		{"p999(call)", 7, "7ns"},
	} {
		m, err := Parse(tc.name)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if got, ok := m.Value(r); !ok || got != tc.want || m.Format(got) != tc.text {
			t.Errorf("%s is %v (%t) %q, want %v %q", tc.name, got, ok, m.Format(got), tc.want, tc.text)
		}
	}
	for _, name := range []string{"heap", "gc", "gcpause", "gctotal", "gccpu", "allocs", "backlog"} {
		m, err := Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		if v, ok := m.Value(&bench.Result{}); ok {
			t.Errorf("%s of a run without is %v", name, v)
		}
	}
	lag, err := Parse("p99(lag)")
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := lag.Value(r); ok {
		t.Errorf("lag of a run without: %v", v)
	}
	for _, bad := range []string{"", "p98", "p99(wake)", "p99()", "speed"} {
		if _, err := Parse(bad); err == nil || !strings.Contains(err.Error(), "is no metric") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestDefaults(t *testing.T) {
	for _, mode := range []bench.Mode{bench.ModeOpen, bench.ModeClosed} {
		r := &bench.Result{}
		r.Workload.Mode = mode
		if list := Defaults(r); len(list) != 5 || list[0].Higher != (mode == bench.ModeClosed) {
			t.Errorf("%s: %+v", mode, list)
		}
	}
}

// TestMemory: Little's law, shares, and what Java knows of its collector.
func TestMemory(t *testing.T) {
	pauses, cpu, live := int64(5e6), int64(25e7), int64(64<<20)
	r := &bench.Result{}
	r.Workload.Mode = bench.ModeClosed
	r.Latency.Service = &bench.Latency{Mean: 500_000_000}
	r.Totals = bench.Totals{RateAchieved: 100_000, Sent: 10, Bytes: 1000}
	r.Cost = bench.Cost{CPUUserNs: 9e8, CPUSysNs: 1e8, GCCount: 3, GCPauseMaxNs: 2e6, GCPauseTotalNs: &pauses, GCCPUNs: &cpu, HeapLiveBytes: &live}
	texts := func() map[string]string {
		out := map[string]string{}
		for _, m := range memory() {
			if v, ok := m.Value(r); ok {
				out[m.ID] = m.Format(v)
			}
		}
		return out
	}
	got := texts()
	for id, want := range map[string]string{
		"backlog": "4.8 MiB", "heap": "64.0 MiB", "gc": "3", "gcpause": "2.00ms", "gctotal": "5.00ms", "gccpu": "25.0 %", "allocs": "0.0000", "rss": "0 B",
	} {
		if got[id] != want {
			t.Errorf("%s is %q, want %q", id, got[id], want)
		}
	}
	r.Cost.GCCPUNs, r.Cost.HeapLiveBytes = nil, nil // Java.
	r.Workload.Mode = bench.ModeOpen
	got = texts()
	if len(got) != 4 || got["gc"] != "3" || got["gctotal"] != "5.00ms" || got["gcpause"] != "2.00ms" {
		t.Errorf("Java knows %v", got)
	}
}
