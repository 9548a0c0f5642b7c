package bench

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// openRun is a short open loop with intervals, stored in a folder.
func openRun(t *testing.T) (string, *Result) {
	t.Helper()
	c := testConfig()
	c.Mode, c.Rate, c.Records, c.Duration, c.Interval = ModeOpen, 5000, 0, 200*time.Millisecond, 20*time.Millisecond
	dir := filepath.Join(t.TempDir(), "out")
	out, err := openOutDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out.log = newIntervalLog()
	r := mustRun(t, context.Background(), c, (&fakeClient{partitions: 3}).library(), Output{Intervals: out.csv(), log: out.log})
	if err := out.write(r, nil); err != nil {
		t.Fatal(err)
	}
	return dir, r
}

// TestHlogHoldsTheRun reads the log with the library's own reader: the
// intervals of each tag add up to the result's histogram.
func TestHlogHoldsTheRun(t *testing.T) {
	dir, r := openRun(t)
	text, err := os.ReadFile(filepath.Join(dir, "latency.hlog"))
	if err != nil {
		t.Fatal(err)
	}
	merged, intervals := map[string]*hdrhistogram.Histogram{}, map[string]int{}
	log := hdrhistogram.NewHistogramLogReader(bytes.NewReader(text))
	last := int64(0)
	for {
		h, err := log.NextIntervalHistogram()
		if err != nil {
			t.Fatal(err)
		}
		if h == nil {
			break
		}
		if h.StartTimeMs() < last || h.EndTimeMs() < h.StartTimeMs() || time.UnixMilli(h.EndTimeMs()).Year() < 2020 {
			t.Errorf("interval %d to %d after %d", h.StartTimeMs(), h.EndTimeMs(), last)
		}
		last = h.StartTimeMs()
		intervals[h.Tag()]++
		if merged[h.Tag()] == nil {
			merged[h.Tag()] = hdrhistogram.New(1, histMax, histDigits)
		}
		if dropped := merged[h.Tag()].Merge(h); dropped != 0 {
			t.Errorf("%d values dropped", dropped)
		}
	}
	for _, name := range DistributionNames() {
		l := r.Latency.ByName(name)
		if l == nil && name == "e2e" { // no consumer here
			continue
		}
		want, err := hdrhistogram.Decode([]byte(l.HDRv2))
		if err != nil {
			t.Fatal(err)
		}
		if got := merged[name]; got == nil || !got.Equals(want) {
			t.Errorf("%s: the intervals do not add up to the result", name)
		}
		if intervals[name] < 2 {
			t.Errorf("%s has %d intervals, want several", name, intervals[name])
		}
	}
}

func TestOutDirIsReadBack(t *testing.T) {
	dir, r := openRun(t)
	again, err := ReadResult(dir)
	if err != nil {
		t.Fatal(err)
	}
	if *again.Hlog != "latency.hlog" || *again.Intervals != "intervals.csv" || again.Totals.Acked != r.Totals.Acked {
		t.Errorf("%+v", again)
	}
	for _, path := range []string{dir, filepath.Join(dir, "result.json"), filepath.Join(dir, "latency.hlog")} {
		list, span, err := ReadDistributions(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) != 4 || span.To.Before(span.From) {
			t.Fatalf("%s: %d distributions, %v", path, len(list), span)
		}
		for _, d := range list {
			if got, want := *d.Latency(), *r.Latency.ByName(d.Name); got != want {
				t.Errorf("%s of %s is\n%+v, want\n%+v", d.Name, path, got, want)
			}
		}
	}
	hgrm, err := os.ReadFile(filepath.Join(dir, "response.hgrm"))
	if err != nil || !strings.Contains(string(hgrm), "1/(1-Percentile)") || !strings.Contains(string(hgrm), "#[Max") {
		t.Errorf("%v: %s", err, hgrm)
	}
}

// TestMergeIsOneBigHistogram: percentiles of the merged parts are those of a
// histogram that was recorded as a whole, and not the mean of the parts'.
func TestMergeIsOneBigHistogram(t *testing.T) {
	whole := NewDistribution("response", 1)
	parts := []*Distribution{NewDistribution("response", 1), NewDistribution("response", 1), NewDistribution("response", 1)}
	r := newRNG(7, 0)
	for i := range 30_000 {
		v := int64(r.unit() * 1e6)
		if i%3 == 0 {
			v *= 1000 // One machine of three is slow.
		}
		if i%9999 == 0 {
			v = 70e9 // Beyond the histogram.
		}
		whole.Record(v)
		parts[i%3].Record(v)
	}
	merged := NewDistribution("response", 0)
	average := int64(0)
	for _, p := range parts {
		// Through the text of a log, as the parts of several machines come.
		var text bytes.Buffer
		if err := WriteHlog(&text, time.Unix(1e9, 0), time.Unix(1e9+1, 0), []*Distribution{p}); err != nil {
			t.Fatal(err)
		}
		list, _, err := ReadHlog(&text)
		if err != nil {
			t.Fatal(err)
		}
		if err := merged.Merge(list[0]); err != nil {
			t.Fatal(err)
		}
		average += p.Quantile(0.5) / 3
	}
	if got, want := *merged.Latency(), *whole.Latency(); got != want {
		t.Errorf("merged\n%+v\nas a whole\n%+v", got, want)
	}
	if merged.Latency().Overflow != 4 {
		t.Errorf("overflow %d, want 4", merged.Latency().Overflow)
	}
	if merged.Quantile(0.5) > average/10 {
		t.Errorf("p50 %d is near the average %d of the parts'", merged.Quantile(0.5), average)
	}
}

func TestMergeRefuses(t *testing.T) {
	a, b := NewDistribution("call", 1), NewDistribution("call", 61)
	a.Record(5)
	b.Record(5)
	if err := a.Merge(b); err == nil || !strings.Contains(err.Error(), "latency-sample") {
		t.Errorf("merging different samples: %v", err)
	}
	foreign := hdrhistogram.New(1, 1_000_000, 2)
	if err := a.counts.addHDR(foreign); err == nil || !strings.Contains(err.Error(), "2 digits") {
		t.Errorf("another geometry: %v", err)
	}
	for _, text := range []string{"", "no log\n", "Tag=x\n", "1,2,3,HISTxx\n", "#[kbench response sampled=x]\n1,2,3,HISTF"} {
		if _, _, err := ReadHlog(strings.NewReader(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestReadResultRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "result.json")
	for _, tc := range []struct{ text, want string }{
		{"[]", "not a result"}, {`{"schema":"kbench.result/v2"}`, "want kbench.result/v1"},
	} {
		if err := os.WriteFile(file, []byte(tc.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadResult(dir); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.text, err, tc.want)
		}
	}
	if _, err := ReadResult(filepath.Join(dir, "none")); err == nil {
		t.Error("a file that does not exist was read")
	}
}
