package main

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/gobench"
)

// runCmd is kbench run. Values with suffixes are strings here and are parsed by
// package bench, so that every message about them is the same.
type runCmd struct {
	Workload string `arg:"" optional:"" help:"YAML file of flags, or a workload that comes with kbench (see kbench workload)." placeholder:"WORKLOAD"`

	Brokers     string `short:"b" aliases:"bootstrap-server" help:"Brokers to start from, comma separated. Without: an embedded broker." placeholder:"HOST:PORT,..."`
	Topic       string `short:"t" help:"Topic; created if missing. Without: a temporary one, deleted afterwards."`
	Partitions  *int   `help:"Partitions of a created topic (12)."`
	Replication int    `help:"Replicas of a created topic (up to 3)." placeholder:"N"`
	KeepTopic   bool   `help:"Do not delete the temporary topic."`

	NumRecords    string  `short:"n" help:"Records to send after the warm-up: 500, 10k, 10M." placeholder:"N"`
	Duration      string  `short:"d" help:"How long to send after the warm-up (5s unless -n is given). With both, what comes first." placeholder:"TIME"`
	RecordSize    *string `short:"s" help:"Value size (100): 1KiB, uniform:10-500, mix:90%x128,10%x4096, lognormal:MEDIAN,DEVIATION,MAX." placeholder:"SIZE"`
	Rate          string  `short:"r" aliases:"throughput" default:"max" help:"Records per second of all senders: 20k, 200k/s, or max."`
	Arrival       string  `default:"constant" help:"How records fall due: constant; poisson, by chance; or burst:N, N at once. The rate is the same." placeholder:"PROCESS"`
	Mode          string  `enum:"auto,open,closed" default:"auto" help:"open (by a timetable) or closed; auto is open with a rate."`
	Outstanding   int     `help:"Closed loop: records that each sender keeps under way; 0 is as many as the client buffers." placeholder:"N"`
	Senders       int     `default:"4" help:"Goroutines that produce."`
	Producers     int     `default:"1" help:"Clients, each with connections and memory of its own, that the goroutines share."`
	Procs         int     `default:"1" help:"Processes of this machine that share the rate and the records; each has the goroutines and clients above."`
	Keys          string  `default:"none" help:"none, seq, uniform:N or zipf:N,s."`
	Partitioner   string  `enum:"client,round-robin" default:"client" help:"Who chooses partitions: the client's own partitioner, or kbench, round robin."`
	Payload       string  `enum:",random,text" default:"" help:"Bytes of values: random, or text that becomes about a third when compressed (random)." placeholder:"KIND"`
	PayloadFile   string  `help:"Take values from this file, one a line, or from a folder, one in each file; chosen at random by --seed." placeholder:"FILE"`
	PayloadDelim  *string `name:"payload-delimiter" help:"What stands between the values of --payload-file; \\n, \\t, \\0 and \\xHH are understood (\\n, before which \\r is left out)." placeholder:"TEXT"`
	Compress      float64 `name:"compressibility" default:"0" help:"Share of each random value that is repetitive, 0 to 1." placeholder:"X"`
	Warmup        string  `default:"0s" help:"Before the measured phase: a time (10s), or a number of records (100k, 500records)." placeholder:"TIME|N"`
	Seed          uint64  `default:"1" help:"Of sizes, keys and payloads."`
	LatencySample int     `help:"Take the times of every N-th record. Default: all at low rates, every 61st flat out." placeholder:"N"`

	Acks        *string  `help:"all, 1 or 0 (all)."`
	Linger      *string  `help:"How long a batch waits for more; a bare number is milliseconds (5ms)." placeholder:"TIME"`
	BatchSize   *string  `help:"Bytes of a batch (16KiB)." placeholder:"SIZE"`
	Compression *string  `help:"Codec of batches: none, gzip, snappy, lz4 or zstd (none)." placeholder:"CODEC"`
	Property    []string `short:"X" sep:"none" aliases:"producer-props,command-property" help:"Any producer property in Java's words; repeatable." placeholder:"NAME=VALUE"`

	ConfigFile string `aliases:"command-config,producer.config" help:"File of producer properties; flags and -X win." placeholder:"FILE"`

	Shard   string `help:"This machine's part of a run on n machines: i/n, i from 0. Needs --brokers, --topic and --start-at." placeholder:"I/N"`
	StartAt string `help:"Send the first record at this time (RFC 3339, as 2026-11-23T12:00:00Z), the same on every machine." placeholder:"TIME"`
	RunID   string `name:"run-id" help:"Name of the run: any text, the same on every machine. Shards without: made of topic, start and number." placeholder:"TEXT"`

	Verify      string        `enum:"none,count,full" default:"full" help:"Afterwards, look for nothing, for the number of records, or for every record."`
	E2E         bool          `name:"e2e" help:"Consume the topic meanwhile, and report when records reach the consumer. Needs --verify full."`
	AllowErrors bool          `help:"Exit 0 although records failed."`
	SLO         string        `name:"slo" help:"Conditions, such as 'p99(response)<5ms,errors==0,achieved>=99.5%'." placeholder:"EXPR"`
	MaxLag      time.Duration `help:"Wake-up lag p99 of kbench itself up to which a run is valid (2ms)." placeholder:"TIME"`
	MaxSteal    float64       `help:"Percent of the processors' time that the hypervisor may give to others in a valid run (5)." placeholder:"PERCENT"`
	Drain       time.Duration `name:"drain-timeout" help:"How long to wait for the last acknowledgements (130s)." placeholder:"TIME"`
	Faults      []string      `name:"fault" sep:";" help:"Disturb the network of the measured run; repeatable. Kinds: latency:TIME, bandwidth:BYTES/s, reset, blackhole, broker-stop." placeholder:"at=TIME,for=TIME,kind=KIND[,node=N]"`
	Pacer       string        `enum:"auto,nanosleep,timerfd,sleep" default:"auto" help:"How an open loop waits."`

	Format   string `enum:"human,json,csv,gobench" default:"human" help:"Table, kbench.result/v1, a row per interval, or the Go benchmark format on standard output."`
	DryRun   bool   `help:"Print what would be run, and run nothing."`
	Out      string `short:"o" help:"Folder for result.json, intervals.csv, latency.hlog and response.hgrm." placeholder:"DIR"`
	Interval string `short:"i" default:"1s" help:"Between two lines of progress; 0 is none."`
	Quiet    bool   `short:"q" help:"No plan, no progress: the result only."`

	Client          string        `default:"kring" help:"Client to measure: kring, or NAME of a program kbench-worker-NAME beside kbench or in PATH."`
	EmbeddedNodes   int           `default:"1" help:"Nodes of the embedded broker."`
	EmbeddedDelay   time.Duration `help:"Round trip that the embedded broker adds." placeholder:"TIME"`
	EmbeddedService time.Duration `help:"Time that the embedded broker takes for each request of a connection." placeholder:"TIME"`
	EmbeddedRate    string        `name:"embedded-throughput" default:"0" help:"Bytes per second that a node of the embedded broker takes; 0 is no limit." placeholder:"SIZE"`
	InProcess       bool          `help:"Run the embedded broker in this process."`

	Profile      bool   `help:"Repeat the run once more with a CPU profile, and print nanoseconds per record by stage."`
	CPUProfile   string `name:"cpuprofile" help:"Write a CPU profile of the measured phase." placeholder:"FILE"`
	MemProfile   string `name:"memprofile" help:"Write an allocation profile." placeholder:"FILE"`
	MutexProfile string `name:"mutexprofile" help:"Write a profile of contended locks of the measured phase." placeholder:"FILE"`
	BlockProfile string `name:"blockprofile" help:"Write a profile of waits of the measured phase." placeholder:"FILE"`
}

func (c *runCmd) Run(p *program) error {
	c, err := c.resolved(p)
	if err != nil {
		return err
	}
	session, err := c.session(p)
	if err != nil {
		return err
	}
	if c.DryRun {
		return c.dryRun(p, session)
	}
	result, err := bench.Execute(p.ctx, session)
	if result == nil {
		return err
	}
	p.code = bench.ExitCode(result, c.AllowErrors, nil)
	err = errors.Join(err, c.keepWorkload())
	if c.Format == "human" {
		bench.WriteResult(p.stdout, result)
	}
	// A result for machines names the profile, so it comes after it.
	if c.Profile && !result.Partial {
		err = errors.Join(err, c.profiled(p, session, result))
	}
	switch c.Format {
	case "json":
		err = errors.Join(err, bench.WriteJSON(p.stdout, result))
	case "gobench":
		err = errors.Join(err, gobench.Write(p.stdout, []*bench.Result{result}))
	}
	return err
}

// session turns flags into a plan. All mistakes are reported at once.
func (c *runCmd) session(p *program) (bench.Session, error) {
	var errs []error
	bad := func(flag string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("--%s: %w", flag, err))
		}
	}
	cfg := bench.Config{
		RunID: newRunID(), Command: append([]string{"kbench"}, redacted(p.args)...),
		Outstanding: c.Outstanding, Senders: c.Senders, Producers: c.Producers, Procs: c.Procs, Partitioner: c.Partitioner, Compressibility: c.Compress,
		Seed: c.Seed, LatencySample: c.LatencySample, Verify: bench.VerifyMode(c.Verify), AllowErrors: c.AllowErrors, E2E: c.E2E,
		Pacer: c.Pacer, MaxLag: c.MaxLag, MaxSteal: c.MaxSteal / 100, DrainTimeout: c.Drain, Quiet: c.Quiet,
		Profiles: bench.Profiles{CPU: c.CPUProfile, Heap: c.MemProfile, Mutex: c.MutexProfile, Block: c.BlockProfile},
	}
	var err error
	if c.NumRecords != "" {
		if cfg.Records, err = bench.ParseCount(c.NumRecords); err == nil && cfg.Records == 0 {
			err = errors.New("0 records are nothing to measure")
		}
		bad("num-records", err)
	}
	if c.Duration != "" {
		if cfg.Duration, err = bench.ParseDuration(c.Duration); err == nil && cfg.Duration == 0 {
			err = errors.New("0 is no duration")
		}
		bad("duration", err)
	} else if c.NumRecords == "" {
		cfg.Duration = 5 * time.Second
	}
	errs = append(errs, c.payload(&cfg))
	cfg.Keys, err = bench.ParseKeys(c.Keys)
	bad("keys", err)
	cfg.Rate, err = bench.ParseRate(c.Rate)
	bad("rate", err)
	cfg.Arrival, err = bench.ParseArrival(c.Arrival)
	bad("arrival", err)
	cfg.Interval, err = bench.ParseDuration(c.Interval)
	bad("interval", err)
	switch {
	case c.Mode != "auto":
		cfg.Mode = bench.Mode(c.Mode)
	case cfg.Rate > 0:
		cfg.Mode = bench.ModeOpen
	default:
		cfg.Mode = bench.ModeClosed
	}
	bad("warmup", cfg.SetWarmup(c.Warmup))
	if c.Partitions != nil {
		if cfg.Partitions = *c.Partitions; *c.Partitions < 1 {
			bad("partitions", fmt.Errorf("%d is not 1 or more", *c.Partitions))
		}
	}
	if c.EmbeddedNodes == 0 {
		bad("embedded-nodes", errors.New("0 is no broker"))
	}
	cfg.Faults = c.faults(bad)
	c.shard(&cfg, bad)
	cfg.Settings, err = c.settings(bad)
	if err != nil {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return bench.Session{}, bench.UsageError(err)
	}
	return c.assemble(p, cfg)
}

// settings is what the client is told.
func (c *runCmd) settings(bad func(flag string, err error)) (bench.Settings, error) {
	flags := bench.SettingFlags{Acks: c.Acks, Compression: c.Compression}
	if c.Linger != nil {
		d, err := bench.ParseMillis(*c.Linger)
		bad("linger", err)
		flags.Linger = &d
	}
	if c.BatchSize != nil {
		n, err := bench.ParseBytes(*c.BatchSize)
		bad("batch-size", err)
		flags.BatchSize = &n
	}
	props, err := c.properties()
	if err != nil {
		return bench.Settings{}, err
	}
	s, err := bench.NewSettings(flags, props)
	s.Topic, s.Read = c.Topic, readJava
	if s.Brokers = addresses(c.Brokers); len(s.Brokers) == 0 && c.Brokers != "" {
		bad("brokers", fmt.Errorf("no address in %q", c.Brokers))
	}
	return s, err
}

// assemble adds what is not the plan's: where things run and go.
func (c *runCmd) assemble(p *program, cfg bench.Config) (bench.Session, error) {
	throughput, err := bench.ParseBytes(c.EmbeddedRate)
	if err != nil {
		return bench.Session{}, bench.UsageError(fmt.Errorf("--embedded-throughput: %w", err))
	}
	s := bench.Session{
		Config: cfg, Library: bench.Kring(), Replication: c.Replication, KeepTopic: c.KeepTopic,
		Embedded: bench.EmbeddedOptions{Nodes: c.EmbeddedNodes, Delay: c.EmbeddedDelay, Service: c.EmbeddedService, Throughput: throughput},
		OutDir:   c.Out, SLO: c.SLO, Messages: p.stderr, TTY: p.tty && c.Format == "human",
		View: c.view(p, &cfg),
	}
	if p.exe != "" && !c.InProcess {
		s.BrokerCommand = []string{p.exe, "broker", "--control"}
	}
	if p.exe != "" {
		s.ProcCommand = []string{p.exe, "worker"}
	}
	if c.Procs < 1 || c.Procs > 1 && c.Profile {
		return s, bench.UsageError(fmt.Errorf("--procs is %d, want 1 or more, and 1 with --profile", c.Procs))
	}
	if c.Format == "csv" {
		s.Intervals = p.stdout
	}
	if c.Client != "kring" {
		if c.Format == "csv" {
			return s, bench.UsageError(fmt.Errorf("--format csv: the intervals of another program, such as %s, are not known", c.Client))
		}
		worker, err := findWorker(p.exe, c.Client)
		if err != nil {
			return s, err
		}
		s.Worker = []string{worker}
		s.Library = bench.Library{Name: c.Client, Version: "(worker)"}
	}
	return s, nil
}

// findWorker looks beside this program first, then in PATH.
func findWorker(exe, client string) (string, error) {
	if strings.ContainsAny(client, `/\`) {
		return "", bench.UsageError(fmt.Errorf("--client %s: want a name", client))
	}
	name := "kbench-worker-" + client
	if exe != "" {
		beside := filepath.Join(filepath.Dir(exe), name)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", bench.SkippedError(fmt.Errorf("skipped: there is no %s beside kbench or in PATH", name))
	}
	return path, nil
}

func newRunID() bench.RunID {
	var b [8]byte
	// Documented never to fail.
	_, _ = io.ReadFull(rand.Reader, b[:])
	return bench.RunID(binary.BigEndian.Uint64(b[:]))
}
