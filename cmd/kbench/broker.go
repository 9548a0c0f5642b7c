package main

import (
	"encoding/json"
	"fmt"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/bench/broker"
	"github.com/kring-go/kring/internal/expand"
)

// brokerCmd is kbench broker.
type brokerCmd struct {
	Kind       string        `enum:"null,fake" default:"null" help:"null is kbench's own, made for speed; fake is franz-go's kfake, which does more of what Kafka does and is no measure of speed."`
	Addr       string        `default:"127.0.0.1:9092" help:"Where the first node listens; the others follow on the next ports. Port 0 takes free ones." placeholder:"HOST:PORT"`
	Brokers    int           `default:"1" help:"Number of nodes."`
	Partitions int           `default:"12" help:"Partitions of a topic, which is created when it is asked for."`
	Delay      time.Duration `help:"Hold back every answer: a network of this round trip."`
	Service    time.Duration `help:"Time that each produce request takes, one after another per connection."`
	Throughput string        `default:"0" help:"Bytes of produce requests per second and node, over all connections: a slow disk. 0 is no limit." placeholder:"SIZE"`
	Verify     string        `default:"none" enum:"none,count,full" help:"Look at headers and sequences only, at every CRC and record (count), or keep the records as well (full)."`
	Keep       string        `default:"0" help:"Bytes of records to keep for reading back; full keeps 1GiB unless told otherwise." placeholder:"SIZE"`
	Stats      bool          `help:"Print counters as JSON at the end."`
	Control    bool          `hidden:"" help:"Serve the run that started this process, over standard input and output."`
}

func (c *brokerCmd) Run(p *program) error {
	if c.Control {
		// Ctrl-C reaches the whole process group, and this process must
		// outlive the drain of the run that it serves; that run ends it by
		// closing its input.
		signal.Ignore(syscall.SIGINT)
		return bench.ServeControl(p.stdin, p.stdout)
	}
	if err := c.check(); err != nil {
		return bench.UsageError(err)
	}
	if c.Kind == kindFake {
		return c.runFake(p)
	}
	verify, err := broker.ParseVerify(c.Verify)
	if err != nil {
		return bench.UsageError(err)
	}
	keep, err := bench.ParseBytes(c.Keep)
	if err != nil {
		return bench.UsageError(fmt.Errorf("--keep: %w", err))
	}
	throughput, err := bench.ParseBytes(c.Throughput)
	if err != nil {
		return bench.UsageError(fmt.Errorf("--throughput: %w", err))
	}
	b, err := broker.Start(broker.Config{
		Decompress: expand.Expand,
		Addr:       c.Addr, Brokers: c.Brokers, Partitions: c.Partitions,
		Delay: c.Delay, Service: c.Service, Throughput: throughput, Verify: verify, Keep: keep,
	})
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }() // Close has nothing to report.
	if _, err := fmt.Fprintln(p.stdout, strings.Join(b.Addrs(), ",")); err != nil {
		return err
	}
	<-p.ctx.Done()
	if !c.Stats {
		return nil
	}
	return json.NewEncoder(p.stdout).Encode(b.Stats())
}

// check refuses what no broker can be told to be.
func (c *brokerCmd) check() error {
	if err := bench.CheckAddress("--addr", c.Addr); err != nil {
		return err
	}
	switch {
	case c.Brokers < 1 || c.Brokers > 1024:
		return fmt.Errorf("--brokers is %d, want 1 to 1024", c.Brokers)
	case c.Partitions < 1 || c.Partitions > 1<<20:
		return fmt.Errorf("--partitions is %d, want 1 to %d", c.Partitions, 1<<20)
	case c.Delay < 0 || c.Service < 0:
		return fmt.Errorf("--delay is %v and --service %v, want 0 or more", c.Delay, c.Service)
	}
	return nil
}
