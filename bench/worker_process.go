package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// workerProcess is another program that drives a client. Others write these
// programs, so nothing that one does may hold up or mislead the run: it has a
// bound in time and in output, and what it prints is looked at (checkReport).
type workerProcess struct {
	command []string
	bound   time.Duration // from start to end; 0 is none
	grace   time.Duration // from the interrupt until it is killed
}

const (
	// workerGrace is enough to drain what an interrupted run has under way.
	workerGrace = 20 * time.Second
	// workerPatience is how much longer than its plan a worker may take to
	// start and to end.
	workerPatience = 60 * time.Second
	// maxReport is beyond every ledger: a million failed tags are 20 MB.
	maxReport = 256 << 20
)

// workerBound is how long a worker may take in all. A plan that has an end by
// count only may take as long as it takes.
func (c *Config) workerBound() time.Duration {
	if c.Duration == 0 || c.WarmupRecords > 0 {
		return 0
	}
	drain := c.DrainTimeout
	if drain == 0 {
		drain = defaultDrain
	}
	wait := max(time.Until(c.StartAt), 0)
	return wait + c.Warmup + c.Duration + time.Duration(openGrace) + drain + workerPatience
}

// runWorker is Run in another program.
func runWorker(ctx context.Context, command []string, cfg Config, progress io.Writer) (*Result, error) {
	w := workerProcess{command: command, bound: cfg.workerBound(), grace: workerGrace}
	text, err := w.run(ctx, &cfg, progress)
	if err != nil {
		return nil, err
	}
	result := &Result{}
	if err := json.Unmarshal(text, result); err != nil {
		return nil, fmt.Errorf("worker %s: its result is not JSON: %w", command[0], err)
	}
	if result.Schema != SchemaName {
		return nil, fmt.Errorf("worker %s: its result is %q, want %s", command[0], result.Schema, SchemaName)
	}
	if result.Ledger == nil && cfg.Verify != VerifyNone {
		return nil, fmt.Errorf("worker %s: its result has no ledger, so nothing can be verified: use --verify none", command[0])
	}
	if err := checkReport(&cfg, result); err != nil {
		return nil, fmt.Errorf("worker %s: its result can not be true: %w", command[0], err)
	}
	return result, nil
}

// run starts the program, and returns what it printed.
func (w *workerProcess) run(ctx context.Context, cfg *Config, progress io.Writer) ([]byte, error) {
	plan, err := json.Marshal(cfg)
	if err != nil {
		return nil, err
	}
	bounded := ctx
	if w.bound > 0 {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, w.bound)
		defer cancel()
	}
	cmd := exec.CommandContext(bounded, w.command[0], w.command[1:]...)
	// An interrupted worker still has a partial result to print.
	cmd.Cancel = func() error { return interruptGroup(cmd.Process) }
	cmd.WaitDelay = w.grace
	cmd.Stdin = bytes.NewReader(plan)
	said := &lastWords{to: progress}
	cmd.Stderr = said
	out := &boundedBuffer{limit: maxReport}
	cmd.Stdout = out
	// The worker ends with the thread that starts it, if the system can do that
	// (ownGroup); so this goroutine keeps the thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = ownGroup()
	err = cmd.Run()
	if err != nil && cmd.Process != nil {
		killGroup(cmd.Process) // A script may be gone while what it started is not.
	}
	partial := err != nil && json.Valid(out.Bytes()) // Interrupted, and has said what it has.
	switch {
	case err == nil || partial && ctx.Err() != nil:
		return out.Bytes(), nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("worker %s: %w", w.command[0], ctx.Err())
	case bounded.Err() != nil:
		return nil, fmt.Errorf("worker %s: it had not ended %v after it was started", w.command[0], w.bound)
	}
	return nil, w.failure(err, said, out)
}

// failure says in one line why a worker gave no result, with the exit code that
// kbench ends with: a worker's own codes are not kbench's.
func (w *workerProcess) failure(err error, said *lastWords, out *boundedBuffer) error {
	var exit *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist):
		return SkippedError(fmt.Errorf("skipped: no worker %s", w.command[0]))
	case out.full:
		return fmt.Errorf("worker %s: it printed more than %s, which is no result", w.command[0], formatBytes(maxReport))
	case !errors.As(err, &exit):
		return fmt.Errorf("worker %s: %w", w.command[0], err)
	}
	err = fmt.Errorf("worker %s: %w%s", w.command[0], err, said.text())
	switch {
	case exit.ExitCode() == ExitSkipped:
		return SkippedError(err)
	case exit.ExitCode() == ExitUsage && said.crash == "": // Go's runtime has the same code.
		return UsageError(err)
	}
	return err
}

// lastWords passes on what a worker says, and remembers the line that explains
// its end: that of a crash, or else the last.
type lastWords struct {
	to          io.Writer
	rest        []byte
	crash, last string
}

// maxWord bounds a line that is remembered.
const maxWord = 4 << 10

func (l *lastWords) Write(text []byte) (int, error) {
	l.rest = append(l.rest, text...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			l.rest = l.rest[:min(len(l.rest), maxWord)]
			break
		}
		l.note(string(line))
		l.rest = rest
	}
	return l.to.Write(text)
}

func (l *lastWords) note(line string) {
	line = strings.TrimSpace(line)
	if line == "" {
		return
	}
	l.last = line
	if l.crash == "" && (strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ")) {
		l.crash = line
	}
}

// text follows an error.
func (l *lastWords) text() string {
	l.note(string(l.rest))
	switch {
	case l.crash != "":
		return ": " + l.crash
	case l.last != "":
		return ": " + l.last
	}
	return ""
}

// boundedBuffer takes no more than its limit.
type boundedBuffer struct {
	bytes.Buffer
	limit int
	full  bool
}

func (b *boundedBuffer) Write(text []byte) (int, error) {
	if b.Len()+len(text) > b.limit {
		b.full = true
		return 0, errors.New("too much output")
	}
	return b.Buffer.Write(text)
}
