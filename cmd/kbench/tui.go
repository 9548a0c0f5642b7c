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
	if _, rows := size(p); rows > 0 && rows < panelRows {
		return nil
	}
	v := &view.View{
		Out: p.stderr, Color: os.Getenv("NO_COLOR") == "", Title: c.Client,
		Width: func() int { columns, _ := size(p); return columns },
	}
	if cfg.Mode == bench.ModeOpen {
		v.Title += fmt.Sprintf(" at %s/s", bench.FormatShort(float64(cfg.Rate)))
	}
	if cfg.Records == 0 && cfg.WarmupRecords == 0 {
		v.Length = cfg.Warmup + cfg.Duration
	}
	return v
}

// panelRows is what the panel takes, and a line for the cursor; on a lower
// terminal it could not be drawn over.
const panelRows = 8

// size is the terminal's, which may change any time; 0 where nobody knows.
func size(p *program) (columns, rows int) {
	f, ok := p.stderr.(*os.File)
	if !ok {
		return 0, 0
	}
	columns, rows, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return columns, rows
}
