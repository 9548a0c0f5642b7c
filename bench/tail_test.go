package bench

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring/bench/broker"
)

// tailPlan is a run of 2000 records with a consumer.
func tailPlan() Config {
	c := testConfig()
	c.Settings.Topic, c.Settings.Acks, c.Settings.Idempotent = "kbench", "all", true
	c.Verify, c.E2E, c.Sizes, c.Partitions, c.Quiet = VerifyFull, true, FixedSize(100), 4, true
	c.Records, c.Duration = 2000, 0
	return c
}

// TestE2E: in an open loop every measured record has a time until its consumer
// had it, flat out those that are sampled; and the result, its histogram file and
// an SLO know it.
func TestE2E(t *testing.T) {
	for _, open := range []bool{true, false} {
		c := tailPlan()
		c.Settings.Brokers = nil
		if c.Mode, c.Rate, c.Outstanding = ModeClosed, 0, 0; open {
			c.Mode, c.Rate = ModeOpen, 20_000
		}
		dir := t.TempDir()
		r, err := Execute(t.Context(), Session{Config: c, Library: Kring(), Embedded: EmbeddedOptions{Nodes: 2}, Messages: io.Discard, OutDir: dir, SLO: "p99(e2e)<1h"})
		if err != nil {
			t.Fatal(err)
		}
		e := r.Latency.E2E
		if e == nil || open && (e.N != 2000 || e.Sampled != 1) || !open && (e.N < 20 || e.Sampled != sampleFlatOut) || e.P50 <= 0 {
			t.Errorf("open %v: %+v", open, e)
		}
		if r.SLO == nil || !r.SLO.Met {
			t.Errorf("open %v: SLO %+v", open, r.SLO)
		}
		list, err := r.Distributions()
		if err != nil || list[len(list)-1].Name != "e2e" {
			t.Errorf("open %v: %v, %v", open, list, err)
		}
		if text := strings.Join(r.Warnings, "; "); !strings.Contains(text, "consumer of e2e") || strings.Contains(text, "had reached") {
			t.Errorf("open %v: warnings %q", open, text)
		}
	}
}

// TestE2EIsLaterThanTheBroker: what the broker holds back before it appends is in
// the time.
func TestE2EIsLaterThanTheBroker(t *testing.T) {
	const late = 40 * time.Millisecond
	b, err := broker.Start(broker.Config{Partitions: 4, Keep: 1 << 26})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	b.SetHook(func(*broker.ProduceInfo) broker.Action { return broker.Action{Wait: late} })
	c := tailPlan()
	c.Settings.Brokers, c.Records, c.Mode, c.Rate, c.Outstanding = b.Addrs(), 100, ModeOpen, 1000, 0
	r := mustRun(t, t.Context(), c, Kring(), Output{})
	if e := r.Latency.E2E; e == nil || e.N != 100 || e.Min < int64(late) {
		t.Errorf("%+v, want 100 of at least %v", e, late)
	}
}

// TestE2EOfTheMissing: a consumer that does not get everything is no reason to
// wait for ever, and the result says so.
func TestE2EOfTheMissing(t *testing.T) {
	b, err := broker.Start(broker.Config{Partitions: 4, Keep: 1 << 26})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c := tailPlan()
	c.Settings.Brokers = b.Addrs()
	rec := newRecorder(&c, NewClock(), 0)
	tl, err := startTail(t.Context(), &c, rec)
	if err != nil {
		t.Fatal(err)
	}
	b.Close() // the consumer's errors pass, as far as it knows
	if text := tl.finish(7); !strings.Contains(text, "0 of 7") {
		t.Errorf("%q", text)
	}
}

// TestE2EIsChecked: what can not be known is refused.
func TestE2EIsChecked(t *testing.T) {
	for name, spoil := range map[string]func(*Config){
		"--verify full": func(c *Config) { c.Verify = VerifyCount },
		"24 bytes":      func(c *Config) { c.Sizes = FixedSize(10) },
	} {
		c := tailPlan()
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
