package peers_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/kring-go/kring/bench"
)

// A client that does not take its records in time makes later ones late: their
// response runs from when they were intended, so it shows. The buffer holds a
// part of what is offered, and each round trip takes 300 ms.
func (p *program) testBlocked(t *testing.T) {
	if p.unbounded {
		t.Skip("no number of bytes bounds what it takes")
	}
	cfg := plan(3000)
	cfg.Partitions, cfg.Mode, cfg.Rate = 1, bench.ModeOpen, 10_000
	cfg.Settings.BufferBytes = 128 << 10
	var messages bytes.Buffer
	r, err := bench.Execute(t.Context(), bench.Session{
		Config: cfg, Worker: []string{p.path}, Messages: &messages, Embedded: bench.EmbeddedOptions{Delay: 300 * time.Millisecond},
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, &messages)
	}
	if r.Totals.Acked != 3000 || r.Verify.Failed() {
		t.Errorf("%d acknowledged, want 3000: %+v", r.Totals.Acked, r.Verify)
	}
	l := r.Latency
	if l.Response == nil || l.Service == nil || l.Lag == nil {
		t.Fatalf("a distribution is missing: %+v", l)
	}
	if gap := time.Duration(l.Response.P50 - l.Service.P50); gap < 100*time.Millisecond {
		t.Errorf("response is %v behind service, and lag %v: the wait before the hand-over is missing", gap, time.Duration(l.Lag.P50))
	}
}

// A signal ends a run early, and its result says so.
func (p *program) testInterrupted(t *testing.T) {
	w, addrs := listen(t, 12)
	cfg := plan(0)
	cfg.Mode, cfg.Rate, cfg.Duration = bench.ModeOpen, 2000, 10*time.Minute
	cfg.Settings.Brokers, cfg.Settings.Topic = addrs, "interrupted"
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), p.path)
	var out, messages bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), &out, &messages
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.await(t, 200)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, &messages)
	}
	var r bench.Result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("its result: %v\n%s", err, &out)
	}
	if !r.Partial {
		t.Error("the result does not say that it is partial")
	}
	// franz-go gives up, with the context, what it has not sent yet.
	if n := r.Totals; n.Acked < 200 || n.Acked+n.Failed != n.Sent || n.Rejected+n.Unresolved > 0 {
		t.Errorf("%+v, want 200 records or more, all of them with an end", n)
	}
}

// await returns when n records have arrived.
func (w *where) await(t *testing.T, n int) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	patience := time.After(time.Minute)
	for {
		w.mu.Lock()
		arrived := len(w.seqs)
		w.mu.Unlock()
		if arrived >= n {
			return
		}
		select {
		case <-tick.C:
		case <-patience:
			t.Fatalf("%d records have arrived, want %d", arrived, n)
		}
	}
}
