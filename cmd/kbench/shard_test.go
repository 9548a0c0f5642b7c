package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/bench/broker"
	"go.yaml.in/yaml/v3"
)

// manifest is the part of the Job that this test acts on.
type manifest struct {
	Kind string `yaml:"kind"`
	Spec struct {
		CompletionMode string `yaml:"completionMode"`
		Completions    int    `yaml:"completions"`
		Parallelism    int    `yaml:"parallelism"`
		BackoffLimit   int    `yaml:"backoffLimit"`
		Template       struct {
			Spec struct {
				RestartPolicy string `yaml:"restartPolicy"`
				Containers    []struct {
					Command []string `yaml:"command"`
					Args    []string `yaml:"args"`
				} `yaml:"containers"`
			} `yaml:"spec"`
		} `yaml:"template"`
	} `yaml:"spec"`
}

func readManifest(t *testing.T) manifest {
	t.Helper()
	text, err := os.ReadFile("../../deploy/kbench-job.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	if err := yaml.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	s := &m.Spec
	if m.Kind != "Job" || s.CompletionMode != "Indexed" || s.Completions != s.Parallelism || s.BackoffLimit != 0 ||
		s.Template.Spec.RestartPolicy != "Never" || len(s.Template.Spec.Containers) != 1 {
		t.Fatalf("the Job does not run every shard once, and all at once: %+v", m)
	}
	return m
}

// TestManifestRuns runs the manifest's shards as processes of this machine,
// against one embedded broker, and merges them.
func TestManifestRuns(t *testing.T) {
	m := readManifest(t)
	of := m.Spec.Completions
	b, err := broker.Start(broker.Config{Addr: "127.0.0.1:0", Brokers: 1, Partitions: 12, Verify: broker.VerifyFull, Keep: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }() // Close has nothing to report.
	dir := t.TempDir()
	// Machines that are too slow for the start say so, and get a later one.
	for lead := 5 * time.Second; ; lead *= 3 {
		late := runShards(t, m, of, lead, b.Addrs()[0], fmt.Sprint("shards-", lead), dir)
		if !late {
			break
		}
		if lead > time.Minute {
			t.Fatal("no shard is ever ready in time")
		}
	}
	checkShardTags(t, dir, of)
	checkMerge(t, dir, of)
}

// runShards starts all of them, and reports whether one was not ready in time.
func runShards(t *testing.T, m manifest, of int, lead time.Duration, brokers, topic, dir string) (late bool) {
	t.Helper()
	start := time.Now().Add(lead).UTC().Format(time.RFC3339)
	var group sync.WaitGroup
	var mu sync.Mutex
	for i := range of {
		c := m.Spec.Template.Spec.Containers[0]
		if len(c.Command) != 1 || c.Command[0] != "kbench" {
			t.Fatalf("the container runs %v", c.Command)
		}
		args := make([]string, 0, len(c.Args)+1)
		for _, arg := range c.Args {
			arg = strings.ReplaceAll(arg, "$(JOB_COMPLETION_INDEX)", strconv.Itoa(i))
			arg = strings.Replace(arg, "START_AT", start, 1)
			// A shorter run, of a rate that this machine can do four times.
			for flag, value := range map[string]string{
				"--brokers": brokers, "--topic": topic, "--rate": "4k", "--senders": "1", "--warmup": "200ms", "--duration": "1s",
			} {
				arg = regexp.MustCompile("^"+flag+"=.*").ReplaceAllLiteralString(arg, flag+"="+value)
			}
			args = append(args, arg)
		}
		group.Go(func() {
			var out, messages bytes.Buffer
			cmd := command(t, append(args, "--max-lag=10s")...)
			cmd.Stdout, cmd.Stderr = &out, &messages
			err := cmd.Run()
			mu.Lock()
			defer mu.Unlock()
			switch {
			case strings.Contains(messages.String(), "later --start-at") || strings.Contains(messages.String(), " ago\n"):
				late = true
			case err != nil:
				t.Errorf("shard %d: %v\n%s", i, err, &messages)
			default:
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("shard-%d.json", i)), out.Bytes(), 0o600); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	return late
}

// checkShardTags looks at each shard's own result.
func checkShardTags(t *testing.T, dir string, of int) {
	t.Helper()
	var id bench.RunID
	for i := range of {
		r, err := bench.ReadResult(filepath.Join(dir, fmt.Sprintf("shard-%d.json", i)))
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			id = r.RunID
		}
		if r.RunID != id || r.Shard == nil || r.Shard.Index != i || r.Shard.Of != of || r.Shard.RateTotal != 4000 || r.Workload.RateTarget != 1000 {
			t.Errorf("shard %d is run %v, tagged %+v, with a rate of %d", i, r.RunID, r.Shard, r.Workload.RateTarget)
		}
		if r.Totals.Acked != 1000 || r.Totals.Warmup != 200 || r.Verify.Read != 1200 || r.Verify.Failed() || r.Verify.Foreign != 0 {
			t.Errorf("shard %d: %+v, %+v", i, r.Totals, r.Verify)
		}
	}
}

// checkMerge compares the merged result with one big histogram, made of the
// shards' counts by the histogram library itself.
func checkMerge(t *testing.T, dir string, of int) {
	t.Helper()
	var all []*bench.Result
	big := bench.NewDistribution("response", 1)
	for i := range of {
		r, err := bench.ReadResult(filepath.Join(dir, fmt.Sprintf("shard-%d.json", i)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
		d, err := r.Latency.Response.Distribution("response")
		if err != nil {
			t.Fatal(err)
		}
		for _, bar := range d.HDR().Distribution() {
			for range bar.Count {
				big.Record(bar.To)
			}
		}
	}
	merged, err := bench.MergeShards(all)
	if err != nil {
		t.Fatal(err)
	}
	if merged.Totals.Acked != 4000 || merged.Verify.Read != 4800 || merged.Workload.RateTarget != 4000 {
		t.Errorf("%+v, %+v", merged.Totals, merged.Verify)
	}
	if got := merged.Latency.Response; got.P99 != big.Quantile(0.99) || got.N != 4000 {
		t.Errorf("p99 %d of %d, one big histogram has %d", got.P99, got.N, big.Quantile(0.99))
	}
	code, stdout, stderr := kbench(t, "hist", "merge", "-o", filepath.Join(dir, "all.hlog"), dir)
	if code != bench.ExitOK || !strings.Contains(stdout, "4,000") {
		t.Errorf("hist merge: exit code %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, stderr = kbench(t, "report", dir, "--format", "gobench"); code != bench.ExitOK || strings.Count(stdout, "\nBenchmark") != 1 ||
		!strings.Contains(stdout, fmt.Sprintf(" %v p99-ns", float64(merged.Latency.Response.P99))) {
		t.Errorf("report: exit code %d, want one line with p99 %d\n%s%s", code, merged.Latency.Response.P99, stdout, stderr)
	}
}

func TestShardUsage(t *testing.T) {
	later := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for _, tc := range []struct{ args, text string }{
		{"run --shard 4/4", "shards of 4 are 0 to 3"},
		{"run --shard x --start-at " + later, "not i/n"},
		{"run --shard 0/2", "--start-at"},
		{"run --shard 0/2 -t t --start-at " + later, "--brokers"},
		{"run --shard 0/2 -b a:1 --start-at " + later, "--topic"},
		{"run --shard 0/2 -b a:1 -t t --profile --start-at " + later, "--profile"},
		{"run --start-at noon", "not a time"},
		{"run --start-at 2020-01-01T00:00:00Z", "ago"},
	} {
		code, stdout, stderr := kbench(t, strings.Fields(tc.args)...)
		if code != bench.ExitUsage || !strings.Contains(stderr, tc.text) || stdout != "" {
			t.Errorf("%s: exit code %d, %q, want %q", tc.args, code, stderr, tc.text)
		}
	}
}
