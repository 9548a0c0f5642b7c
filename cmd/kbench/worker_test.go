package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring/bench"
)

// faultRole makes the test binary a worker with a known fault.
const faultRole = "KBENCH_TEST_FAULT"

// faultWorker is instant (acknowledges at once), stall (the same, but takes
// nothing for 500 ms, once), slow (a millisecond for each), or lose (keeps one record to itself). It does not
// return.
func faultWorker(role string) {
	bench.WorkerMain(role, "1", func(s bench.Settings, done bench.Done) (bench.Client, error) {
		switch role {
		case "instant":
			return &stalling{done: done, at: -1}, nil
		case "stall":
			return &stalling{done: done, at: 1000}, nil
		case "slow":
			return &stalling{done: done, each: time.Millisecond}, nil
		}
		c, err := bench.Kring().New(s, done)
		return &losing{Client: c, done: done}, err
	})
}

// stalling acknowledges at once, but for one record, or after a time for each.
type stalling struct {
	done bench.Done
	at   int64
	each time.Duration
	n    atomic.Int64
}

const stall = 500 * time.Millisecond

func (c *stalling) Produce(_ context.Context, r *bench.Record) error {
	if c.n.Add(1) == c.at {
		<-time.After(stall)
	}
	if c.each > 0 {
		<-time.After(c.each)
	}
	c.done(r.Tag, max(r.Partition, 0), -1, nil)
	return nil
}

func (*stalling) Flush(context.Context) error { return nil }
func (*stalling) Close(context.Context) error { return nil }

// losing drives kring, and acknowledges one record that it never sends.
type losing struct {
	bench.Client
	done bench.Done
	n    atomic.Int64
}

func (c *losing) Produce(ctx context.Context, r *bench.Record) error {
	if c.n.Add(1) == 777 {
		c.done(r.Tag, 0, 5, nil)
		return nil
	}
	return c.Client.Produce(ctx, r)
}

// script is the test binary in a role of its own, whatever the environment of
// whoever starts it.
func script(t *testing.T, variable, value string) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), value)
	text := fmt.Sprintf("#!/bin/sh\n%s='%s' exec '%s' \"$@\"\n", variable, value, exe)
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// whole is kbench with processes: the broker's and kring's worker.
func whole(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, messages bytes.Buffer
	p := &program{
		ctx: t.Context(), args: anyMachine(args), stdin: strings.NewReader(""), stdout: &out, stderr: &messages,
		exe: script(t, asKbench, "1"),
	}
	code = p.run()
	return code, out.String(), messages.String()
}

// TestCompareProcesses: kring beside a client with a stall. The stall shows in
// its response, not in its service time, and so in the comparison.
func TestCompareProcesses(t *testing.T) {
	dir := t.TempDir()
	code, stdout, stderr := whole(t, "compare", "--client", "kring,slow="+script(t, faultRole, "stall"), "--scenario", "open-1",
		"--runs", "1", "-d", "1s", "--warmup", "0s", "-o", dir, "--format", "json", "--max-lag", "1m")
	if code != bench.ExitOK || !strings.Contains(stderr, "open-1 1/1 kring") {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	var report struct {
		Base      string
		Scenarios []struct {
			Clients []struct {
				Name  string
				Props map[string]string
			}
		}
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatal(err)
	}
	if report.Base != "kring" || len(report.Scenarios[0].Clients) != 2 || report.Scenarios[0].Clients[0].Props["acks"] != "1" {
		t.Errorf("%s", stdout)
	}
	r, err := bench.ReadResult(filepath.Join(dir, "open-1", "slow", "01.json"))
	if err != nil {
		t.Fatal(err)
	}
	response, service := r.Latency.Response, r.Latency.Service
	if response.P99 < int64(stall)*8/10 || service.P99 > response.P99/4 {
		t.Errorf("response p99 %v and service p99 %v, with a stall of %v", time.Duration(response.P99), time.Duration(service.P99), stall)
	}
}

// TestLosingWorker: one record that is acknowledged and not in the log ends
// compare and ramp with exit code 4.
func TestLosingWorker(t *testing.T) {
	worker := "loser=" + script(t, faultRole, "lose")
	code, stdout, stderr := whole(t, "compare", "--client", worker, "--scenario", "open-1", "--runs", "1", "-d", "300ms",
		"--warmup", "0s", "--verify", "full", "-o", t.TempDir())
	if code != bench.ExitVerify || !strings.Contains(stdout, "1 lost") {
		t.Errorf("compare: exit code %d\n%s%s", code, stdout, stderr)
	}
	code, stdout, stderr = whole(t, "ramp", "--client", worker, "--from", "5k", "--to", "5k", "--hold", "300ms", "--warmup", "0s",
		"--verify", "full", "--slo", "errors==0", "--max-lag", "1m")
	if code != bench.ExitVerify || !strings.Contains(stdout, "verification failed") {
		t.Errorf("ramp: exit code %d\n%s%s", code, stdout, stderr)
	}
}

// TestRampOfAStall: a client that stalls for half a second misses a p99.
func TestRampOfAStall(t *testing.T) {
	code, stdout, stderr := whole(t, "ramp", "--client", "slow="+script(t, faultRole, "stall"), "--from", "5k", "--to", "10k", "--hold", "1s",
		"--warmup", "0s", "--slo", "p99(response)<100ms", "--max-lag", "1m", "-q")
	if code != bench.ExitSLO || !strings.Contains(stdout, "not even the lowest rate") || stderr != "" {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}

// TestLateGenerator: where the client takes no time, all of the response is the
// generator's own lateness, and such a measurement says nothing.
func TestLateGenerator(t *testing.T) {
	client := "instant=" + script(t, faultRole, "instant")
	// So few records that p99 is the latest of them, which woke its sender.
	code, stdout, stderr := whole(t, "ramp", "--client", client, "--from", "100", "--to", "200", "--senders", "1", "--hold", "300ms", "--warmup", "0s",
		"--max-lag", "1ns", "--slo", "errors==0")
	if code != bench.ExitInvalid || !strings.Contains(stdout, "the load generator was the limit") {
		t.Errorf("ramp: exit code %d\n%s%s", code, stdout, stderr)
	}
}

func TestRampFindsARate(t *testing.T) {
	dir := t.TempDir()
	code, stdout, stderr := whole(t, "ramp", "--from", "2k", "--to", "4k", "--step", "x2", "--hold", "100ms", "--warmup", "0s", "--confirm", "2",
		"--slo", "errors==0", "--max-lag", "1m", "--verify", "count", "-o", dir)
	if code != bench.ExitOK || !strings.Contains(stdout, "4,000 records/s, confirmed 2 times; the highest") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, stderr := kbench(t, "report", filepath.Join(dir, "kring"), "--html", filepath.Join(dir, "r.html")); code != bench.ExitOK {
		t.Errorf("report: %d %s%s", code, stdout, stderr)
	}
	code, stdout, _ = whole(t, "ramp", "--from", "1k", "--to", "1k", "--hold", "50ms", "--warmup", "0s", "--confirm", "1", "--slo", "errors==0",
		"--max-lag", "1m", "--format", "json", "-q")
	if code != bench.ExitOK || !json.Valid([]byte(stdout)) || !strings.Contains(stdout, "kbench.ramp/v1") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
}

func TestSkippedClientExits6(t *testing.T) {
	t.Chdir(t.TempDir()) // Not in the source tree: nothing can be built.
	for _, command := range []string{"compare --scenario open-1 --runs 1 -d 50ms --warmup 0s -q --max-lag 1m -o out", "ramp --from 1k --to 1k --confirm 1 --hold 50ms --warmup 0s --slo errors==0 --max-lag 1m -q"} {
		args := append(strings.Fields(command), "--client", "kring,sarama")
		code, stdout, stderr := whole(t, args...)
		if code != bench.ExitSkipped || !strings.Contains(strings.ToLower(stdout), "skipped") || !strings.Contains(stdout, "--workers") {
			t.Errorf("%s: exit code %d\n%s%s", command, code, stdout, stderr)
		}
	}
}

func TestWorkerCommand(t *testing.T) {
	if code, _, stderr := kbench(t, "worker"); code != bench.ExitUsage || !strings.Contains(stderr, "the plan is not JSON") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// named is the losing worker, as kbench run --client finds it.
func named(t *testing.T, name string) string {
	t.Helper()
	path := script(t, faultRole, "lose")
	as := filepath.Join(filepath.Dir(path), "kbench-worker-"+name)
	if err := os.Rename(path, as); err != nil {
		t.Fatal(err)
	}
	return as
}
