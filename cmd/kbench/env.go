package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/kring-go/kring/bench"
)

// envCmd is kbench env.
type envCmd struct {
	Brokers string `short:"b" aliases:"bootstrap-server" help:"Brokers whose round trip is measured as well, comma separated." placeholder:"HOST:PORT,..."`

	connectFlags

	Format string `enum:"human,json" default:"human" help:"Table or JSON."`
	JSON   bool   `name:"json" help:"The same as --format json."`
}

// Help is the long text of kbench env --help.
func (envCmd) Help() string {
	return `Looks at this machine for a fifth of a second: what would spoil a measurement, and what
to do about it. The same facts are in the env of every result.

Examples:

  kbench env
  kbench env -b localhost:9092                   # and the way to the brokers
  kbench env --json | jq '.checks[] | select(.ok | not)'`
}

func (c *envCmd) Run(p *program) error {
	d, err := bench.Diagnose()
	if err != nil {
		return err
	}
	access, err := c.access(c.Brokers)
	if err != nil {
		return err
	}
	if access != nil {
		if err := d.LookAtBrokers(p.ctx, access); err != nil {
			return err
		}
	}
	if c.Format == "json" || c.JSON {
		enc := json.NewEncoder(p.stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", " ")
		return enc.Encode(d)
	}
	fmt.Fprintf(p.stdout, "%s, %d processors, kernel %s\n", d.Env.CPUModel, d.Env.CPUs, d.Env.Kernel)
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, check := range d.Checks {
		word := "ok"
		if !check.OK {
			word = "WARN"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", word, check.Name, check.Value, check.Advice)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	verdict := "GOOD  nothing here spoils a measurement"
	if n := d.Warnings(); n > 0 {
		verdict = fmt.Sprintf("FAIR  %d of %d checks warn: name them beside the numbers", n, len(d.Checks))
	}
	_, err = fmt.Fprintln(p.stdout, verdict)
	return err
}
