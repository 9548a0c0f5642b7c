package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
)

// ledgerSchema is the version of savedLedger.
const ledgerSchema = "kbench.ledger/v1"

// savedLedger is ledger.json of a run's folder.
type savedLedger struct {
	Schema  string   `json:"schema"`
	Brokers []string `json:"brokers"`
	Ledger  *Ledger  `json:"ledger"`
}

// TopicCheck is a verification after the run: a topic, and what is known of the
// run that wrote to it.
type TopicCheck struct {
	Brokers []string
	// Props say how to connect, as those of Settings do, and Read understands
	// them; see Settings.Access.
	Props map[string]string
	Read  PropertyReader
	Topic string
	RunID RunID
	// Ledger is the run's account of what it sent. Without it only what the
	// records say of themselves can be checked.
	Ledger   *Ledger
	Messages io.Writer // for people; nil is silence
}

// LoadTopicCheck reads the account that a run left in its --out folder.
func LoadTopicCheck(dir string) (*TopicCheck, error) {
	r, err := ReadResult(dir)
	if err != nil {
		return nil, UsageError(err)
	}
	if r.Verify.Mode != VerifyFull && !r.Broker.Embedded {
		return nil, UsageError(fmt.Errorf("kbench: %s ran with --verify %s: its records carry no stamps to know them by; run with --verify full", dir, r.Verify.Mode))
	}
	text, err := os.ReadFile(filepath.Join(dir, ledgerFile))
	if errors.Is(err, os.ErrNotExist) && r.Broker.Embedded {
		return nil, UsageError(fmt.Errorf("kbench: %s ran on an embedded broker, which ended with it: nothing is left to be read; its result has the verification of then", dir))
	}
	if err != nil {
		return nil, UsageError(fmt.Errorf("kbench: %w: verify with --topic and --run-id instead", err))
	}
	saved := savedLedger{}
	if err := json.Unmarshal(text, &saved); err != nil {
		return nil, UsageError(fmt.Errorf("kbench: %s of %s: %w", ledgerFile, dir, err))
	}
	if saved.Schema != ledgerSchema || saved.Ledger == nil {
		return nil, UsageError(fmt.Errorf("kbench: %s of %s is %q, want %s", ledgerFile, dir, saved.Schema, ledgerSchema))
	}
	return &TopicCheck{Brokers: saved.Brokers, Topic: saved.Ledger.Plan.Topic, RunID: r.RunID, Ledger: saved.Ledger}, nil
}

// VerifyTopic reads a topic from its beginning to its present end, and looks
// for one run's records. With a ledger it finds what is lost, twice there, out
// of order, altered or at another offset than was acknowledged. Without one, it
// knows records by the stamps of that run: a record is missing if its sender's
// later ones are there, and what was lost behind the last one shows nowhere.
func VerifyTopic(ctx context.Context, c TopicCheck) (*VerifyResult, error) {
	// Asking for offsets waits for leaders; nobody there is told at once.
	s := Settings{Brokers: c.Brokers, Props: c.Props, Read: c.Read}
	a, err := s.Access()
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	k, err := a.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	view, err := k.describe(ctx, c.Topic)
	k.close()
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	if !view.exists {
		return nil, UsageError(fmt.Errorf("verify: there is no topic %s at %s: was it temporary? name it (-t), or run with --keep-topic", c.Topic, c.Brokers[0]))
	}
	from, err := listOffsets(ctx, a, c.Topic, offsetEarliest)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	to, err := listOffsets(ctx, a, c.Topic, offsetLatest)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	if c.Messages != nil {
		fmt.Fprintf(c.Messages, "verify reading back %s offsets of %s\n", formatCount(sum(to)-sum(from)), c.Topic)
	}
	v, err := c.verifier(len(to))
	if err != nil {
		return nil, err
	}
	back := &reader{access: a, topic: c.Topic, from: slices.Clone(from), to: to, record: v.Record}
	if err := back.read(ctx); err != nil {
		return nil, err
	}
	ledger := c.Ledger
	if ledger == nil {
		ledger = v.account()
	}
	found := v.Report(ledger)
	if v.blind {
		found.Checked = []string{"read", "gaps", "duplicated", "order", "stamps"}
		found.Note = "without the run's folder: records that failed are counted as lost, those lost behind a sender's last one are not, and bytes are not compared"
		if found.Read == 0 {
			found.Incomplete = fmt.Sprintf("topic %s holds no record of run %v (but %s others): is the id right, and was it --verify full?", c.Topic, c.RunID, formatCount(found.Foreign))
		}
	}
	excuse(&found, sum(from)+back.skipped)
	return &found, nil
}

func (c *TopicCheck) verifier(partitions int) (*Verifier, error) {
	if c.Ledger == nil {
		return newBlindVerifier(c.RunID, partitions), nil
	}
	if n := c.Ledger.Plan.Partitions; n != partitions {
		return nil, fmt.Errorf("verify: topic %s has %d partitions, and had %d when the run ended", c.Topic, partitions, n)
	}
	return NewVerifier(c.Ledger.Plan)
}

// newBlindVerifier knows the records of a run by their stamps alone.
func newBlindVerifier(run RunID, partitions int) *Verifier {
	return &Verifier{
		blind: true, plan: VerifyPlan{RunID: run, Sizes: FixedSize(StampSize)},
		seen: make([]*bitmap, maxSenders), met: new([maxSenders]atomic.Bool), partitions: make([]partitionCheck, partitions),
	}
}

// meet makes room for what a sender sent.
func (v *Verifier) meet(p *partitionCheck, sender int) {
	for len(p.last) <= sender {
		p.last = append(p.last, 0)
	}
	if v.met[sender].Load() {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.seen[sender] == nil {
		v.seen[sender] = new(bitmap)
		v.met[sender].Store(true)
	}
}

// account is the ledger of a run that left none: every sender sent what comes
// before the last of its records that is there.
func (v *Verifier) account() *Ledger {
	l := &Ledger{Plan: v.plan, FailedAll: true}
	for i := range v.partitions {
		for sender, end := range v.partitions[i].last {
			for len(l.Sent) <= sender {
				l.Sent = append(l.Sent, 0)
			}
			l.Sent[sender] = max(l.Sent[sender], end)
		}
	}
	for sender := range l.Sent {
		if v.seen[sender] == nil {
			v.seen[sender] = new(bitmap)
		}
	}
	return l
}
