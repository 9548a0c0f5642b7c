package main

import (
	"fmt"

	"github.com/kring-go/kring/bench"
)

// workerCmd is kbench worker: what compare and ramp start to drive kring in a
// process of its own, as they start other clients' programs.
type workerCmd struct{}

// Help is the long text of kbench worker --help.
func (workerCmd) Help() string {
	return `Takes a plan (bench.Config) as JSON from standard input, drives kring through it, and
prints a kbench.result/v1 with its ledger. kbench compare and kbench ramp start it;
a program for another client does the same, see bench.WorkerMain.`
}

func (workerCmd) Run(p *program) error {
	lib := bench.Kring()
	lib.Read = readJava
	if err := bench.ServeWorker(p.ctx, lib, p.stdin, p.stdout, p.stderr); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	return nil
}
