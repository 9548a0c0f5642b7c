package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/compare"
)

// compareCmd is kbench compare.
type compareCmd struct {
	clientFlags
	connectFlags

	Scenario    string `help:"Workloads, comma separated, or core, or all; --list names them (core; with --rates, open-8)." placeholder:"NAME,..."`
	Rates       string `help:"Offer the workload at each of these records per second, rising, until a client is saturated: 10k,20k,50k, or 10k..2M." placeholder:"RATE,..."`
	Step        string `default:"x2" help:"Factor between the rates of FROM..TO."`
	List        bool   `help:"Print the scenarios."`
	Runs        int    `default:"10" help:"Rounds; with fewer than 5 no difference is told from chance."`
	Base        string `help:"Client whose ratios are 1: franz-go if it is there, or else the first." placeholder:"NAME"`
	Defaults    bool   `help:"Leave every setting to each client's library, in place of the same for all."`
	Replication int    `default:"1" help:"Replicas of the topics on a cluster."`
	Acks        string `enum:"all,1,0" default:"1" help:"Where the scenario leaves it open: all (which is idempotent), 1 or 0."`

	Compression string `enum:",none,gzip,snappy,lz4,zstd" default:"" help:"Codec of batches, where the scenario leaves it open (none)." placeholder:"CODEC"`
	Payload     string `enum:"random,text" default:"random" help:"Bytes of values, where the scenario leaves it open: random, or text."`

	Duration   string        `short:"d" default:"5s" help:"Measured phase of every run."`
	Warmup     string        `default:"3s" help:"Time before it; Java has 10s or more."`
	Verify     string        `enum:"none,count,full" default:"none" help:"After every run, look for the number of records, or for every record. It costs the broker time."`
	Arrival    string        `default:"constant" help:"How records fall due where a scenario has a rate: constant; poisson, by chance; or burst:N, N at once." placeholder:"PROCESS"`
	Settle     time.Duration `default:"0s" help:"Before each run, wait up to so long for other programs to leave 90 % of the processors alone." placeholder:"TIME"`
	Retry      int           `default:"0" help:"Make a run again, up to N times, of which the hypervisor took more than --max-steal; how many were is in the table." placeholder:"N"`
	MaxLag     time.Duration `help:"Wake-up lag p99 of the load generator up to which a run is valid (2ms)." placeholder:"TIME"`
	MaxSteal   float64       `help:"Percent of the processors' time that the hypervisor may give to others in a valid run (5)." placeholder:"PERCENT"`
	Pacer      string        `enum:"auto,nanosleep,timerfd,sleep" default:"auto" help:"How the Go workers wait in an open loop."`
	CPUProfile string        `name:"cpuprofile" help:"Prefix of CPU profiles, one per scenario and client; the numbers then include profiling." placeholder:"PREFIX"`
	Format     string        `enum:"human,json,markdown" default:"human" help:"Table, kbench.compare/v1, or Markdown on standard output."`
	Out        string        `short:"o" help:"Folder for SCENARIO/CLIENT/NN.json and compare.json (kb-out/compare-TIME)." placeholder:"DIR"`
	Quiet      bool          `short:"q" help:"No progress."`
}

// clientFlags choose what is measured, and on what.
type clientFlags struct {
	Client  string `default:"kring,franz-go,sarama,kafka-go,librdkafka,java,rawlimit" help:"Clients, comma separated; NAME=PROGRAM adds any worker program."`
	Brokers string `short:"b" aliases:"bootstrap-server" help:"Brokers of a cluster, comma separated. Without: an embedded broker." placeholder:"HOST:PORT,..."`
	Workers string `help:"Folder of built workers. Without: beside kbench and in PATH (kbench-worker-NAME), or built from bench/peers in the source tree." placeholder:"DIR"`
}

// Help is the long text of kbench compare --help.
func (compareCmd) Help() string {
	return `Every client is a program of its own, all get the same plan, and they run in turn:
A B C A B C. The table has medians, half the range (±), the ratio to the base (the median
of the rounds' ratios) and the p-value of the Mann-Whitney U test against it. Below it
stand the settings that every client was really given.

With --rates the workload gets a timetable, whose times count from the instant at which a
record was due, at each rate in turn: --runs rounds of all clients, then the next rate. Who
reaches less than 97 % of a rate, or has mostly invalid runs there, is saturated and is left
out of higher rates. -o then holds curve.json, which kbench report draws: p99 by rate.

Examples:

  kbench compare --client kring,franz-go                       the core scenarios, 10 rounds
  kbench compare --scenario open-1,open-8 --base java
  kbench compare --client kring,mine=./my-worker --scenario all --format markdown
  kbench compare --scenario backlog                            memory and GC while 64 MiB wait
  kbench compare --rates 10k..2M --runs 3 -o c1                how late at which rate, to the end
  kbench report c1 --html curve.html                           the chart of it
  kbench compare -b k1:9092 --replication 3 --scenario keyed
  kbench diff kb-out/x/open-1/kring kb-out/x/open-1/java       two clients of it, all metrics

Exit codes: 0 compared; 1 a client failed; 2 usage; 4 a client lost records; 5 too many
runs are invalid; 6 a client is not available here; 130 interrupted.`
}

func (c *compareCmd) Run(p *program) error {
	if c.List {
		for _, s := range compare.Scenarios() {
			fmt.Fprintf(p.stdout, "%-17s %s\n", s.Name, s.About)
		}
		return nil
	}
	o, err := c.options(p)
	if err != nil {
		return bench.UsageError(err)
	}
	if err := compare.Writable(o.Dir); err != nil {
		return err
	}
	clients, done, err := c.find(p, o.Messages)
	if err != nil {
		return err
	}
	defer done()
	o.Clients = clients
	if o.Base, err = c.base(clients); err != nil {
		return bench.UsageError(err)
	}
	if !c.Quiet {
		fmt.Fprintf(p.stderr, "plan   %s, %d clients, %d rounds: %v\n", c.what(len(o.Scenarios)), len(clients), o.Runs, c.estimate(&o))
	}
	report, err := compare.Run(p.ctx, o)
	if err != nil {
		return err
	}
	p.code = report.ExitCode()
	if !c.Quiet {
		fmt.Fprintf(p.stderr, "results: %s\n", o.Dir)
	}
	switch c.Format {
	case "json":
		return report.WriteJSON(p.stdout)
	case "markdown":
		return report.WriteMarkdown(p.stdout)
	}
	return report.WriteText(p.stdout)
}

// options turns flags into a comparison, without its clients.
func (c *compareCmd) options(p *program) (compare.Options, error) {
	o := compare.Options{
		Runs: c.Runs, Replication: c.Replication, Acks: c.Acks,
		Compression: c.Compression, Payload: c.Payload, Defaults: c.Defaults,
		Verify: bench.VerifyMode(c.Verify), Pacer: c.Pacer, MaxLag: c.MaxLag, MaxSteal: c.MaxSteal / 100, Settle: c.Settle, Retry: c.Retry, CPUProfile: c.CPUProfile,
		Dir: c.Out, Command: append([]string{"kbench"}, redacted(p.args)...), Messages: p.messages(c.Quiet),
	}
	props, brokers, err := c.properties(c.Brokers)
	if err != nil {
		return o, err
	}
	o.Brokers, o.Props, o.Read = addresses(brokers), props, readJava
	if p.exe != "" {
		o.BrokerCommand = []string{p.exe, "broker", "--control"}
	}
	if o.Dir == "" {
		o.Dir = filepath.Join("kb-out", "compare-"+time.Now().Format("20060102-150405"))
	}
	var errs []error
	if o.Scenarios, err = c.scenarios(); err != nil {
		errs = append(errs, err)
	}
	if o.Duration, err = bench.ParseDuration(c.Duration); err == nil && o.Duration == 0 {
		err = errors.New("0 is no duration")
	}
	if err != nil {
		errs = append(errs, fmt.Errorf("--duration: %w", err))
	}
	if o.Arrival, err = bench.ParseArrival(c.Arrival); err != nil {
		errs = append(errs, fmt.Errorf("--arrival: %w", err))
	}
	if o.Warmup, err = bench.ParseDuration(c.Warmup); err != nil {
		errs = append(errs, fmt.Errorf("--warmup: %w", err))
	}
	if c.Runs < 1 {
		errs = append(errs, fmt.Errorf("--runs is %d, want 1 or more", c.Runs))
	}
	if c.Replication < 1 {
		errs = append(errs, fmt.Errorf("--replication is %d, want 1 or more", c.Replication))
	}
	if c.Settle < 0 {
		errs = append(errs, fmt.Errorf("--settle is %v, want 0 or more", c.Settle))
	}
	if c.Retry < 0 {
		errs = append(errs, fmt.Errorf("--retry is %d, want 0 or more", c.Retry))
	}
	if err := o.Validate(); err != nil {
		errs = append(errs, err)
	}
	if c.Defaults && c.Compression != "" {
		errs = append(errs, errors.New("--compression contradicts --defaults, which leaves every setting to the libraries"))
	}
	for _, address := range o.Brokers {
		if err := bench.CheckAddress("--brokers", address); err != nil {
			errs = append(errs, err)
		}
	}
	return o, errors.Join(errs...)
}

// messages is where people are told what happens.
func (p *program) messages(quiet bool) io.Writer {
	if quiet {
		return io.Discard
	}
	return p.stderr
}

// base is the client that the others' ratios refer to.
func (c *compareCmd) base(clients []compare.Client) (string, error) {
	has := func(name string) bool {
		return slices.ContainsFunc(clients, func(c compare.Client) bool { return c.Name == name })
	}
	switch {
	case c.Base != "" && !has(c.Base):
		return "", fmt.Errorf("--base %s is none of the clients", c.Base)
	case c.Base != "":
		return c.Base, nil
	case has("franz-go"):
		return "franz-go", nil
	}
	return clients[0].Name, nil
}

// find resolves --client; done removes what was built for it.
func (c *clientFlags) find(p *program, messages io.Writer) (clients []compare.Client, done func(), err error) {
	here, err := os.Getwd()
	if err != nil {
		return nil, nil, err
	}
	f := compare.Finder{Self: []string{p.exe, "worker"}, Dir: c.Workers, Source: here, Messages: messages}
	done = func() {
		if f.Build != "" { // Something was built.
			_ = os.RemoveAll(f.Build)
		}
	}
	if p.exe != "" {
		f.Beside = filepath.Dir(p.exe)
	}
	clients, err = f.Find(p.ctx, strings.Split(c.Client, ","))
	if err != nil {
		done()
		return nil, nil, bench.UsageError(err)
	}
	return clients, done, nil
}
