package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/kring-go/kring/bench"
)

// properties are those of the file and of the command line. The nearer to the
// user wins: -X and the flags that say the same.
func (c *runCmd) properties() (map[string]string, error) {
	given, err := bench.ParseProps(c.Property)
	if err != nil || c.ConfigFile == "" {
		return given, err
	}
	props, err := readProps(c.ConfigFile, nil)
	if err != nil {
		return nil, fmt.Errorf("--config-file: %w", err)
	}
	for name, flag := range map[string]*string{"acks": c.Acks, "linger.ms": c.Linger, "batch.size": c.BatchSize, "compression.type": c.Compression} {
		if flag != nil {
			delete(props, name)
		}
	}
	c.Brokers = cmp.Or(c.Brokers, props["bootstrap.servers"])
	delete(props, "bootstrap.servers")
	maps.Copy(props, given)
	return props, nil
}

// faults reads --fault. A ";" between two stands for the flag once more, for
// KBENCH_FAULT has one value only.
func (c *runCmd) faults(bad func(flag string, err error)) []bench.Fault {
	var list []bench.Fault
	for _, text := range c.Faults {
		f, err := bench.ParseFault(text)
		bad("fault", err)
		list = append(list, f)
	}
	return list
}

// dryRun prints the resolved plan: that of --format json is what a worker would
// read. Nothing is started, and no broker is asked.
func (c *runCmd) dryRun(p *program, s bench.Session) error {
	if err := s.Validate(); err != nil {
		return err
	}
	plan := &s.Config
	plan.Settings = plan.Settings.Redacted()
	props := plan.Settings.Props
	if c.Format == "json" {
		enc := json.NewEncoder(p.stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", " ")
		return enc.Encode(plan)
	}
	target := "an embedded broker"
	if len(plan.Settings.Brokers) > 0 {
		target = "kafka at " + plan.Settings.Brokers[0]
	}
	if plan.Settings.Topic == "" {
		plan.Settings.Topic = "a temporary topic"
	}
	if plan.Partitions == 0 {
		plan.Partitions = bench.DefaultPartitions
	}
	bench.WritePlan(p.stdout, plan, s.Library, target)
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "acks\t%s\nenable.idempotence\t%v\nlinger\t%v\n", plan.Settings.Acks, plan.Settings.Idempotent, plan.Settings.Linger)
	if plan.Settings.BatchSize > 0 {
		fmt.Fprintf(table, "batch.size\t%d\n", plan.Settings.BatchSize)
	}
	fmt.Fprintf(table, "compression.type\t%s\n", plan.Settings.Codec())
	for _, name := range slices.Sorted(maps.Keys(props)) {
		fmt.Fprintf(table, "%s\t%s\n", name, props[name])
	}
	return table.Flush()
}
