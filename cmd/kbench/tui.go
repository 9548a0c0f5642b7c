package main

import (
	"fmt"
	"os"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/view"
	"golang.org/x/term"
)

// view is the panel of a run on a terminal; nil where people get lines: in a
// pipe, in CI, on a terminal without escapes, and where a worker reports.
func (c *runCmd) view(p *program, cfg *bench.Config) bench.View {
	if !p.tty || c.Format != "human" || c.Quiet || c.Client != "kring" {
		return nil
	}
	v := &view.View{
		Out: p.stderr, Color: os.Getenv("NO_COLOR") == "", Title: c.Client,
		Width: func() int { return columns(p) },
	}
	if cfg.Mode == bench.ModeOpen {
		v.Title += fmt.Sprintf(" at %s/s", bench.FormatShort(float64(cfg.Rate)))
	}
	if cfg.Records == 0 {
		v.Length = cfg.Warmup + cfg.Duration
	}
	return v
}

// columns is the width of the terminal, which may change any time; 0 where
// nobody knows.
func columns(p *program) int {
	f, ok := p.stderr.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}
