//go:build unix

package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shell is a worker that somebody else wrote.
func shell(script string) []string { return []string{"/bin/sh", "-c", script} }

// TestWorkerExitCodes: a worker's code never passes for a verdict of kbench.
func TestWorkerExitCodes(t *testing.T) {
	for _, tc := range []struct {
		script string
		code   int
		text   string
	}{
		{"echo first >&2; echo why >&2; exit 1", ExitRuntime, "why"},
		{"echo 'no such setting' >&2; exit 2", ExitUsage, "no such setting"},
		{"exit 3", ExitRuntime, "exit status 3"},
		{"exit 4", ExitRuntime, "exit status 4"},
		{"exit 5", ExitRuntime, "exit status 5"},
		{"echo 'skipped: no ruby' >&2; exit 6", ExitSkipped, "no ruby"},
		{"exit 77", ExitRuntime, "exit status 77"},
		{"exit 130", ExitRuntime, "exit status 130"},
		{"kill -9 $$", ExitRuntime, "killed"},
		{"printf 'panic: boom\\n\\ngoroutine 1 [running]:\\nmain.main()' >&2; exit 2", ExitRuntime, "panic: boom"},
		{"exit 0", ExitRuntime, "not JSON"},
		{"echo hello", ExitRuntime, "not JSON"},
		{`echo '{"schema":"kbench.result/v2"}'`, ExitRuntime, "kbench.result/v2"},
	} {
		cfg := testConfig()
		_, err := runWorker(t.Context(), shell("cat >/dev/null; "+tc.script), cfg, io.Discard)
		if ExitCode(nil, false, err) != tc.code || err == nil || !strings.Contains(err.Error(), tc.text) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: code %d, %v; want %d and %q on one line", tc.script, ExitCode(nil, false, err), err, tc.code, tc.text)
		}
	}
}

// TestHungWorker: one that ignores interrupts is ended after its grace, and so
// is what it has started; a bound in time ends it without an interrupt.
func TestHungWorker(t *testing.T) {
	for _, how := range []string{"interrupted", "beyond its bound"} {
		t.Run(how, func(t *testing.T) {
			fifo := filepath.Join(t.TempDir(), "alive")
			if err := syscall.Mkfifo(fifo, 0o600); err != nil {
				t.Fatal(err)
			}
			// As long as one of the two processes lives, the fifo has a writer.
			script := fmt.Sprintf("trap '' INT; exec 3>'%s'; sleep 3600 & wait", fifo)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			w := workerProcess{command: shell(script), grace: 10 * time.Millisecond}
			want := context.Canceled.Error()
			if how != "interrupted" {
				w.bound, want = 500*time.Millisecond, "had not ended"
			}
			dead := make(chan error, 1)
			go func() {
				f, err := os.Open(fifo) // Returns when the worker has it open.
				if err == nil {
					if how == "interrupted" {
						cancel()
					}
					_, err = io.Copy(io.Discard, f)
				}
				dead <- err
			}()
			cfg := testConfig()
			_, err := w.run(ctx, &cfg, io.Discard)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
			select {
			case err := <-dead:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(20 * time.Second):
				t.Error("something of the worker is still alive")
			}
		})
	}
}

// TestFloodingWorker: what never ends is not kept.
func TestFloodingWorker(t *testing.T) {
	b := &boundedBuffer{limit: 10}
	if _, err := b.Write([]byte("0123456789")); err != nil || b.full {
		t.Errorf("%v", err)
	}
	if _, err := b.Write([]byte("x")); err == nil || !b.full {
		t.Error("one byte too many was taken")
	}
	said := &lastWords{to: io.Discard}
	for range 100 {
		_, _ = said.Write(bytes.Repeat([]byte("x"), 1000)) // io.Discard takes everything.
	}
	if len(said.rest) > maxWord {
		t.Errorf("a line without an end takes %d bytes", len(said.rest))
	}
}

func TestWorkerBound(t *testing.T) {
	c := testConfig()
	c.Duration, c.Warmup, c.DrainTimeout = 5*time.Second, 2*time.Second, time.Second
	if got, want := c.workerBound(), 18*time.Second+workerPatience; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	c.DrainTimeout = 0
	if got, want := c.workerBound(), 17*time.Second+defaultDrain+workerPatience; got != want {
		t.Errorf("by default %v, want %v", got, want)
	}
	c.Duration = 0
	if got := c.workerBound(); got != 0 {
		t.Errorf("a count takes as long as it takes, not %v", got)
	}
}

func TestNoWorker(t *testing.T) {
	_, err := runWorker(t.Context(), []string{filepath.Join(t.TempDir(), "nothing")}, testConfig(), io.Discard)
	if ExitCode(nil, false, err) != ExitSkipped {
		t.Errorf("got %v", err)
	}
}

// TestReportOfALiar: results that contradict the plan or themselves.
func TestReportOfALiar(t *testing.T) {
	fresh := func() (*Config, *Result) {
		c := testConfig()
		c.RunID, c.Mode, c.Outstanding = 7, ModeClosed, 0
		h := newSnapshot()
		h.counts[histIndex(1000)], h.n, h.max = 10, 10, 1000
		return &c, &Result{
			RunID: 7, Valid: true, Workload: WorkloadInfo{Mode: ModeClosed},
			Totals:  Totals{Offered: 10, Sent: 10, Acked: 10, WindowNs: 1e9, WindowAcked: 10, RateAchieved: 10},
			Latency: Latencies{Service: h.latency(1)}, Ledger: &Ledger{Plan: VerifyPlan{RunID: 7}, Acked: 12},
		}
	}
	if c, r := fresh(); checkReport(c, r) != nil {
		t.Fatal(checkReport(c, r))
	}
	for name, lie := range map[string]func(*Result){
		"another run":       func(r *Result) { r.RunID = 8 },
		"another loop":      func(r *Result) { r.Workload.Mode = ModeOpen },
		"negative":          func(r *Result) { r.Totals.Failed = -1 },
		"acked and sent":    func(r *Result) { r.Totals.Acked = 11 },
		"nothing, and fine": func(r *Result) { r.Totals.WindowAcked, r.Totals.RateAchieved = 0, 0 },
		"rate":              func(r *Result) { r.Totals.RateAchieved = 1e12 },
		"another ledger":    func(r *Result) { r.Ledger.Plan.RunID = 0 },
		"ledger's account":  func(r *Result) { r.Ledger.Acked = 9 },
		"no histogram":      func(r *Result) { r.Latency.Service.HDRv2 = "AAAA" },
		"n":                 func(r *Result) { r.Latency.Service.N = 11 },
		"percentiles":       func(r *Result) { r.Latency.Service.P99 = 1 },
	} {
		c, r := fresh()
		if lie(r); checkReport(c, r) == nil {
			t.Errorf("%s: not seen", name)
		}
	}
}
