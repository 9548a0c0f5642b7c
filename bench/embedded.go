package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/kring-go/kring/bench/broker"
	"github.com/kring-go/kring/internal/expand"
)

// EmbeddedOptions describe the broker that a run without --brokers starts.
type EmbeddedOptions struct {
	Nodes      int           `json:"nodes"`
	Partitions int           `json:"partitions"`
	Delay      time.Duration `json:"delay_ns"`
	Service    time.Duration `json:"service_ns"`
	Throughput int64         `json:"throughput_bytes"` // per second and node; 0 is no limit
	CheckCRC   bool          `json:"check_crc"`
	Keep       int64         `json:"keep_bytes"` // for consumers; see broker.Config
	// Plan makes the broker look at every record as it is appended.
	Plan *VerifyPlan `json:"plan"`
}

// BrokerReport is what the embedded broker saw.
type BrokerReport struct {
	Verify *VerifyResult `json:"verify"`
	Stats  broker.Stats  `json:"stats"`
}

// embedded is a broker that belongs to this run.
type embedded interface {
	addrs() []string
	// report ends the run on the broker's side. ledger is nil when nothing is
	// to be verified.
	report(ctx context.Context, ledger *Ledger) (BrokerReport, error)
	close() error
}

// localBroker runs in this process: for tests, and where no process can be
// started. Its CPU time is then counted as the client's.
type localBroker struct {
	broker   *broker.Broker
	verifier *Verifier
}

func startLocal(o EmbeddedOptions) (*localBroker, error) {
	cfg := broker.Config{
		Brokers: o.Nodes, Partitions: o.Partitions, Delay: o.Delay, Service: o.Service, Throughput: o.Throughput, Keep: o.Keep,
		Decompress: expand.Expand,
	}
	if o.CheckCRC {
		cfg.Verify = broker.VerifyCount
	}
	l := &localBroker{}
	if o.Plan != nil {
		v, err := NewVerifier(*o.Plan)
		if err != nil {
			return nil, err
		}
		l.verifier = v
		cfg.Verify = broker.VerifyCount
		cfg.OnRecord = func(r *broker.Record) {
			if r.Topic == o.Plan.Topic {
				v.Record(r.Partition, r.Offset, r.Value)
			}
		}
	}
	var err error
	l.broker, err = broker.Start(cfg)
	return l, err
}

func (l *localBroker) addrs() []string { return l.broker.Addrs() }
func (l *localBroker) close() error    { return l.broker.Close() }

// report first lets the connections end: without acks, records may still be on
// their way when the client has closed. Then no record can arrive any more.
func (l *localBroker) report(ctx context.Context, ledger *Ledger) (BrokerReport, error) {
	for give := time.Now().Add(stopPatience); l.broker.Stats().OpenConnections > 0 && time.Now().Before(give); {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return BrokerReport{}, ctx.Err()
		}
	}
	if err := l.broker.Close(); err != nil {
		return BrokerReport{}, err
	}
	out := BrokerReport{Stats: l.broker.Stats()}
	if l.verifier != nil && ledger != nil {
		v := l.verifier.Report(ledger)
		out.Verify = &v
	}
	return out, nil
}

// ServeControl is the broker's side of a run that started it as a child: it
// reads EmbeddedOptions from in, answers with the addresses on one line, then
// with a BrokerReport for every Ledger, and ends when in does. So it can not
// outlive the process that started it.
func ServeControl(in io.Reader, out io.Writer) error {
	dec, enc := json.NewDecoder(in), json.NewEncoder(out)
	var o EmbeddedOptions
	if err := dec.Decode(&o); err != nil {
		return fmt.Errorf("kbench: broker: no options on standard input: %w", err)
	}
	l, err := startLocal(o)
	if err != nil {
		return err
	}
	defer func() { _ = l.close() }()
	if _, err := fmt.Fprintln(out, strings.Join(l.addrs(), ",")); err != nil {
		return err
	}
	for {
		var ledger *Ledger
		if err := dec.Decode(&ledger); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		report, err := l.report(context.Background(), ledger)
		if err != nil {
			return err
		}
		if err := enc.Encode(report); err != nil {
			return err
		}
	}
}

// childBroker is a broker in a process of its own, so that the CPU time of this
// one is the client's alone.
type childBroker struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
	list  []string
}

// childPatience bounds every wait for the child.
const childPatience = 30 * time.Second

func startChild(command []string, o EmbeddedOptions) (*childBroker, error) {
	c := &childBroker{cmd: exec.Command(command[0], command[1:]...)}
	c.cmd.Stderr = os.Stderr
	var err error
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	if err := json.NewEncoder(c.stdin).Encode(o); err != nil {
		return nil, errors.Join(err, c.close())
	}
	line, err := c.line()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the broker's process said nothing: %w", err), c.close())
	}
	c.list = strings.Split(strings.TrimSpace(string(line)), ",")
	return c, nil
}

// line reads one line with a bound; a child that hangs is killed.
func (c *childBroker) line() ([]byte, error) {
	timer := time.AfterFunc(childPatience, func() { _ = c.cmd.Process.Kill() })
	defer timer.Stop()
	return c.out.ReadBytes('\n')
}

func (c *childBroker) addrs() []string { return c.list }

func (c *childBroker) report(_ context.Context, ledger *Ledger) (BrokerReport, error) {
	var out BrokerReport
	if err := json.NewEncoder(c.stdin).Encode(ledger); err != nil {
		return out, fmt.Errorf("embedded broker: %w", err)
	}
	line, err := c.line()
	if err != nil {
		return out, fmt.Errorf("embedded broker: %w", err)
	}
	return out, json.Unmarshal(line, &out)
}

// close ends the child through its standard input, and waits for it.
func (c *childBroker) close() error {
	_ = c.stdin.Close() // The child may be gone already.
	timer := time.AfterFunc(childPatience, func() { _ = c.cmd.Process.Kill() })
	defer timer.Stop()
	return c.cmd.Wait()
}
