package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// WorkerMain is the whole of a worker program: it reads a Config as JSON, from
// its argument or else from standard input, drives a client of the given
// library through it, and prints a kbench.result/v1 with a ledger. It does not
// verify: whoever started it does. It does not return.
func WorkerMain(name, version string, factory Factory, traits ...Trait) {
	lib := Library{Name: name, Version: version, New: factory}
	for _, t := range traits {
		t(&lib)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := workerRun(ctx, lib, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	}
	os.Exit(ExitCode(nil, false, err))
}

// ServeWorker is WorkerMain without the process: it takes the plan from in,
// prints the result to out, and returns when the run has ended.
func ServeWorker(ctx context.Context, lib Library, in io.Reader, out, progress io.Writer) error {
	return workerRun(ctx, lib, nil, in, out, progress)
}

func workerRun(ctx context.Context, lib Library, args []string, in io.Reader, out, progress io.Writer) error {
	if len(args) > 0 {
		if strings.HasPrefix(args[0], "{") {
			in = strings.NewReader(args[0])
		} else {
			text, err := os.ReadFile(args[0])
			if err != nil {
				return UsageError(err)
			}
			in = bytes.NewReader(text)
		}
	}
	var cfg Config
	if err := json.NewDecoder(in).Decode(&cfg); err != nil {
		return UsageError(fmt.Errorf("the plan is not JSON: %w", err))
	}
	if err := cfg.Validate(); err != nil {
		return UsageError(err)
	}
	cfg.Settings.Read = lib.Read
	if lib.Check != nil {
		if err := lib.Check(cfg.Settings); err != nil {
			return UsageError(err)
		}
	}
	o := Output{Progress: progress}
	if cfg.Quiet {
		o.Progress = nil
	}
	result, err := Run(ctx, cfg, lib, o)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(result)
}
