package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/gobench"
	"github.com/kring-go/kring/cmd/kbench/internal/report"
	"github.com/kring-go/kring/cmd/kbench/internal/runs"
)

// reportCmd is kbench report.
type reportCmd struct {
	Files []string `arg:"" optional:"" help:"Results: result.json, folders of kbench run -o, or folders of those; and curve.json of kbench compare --rates." placeholder:"FILE"`

	HTML   string `name:"html" help:"Write one HTML page with charts that needs no network." placeholder:"FILE"`
	SVG    string `name:"svg" help:"Write charts, each light and dark, into this folder." placeholder:"DIR"`
	MD     string `name:"md" help:"Rewrite the blocks between <!-- kbench:begin KIND --> and <!-- kbench:end KIND --> of this file." placeholder:"FILE"`
	Check  bool   `help:"Write nothing: fail if the Markdown file, or a chart, is not what its results give."`
	Format string `enum:"none,gobench" default:"none" help:"gobench: lines for benchstat on standard output."`
}

// Help is the long text of kbench report --help.
func (reportCmd) Help() string {
	return `KIND is results (medians, and their 95 % confidence), settings (each client's, side by
side), environment, commands or charts (needs --svg); of compare.json files it is summary,
comparison (a table per scenario), losses, parity (settings), method, reproduce (commands)
or bars (charts of CPU per record; needs --svg). cluster is a section with all of these of a
comparison on a cluster; curve is one of a curve.json, with its chart (needs --svg). Patterns
after it choose the block's results, relative to the file; without, it shows those of the
command line. !PATTERN takes files away again, and ?PATTERN may match nothing:

  <!-- kbench:begin results bench/results/open-*.json -->
  <!-- kbench:end results -->

Examples:

  kbench report c1/curve.json --html curve.html            # of kbench compare --rates
  kbench report kb-out --html out.html
  kbench report main/ pr/ --html out.html --svg charts
  kbench report --md BENCHMARKS.md                         # blocks that name their results
  kbench report --md BENCHMARKS.md --check || echo stale   # for CI: exit code 1
  kbench report main/ --format gobench > main.txt; benchstat main.txt pr.txt`
}

func (c *reportCmd) Run(p *program) error {
	files, rates, err := report.Curves(c.Files)
	if err != nil {
		return bench.UsageError(err)
	}
	list, err := runs.Load(files)
	if err != nil {
		return bench.UsageError(err)
	}
	if err := c.check(len(list), len(rates)); err != nil {
		return bench.UsageError(err)
	}
	var charts []report.Chart
	if c.MD != "" {
		if charts, err = c.markdown(p, list); err != nil || c.Check && c.SVG == "" {
			return err
		}
	}
	if c.HTML != "" {
		if err := writeFile(c.HTML, func(w io.Writer) error { return report.Page(w, list, rates) }); err != nil {
			return err
		}
	}
	if c.SVG != "" {
		if err := c.charts(list, append(report.RatedCharts(rates), charts...)); err != nil {
			return err
		}
	}
	if c.Check {
		return nil
	}
	if c.Format == "gobench" {
		results := make([]*bench.Result, len(list))
		for i := range list {
			results[i] = list[i].Result
		}
		return gobench.Write(p.stdout, results)
	}
	return nil
}

// check refuses what makes no sense together.
func (c *reportCmd) check(results, rates int) error {
	switch {
	case c.HTML == "" && c.SVG == "" && c.MD == "" && c.Format == "none":
		return errors.New("nothing to do: give --html, --svg, --md or --format gobench")
	case c.Check && c.MD == "":
		return errors.New("--check needs --md")
	case results == 0 && c.Format != "none" || results+rates == 0 && (c.HTML != "" || c.SVG != "" && c.MD == ""):
		return errors.New("name results to report on")
	}
	return nil
}

// charts writes those of the results, and more that blocks show, or compares them
// with what they should be.
func (c *reportCmd) charts(list []runs.Run, more []report.Chart) error {
	all := more
	if len(list) > 0 {
		own, err := report.Charts(list)
		if err != nil {
			return err
		}
		all = append(own, more...)
	}
	if c.Check {
		return report.CheckCharts(c.SVG, all)
	}
	if err := report.WriteCharts(c.SVG, all); err != nil {
		return bench.UsageError(err)
	}
	return nil
}

// markdown rewrites the file, or compares it with what it should be. It returns
// the charts that only its blocks name.
func (c *reportCmd) markdown(p *program, list []runs.Run) ([]report.Chart, error) {
	// A device can be read for ever, and a page can not take its place.
	if info, err := os.Stat(c.MD); err == nil && !info.Mode().IsRegular() {
		return nil, bench.UsageError(fmt.Errorf("--md %s is not a file, so it has no blocks to rewrite", c.MD))
	}
	old, err := os.ReadFile(c.MD)
	if err != nil {
		return nil, bench.UsageError(err)
	}
	m := report.Markdown{Path: c.MD, Runs: list, Charts: c.SVG}
	text, err := m.Update(string(old))
	switch {
	case err != nil:
		return nil, bench.UsageError(err)
	case text == string(old):
		_, err := fmt.Fprintf(p.stdout, "%s is up to date\n", c.MD)
		return m.Drawn, err
	case c.Check:
		return nil, fmt.Errorf("%s is stale: run kbench report again, without --check", c.MD)
	}
	// The file is replaced as a whole: half a page would be worse than an old one.
	next := c.MD + ".new"
	if err := writeFile(next, func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
		return nil, err
	}
	return m.Drawn, os.Rename(next, c.MD)
}
