package compare

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kring-go/kring/bench"
)

// Options are a comparison.
type Options struct {
	Clients   []Client
	Base      string // whose ratios are 1
	Scenarios []Scenario
	Runs      int // rounds
	Brokers   []string
	// Props say how to connect to them, to kbench and to every client; Read
	// understands them.
	Props       map[string]string
	Read        bench.PropertyReader
	Replication int    // of the topics on a cluster
	Acks        string // where a scenario leaves it open
	// Compression and Payload are for scenarios that leave them open.
	Compression string
	Payload     string
	// Defaults leaves every setting to each client's library.
	Defaults bool
	Warmup   time.Duration
	Duration time.Duration
	Verify   bench.VerifyMode
	Pacer    string
	MaxLag   time.Duration
	Arrival  bench.Arrival // of scenarios with a rate
	MaxSteal float64       // share of all processors' time; 0: bench.DefaultMaxSteal
	// Settle is how long a run waits at most for other programs to leave nine
	// tenths of the processors alone.
	Settle time.Duration
	// Retry is how often a run is made again that the hypervisor spoiled.
	Retry      int
	CPUProfile string // prefix of profiles, one per client and scenario
	Dir        string // of the results; "" is none
	Command    []string
	// BrokerCommand serves bench.ServeControl; without it the broker runs here.
	BrokerCommand []string
	Messages      io.Writer

	// execute is bench.Execute; tests replace it.
	execute func(context.Context, bench.Session) (*bench.Result, error)
}

// patience is how much longer than its plan a worker may take.
const patience = 60 * time.Second

// Run measures every scenario, round after round. An error means that there is
// nothing to report; what goes wrong with a client is in the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	if o.execute == nil {
		o.execute = bench.Execute
	}
	report := newReport(&o)
	full := map[string]map[string]bool{} // by workload: who was saturated, or failed, at a lower rate
	for i := range o.Scenarios {
		s := &o.Scenarios[i]
		if s.Delay > 0 && len(o.Brokers) > 0 {
			report.Notes = append(report.Notes, fmt.Sprintf("scenario %s was left out: no delay can be added to a cluster", s.Name))
			continue
		}
		if s.Throughput > 0 && len(o.Brokers) > 0 {
			report.Notes = append(report.Notes, fmt.Sprintf("scenario %s was left out: no cluster can be told how much to take", s.Name))
			continue
		}
		if s.Of != "" && full[s.Of] == nil {
			full[s.Of] = map[string]bool{}
		}
		if err := o.scenario(ctx, s, full[s.Of], report); err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			report.Partial = true
			break
		}
	}
	report.judge()
	return report, report.save(o.Dir)
}

// Estimate is about how long Run takes, if every client goes to the end.
func (o *Options) Estimate() time.Duration {
	const around = time.Second // starting, draining, ending
	sum := time.Duration(0)
	for i := range o.Scenarios {
		s := &o.Scenarios[i]
		for j := range o.Clients {
			if c := &o.Clients[j]; c.Skipped == "" && !slices.Contains(s.Without, c.Name) {
				sum += max(o.Warmup, s.AtLeast/2, c.Warmup) + max(o.Duration, s.AtLeast) + around
			}
		}
	}
	return sum * time.Duration(o.Runs)
}

// books are one scenario's samples under way.
type books struct {
	o       *Options
	s       *Scenario
	plan    bench.Config
	samples map[string][]sample // by client, then by round
	failed  map[string]failure
	full    map[string]bool // clients that are saturated at a lower rate
	// repeated counts by client the runs that were made again.
	repeated map[string]int
}

// failure is why a client has no place in a scenario's table.
type failure struct {
	why  string
	code int
}

func (o *Options) scenario(ctx context.Context, s *Scenario, full map[string]bool, report *Report) error {
	if !slices.ContainsFunc(o.Clients, func(c Client) bool { return c.Skipped == "" && !full[c.Name] }) {
		return nil // Nobody has anything left to show.
	}
	plan, err := s.plan(o)
	if err != nil {
		return err
	}
	b := &books{o: o, s: s, plan: plan, samples: map[string][]sample{}, failed: map[string]failure{}, full: full, repeated: map[string]int{}}
	if len(o.Brokers) > 0 {
		b.plan.Settings.Brokers = o.Brokers
		b.plan.Settings.Topic = fmt.Sprintf("kbench-compare-%08x", rand.Uint32())
		access, err := b.plan.Settings.Access()
		if err != nil {
			return err
		}
		remove, err := bench.TemporaryTopic(ctx, access, b.plan.Settings.Topic, s.Partitions, o.Replication)
		if err != nil {
			return err
		}
		defer func() {
			if err := remove(); err != nil {
				fmt.Fprintf(o.Messages, "note: %v\n", err)
			}
		}()
	}
	plain := b.leaveOut(report)
	for round := range o.Runs {
		for i := range o.Clients {
			c := &o.Clients[i]
			_, failed := b.failed[c.Name]
			if failed || plain[c.Name] || full[c.Name] || c.Skipped != "" || slices.Contains(s.Without, c.Name) || ctx.Err() != nil {
				continue
			}
			if err := b.measure(ctx, c, round); err != nil {
				return err
			}
		}
	}
	report.add(b)
	b.markFull()
	return nil
}

// markFull notes who takes no part in higher rates.
func (b *books) markFull() {
	for name := range b.failed {
		if b.full != nil {
			b.full[name] = true
		}
	}
	for name, list := range b.samples {
		if why := b.s.saturated(list); why != "" {
			b.full[name] = true
			fmt.Fprintf(b.o.Messages, "%s     %-10s is saturated: %s\n", b.s.Name, name, why)
		}
	}
}

// leaveOut names the clients that can not do what the plan wants, and says so.
func (b *books) leaveOut(report *Report) map[string]bool {
	codec, out := b.plan.Settings.Codec(), map[string]bool{}
	for i := range b.o.Clients {
		if c := &b.o.Clients[i]; c.Plain && c.Skipped == "" && codec != bench.CompressionNone {
			out[c.Name] = true
			note := fmt.Sprintf("scenario %s: %s was skipped: it does not compress", b.s.Name, c.Name)
			report.Notes = append(report.Notes, note)
			fmt.Fprintln(b.o.Messages, note)
		}
	}
	return out
}
