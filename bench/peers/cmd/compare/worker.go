package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/kring-go/kring/bench"
)

// errSkipped is a client that is not available on this machine.
var errSkipped = errors.New("skipped")

// worker is a client's program.
type worker struct {
	name    string
	command []string
	// alone makes the flat-out plan one of a single goroutine.
	alone bool
	props map[string]string
	// warmup is the least that the client needs before its numbers mean
	// anything.
	warmup time.Duration
}

// javaWarmup is when the virtual machine has compiled what is hot.
const javaWarmup = 10 * time.Second

// workers knows where each client's program is, once built into bin.
func workers(bin string, names []string) ([]worker, error) {
	var out []worker
	for _, name := range names {
		if label, program, ok := strings.Cut(name, "="); ok {
			out = append(out, worker{name: label, command: []string{program}})
			continue
		}
		switch name {
		case "kring", "rawlimit", "null":
			out = append(out, worker{name: name, command: []string{filepath.Join(bin, name)}, alone: name == "rawlimit"})
		case "kring-inline":
			out = append(out, worker{
				name: name, command: []string{filepath.Join(bin, "kring")}, props: map[string]string{"kring.delivery.inline": "true"},
			})
		case "franz-go":
			out = append(out, worker{name: name, command: []string{filepath.Join(bin, "franzgo")}})
		case "franz-go-plain":
			out = append(out, worker{
				name: name, command: []string{filepath.Join(bin, "franzgo")}, props: map[string]string{"franz-go.plain": "true"},
			})
		case "java":
			out = append(out, worker{name: name, command: []string{filepath.Join("java", "run")}, warmup: javaWarmup})
		default:
			return nil, fmt.Errorf("client %q is none of kring, kring-inline, franz-go, franz-go-plain, rawlimit, java, null, NAME=PROGRAM", name)
		}
	}
	return out, nil
}

// build compiles the Go workers that are needed, and the broker.
func build(ctx context.Context, bin string, names []string) error {
	targets := []string{"github.com/kring-go/kring/cmd/kbench"}
	for _, name := range names {
		if name != "java" && !strings.Contains(name, "=") {
			targets = append(targets, "./"+strings.ReplaceAll(strings.TrimSuffix(strings.TrimSuffix(name, "-plain"), "-inline"), "-", ""))
		}
	}
	args := append([]string{"build", "-o", bin + string(filepath.Separator)}, targets...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building the workers (run this in bench/peers): %w", err)
	}
	return nil
}

// patience is how much longer than its plan a worker may take.
const patience = 60 * time.Second

// measure runs the worker once. own is the CPU time it used as a process.
func (w *worker) measure(ctx context.Context, plan bench.Config) (r *bench.Result, own time.Duration, err error) {
	if w.alone && plan.Mode == bench.ModeClosed {
		plan.Senders = 1
	}
	plan.Warmup = max(plan.Warmup, w.warmup)
	if w.props != nil {
		plan.Settings.Props = w.props
	}
	text, err := json.Marshal(plan)
	if err != nil {
		return nil, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, plan.Warmup+plan.Duration+patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.command[0], w.command[1:]...)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(text), os.Stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == bench.ExitSkipped {
		return nil, 0, fmt.Errorf("%s: %w", w.name, errSkipped)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("worker %s: %w", w.name, err)
	}
	own = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	r = &bench.Result{}
	if err := json.Unmarshal(out, r); err != nil {
		return nil, 0, fmt.Errorf("worker %s: its result: %w", w.name, err)
	}
	if t := &r.Totals; t.Failed+t.Rejected+t.Unresolved > 0 || t.Acked == 0 {
		return nil, 0, fmt.Errorf("worker %s: %d acked, %d failed, %d rejected, %d unresolved: %v",
			w.name, t.Acked, t.Failed, t.Rejected, t.Unresolved, r.Errors)
	}
	return r, own, nil
}
