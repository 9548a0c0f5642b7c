package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kring-go/kring/bench"
)

// TestProcs: kbench starts itself, a broker, and one result comes of it.
func TestProcs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	cmd := command(t, "run", "--procs", "2", "--senders", "2", "-n", "4k", "-o", dir, "--format", "json", "--slo", "rate>=1G")
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	err := cmd.Run()
	if strings.Contains(messages.String(), "later --start-at") {
		t.Skip("this machine is too busy to start two processes in time")
	}
	var exit *exec.ExitError
	var r bench.Result
	if !errors.As(err, &exit) || exit.ExitCode() != bench.ExitSLO || json.Unmarshal(out.Bytes(), &r) != nil {
		t.Fatalf("%v, want the exit code of a breached SLO\n%s%s", err, &out, &messages)
	}
	if r.Totals.Acked != 4000 || r.Workload.Senders != 4 || r.Verify.Read != 4000 || r.Verify.Failed() || r.Verify.Misplaced == nil {
		t.Errorf("%+v, %+v", r.Totals, r.Verify)
	}
	if code, _, stderr := kbench(t, "schema", dir); code != bench.ExitOK {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if kept, err := bench.ReadResult(dir); err != nil || kept.Intervals != nil || kept.Totals.Acked != 4000 {
		t.Errorf("%v: %+v", err, kept)
	}
}

func TestProcsUsage(t *testing.T) {
	for _, tc := range []struct{ args, text string }{
		{"--procs 0", "--procs is 0"},
		{"--procs 2 --profile", "--profile"},
		{"--procs 2 --cpuprofile x", "a profile is of one process"},
		{"--procs 2 --warmup 1k", "--warmup of 1,000 records"},
		{"--procs 2 --format csv", "--format csv"},
		{"--procs 9000", "--procs is 9000"},
	} {
		t.Chdir(t.TempDir()) // For the profile that must not be there.
		cmd := command(t, append([]string{"run"}, strings.Fields(tc.args)...)...)
		text, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != bench.ExitUsage || !strings.Contains(string(text), tc.text) {
			t.Errorf("%s: %v, %s", tc.args, err, text)
		}
	}
}
