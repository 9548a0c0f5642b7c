package compare

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"github.com/kring-go/kring/bench"
)

// measure is one run of one client. What the machine spoiled is made again.
func (b *books) measure(ctx context.Context, c *Client, round int) error {
	o := b.o
	folder := filepath.Join(o.Dir, b.s.Name, c.Name)
	if round == 0 && o.Dir != "" {
		if err := Replace(folder); err != nil {
			return err
		}
	}
	for again := 0; ; again++ {
		awaitQuiet(ctx, quietShare, o.Settle)
		x, ok := b.attempt(ctx, c, round)
		if !ok {
			return nil
		}
		line := fmt.Sprintf("%s %d/%d %-10s %s", b.s.Name, round+1, o.Runs, c.Name, x.line(b.s))
		if x.result.Stolen() && again < o.Retry {
			b.repeated[c.Name]++
			fmt.Fprintln(o.Messages, line+"; again")
			continue
		}
		b.samples[c.Name] = append(b.samples[c.Name], x)
		fmt.Fprintln(o.Messages, line)
		if o.Dir == "" {
			return nil
		}
		return store(folder, fmt.Sprintf("%02d.json", round+1), x.result)
	}
}

// attempt runs a client once. It is false for what is no sample: an
// interruption, or a failure, which is then noted.
func (b *books) attempt(ctx context.Context, c *Client, round int) (sample, bool) {
	o := b.o
	plan := b.planOf(c)
	var words bytes.Buffer // A worker says there why it can not work.
	before := readMachine()
	result, err := b.execute(ctx, plan, c, &words)
	if ctx.Err() != nil {
		return sample{}, false // What was interrupted is no sample.
	}
	disturbed := others(before, readMachine())
	code := bench.ExitCode(result, false, err)
	if err == nil && code == bench.ExitRuntime && !result.Partial && b.s.short(result) {
		code = bench.ExitInvalid // Who is offered too much may give some of it up: that is what the rate was to show.
	}
	if err != nil || code != bench.ExitOK && code != bench.ExitInvalid {
		why := describe(result, err, words.String())
		b.failed[c.Name] = failure{why, code}
		fmt.Fprintf(o.Messages, "%s %d/%d %-10s %s\n", b.s.Name, round+1, o.Runs, c.Name, why)
		return sample{}, false
	}
	return newSample(result, disturbed), true
}

// planOf is the scenario's plan for one run of a client.
func (b *books) planOf(c *Client) bench.Config {
	plan := b.plan
	plan.RunID = bench.RunID(rand.Uint64())
	plan.Warmup = max(plan.Warmup, c.Warmup)
	if c.Alone && plan.Mode == bench.ModeClosed && plan.Busy == 0 {
		plan.Senders = 1
	}
	plan.Settings.Props = map[string]string{}
	maps.Copy(plan.Settings.Props, b.plan.Settings.Props)
	maps.Copy(plan.Settings.Props, c.Props)
	if b.o.CPUProfile != "" {
		plan.Profiles.CPU = fmt.Sprintf("%s-%s-%s.prof", b.o.CPUProfile, b.s.Name, c.Name)
	}
	return plan
}

func (b *books) execute(ctx context.Context, plan bench.Config, c *Client, words io.Writer) (*bench.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, plan.Warmup+plan.Duration+patience)
	defer cancel()
	r, err := b.o.execute(ctx, bench.Session{
		Config: plan, Library: bench.Library{Name: c.Name, Version: "(worker)"}, Worker: c.Command, Messages: words,
		Embedded: bench.EmbeddedOptions{Nodes: b.s.Nodes, Delay: b.s.Delay, Throughput: b.s.Throughput}, BrokerCommand: b.o.BrokerCommand,
		Replication: b.o.Replication,
	})
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, fmt.Errorf("it had not ended %v after it should have", patience)
	}
	if err == nil {
		// Variants of one program are clients of their own.
		r.Client.Name = c.Name
	}
	return r, err
}

// describe says in one line why a run is none.
func describe(r *bench.Result, err error, words string) string {
	switch {
	case bench.ExitCode(nil, false, err) == bench.ExitSkipped:
		line := lastLine(words)
		if line == "" {
			line = oneLine(err)
		}
		return line
	case err != nil && words != "" && !strings.Contains(err.Error(), lastLine(words)):
		return fmt.Sprintf("failed: %s: %s", oneLine(err), lastLine(words))
	case err != nil:
		return "failed: " + oneLine(err)
	case r.Partial:
		return "failed: it was interrupted"
	case r.Verify.Failed():
		return fmt.Sprintf("failed: verification: %d lost, %d duplicated, %d reordered, %d corrupt %v",
			r.Verify.Lost, r.Verify.Duplicated, r.Verify.Reordered, r.Verify.Corrupt, r.Verify.Problems)
	}
	t := &r.Totals
	return fmt.Sprintf("failed: %d acknowledged, %d failed, %d rejected, %d unresolved: %v", t.Acked, t.Failed, t.Rejected, t.Unresolved, r.Errors)
}
