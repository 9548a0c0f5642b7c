package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/compare"
	"github.com/kring-go/kring/cmd/kbench/internal/ramp"
)

// rampCmd is kbench ramp.
type rampCmd struct {
	Client  string `default:"kring" help:"Clients, comma separated, one after another; as for kbench compare."`
	Brokers string `short:"b" aliases:"bootstrap-server" help:"Brokers of a cluster, comma separated. Without: an embedded broker." placeholder:"HOST:PORT,..."`
	Workers string `help:"Folder of built workers; as for kbench compare." placeholder:"DIR"`

	SLO       string  `name:"slo" default:"p99(response)<5ms,errors==0,achieved>=99.5%" help:"What must hold at a rate."`
	From      string  `default:"10k" help:"First rate."`
	To        string  `default:"5M" help:"Highest rate to try."`
	Step      string  `default:"x1.3" help:"Factor of the climb."`
	Precision float64 `default:"0.02" help:"Of the answer, as a share." placeholder:"X"`
	Confirm   int     `default:"3" help:"How often the answer must hold." placeholder:"N"`
	Hold      string  `default:"20s" help:"Measured phase of every step."`
	Warmup    string  `default:"2s" help:"Time before it; Java has 10s or more."`

	Topic       string        `short:"t" help:"Topic. Without: a temporary one for each step." placeholder:"TOPIC"`
	Partitions  int           `default:"12" help:"Partitions of a created topic."`
	Replication int           `help:"Replicas of a created topic (up to 3)." placeholder:"N"`
	RecordSize  string        `short:"s" default:"100" help:"Value size, as for kbench run." placeholder:"SIZE"`
	Senders     int           `default:"4" help:"Goroutines that produce."`
	Keys        string        `default:"none" help:"As for kbench run."`
	Partitioner string        `enum:"client,round-robin" default:"client" help:"Who chooses partitions."`
	Acks        *string       `help:"all, 1 or 0 (all)."`
	Linger      string        `default:"0" help:"How long a batch waits for more; a bare number is milliseconds." placeholder:"TIME"`
	Property    []string      `short:"X" sep:"none" help:"Any producer property in Java's words; repeatable." placeholder:"NAME=VALUE"`
	ConfigFile  string        `aliases:"command-config,producer.config" help:"File of producer properties; flags and -X win." placeholder:"FILE"`
	Verify      string        `enum:"none,count,full" default:"none" help:"After every step, look for the number of records, or for every record."`
	Arrival     string        `default:"constant" help:"How records fall due: constant; poisson, by chance; or burst:N, N at once. The rate is the same." placeholder:"PROCESS"`
	Delay       time.Duration `name:"embedded-delay" help:"Round trip that the embedded broker adds." placeholder:"TIME"`
	MaxLag      time.Duration `help:"Wake-up lag p99 of the load generator up to which a step is valid (2ms)." placeholder:"TIME"`
	MaxSteal    float64       `help:"Percent of the processors' time that the hypervisor may give to others in a valid step (5)." placeholder:"PERCENT"`
	Pacer       string        `enum:"auto,nanosleep,timerfd,sleep" default:"auto" help:"How the senders wait."`

	Format string `enum:"human,json" default:"human" help:"Table, or kbench.ramp/v1."`
	Out    string `short:"o" help:"Folder for CLIENT/NN-RATE.json of every step and ramp.json." placeholder:"DIR"`
	Quiet  bool   `short:"q" help:"No progress."`
}

// Help is the long text of kbench ramp --help.
func (rampCmd) Help() string {
	return `Climbs by --step until --slo is missed twice, bisects to --precision, and confirms the
rate. A step that the load generator spoils by waking up late is not met; if that is what
ended the climb, the answer is invalid (exit 5): it is the generator's limit.

Examples:

  kbench ramp                                             kring on the embedded broker
  kbench ramp --client kring,franz-go --hold 10s -o r1    two clients, one after the other
  kbench report r1/* --html ramp.html                     p99 against the offered rate
  kbench ramp -b k1:9092 --slo 'p99(response)<20ms,errors==0' --from 50k --to 1M

Exit codes: 0 a rate was confirmed; 1 a step could not be run; 2 usage; 3 not even --from meets
the SLO; 4 a client lost records; 5 the generator was the limit; 6 a client is not available
here; 130 interrupted.`
}

func (c *rampCmd) Run(p *program) error {
	o, plan, err := c.options()
	if err != nil {
		return bench.UsageError(err)
	}
	plan.Command = append([]string{"kbench"}, redacted(p.args)...)
	if c.Out != "" {
		if err := compare.Writable(c.Out); err != nil {
			return err
		}
	}
	flags := clientFlags{Client: c.Client, Workers: c.Workers}
	clients, done, err := flags.find(p, p.messages(c.Quiet))
	if err != nil {
		return err
	}
	defer done()
	report := &rampReport{Schema: "kbench.ramp/v1", Started: time.Now().UTC().Format(time.RFC3339), Command: plan.Command, SLO: c.SLO, Plan: plan}
	report.Plan.Settings = plan.Settings.Redacted()
	for i := range clients {
		curve, err := c.climb(p, o, plan, &clients[i])
		if err != nil {
			return err
		}
		report.Curves = append(report.Curves, curve)
		if p.ctx.Err() != nil {
			break
		}
	}
	p.code = report.exitCode()
	if c.Out != "" {
		if err := report.save(c.Out); err != nil {
			return err
		}
	}
	if c.Format == "json" {
		return report.writeJSON(p.stdout)
	}
	return report.writeText(p.stdout)
}

// climb is the search for one client.
func (c *rampCmd) climb(p *program, o ramp.Options, plan bench.Config, client *compare.Client) (*ramp.Curve, error) {
	skipped := func(why string) *ramp.Curve {
		return &ramp.Curve{Client: client.Name, Skipped: why, Points: []ramp.Point{}, Reasons: []string{}}
	}
	if client.Skipped != "" {
		return skipped(client.Skipped), nil
	}
	plan.Warmup = max(plan.Warmup, client.Warmup)
	plan.Settings.Props = maps.Clone(plan.Settings.Props)
	maps.Copy(plan.Settings.Props, client.Props)
	messages := p.messages(c.Quiet)
	o.Note = func(point ramp.Point) {
		fmt.Fprintf(messages, "%-10s %-7s %8s/s  p99 %-8s %s\n", client.Name, point.Phase, bench.FormatShort(float64(point.Rate)), bench.FormatNanos(point.P99), verdict(point))
	}
	if c.Out != "" {
		if err := compare.Replace(filepath.Join(c.Out, client.Name)); err != nil {
			return nil, err
		}
	}
	steps := 0
	curve, err := ramp.Find(p.ctx, o, func(_ context.Context, rate int64) (*bench.Result, error) {
		steps++
		return c.probe(p, plan, client, rate, steps)
	})
	if bench.ExitCode(nil, false, err) == bench.ExitSkipped {
		return skipped(err.Error()), nil
	}
	return curve, err
}

// probe is one run at a rate.
func (c *rampCmd) probe(p *program, plan bench.Config, client *compare.Client, rate int64, step int) (*bench.Result, error) {
	plan.RunID, plan.Rate = newRunID(), rate
	var words bytes.Buffer
	s := bench.Session{
		Config: plan, Library: bench.Library{Name: client.Name, Version: "(worker)"}, Worker: client.Command, Messages: &words,
		Replication: c.Replication, Embedded: bench.EmbeddedOptions{Delay: c.Delay}, SLO: c.SLO,
	}
	if p.exe != "" {
		s.BrokerCommand = []string{p.exe, "broker", "--control"}
	} else if client.Name == "kring" {
		s.Worker, s.Library = nil, bench.Kring() // There is no program to start.
	}
	r, err := bench.Execute(p.ctx, s)
	if err != nil {
		if line := lastOf(words.String()); line != "" && !strings.Contains(err.Error(), line) {
			return nil, fmt.Errorf("%w: %s", err, line)
		}
		return nil, err
	}
	r.Client.Name = client.Name
	if c.Out == "" {
		return r, nil
	}
	return r, storeFile(filepath.Join(c.Out, client.Name), fmt.Sprintf("%03d-%d.json", step, rate), func(w io.Writer) error { return bench.WriteJSON(w, r) })
}

// options turns flags into a search and a plan.
func (c *rampCmd) options() (ramp.Options, bench.Config, error) {
	o := ramp.Options{Precision: c.Precision, Confirm: c.Confirm}
	plan := bench.Config{
		Mode: bench.ModeOpen, Senders: c.Senders, Partitions: c.Partitions, Partitioner: c.Partitioner, Seed: 1,
		Verify: bench.VerifyMode(c.Verify), Pacer: c.Pacer, MaxLag: c.MaxLag, MaxSteal: c.MaxSteal / 100, Quiet: true,
	}
	var errs []error
	bad := func(flag string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("--%s: %w", flag, err))
		}
	}
	var err error
	o.From, err = bench.ParseRate(c.From)
	bad("from", err)
	o.To, err = bench.ParseRate(c.To)
	bad("to", err)
	if err == nil && (o.From < 1 || o.To < o.From) {
		bad("to", fmt.Errorf("want rates, from the lower to the higher, not %s to %s", c.From, c.To))
	}
	o.Step, err = parseStep(c.Step)
	bad("step", err)
	if !(c.Precision > 0 && c.Precision < 1) {
		bad("precision", fmt.Errorf("%v is not a share between 0 and 1", c.Precision))
	}
	if c.Confirm < 1 {
		bad("confirm", fmt.Errorf("%d is not 1 or more", c.Confirm))
	}
	if plan.Duration, err = bench.ParseDuration(c.Hold); err == nil && plan.Duration == 0 {
		err = errors.New("0 is no duration")
	}
	bad("hold", err)
	plan.Warmup, err = bench.ParseDuration(c.Warmup)
	bad("warmup", err)
	plan.Sizes, err = bench.ParseSizes(c.RecordSize)
	bad("record-size", err)
	plan.Keys, err = bench.ParseKeys(c.Keys)
	bad("keys", err)
	plan.Arrival, err = bench.ParseArrival(c.Arrival)
	bad("arrival", err)
	run := runCmd{Topic: c.Topic, Brokers: c.Brokers, Acks: c.Acks, Linger: c.linger(), Property: c.Property, ConfigFile: c.ConfigFile}
	plan.Settings, err = run.settings(bad)
	if err != nil {
		errs = append(errs, err)
	}
	return o, plan, errors.Join(errs...)
}

// parseStep reads the factor of a climb.
func parseStep(text string) (float64, error) {
	step, err := strconv.ParseFloat(strings.TrimPrefix(text, "x"), 64)
	if err != nil || !(step > 1) || math.IsInf(step, 0) {
		return 0, fmt.Errorf("%q is not a factor above 1, such as x1.3", text)
	}
	return step, nil
}

// linger is the flag's, unless it is among the properties.
func (c *rampCmd) linger() *string {
	for _, property := range c.Property {
		if strings.HasPrefix(property, "linger.ms=") && c.Linger == "0" {
			return nil
		}
	}
	return &c.Linger
}
