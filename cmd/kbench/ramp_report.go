package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/ramp"
)

// rampReport is kbench.ramp/v1.
type rampReport struct {
	Schema  string        `json:"schema"`
	Started string        `json:"started"`
	Command []string      `json:"command"`
	SLO     string        `json:"slo"`
	Plan    bench.Config  `json:"plan"`
	Curves  []*ramp.Curve `json:"curves"`
}

// verdict is a point in a few words.
func verdict(p ramp.Point) string {
	switch {
	case p.Met:
		return "ok"
	case len(p.Breaches) > 0:
		return "MISSED  " + strings.Join(p.Breaches, "; ")
	}
	return "INVALID  " + strings.Join(p.Invalid, "; ")
}

// exitCode: what is worse counts.
func (r *rampReport) exitCode() int {
	code := bench.ExitOK
	rank := []int{bench.ExitOK, bench.ExitSkipped, bench.ExitInvalid, bench.ExitSLO, bench.ExitVerify, bench.ExitInterrupted}
	place := func(code int) int {
		for i, c := range rank {
			if c == code {
				return i
			}
		}
		return 0
	}
	for _, c := range r.Curves {
		if own := exitOf(c); place(own) > place(code) {
			code = own
		}
	}
	return code
}

func exitOf(c *ramp.Curve) int {
	switch {
	case c.Skipped != "":
		return bench.ExitSkipped
	case c.Partial:
		return bench.ExitInterrupted
	case c.Lost:
		return bench.ExitVerify
	case !c.Valid:
		return bench.ExitInvalid
	case c.Rate == 0:
		return bench.ExitSLO
	}
	return bench.ExitOK
}

func (r *rampReport) save(dir string) error { return storeFile(dir, "ramp.json", r.writeJSON) }

func (r *rampReport) writeJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(r)
}

// writeText prints the curves, and the answers below them.
func (r *rampReport) writeText(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "client\tphase\toffered\tachieved\tp50\tp99\tp99.9\tCPU/record\t")
	for _, c := range r.Curves {
		for _, p := range c.Points {
			fmt.Fprintf(table, "%s\t%s\t%s/s\t%s/s\t%s\t%s\t%s\t%.0fns\t%s\n", c.Client, p.Phase, bench.FormatShort(float64(p.Rate)), bench.FormatShort(p.Achieved),
				bench.FormatNanos(p.P50), bench.FormatNanos(p.P99), bench.FormatNanos(p.P999), p.CPU, verdict(p))
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nslo  %s\n", r.SLO)
	for _, c := range r.Curves {
		fmt.Fprintf(w, "%-10s %s\n", c.Client, answer(c))
	}
	return nil
}

// answer is a curve in one line.
func answer(c *ramp.Curve) string {
	switch {
	case c.Skipped != "":
		return "skipped: " + c.Skipped
	case c.Partial:
		return "interrupted"
	}
	text := "none: not even the lowest rate meets the SLO"
	if c.Rate > 0 {
		text = fmt.Sprintf("%s records/s, confirmed %d times", bench.FormatCount(c.Rate), c.Confirmed)
	}
	if c.AtLimit {
		text += "; the highest rate that was asked for: it may reach more"
	}
	if !c.Valid {
		text += "; INVALID, the load generator was the limit: " + strings.Join(c.Reasons, "; ")
	}
	return text
}

func lastOf(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// storeFile writes one file of a results' folder.
func storeFile(dir, name string, write func(io.Writer) error) error {
	fail := func(err error) error {
		return bench.UsageError(fmt.Errorf("--out %s can not be written: %w", dir, err))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fail(err)
	}
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return fail(err)
	}
	return errors.Join(write(f), f.Close())
}
