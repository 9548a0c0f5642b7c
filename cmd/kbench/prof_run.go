package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/stages"
)

// cpuProfileFile is what --profile adds to the folder of --out.
const cpuProfileFile = "cpu.pprof"

// profiled repeats the run with a CPU profile, and prints it by stages. The
// repetition is no part of the result: being profiled costs time. Its topic and
// its verification are like those of the run.
func (c *runCmd) profiled(p *program, s bench.Session, r *bench.Result) error {
	folder := c.Out
	if folder == "" {
		var err error
		if folder, err = os.MkdirTemp("", "kbench-profile-"); err != nil {
			return fmt.Errorf("kbench: no place for the profile: %w", err)
		}
		defer func() { _ = os.RemoveAll(folder) }() // Nobody misses a temporary folder that stays.
	}
	// A worker may have another folder for its own.
	file, err := filepath.Abs(filepath.Join(folder, cpuProfileFile))
	if err != nil {
		return fmt.Errorf("kbench: --profile: %w", err)
	}
	s.Config.RunID = newRunID()
	s.Config.Profiles = bench.Profiles{CPU: file}
	s.OutDir, s.SLO = "", ""
	if !c.Quiet {
		fmt.Fprintln(p.stderr, "profile  the same run again, with a CPU profile; it is not in the result")
	}
	again, err := bench.Execute(p.ctx, s)
	if err != nil {
		return fmt.Errorf("kbench: --profile: %w", err)
	}
	if err := stages.Note(file, again.Totals.WindowAcked); err != nil {
		return err
	}
	report, err := stages.Read(file)
	if err != nil {
		return err
	}
	if c.Out != "" {
		r.Profiles = append(r.Profiles, cpuProfileFile)
		name := filepath.Join(c.Out, "result.json")
		if err := writeFile(name, func(w io.Writer) error { return bench.WriteJSON(w, r) }); err != nil {
			return err
		}
	}
	// Standard output is the result's where a machine reads it.
	w := p.stdout
	if c.Format != "human" {
		w = p.stderr
	}
	return report.Write(w)
}
