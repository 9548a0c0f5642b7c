package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/workload"
)

// workloadCmd is kbench workload.
type workloadCmd struct {
	List     workloadListCmd     `cmd:"" help:"List the workloads that come with kbench."`
	Show     workloadShowCmd     `cmd:"" help:"Print a workload, to start a file of your own from."`
	Validate workloadValidateCmd `cmd:"" help:"Check files as kbench run would, without running them."`
	Convert  workloadConvertCmd  `cmd:"" help:"Turn a workload of OpenMessaging Benchmark into one of kbench."`
}

// Help is the long text of kbench workload --help.
func (workloadCmd) Help() string {
	return `A workload is a YAML file whose keys are the flags of kbench run. What stands on the
command line wins over the environment (KBENCH_<FLAG>), that over the file, and the
file over the defaults; of two values for a property, -X wins.

  name: orders
  description: what the order service does at noon
  rate: 20k
  record-size: lognormal:400,0.6,16KiB
  keys: zipf:100k,1.1
  property:
    compression.type: lz4
  fault:
    - at=30s,for=5s,kind=latency:50ms

Examples:

  kbench workload list
  kbench run latency-small -b localhost:9092 -r 50k
  kbench workload show mixed > mine.yaml && kbench workload validate mine.yaml && kbench run mine.yaml
  kbench workload convert 1-topic-16-partitions-1kb.yaml --driver kafka.yaml > w.yaml`
}

type workloadListCmd struct{}

func (workloadListCmd) Run(p *program) error {
	for _, name := range workload.Builtins() {
		w, err := workload.Load(name)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(p.stdout, "%-14s %s\n", name, w.Description); err != nil {
			return err
		}
	}
	return nil
}

type workloadShowCmd struct {
	Workload string `arg:"" help:"Name of a workload that comes with kbench, or a file." placeholder:"NAME"`
}

func (c *workloadShowCmd) Run(p *program) error {
	w, err := workload.Load(c.Workload)
	if err != nil {
		return bench.UsageError(err)
	}
	_, err = io.WriteString(p.stdout, w.Text)
	return err
}

type workloadValidateCmd struct {
	Workloads []string `arg:"" help:"Files, or names of workloads that come with kbench." placeholder:"FILE"`
}

func (c *workloadValidateCmd) Run(p *program) error {
	for _, name := range c.Workloads {
		// The flags of this command are not those of run: only the file counts.
		alone := *p
		alone.args = []string{"run", name}
		run, err := (&runCmd{Workload: name}).resolved(&alone)
		if err != nil {
			return err
		}
		session, err := run.session(&alone)
		if err == nil {
			err = session.Validate()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if _, err := fmt.Fprintf(p.stdout, "%s: ok\n", name); err != nil {
			return err
		}
	}
	return nil
}

type workloadConvertCmd struct {
	File   string `arg:"" help:"Workload file of OpenMessaging Benchmark." placeholder:"FILE"`
	Driver string `help:"Its driver file, for the producer's properties." placeholder:"FILE"`
}

func (c *workloadConvertCmd) Run(p *program) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return bench.UsageError(err)
	}
	var driver []byte
	if c.Driver != "" {
		if driver, err = os.ReadFile(c.Driver); err != nil {
			return bench.UsageError(err)
		}
	}
	converted, err := workload.Convert(text, driver)
	if err != nil {
		return bench.UsageError(err)
	}
	_, err = io.WriteString(p.stdout, converted)
	return err
}

// mergeProperties joins the file's properties and those of the command line,
// which win, and drops the file's where a flag says the same.
func (c *runCmd) mergeProperties(w *workload.Workload, fromFile map[string]bool) {
	name := func(pair string) string {
		name, _, _ := strings.Cut(pair, "=")
		return strings.TrimSpace(name)
	}
	given := func(property string) bool {
		return slices.ContainsFunc(c.Property, func(pair string) bool { return name(pair) == property })
	}
	for _, sugar := range []struct {
		property, flag string
		value          **string
	}{{"acks", "acks", &c.Acks}, {"linger.ms", "linger", &c.Linger}, {"batch.size", "batch-size", &c.BatchSize}, {"compression.type", "compression", &c.Compression}} {
		switch {
		case *sugar.value != nil && !fromFile[sugar.flag]:
			w.Properties = slices.DeleteFunc(w.Properties, func(pair string) bool { return name(pair) == sugar.property })
		case fromFile[sugar.flag] && given(sugar.property):
			*sugar.value = nil
		}
	}
	for _, pair := range w.Properties {
		if !given(name(pair)) {
			c.Property = append(c.Property, pair)
		}
	}
}

// keepWorkload stores the description beside the result that it explains, in
// place of another result's.
func (c *runCmd) keepWorkload() error {
	if c.Out == "" {
		return nil
	}
	if c.Workload == "" {
		if err := os.Remove(filepath.Join(c.Out, "workload.yaml")); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	w, err := workload.Load(c.Workload)
	if err != nil {
		return bench.UsageError(err)
	}
	return writeFile(filepath.Join(c.Out, "workload.yaml"), func(f io.Writer) error {
		_, err := io.WriteString(f, w.Text)
		return err
	})
}
