package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kring-go/kring/bench"
)

// scenario is a workload, and what kring is to reach in it.
type scenario struct {
	name  string
	about string
	set   func(c *bench.Config)
	goals []goal
}

// goal bounds kring's number as a multiple of the best of the others named.
type goal struct {
	metric  string
	against []string
	atLeast bool
	factor  float64
}

const (
	metricRate = "rate"
	metricCPU  = "cpu"
	metricP50  = "p50"
	metricP99  = "p99"
	// metricOthers is the share of the machine that other programs had: a
	// measure of how far a run can be believed, with a cluster's brokers in it.
	metricOthers = "others"
)

// flatGoals are for scenarios without a timetable.
func flatGoals(rate, cpu float64) []goal {
	return []goal{
		{metricRate, []string{"franz-go"}, true, rate},
		{metricCPU, []string{"franz-go"}, false, cpu},
	}
}

// openGoals are for scenarios with one.
func openGoals() []goal {
	both := []string{"franz-go", "java"}
	return []goal{
		{metricP50, both, false, 0.6},
		{metricP99, both, false, 0.4},
		{metricCPU, both, false, 0.75},
	}
}

func scenarios() []scenario {
	flat := func(partitioner string) func(*bench.Config) {
		return func(c *bench.Config) {
			c.Mode, c.Senders, c.Partitioner = bench.ModeClosed, 4, partitioner
			c.Settings.Linger = 5 * time.Millisecond
		}
	}
	open := func(senders int) func(*bench.Config) {
		return func(c *bench.Config) {
			c.Mode, c.Senders, c.Rate, c.Partitioner = bench.ModeOpen, senders, 20_000, bench.PartitionerRoundRobin
			c.Settings.Linger = 0
		}
	}
	return []scenario{
		{"partitioned", "flat out, 4 goroutines, partitions dealt round", flat(bench.PartitionerRoundRobin), flatGoals(3, 0.28)},
		{"keyless", "flat out, 4 goroutines, no key, the client's own partitioner", flat(bench.PartitionerClient), flatGoals(4, 0.22)},
		{"open-1", "20 000 records/s, linger 0, 1 goroutine", open(1), openGoals()},
		{"open-8", "20 000 records/s, linger 0, 8 goroutines", open(8), openGoals()},
	}
}

func findScenarios(names string) ([]scenario, error) {
	all := scenarios()
	if names == "all" {
		return all, nil
	}
	var out []scenario
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(all, func(s scenario) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("scenario %q is none of partitioned, keyless, open-1, open-8, all", name)
		}
		out = append(out, all[i])
	}
	return out, nil
}

// plan is what every client is told.
func (s *scenario) plan(o *options) bench.Config {
	c := bench.Config{
		Command: []string{"compare", "-scenario", s.name},
		Settings: bench.Settings{
			Brokers: o.brokers, Topic: o.topic, Acks: o.acks, Idempotent: o.acks == "all",
			BatchSize: 16384, BufferBytes: 32 << 20, MaxInFlight: 5, Props: map[string]string{},
		},
		Partitions: o.partitions, Sizes: bench.FixedSize(o.size), Duration: o.duration, Warmup: o.warmup,
		Seed: 1, Verify: bench.VerifyNone, AllowErrors: true, Quiet: true, Pacer: o.pacer,
	}
	s.set(&c)
	return c
}
