package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench"
)

// perfTestCmd is kbench perf-test: kafka-producer-perf-test with kring.
type perfTestCmd struct {
	BootstrapServer   string   `help:"Brokers; wins over bootstrap.servers of the properties." placeholder:"HOST:PORT,..."`
	Topic             string   `required:"" help:"Produce records to this topic." placeholder:"NAME"`
	NumRecords        int64    `required:"" help:"Number of records to produce." placeholder:"N"`
	RecordSize        *int64   `help:"Record size in bytes; this, --payload-file or --payload-monotonic." placeholder:"N"`
	PayloadFile       string   `help:"Take values from this file, at random." placeholder:"FILE"`
	PayloadDelimiter  *string  `help:"What stands between them (\\n); literally, and not a regular expression." placeholder:"TEXT"`
	PayloadMonotonic  bool     `help:"Values are the numbers of the records, from 0, as text."`
	Throughput        float64  `required:"" help:"Records per second; -1 is as fast as possible." placeholder:"N"`
	CommandProperty   []string `aliases:"producer-props" sep:"none" help:"Producer properties, one or several after the flag." placeholder:"NAME=VALUE"`
	CommandConfig     string   `aliases:"producer.config" help:"File of producer properties." placeholder:"FILE"`
	PrintMetrics      bool     `help:"Print the producer's numbers at the end: those of kring's Stats."`
	TransactionalID   string   `help:"Send in transactions of this transactional id; wins over the properties." placeholder:"ID"`
	TransactionMs     *int64   `name:"transaction-duration-ms" help:"Commit after so many milliseconds (3000 with a transactional id); without an id it takes one of its own." placeholder:"MS"`
	WarmupRecords     int64    `help:"The first so many records are left out of a second summary line, of the steady state." placeholder:"N"`
	ReportingInterval int64    `default:"5000" help:"Milliseconds between two lines of progress on standard error." placeholder:"MS"`
}

// Help is the long text of kbench perf-test --help.
func (perfTestCmd) Help() string {
	return `Takes the flags of kafka-producer-perf-test and prints its summary line, measured with
kring instead of the Java producer. As there, latency counts from the send, in whole
milliseconds, and one thread sends; unlike there, records that failed end with exit code 1.
With a --throughput, the latency from the instant at which each record was
due is printed on standard error: what throttling hides.

Examples:

  kbench perf-test --topic orders --num-records 1000000 --record-size 100 --throughput -1 \
    --bootstrap-server localhost:9092 --command-property acks=1 linger.ms=10`
}

// listFlags take several values, as Kafka's tools write them.
const listFlags = "--producer-props --command-property"

// expandLists repeats such a flag before each of its values.
func expandLists(args []string) []string {
	var out []string
	flag := ""
	for _, arg := range args {
		switch {
		case strings.HasPrefix(arg, "-"):
			if flag = ""; strings.Contains(listFlags, arg) {
				flag = arg
				continue
			}
		case flag != "":
			out = append(out, flag)
		}
		out = append(out, arg)
	}
	return out
}

func (c *perfTestCmd) Run(p *program) error {
	cfg, err := c.config(p)
	if err != nil {
		return bench.UsageError(err)
	}
	o, err := c.options(&cfg)
	if err != nil {
		return bench.UsageError(err)
	}
	result, err := bench.Execute(p.ctx, bench.Session{Config: cfg, Library: o.library(bench.Kring()), Messages: p.stderr})
	if err != nil {
		return err
	}
	p.code = bench.ExitCode(result, false, nil)
	if p.code == bench.ExitInvalid {
		p.code = bench.ExitOK // Kafka's tool does not judge itself; the reasons are told.
	}
	for _, reason := range result.InvalidReasons {
		fmt.Fprintf(p.stderr, "note   %s\n", reason)
	}
	for _, e := range result.Errors {
		fmt.Fprintf(p.stderr, "error  %s x %s\n", bench.FormatCount(e.Records), e.Message)
	}
	if l := result.Latency.Response; l != nil {
		fmt.Fprintf(p.stderr, "note   counted from when each record was due: p50 %s, p99 %s\n", bench.FormatNanos(l.P50), bench.FormatNanos(l.P99))
	}
	if o.monotonic {
		result.Totals.Bytes = o.client.bytes
	}
	if err := writeSummary(p.stdout, result); err != nil {
		return err
	}
	if o.warmup > 0 {
		if err := o.writeSteady(p.stdout); err != nil {
			return err
		}
	}
	if o.metrics {
		return o.writeMetrics(p.stdout, cfg.Settings.Props["client.id"])
	}
	return nil
}

// options is what only a perfClient can do.
func (c *perfTestCmd) options(cfg *bench.Config) (*perfOptions, error) {
	o := &perfOptions{monotonic: c.PayloadMonotonic, warmup: c.WarmupRecords, metrics: c.PrintMetrics}
	if o.warmup < 0 || o.warmup >= c.NumRecords {
		return nil, fmt.Errorf("--warmup-records is %d, want 0 or more and fewer than --num-records, %d", o.warmup, c.NumRecords)
	}
	props := cfg.Settings.Props
	if c.TransactionalID != "" {
		props["transactional.id"] = c.TransactionalID
	}
	switch ms := c.TransactionMs; {
	case ms != nil && (*ms <= 0 || *ms > maxTransactionMs):
		return nil, fmt.Errorf("--transaction-duration-ms is %d, want 1 to %d", *ms, int64(maxTransactionMs))
	case ms != nil:
		o.transaction = time.Duration(*ms) * time.Millisecond
		if props["transactional.id"] == "" {
			props["transactional.id"] = "performance-producer-" + cfg.RunID.String()
		}
	case props["transactional.id"] != "":
		o.transaction = defaultTransaction
	}
	return o, nil
}

const (
	defaultTransaction = 3 * time.Second // as in Kafka's tool
	maxTransactionMs   = 24 * 60 * 60 * 1000
)

func (c *perfTestCmd) config(p *program) (bench.Config, error) {
	cfg := bench.Config{
		RunID: newRunID(), Command: append([]string{"kbench"}, redacted(p.args)...), Mode: bench.ModeClosed, Records: c.NumRecords,
		Senders: 1, Partitioner: bench.PartitionerClient, Verify: bench.VerifyNone, LatencySample: 1, Pacer: "auto", Seed: 1,
	}
	if c.NumRecords < 1 {
		return cfg, fmt.Errorf("--num-records is %d, want 1 or more", c.NumRecords)
	}
	var err error
	if err = c.payload(&cfg); err != nil {
		return cfg, err
	}
	if cfg.Keys, err = bench.ParseKeys("none"); err != nil {
		return cfg, err
	}
	if c.Throughput > 0 {
		cfg.Mode, cfg.Rate = bench.ModeOpen, max(int64(c.Throughput), 1)
	}
	if cfg.Interval, err = bench.ParseMillis(fmt.Sprint(c.ReportingInterval)); err != nil {
		return cfg, fmt.Errorf("--reporting-interval: %w", err)
	}
	props, err := readProps(c.CommandConfig, c.CommandProperty)
	if err != nil {
		return cfg, err
	}
	brokers := c.BootstrapServer
	if brokers == "" {
		brokers = props["bootstrap.servers"]
	}
	delete(props, "bootstrap.servers")
	if brokers == "" {
		return cfg, errors.New("no broker: give --bootstrap-server")
	}
	if _, ok := props["client.id"]; !ok {
		props["client.id"] = "perf-producer-client"
	}
	if cfg.Settings, err = bench.NewSettings(bench.SettingFlags{}, props); err != nil {
		return cfg, err
	}
	cfg.Settings.Topic, cfg.Settings.Brokers, cfg.Settings.Read = c.Topic, strings.Split(brokers, ","), readJava
	return cfg, nil
}

// readProps joins a file of properties and those of the command line, which win.
func readProps(file string, pairs []string) (map[string]string, error) {
	props := map[string]string{}
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		props, err = kring.ReadProperties(f)
		_ = f.Close() // It was only read.
		if err != nil {
			return nil, err
		}
	}
	given, err := bench.ParseProps(pairs)
	maps.Copy(props, given)
	return props, err
}

// writeSummary prints the last line of Kafka's tool, in its format.
func writeSummary(w io.Writer, r *bench.Result) error {
	t, l := &r.Totals, r.Latency.Service
	if l == nil {
		return errors.New("nothing was acknowledged")
	}
	d, err := l.Distribution("service")
	if err != nil {
		return err
	}
	return writeLine(w, "", t.Acked, t.Bytes, time.Duration(t.WindowNs), float64(l.Mean), l.Max, d)
}

// writeLine is a summary of records, named as kind, of which d has the latencies.
func writeLine(w io.Writer, kind string, records, bytes int64, took time.Duration, mean float64, longest int64, d *bench.Distribution) error {
	ms := func(q float64) int64 { return d.Quantile(q) / 1e6 }
	_, err := fmt.Fprintf(w, "%d%s records sent, %f records/sec (%.2f MB/sec), %.2f ms avg latency, %.2f ms max latency, %d ms 50th, %d ms 95th, %d ms 99th, %d ms 99.9th.\n",
		records, kind, float64(records)/took.Seconds(), float64(bytes)/took.Seconds()/(1<<20), mean/1e6, float64(longest)/1e6,
		ms(0.5), ms(0.95), ms(0.99), ms(0.999))
	return err
}
