package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/kring-go/kring/bench"
)

// options are the flags, and what follows from them.
type options struct {
	scenarios   string
	runs        int
	clients     []string
	brokers     []string
	topic       string
	partitions  int
	replication int
	acks        string
	size        int
	warmup      time.Duration
	duration    time.Duration
	results     string
	check       string
	profile     string
	quiet       time.Duration
	brokerPID   int
	pacer       string
}

func main() {
	o := &options{}
	var clients, brokers string
	flag.StringVar(&o.scenarios, "scenario", "all", "partitioned, keyless, open-1, open-8 (comma separated), or all")
	flag.IntVar(&o.runs, "runs", 5, "rounds")
	flag.StringVar(&clients, "clients", "kring,franz-go,rawlimit,java", "clients, in the order of a round, of "+clientNames+"; NAME=PROGRAM adds any worker program")
	flag.StringVar(&brokers, "b", "", "brokers of a cluster, comma separated; without: a discard broker")
	flag.IntVar(&o.partitions, "partitions", 12, "partitions of the topic")
	flag.IntVar(&o.replication, "replication", 1, "replicas of the topic, with -b")
	flag.StringVar(&o.acks, "acks", "1", "1, or all, which is idempotent")
	flag.IntVar(&o.size, "size", 100, "bytes of a value")
	flag.DurationVar(&o.warmup, "warmup", 3*time.Second, "warm-up inside of every run")
	flag.DurationVar(&o.duration, "duration", 5*time.Second, "measured phase of every run")
	flag.StringVar(&o.results, "results", "../results", "folder for the JSON result; empty for none")
	flag.StringVar(&o.check, "check", "none", "what the discard broker checks: none (headers), count (every record)")
	flag.StringVar(&o.profile, "cpuprofile", "", "prefix of CPU profiles, one per client; the runs' numbers then include profiling")
	flag.StringVar(&o.pacer, "pacer", bench.PacerAuto, "how the Go workers wait in an open loop: auto, nanosleep, timerfd, sleep")
	flag.DurationVar(&o.quiet, "quiet", 0, "before each run, wait so long for other programs to leave 90 % of the processors alone")
	flag.Parse()
	o.clients = strings.Split(clients, ",")
	if brokers != "" {
		o.brokers = strings.Split(brokers, ",")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := compare(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "compare: %v\n", err)
	}
	os.Exit(bench.ExitCode(nil, false, err))
}

func compare(ctx context.Context, o *options) error {
	chosen, err := findScenarios(o.scenarios)
	if err != nil {
		return bench.UsageError(err)
	}
	bin, err := os.MkdirTemp("", "compare-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(bin) }()
	programs, err := workers(bin, o.clients)
	if err != nil {
		return bench.UsageError(err)
	}
	if err := build(ctx, bin, o.clients); err != nil {
		return err
	}
	for i := range o.clients {
		o.clients[i] = programs[i].name
	}
	o.topic = fmt.Sprintf("kring-compare-%08x", rand.Uint32())
	if len(o.brokers) == 0 {
		stop, err := startBroker(bin, o)
		if err != nil {
			return err
		}
		defer stop()
	} else {
		remove, err := createTopic(ctx, o)
		if err != nil {
			return err
		}
		defer remove()
	}
	for i := range chosen {
		if err := chosen[i].run(ctx, o, programs); err != nil {
			return err
		}
	}
	return nil
}

// run measures one scenario, round after round.
func (s *scenario) run(ctx context.Context, o *options, programs []worker) error {
	started, plan, r := time.Now(), s.plan(o), rounds{}
	skipped := map[string]bool{}
	for round := range o.runs {
		for i := range programs {
			w := &programs[i]
			if skipped[w.name] {
				continue
			}
			plan.RunID = bench.RunID(rand.Uint64())
			if o.profile != "" {
				plan.Profiles.CPU = fmt.Sprintf("%s-%s-%s.prof", o.profile, s.name, w.name)
			}
			awaitQuiet(ctx, 0.1, o.quiet)
			before, brokerBefore := readMachine(), processTime(o.brokerPID)
			result, own, err := w.measure(ctx, plan)
			if errors.Is(err, errSkipped) {
				skipped[w.name] = true
				continue
			}
			if err != nil {
				return err
			}
			broker := processTime(o.brokerPID) - brokerBefore
			x := newSample(result)
			x.values[metricOthers] = 100 * others(before, readMachine(), own+broker)
			r[w.name] = append(r[w.name], x)
			fmt.Fprintf(os.Stderr, "%s %d/%d %-9s %9.0f/s %7.0f ns CPU  p50 %s µs  p99 %s µs  others %.0f %%\n", s.name, round+1, o.runs, w.name,
				x.values[metricRate], x.values[metricCPU], number(x.values[metricP50], 0), number(x.values[metricP99], 0), x.values[metricOthers])
		}
	}
	writeTable(os.Stdout, s, o.clients, r)
	verdicts := judge(s, r)
	writeVerdicts(os.Stdout, verdicts)
	fmt.Println()
	writeParity(os.Stdout, o.clients, r)
	if o.results == "" {
		return nil
	}
	file, err := save(o.results, started, s, plan, r, verdicts)
	if err != nil {
		return err
	}
	fmt.Printf("written: %s\n", file)
	return nil
}
