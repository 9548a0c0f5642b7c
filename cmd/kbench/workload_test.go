package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kring-go/kring/bench"
)

// workloadFile writes one.
func workloadFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "w.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// plan is what a command line and a file come to.
func plan(t *testing.T, file string, args ...string) bench.Config {
	t.Helper()
	p := &program{ctx: t.Context(), args: append([]string{"run", file}, args...)}
	c := &runCmd{Workload: file}
	c, err := c.resolved(p)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.session(p)
	if err != nil {
		t.Fatal(err)
	}
	return s.Config
}

// TestPrecedence: flag > environment > file > default.
func TestPrecedence(t *testing.T) {
	file := workloadFile(t, "rate: 1k\nsenders: 2\nrecord-size: 11\nquiet: true\nthroughput-note: x\n")
	if _, err := (&runCmd{Workload: file}).resolved(&program{args: []string{"run", file}}); err == nil || !strings.Contains(err.Error(), "did you mean throughput?") {
		t.Errorf("an unknown key: %v", err)
	}
	file = workloadFile(t, "rate: 1k\nsenders: 2\nrecord-size: 11\nquiet: true\npartitions: 3\n")
	t.Setenv("KBENCH_SENDERS", "3")
	t.Setenv("KBENCH_RECORD_SIZE", "12")
	cfg := plan(t, file, "--record-size", "13")
	if cfg.Sizes.Max() != 13 || cfg.Senders != 3 || cfg.Rate != 1000 || cfg.Seed != 1 || !cfg.Quiet || cfg.Partitions != 3 {
		t.Errorf("size %d, senders %d, rate %d, seed %d, quiet %v, partitions %d", cfg.Sizes.Max(), cfg.Senders, cfg.Rate, cfg.Seed, cfg.Quiet, cfg.Partitions)
	}
	if cfg := plan(t, file, "-r", "max"); cfg.Rate != 0 || cfg.Mode != bench.ModeClosed {
		t.Errorf("-r max gives %d, %s", cfg.Rate, cfg.Mode)
	}
}

func TestWorkloadProperties(t *testing.T) {
	file := workloadFile(t, "bootstrap-server: a:1\nlinger: 7ms\nproperty:\n  acks: 1\n  client.id: file\n  request.timeout.ms: 4000\n  compression.type: gzip\n")
	cfg := plan(t, file)
	if cfg.Settings.Acks != "1" || cfg.Settings.Linger.Milliseconds() != 7 || cfg.Settings.Brokers[0] != "a:1" || cfg.Settings.Props["client.id"] != "file" {
		t.Errorf("%+v", cfg.Settings)
	}
	cfg = plan(t, file, "--acks", "all", "-X", "client.id=mine", "-X", "linger.ms=9", "--compression", "lz4")
	s := cfg.Settings
	if s.Acks != "all" || s.Props["client.id"] != "mine" || s.Linger.Milliseconds() != 9 || s.Compression != "lz4" || s.Props["request.timeout.ms"] != "4000" {
		t.Errorf("%+v", s)
	}
}

// TestWorkloadFaults: one or a list in the file, several in the environment, and
// the command line in place of both.
func TestWorkloadFaults(t *testing.T) {
	list := workloadFile(t, "duration: 10s\nfault:\n  - at=1s,for=2s,kind=latency:50ms\n  - at=4s,kind=reset\n")
	names := func(cfg bench.Config) string {
		var s []string
		for i := range cfg.Faults {
			s = append(s, cfg.Faults[i].String())
		}
		return strings.Join(s, " ")
	}
	if got := names(plan(t, list)); got != "latency:50ms reset" {
		t.Errorf("the file's list: %q", got)
	}
	if got := names(plan(t, workloadFile(t, "fault: at=1s,for=2s,kind=bandwidth:20MB/s\n"))); got != "bandwidth:20MB/s" {
		t.Errorf("the file's one: %q", got)
	}
	if got := names(plan(t, list, "--fault", "at=1s,kind=reset", "--fault", "at=2s,for=1s,kind=blackhole")); got != "reset blackhole" {
		t.Errorf("the command line's: %q", got)
	}
	t.Setenv("KBENCH_FAULT", "at=1s,for=1s,kind=broker-stop;at=3s,kind=reset")
	if got := names(plan(t, list)); got != "broker-stop reset" {
		t.Errorf("the environment's: %q", got)
	}
	for _, text := range []string{"fault: []", "fault:", `fault: ""`, "fault: [{at: 1s}]", "rate: [1, 2]"} {
		code, _, stderr := kbench(t, "workload", "validate", workloadFile(t, text))
		if code != bench.ExitUsage {
			t.Errorf("%s: exit code %d, %q", text, code, stderr)
		}
	}
}

func TestRunWorkload(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	text := "num-records: 3k\nin-process: true\nkeys: zipf:100,1.2\nrecord-size: lognormal:200,0.7,4KiB\ncompressibility: 0.5\n"
	code, stdout, stderr := kbench(t, "run", workloadFile(t, text), "-o", dir)
	if code != bench.ExitOK || !strings.Contains(stdout, "3,000 read back") {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	kept, err := os.ReadFile(filepath.Join(dir, "workload.yaml"))
	if err != nil || string(kept) != text {
		t.Errorf("kept %q, %v", kept, err)
	}
	r, err := bench.ReadResult(dir)
	if err != nil || r.Workload.Keys != "zipf:100,1.2" || r.Workload.Size != "lognormal:200,0.7,4KiB" {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestWorkloadCommands(t *testing.T) {
	code, stdout, _ := kbench(t, "workload", "list")
	if code != bench.ExitOK || !strings.Contains(stdout, "latency-small") || !strings.Contains(stdout, "keyed-zipf") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
	var names []string
	for line := range strings.Lines(stdout) {
		names = append(names, strings.Fields(line)[0])
	}
	if code, stdout, stderr := kbench(t, append([]string{"workload", "validate"}, names...)...); code != bench.ExitOK || strings.Count(stdout, ": ok\n") != len(names) {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, _ := kbench(t, "workload", "show", "mixed"); code != bench.ExitOK || !strings.Contains(stdout, "record-size: mix:") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
	omb := workloadFile(t, "messageSize: 100\nproducerRate: 500\nproducersPerTopic: 2\ntestDurationMinutes: 1\n")
	code, stdout, stderr := kbench(t, "workload", "convert", omb)
	if code != bench.ExitOK {
		t.Fatal(stderr)
	}
	if cfg := plan(t, workloadFile(t, stdout)); cfg.Rate != 500 || cfg.Senders != 2 || cfg.Duration.Minutes() != 1 {
		t.Errorf("%+v\n%s", cfg, stdout)
	}
}

func TestWorkloadUsage(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"unknown flag", "sender: 4", "did you mean senders"},
		{"another command's flag", "addr: x", "no flag --addr"},
		{"bad value", "rate: fast", "--rate"},
		{"bad enum", "mode: fast", "--mode"},
		{"bad condition", "slo: fast", "slo"},
		{"alias and flag", "rate: 5\nthroughput: 6", "same flag"},
		{"bad property", "property: {lingr.ms: 5}", "did you mean linger.ms"},
		{"contradiction", "acks: all\nproperty: {acks: 1}", "contradicts"},
		{"help", "help: true", "no flag --help"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, stdout, stderr := kbench(t, "workload", "validate", workloadFile(t, tc.text))
			if code != bench.ExitUsage || !strings.Contains(stderr, tc.want) || stdout != "" {
				t.Errorf("exit code %d, %q, want %q", code, stderr, tc.want)
			}
		})
	}
	if code, _, stderr := kbench(t, "run", "no-such-workload"); code != bench.ExitUsage || !strings.Contains(stderr, "latency-small") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}
