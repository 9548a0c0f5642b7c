package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/kring-go/kring/bench"
	"github.com/twmb/franz-go/pkg/kfake"
)

// kindFake is franz-go's kfake: a target for questions of right and wrong.
const kindFake = "fake"

// runFake serves kfake until interrupted.
func (c *brokerCmd) runFake(p *program) error {
	options, err := c.fakeOptions()
	if err != nil {
		return bench.UsageError(err)
	}
	fake, err := kfake.NewCluster(options...)
	if err != nil {
		return fmt.Errorf("kfake did not start: %w", err)
	}
	defer fake.Close()
	if _, err := fmt.Fprintln(p.stdout, strings.Join(fake.ListenAddrs(), ",")); err != nil {
		return err
	}
	<-p.ctx.Done()
	return nil
}

// fakeOptions refuses what kfake can not be told.
func (c *brokerCmd) fakeOptions() ([]kfake.Opt, error) {
	var errs []error
	for _, flag := range []struct {
		name, why string
		given     bool
	}{
		{"delay", "it adds no time", c.Delay > 0},
		{"service", "it adds no time", c.Service > 0},
		{"throughput", "it has no limit", c.Throughput != "0"},
		{"verify", "it checks as Kafka does; kbench run verifies what it holds", c.Verify != "none"},
		{"keep", "it keeps everything", c.Keep != "0"},
		{"stats", "it counts nothing", c.Stats},
	} {
		if flag.given {
			errs = append(errs, fmt.Errorf("--%s is not for --kind fake: %s", flag.name, flag.why))
		}
	}
	host, first, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return nil, err // check has looked already.
	}
	port, err := strconv.Atoi(first)
	if err != nil || port+c.Brokers-1 > 1<<16-1 {
		errs = append(errs, fmt.Errorf("--addr %s: there are no %d ports from there on", c.Addr, c.Brokers))
	}
	options := []kfake.Opt{
		kfake.NumBrokers(c.Brokers), kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(c.Partitions),
		// It would listen on 127.0.0.1 only.
		kfake.ListenFn(func(network, address string) (net.Listener, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return net.Listen(network, net.JoinHostPort(host, port))
		}),
	}
	if port > 0 {
		var ports []int
		for i := range c.Brokers {
			ports = append(ports, port+i)
		}
		options = append(options, kfake.Ports(ports...))
	}
	return options, errors.Join(errs...)
}
