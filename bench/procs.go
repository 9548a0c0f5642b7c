package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// A run of several processes is a run of shards (see Shard) on one machine:
//
//	Execute ─► target, start in a moment ─┬─► worker, shard 0 ─► result, ledger ─┐
//	                                      ├─► worker, shard 1 ─► result, ledger ─┼─► one result, one ledger ─► verify
//	                                      └─► worker, shard 2 ─► result, ledger ─┘
//
// Unlike machines they have somebody who knows all their ledgers and verifies
// for them, so that values without a stamp and --verify count are no matter.

const (
	// procsLead is what processes get to start in, and procsLeadEach what they
	// keep each other waiting. One that is late ends the run, with a word.
	procsLead     = 2 * time.Second
	procsLeadEach = 250 * time.Millisecond
	// procsLeadBytes of a PayloadFile are read in a second, at least.
	procsLeadBytes = 50 << 20
)

// several reports whether the run is one of several processes.
func (c *Config) several() bool { return c.Procs > 1 }

// checkProcs refuses what processes can not share.
func (c *Config) checkProcs(want func(ok bool, format string, args ...any)) {
	want(c.Procs >= 0 && c.Procs <= maxShards, "--procs is %d, want 1 to %d", c.Procs, maxShards)
	if !c.several() || c.Shard.on() {
		return
	}
	want(c.Procs*c.Senders <= maxSenders, "--senders %d of %d processes are more than %d", c.Senders, c.Procs, maxSenders)
	want(c.Mode != ModeOpen || c.Rate >= int64(c.Procs), "--rate %d is less than one record per second and process", c.Rate)
	want(c.WarmupRecords == 0, "--warmup of %s records: processes without a rate begin together only after a time", formatCount(c.WarmupRecords))
	want(c.Profiles == Profiles{}, "--procs %d: a profile is of one process", c.Procs)
}

// startTogether is when processes begin, unless the plan says so.
func (c *Config) startTogether() time.Time {
	if !c.StartAt.IsZero() {
		return c.StartAt
	}
	lead := procsLead + time.Duration(c.Procs)*procsLeadEach
	if c.PayloadFile != nil && c.PayloadFile.loaded != nil {
		lead += time.Duration(len(c.PayloadFile.loaded.bytes)/procsLeadBytes) * time.Second
	}
	return time.Now().Add(lead).Round(0)
}

// process is the plan of one of them.
func (c *Config) process(i int, start time.Time) Config {
	own := *c
	own.Shard, own.StartAt = Shard{i, c.Procs}, start
	return own
}

// runProcs is Run in several processes. The first that fails ends the others.
func runProcs(ctx context.Context, command []string, cfg Config, progress io.Writer) (*Result, error) {
	start := cfg.startTogether()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results, errs := make([]*Result, cfg.Procs), make([]error, cfg.Procs)
	var group sync.WaitGroup
	var first sync.Once
	var cause error // of whoever failed first; the others are its consequence
	lines := &sync.Mutex{}
	for i := range cfg.Procs {
		group.Go(func() {
			name := fmt.Sprintf("process %d of %d", i, cfg.Procs)
			to := &namedLines{name: fmt.Sprintf("[%d/%d] ", i, cfg.Procs), to: progress, mu: lines}
			r, err := runWorker(ctx, command, cfg.process(i, start), to)
			if err == nil && r.Shard == nil {
				err = errors.New("its program does not know of shards, and did the work of all")
			}
			if results[i] = r; err != nil {
				errs[i] = fmt.Errorf("%s: %w", name, err)
				first.Do(func() { cause = errs[i] })
				cancel()
			}
		})
	}
	group.Wait()
	if cause != nil {
		return nil, cause
	}
	return mergeProcs(&cfg, results)
}

// mergeProcs makes one result of one machine.
func mergeProcs(cfg *Config, list []*Result) (*Result, error) {
	r, err := MergeShards(list)
	if err != nil {
		return nil, err
	}
	r.Verify.Mode, r.Cost.StealNs = VerifyNone, list[0].Cost.StealNs // The machine's, and not a process's.
	r.Ledger = &Ledger{Plan: cfg.verifyPlan(), FailedAll: true, Failed: []tag{}, Digests: make([]uint64, cfg.Partitions)}
	for _, part := range list {
		if part.Ledger == nil {
			r.Ledger = nil // Nothing is to be verified.
			break
		}
		r.Ledger.add(part.Ledger)
	}
	return r, nil
}

// add joins the account of other senders of the same run.
func (l *Ledger) add(o *Ledger) {
	for sender, n := range o.Sent {
		if sender == len(l.Sent) {
			l.Sent = append(l.Sent, 0)
		}
		l.Sent[sender] += n
	}
	l.Failed = append(l.Failed, o.Failed...)
	l.FailedAll = l.FailedAll && o.FailedAll
	l.Acked += o.Acked
	if len(o.Digests) != len(l.Digests) {
		l.Digests = nil // What one does not know is not known of the run.
	}
	for p := range l.Digests {
		l.Digests[p] += o.Digests[p]
	}
}

// namedLines puts a name before each line that a process says.
type namedLines struct {
	name string
	to   io.Writer
	mu   *sync.Mutex // of to, which all share
	rest []byte
}

func (n *namedLines) Write(text []byte) (int, error) {
	n.rest = append(n.rest, text...)
	for {
		line, rest, ok := bytes.Cut(n.rest, []byte("\n"))
		if !ok {
			return len(text), nil
		}
		n.mu.Lock()
		_, err := fmt.Fprintf(n.to, "%s%s\n", n.name, line)
		n.mu.Unlock()
		if n.rest = rest; err != nil {
			return len(text), err
		}
	}
}
