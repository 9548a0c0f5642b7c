package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/runs"
)

// histCmd is kbench hist.
type histCmd struct {
	Print histPrintCmd `cmd:"" help:"Print the percentiles of results and histogram logs, merged."`
	Merge histMergeCmd `cmd:"" help:"Merge results and histogram logs into one histogram log, without loss."`
}

// Help is the long text of kbench hist --help.
func (histCmd) Help() string {
	return `Histograms of several runs, machines or intervals are merged by adding their counts;
percentiles come from the merged counts and are never averaged. Files are results
(result.json, or the folder of kbench run -o) and HdrHistogram logs (.hlog) whose
tags are response, service, call and lag.

Examples:

  kbench hist print kb-out
  kbench hist print shard-*/latency.hlog --tag response --format hgrm > response.hgrm
  kbench hist merge -o all.hlog shard-0 shard-1 shard-2`
}

// histInput is what both commands read.
type histInput struct {
	Files []string `arg:"" help:"Results, folders of results, or .hlog files." placeholder:"FILE"`
	Tag   []string `help:"Only these distributions: response, service, call, lag. Repeatable." placeholder:"NAME"`
}

// read merges all files, distribution by distribution.
func (c *histInput) read() ([]*bench.Distribution, bench.HlogSpan, error) {
	var merged []*bench.Distribution
	var span bench.HlogSpan
	var files []string
	for _, path := range c.Files {
		found, err := runs.Files(path)
		if err != nil {
			return nil, span, bench.UsageError(err)
		}
		files = append(files, found...)
	}
	for _, path := range files {
		list, covered, err := bench.ReadDistributions(path)
		if err != nil {
			return nil, span, bench.UsageError(err)
		}
		span = span.Union(covered)
		for _, d := range list {
			if len(c.Tag) > 0 && !slices.Contains(c.Tag, d.Name) {
				continue
			}
			at := slices.IndexFunc(merged, func(m *bench.Distribution) bool { return m.Name == d.Name })
			if at < 0 {
				merged = append(merged, d)
			} else if err := merged[at].Merge(d); err != nil {
				return nil, span, bench.UsageError(fmt.Errorf("%s: %w", path, err))
			}
		}
	}
	if len(merged) == 0 {
		return nil, span, bench.UsageError(fmt.Errorf("no distribution named %v in %v", c.Tag, c.Files))
	}
	return merged, span, nil
}

type histPrintCmd struct {
	histInput

	Format string `enum:"human,json,csv,hgrm" default:"human" help:"Table, or the percentile spectrum as JSON, CSV or .hgrm (one distribution)."`
}

func (c *histPrintCmd) Run(p *program) error {
	list, _, err := c.read()
	if err != nil {
		return err
	}
	switch c.Format {
	case "hgrm":
		if len(list) != 1 {
			return bench.UsageError(errors.New("--format hgrm has room for one distribution: choose it with --tag"))
		}
		return list[0].WriteHgrm(p.stdout)
	case "json":
		return writeSpectrumJSON(p.stdout, list)
	case "csv":
		return writeSpectrumCSV(p.stdout, list)
	}
	bench.WriteDistributions(p.stdout, list)
	return nil
}

func writeSpectrumJSON(w io.Writer, list []*bench.Distribution) error {
	type item struct {
		Name     string         `json:"name"`
		Summary  *bench.Latency `json:"summary"`
		Spectrum []bench.Point  `json:"spectrum"`
	}
	items := []item{}
	for _, d := range list {
		items = append(items, item{d.Name, d.Latency(), d.Spectrum(5)})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(items)
}

func writeSpectrumCSV(w io.Writer, list []*bench.Distribution) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"name", "quantile", "value_ns", "count"}}
	for _, d := range list {
		for _, point := range d.Spectrum(5) {
			rows = append(rows, []string{
				d.Name, strconv.FormatFloat(point.Quantile, 'f', -1, 64),
				strconv.FormatInt(point.ValueNs, 10), strconv.FormatUint(point.Count, 10),
			})
		}
	}
	return out.WriteAll(rows)
}

type histMergeCmd struct {
	histInput

	Out string `short:"o" required:"" help:"Histogram log to write; - is standard output." placeholder:"FILE"`
}

func (c *histMergeCmd) Run(p *program) error {
	list, span, err := c.read()
	if err != nil {
		return err
	}
	if c.Out == "-" {
		return bench.WriteHlog(p.stdout, span.From, span.To, list)
	}
	err = writeFile(c.Out, func(w io.Writer) error { return bench.WriteHlog(w, span.From, span.To, list) })
	if err != nil {
		return err
	}
	bench.WriteDistributions(p.stdout, list)
	return nil
}

// writeFile creates a file; one that can not be created is a usage error.
func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return bench.UsageError(err)
	}
	if err := write(f); err != nil {
		_ = f.Close() // The first error is the one that matters.
		return err
	}
	return f.Close()
}
