package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/metric"
)

// Scenario is a workload as data: what every client is told, and on what.
type Scenario struct {
	Name  string
	About string
	// Core scenarios are those that run when none is named.
	Core bool

	Size        int // bytes of a value
	Batch       int // batch.size
	Senders     int // goroutines
	Rate        int64
	Linger      time.Duration
	Busy        time.Duration // computing before each record
	Keys        string
	Partitioner string
	Acks        string // "" is what the comparison is given
	Payload     string // bench.PayloadText; "" is what the comparison is given
	Compression string // "" is what the comparison is given
	Partitions  int
	Nodes       int           // of the discard broker; a cluster has what it has
	Delay       time.Duration // of the discard broker; no cluster can be told
	Goals       []Goal        // on the discard broker; see also onKafka
	// Buffer is what a client may hold, and Throughput what a node of the
	// discard broker takes per second; 0 is the usual, and no limit.
	Buffer     int
	Throughput int64
	// AtLeast is how long the measured phase is at the least, and the warm-up
	// half of it.
	AtLeast time.Duration
	// Of names the scenario whose workload this is at one rate of several.
	Of string
	// Without are clients that can not do it.
	Without []string
}

const (
	buffer     = 32 << 20
	inFlight   = 5
	flatLinger = 5 * time.Millisecond
)

// flat is a scenario without a timetable: 4 goroutines, 100 bytes, batches of
// 16 KiB, 12 partitions dealt round. change alters it.
func flat(name, about string, change func(*Scenario)) Scenario {
	s := Scenario{
		Name: name, About: "flat out, " + about, Size: 100, Batch: 16 << 10, Senders: 4, Linger: flatLinger,
		Keys: "none", Partitioner: bench.PartitionerRoundRobin, Partitions: 12, Nodes: 1,
	}
	change(&s)
	return s
}

// open is one with a timetable.
func open(name, about string, change func(*Scenario)) Scenario {
	s := flat(name, "", func(s *Scenario) { s.About, s.Linger, s.Rate = about, 0, 20_000 })
	change(&s)
	return s
}

// packed is a flat-out scenario whose batches are compressed. Libraries fill a
// batch up to its size before compression or behind it: the parity shows none
// of that.
func packed(codec string) Scenario {
	return flat(codec+"-1k", "1 KB of text, 16 KiB batches, compressed with "+codec, func(s *Scenario) {
		s.Size, s.Payload, s.Compression = 1000, bench.PayloadText, codec
		s.Goals = []Goal{ofPeers("mb", 1), ofPeers("cpu", 0.7)}
	})
}

// Scenarios is the table.
func Scenarios() []Scenario {
	keyless := func(s *Scenario) { s.Partitioner = bench.PartitionerClient }
	small := []Goal{ofFranz("rate", 3), ofFranz("cpu", 0.28), ofPeers("rate", 5), ofLimit("cpu", 2)}
	soon := []Goal{ofBoth("p50", 0.6), ofBoth("p99", 0.4), ofBoth("cpu", 0.75)}
	return []Scenario{
		flat("partitioned", "100 B, 16 KiB batches, 4 goroutines, partitions dealt round", func(s *Scenario) { s.Core, s.Goals = true, small }),
		flat("partitioned-1mib", "100 B, 1 MiB batches", func(s *Scenario) { s.Batch = 1 << 20 }),
		flat("1kb", "1 KB, 16 KiB batches", func(s *Scenario) { s.Size, s.Goals = 1000, []Goal{ofLimit("cpu", 1.4)} }),
		flat("1kb-1mib", "1 KB, 1 MiB batches", func(s *Scenario) { s.Size, s.Batch = 1000, 1<<20 }),
		flat("idempotent", "acks=all, idempotent", func(s *Scenario) { s.Acks, s.Goals = "all", small }),
		flat("keyed", "a million keys of 16 B, the client's own partitioner", func(s *Scenario) {
			s.Keys, s.Goals = "uniform:1000000", []Goal{ofLimit("cpu", 1.8)}
			keyless(s)
		}),
		flat("keyless", "no key, 4 goroutines, the client's own partitioner", func(s *Scenario) {
			keyless(s)
			s.Core, s.Goals = true, []Goal{ofFranz("rate", 4), ofFranz("cpu", 0.22), ofLimit("rate", 0.85), ofLimit("cpu", 1.6)}
		}),
		flat("brokers-3", "3 brokers, 96 partitions", func(s *Scenario) { s.Nodes, s.Partitions, s.Goals = 3, 96, []Goal{ofLimit("cpu", 2)} }),
		flat("goroutines-1", "1 goroutine", func(s *Scenario) { s.Senders = 1 }),
		flat("goroutines-64", "64 goroutines", func(s *Scenario) { s.Senders, s.Goals = 64, small }),
		flat("partitions-10k", "10 000 partitions within 32 MiB", func(s *Scenario) {
			s.Partitions, s.Goals = 10_000, []Goal{ofPeers("rate", 4), ofLimit("cpu", 2)}
		}),
		flat("delay-5ms-flat", "a broker that is 5 ms away", func(s *Scenario) {
			s.Delay, s.Goals = 5*time.Millisecond, []Goal{ofLimit("rate", 1.5), ofPeers("cpu", 0.25)}
		}),
		open("open-1", "20 000 records/s, linger 0, 1 goroutine", func(s *Scenario) {
			s.Core, s.Senders, s.Goals = true, 1, append(soon, ofLimit("p50", 1), ofLimit("p99", 1.5), ofLimit("cpu", 1.05))
		}),
		open("open-8", "20 000 records/s, linger 0, 8 goroutines", func(s *Scenario) {
			s.Core, s.Senders, s.Goals = true, 8, append(soon, ofLimit("p50", 1.3), ofLimit("p99", 2))
		}),
		open("open-100k", "100 000 records/s, linger 1 ms, 4 goroutines", func(s *Scenario) {
			s.Rate, s.Linger, s.Goals = 100_000, time.Millisecond, []Goal{ofLimit("p99", 1.2), ofLimit("cpu", 1.15)}
		}),
		flat("busy", "", func(s *Scenario) {
			s.About = "2 goroutines that compute 250 µs, produce, and never wait: 8000 records/s if the client takes no time of theirs; linger 0"
			s.Senders, s.Busy, s.Linger, s.Goals = 2, 250*time.Microsecond, 0, []Goal{plain("rate", 7700), plain("p50", 300e3), plain("p99", 5e6)}
		}),
		flat("backlog", "", func(s *Scenario) {
			s.About = "64 MiB of 100 B records wait in the client, for the broker takes 20 MB/s and the callers never stop"
			s.Buffer, s.Throughput, s.AtLeast = 64<<20, 20e6, 10*time.Second
			s.Without = []string{limit} // It holds requests, and no backlog.
		}),
		packed("lz4"), packed("zstd"), packed("snappy"), packed("gzip"),
		open("delay-5ms", "20 000 records/s, linger 0, a broker that is 5 ms away", func(s *Scenario) { s.Senders, s.Delay = 1, 5*time.Millisecond }),
	}
}

// ScenarioNames is every name, comma separated.
func ScenarioNames() string {
	var names []string
	for _, s := range Scenarios() {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

// FindScenarios reads a list of names: core are those of the table's Core
// column, all is all of it.
func FindScenarios(names string) ([]Scenario, error) {
	all := Scenarios()
	var out []Scenario
	for name := range strings.SplitSeq(names, ",") {
		name = strings.TrimSpace(name)
		var chosen []Scenario
		for _, s := range all {
			if s.Name == name || name == "all" || name == "core" && s.Core {
				chosen = append(chosen, s)
			}
		}
		if len(chosen) == 0 {
			return nil, fmt.Errorf("--scenario %q is none of %s, core, all", name, ScenarioNames())
		}
		for _, s := range chosen {
			if !slices.ContainsFunc(out, func(o Scenario) bool { return o.Name == s.Name }) {
				out = append(out, s)
			}
		}
	}
	return out, nil
}

// plan is what every client is told.
func (s *Scenario) plan(o *Options) (bench.Config, error) {
	keys, err := bench.ParseKeys(s.Keys)
	if err != nil {
		return bench.Config{}, err
	}
	acks := cmp.Or(s.Acks, o.Acks)
	c := bench.Config{
		Command: append([]string{}, o.Command...), Mode: bench.ModeClosed, Rate: s.Rate, Senders: s.Senders, Busy: s.Busy,
		Settings: bench.Settings{
			Acks: acks, Idempotent: acks == "all", Linger: s.Linger, BatchSize: s.Batch, BufferBytes: int64(cmp.Or(s.Buffer, buffer)), MaxInFlight: inFlight,
			Compression: cmp.Or(s.Compression, o.Compression), Props: maps.Clone(o.Props), Read: o.Read, Defaults: o.Defaults,
		},
		Partitions: s.Partitions, Partitioner: s.Partitioner, Sizes: bench.FixedSize(s.Size), Keys: keys,
		Payload: cmp.Or(s.Payload, o.Payload), Duration: max(o.Duration, s.AtLeast), Warmup: max(o.Warmup, s.AtLeast/2), Seed: 1, Verify: o.Verify, Quiet: true, Pacer: o.Pacer, MaxLag: o.MaxLag, MaxSteal: o.MaxSteal,
	}
	if s.Rate > 0 {
		c.Mode, c.Arrival = bench.ModeOpen, o.Arrival
	}
	if o.Defaults {
		c.Settings.Compression = ""
	}
	return c, nil
}

// metrics are what the scenario is about: a flat-out run's service time is only
// the depth of its queue, and an open loop's rate is what was asked.
func (s *Scenario) metrics() string {
	switch {
	case s.Of != "":
		return "rate,p50,p99,p999,cpu"
	case s.Throughput > 0:
		return "rate,cpu,backlog,rss,heap,gc,gcpause,gctotal,gccpu,allocs"
	case s.Busy > 0:
		return "rate,p50,p99,cpu"
	case s.Rate > 0:
		return "p50,p99,p999,cpu"
	}
	if s.Compression != "" {
		return "rate,mb,cpu,p99(call)"
	}
	return "rate,cpu,p99(call)"
}

// tests reports whether a difference of the metric is asked about: not where the
// rate is given to the clients, nor where others say the same in other words.
// Each question makes all the others harder to answer.
func (s *Scenario) tests(m metric.Metric) bool {
	switch m.ID {
	case "rate":
		return s.Of == "" && s.Throughput == 0
	case "backlog", "heap", "gc", "gcpause", "gctotal":
		return false
	}
	return true
}
