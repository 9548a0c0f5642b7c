package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/kring-go/kring/bench"
)

// errSkipped is a client that is not available on this machine.
var errSkipped = errors.New("skipped")

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
	if skips(err) || w.optional && errors.Is(err, os.ErrNotExist) {
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

// skips reports whether a program ended because this machine lacks what it
// needs.
func skips(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ExitCode() == bench.ExitSkipped
}
