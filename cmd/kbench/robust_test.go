package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring/bench"
)

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestOutputThatCanNotBeWritten: a script that keeps the output must learn that
// it has none, whatever the command.
func TestOutputThatCanNotBeWritten(t *testing.T) {
	dir := t.TempDir()
	if code, _, stderr := kbench(t, "run", "-n", "100", "--in-process", "-q", "-o", dir); code != bench.ExitOK {
		t.Fatalf("%d %s", code, stderr)
	}
	for _, args := range []string{
		"version", "--help", "run --help", "run -n 100 --in-process -q", "run -n 100 --in-process -q --format json", "props", "schema",
		"hist print " + dir, "hist print --format csv " + dir, "compare --list", "workload list", "completion bash", "report --format gobench " + dir,
	} {
		var messages strings.Builder
		p := &program{ctx: context.Background(), args: anyMachine(strings.Fields(args)), stdin: strings.NewReader(""), stdout: fullDisk{}, stderr: &messages}
		if code := p.run(); code != bench.ExitRuntime || strings.Count(messages.String(), "\n") != 1 || !strings.Contains(messages.String(), "no space left") {
			t.Errorf("%s: exit code %d, %q", args, code, messages.String())
		}
	}
}

// TestProfileThatCanNotBeWritten: the result is printed, and the exit code says
// that the profile is not there.
func TestProfileThatCanNotBeWritten(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no full disk here")
	}
	for flag, kind := range map[string]string{"--cpuprofile": "cpu", "--memprofile": "allocs", "--mutexprofile": "mutex", "--blockprofile": "block"} {
		code, stdout, stderr := kbench(t, "run", "-n", "100", "--in-process", "-q", flag, "/dev/full")
		if code != bench.ExitRuntime || !strings.Contains(stderr, "the "+kind+" profile is not complete") || !strings.Contains(stderr, "no space left") {
			t.Errorf("%s: exit code %d, %q", flag, code, stderr)
		}
		if !strings.Contains(stdout, "VALID") {
			t.Errorf("%s: no result: %q", flag, stdout)
		}
	}
}

// TestReportIntoADevice: which could be read until the memory is full.
func TestReportIntoADevice(t *testing.T) {
	dir := t.TempDir()
	if code, _, stderr := kbench(t, "run", "-n", "100", "--in-process", "-q", "-o", dir); code != bench.ExitOK {
		t.Fatalf("%d %s", code, stderr)
	}
	for _, device := range []string{dir, os.DevNull} {
		if code, _, stderr := kbench(t, "report", dir, "--md", device); code != bench.ExitUsage || !strings.Contains(stderr, "is not a file") {
			t.Errorf("%s: exit code %d, %q", device, code, stderr)
		}
	}
}

func TestTerminalWithoutAName(t *testing.T) {
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no terminal here")
	}
	defer tty.Close()
	for _, tc := range []struct {
		term, ci string
		want     bool
	}{{"xterm", "", true}, {"", "", false}, {"dumb", "", false}, {"xterm", "1", false}} {
		t.Setenv("TERM", tc.term)
		t.Setenv("CI", tc.ci)
		if got := isTerminal(tty); got != tc.want {
			t.Errorf("TERM=%q CI=%q: %v", tc.term, tc.ci, got)
		}
	}
}

// TestKilledRunLeavesNothing: kbench is killed, and can tell nobody. Its worker
// must not go on against a broker that is gone.
func TestKilledRunLeavesNothing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends a process with its parent")
	}
	dir := t.TempDir()
	alive := filepath.Join(dir, "alive")
	if err := mkfifo(alive); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\nexec 3>'%s'\nexec sleep 3600\n", alive)
	if err := os.WriteFile(filepath.Join(dir, "kbench-worker-sleeper"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, "run", "--client", "sleeper", "-n", "1k", "-q")
	cmd.Env = append(cmd.Env, "PATH="+dir+":"+os.Getenv("PATH"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		f, err := os.Open(alive) // Returns when the worker runs.
		if err == nil {
			_ = cmd.Process.Kill()
			_, err = io.Copy(io.Discard, f) // Ends when it has ended.
		}
		ended <- err
	}()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(60 * time.Second):
		t.Error("the worker lives on")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // It was killed.
}
