package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/kring-go/kring/bench"
)

// verifyCmd is kbench verify.
type verifyCmd struct {
	Dir string `arg:"" optional:"" name:"run-dir" help:"Folder that kbench run --out wrote, against a cluster." placeholder:"RUN-DIR"`

	Brokers string `short:"b" aliases:"bootstrap-server" help:"Brokers to start from; without, those of the run." placeholder:"HOST:PORT,..."`
	Topic   string `short:"t" help:"Topic to read, in place of a folder." placeholder:"TOPIC"`
	RunID   string `name:"run-id" help:"The run whose records are looked for: run_id of its result." placeholder:"HEX"`

	connectFlags

	Format string `enum:"human,json" default:"human" help:"Lines, or JSON."`
	Quiet  bool   `short:"q" help:"The findings only."`
}

// Help is the long text of kbench verify --help.
func (verifyCmd) Help() string {
	return `Reads a topic back and looks for the records of one run: lost, twice there, out of
order, altered.

With the folder of the run everything is compared with its account of what it sent,
ledger.json. Keep the topic: name it (-t), or run with --keep-topic. With --topic and
--run-id only what records say of themselves can be checked: a record is missing if
later ones of its sender are there; bytes are not compared. Either way the run must have
been one with --verify full, which puts a stamp into every record.

Examples:

  kbench run -b localhost:9092 -t orders -n 10M --verify full -o kb-out/orders
  kbench verify kb-out/orders
  kbench verify -b localhost:9092 --topic orders --run-id 00c0ffee00c0ffee
  kbench verify kb-out/orders --config-file client.properties   # a cluster with TLS or a login

Exit codes: 0 all there; 1 unreachable; 2 usage; 4 lost, duplicated, reordered or
corrupt; 5 not everything could be read.`
}

func (c *verifyCmd) Run(p *program) error {
	check, err := c.check()
	if err != nil {
		return err
	}
	if !c.Quiet {
		check.Messages = p.stderr
	}
	found, err := bench.VerifyTopic(p.ctx, *check)
	if err != nil {
		return err
	}
	text := "OK       every record is there, once and in order"
	switch {
	case found.Failed():
		p.code, text = bench.ExitVerify, "FAILED   the topic does not hold what was sent"
	case found.Incomplete != "":
		p.code, text = bench.ExitInvalid, "UNKNOWN  not everything could be read"
	}
	if c.Format == "json" {
		enc := json.NewEncoder(p.stdout)
		enc.SetIndent("", " ")
		return enc.Encode(found)
	}
	bench.WriteVerify(p.stdout, found)
	_, err = fmt.Fprintln(p.stdout, text)
	return err
}

// check is what the arguments say about the run.
func (c *verifyCmd) check() (*bench.TopicCheck, error) {
	byTopic := c.Topic != "" || c.RunID != ""
	props, brokers, err := c.properties(c.Brokers)
	if err != nil {
		return nil, bench.UsageError(err)
	}
	switch {
	case byTopic == (c.Dir != ""):
		return nil, bench.UsageError(errors.New("want the folder of a run, or --topic and --run-id"))
	case byTopic && (c.Topic == "" || c.RunID == "" || brokers == ""):
		return nil, bench.UsageError(errors.New("--topic needs --run-id and --brokers as well"))
	}
	out := &bench.TopicCheck{Topic: c.Topic}
	if byTopic {
		if err := out.RunID.UnmarshalText([]byte(c.RunID)); err != nil {
			return nil, bench.UsageError(fmt.Errorf("--run-id %q: want 16 hex digits, as run_id of a result", c.RunID))
		}
	} else if out, err = bench.LoadTopicCheck(c.Dir); err != nil {
		return nil, err
	}
	if list := addresses(brokers); len(list) > 0 {
		out.Brokers = list
	}
	for _, address := range out.Brokers {
		if err := bench.CheckAddress("--brokers", address); err != nil {
			return nil, bench.UsageError(err)
		}
	}
	out.Props, out.Read = props, readJava
	return out, nil
}
