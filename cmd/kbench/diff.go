package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/diff"
	"github.com/kring-go/kring/cmd/kbench/internal/metric"
	"github.com/kring-go/kring/cmd/kbench/internal/runs"
)

// sides stands for the -- between old and new results while kong parses: it
// would take everything after a real one for a file, flags too.
const sides = "\x00--"

// diffCmd is kbench diff.
type diffCmd struct {
	Files []string `arg:"" help:"Results of the old side, --, results of the new side. Or two folders of results." placeholder:"OLD... -- NEW..."`

	Metrics string  `help:"What to compare, comma separated: rate, cpu, allocs, rss, ctxsw, p50, p99, p99(call), p999(service)..." placeholder:"LIST"`
	FailOn  string  `help:"Significant changes that end with exit code 3: 'p99>+10%,rate<-5%'. Without --metrics, only these metrics are compared." placeholder:"EXPR"`
	Alpha   float64 `default:"0.05" help:"How often at most chance may pass for a difference, over all metrics together."`
	Format  string  `enum:"human,json,markdown" default:"human" help:"Table, JSON or Markdown."`

	AllowInvalid bool `help:"Compare results that are invalid or partial as well."`
}

// Help is the long text of kbench diff --help.
func (diffCmd) Help() string {
	return `Compares medians by the Mann-Whitney U test, which assumes nothing about how results
are distributed. Take at least 4 runs a side, better 10, and take them in turns: old,
new, old, new. Runs whose workload or target differs are refused, naming what does.

p-values are adjusted for the number of metrics (Holm), so that all of them together
find a difference between equals at most once in 1/alpha comparisons. The fewer
metrics, the smaller the differences that can be told from chance.

Examples:

  kbench diff main-*.json -- pr-*.json
  kbench diff main/ pr/                                    # folders of results
  kbench diff main/ pr/ --metrics p99,cpu --format markdown
  kbench diff main/ pr/ --fail-on 'p99>+10%,rate<-5%' || echo "exit code $?"

Exit codes: 0 compared; 2 not comparable, or usage; 3 --fail-on breached.`
}

func (c *diffCmd) Run(p *program) error {
	old, changed, err := splitSides(c.Files)
	if err != nil {
		return bench.UsageError(err)
	}
	if c.Alpha <= 0 || c.Alpha >= 1 {
		return bench.UsageError(fmt.Errorf("--alpha is %v, want more than 0 and less than 1", c.Alpha))
	}
	o := diff.Options{Alpha: c.Alpha, AllowInvalid: c.AllowInvalid}
	if c.Metrics != "" {
		if o.Metrics, err = metric.ParseList(c.Metrics); err != nil {
			return bench.UsageError(fmt.Errorf("--metrics: %w", err))
		}
	}
	if o.Gates, err = diff.ParseGates(c.FailOn); err != nil {
		return bench.UsageError(err)
	}
	before, err := runs.Load(old)
	if err != nil {
		return bench.UsageError(err)
	}
	after, err := runs.Load(changed)
	if err != nil {
		return bench.UsageError(err)
	}
	report, err := diff.Compare(before, after, o)
	if err != nil {
		return bench.UsageError(err)
	}
	if len(report.Breaches) > 0 {
		p.code = bench.ExitSLO
	}
	switch c.Format {
	case "json":
		enc := json.NewEncoder(p.stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", " ")
		return enc.Encode(report)
	case "markdown":
		return report.WriteMarkdown(p.stdout)
	}
	return report.WriteText(p.stdout)
}

// splitSides finds the old and the new results among the arguments.
func splitSides(files []string) (old, changed []string, err error) {
	at, separators := 0, 0
	for i, name := range files {
		if name == sides {
			at = i
			separators++
		}
	}
	switch {
	case separators == 0 && len(files) == 2:
		return files[:1], files[1:], nil
	case separators != 1 || at == 0 || at == len(files)-1:
		return nil, nil, errors.New("want OLD... -- NEW..., or two folders")
	}
	return files[:at], files[at+1:], nil
}
