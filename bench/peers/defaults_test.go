package peers_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/kring-go/kring/bench"
)

// With its own defaults a client does what its library does when nobody tells
// it anything: nothing of the plan's settings may show.
func (p *program) testDefaults(t *testing.T) {
	if p.name == "rawlimit" {
		t.Skip("it has no settings of its own")
	}
	cfg := plan(500)
	cfg.Verify = bench.VerifyNone // Some compress by default.
	cfg.Settings.Defaults, cfg.Settings.Linger, cfg.Settings.BatchSize, cfg.Settings.MaxInFlight = true, 77*time.Second, 12345, 3
	var messages bytes.Buffer
	r, err := bench.Execute(t.Context(), bench.Session{Config: cfg, Worker: []string{p.path}, Messages: &messages})
	if err != nil {
		t.Fatalf("%v\n%s", err, &messages)
	}
	if r.Totals.Acked != 500 || r.Totals.Failed+r.Totals.Rejected+r.Totals.Unresolved > 0 {
		t.Errorf("%+v, want 500 acknowledged: %v", r.Totals, r.Errors)
	}
	for name, value := range r.Client.Props {
		if value == "12345" || value == "77000" || value == "1m17s" || value == "3" {
			t.Errorf("%s is %s, as the plan has it", name, value)
		}
	}
}

// Busy callers send no faster than their own work allows, and each of their
// records is timed.
func (p *program) testBusy(t *testing.T) {
	cfg := plan(200)
	cfg.Busy, cfg.Settings.Linger = time.Millisecond, 0
	var messages bytes.Buffer
	r, err := bench.Execute(t.Context(), bench.Session{Config: cfg, Worker: []string{p.path}, Messages: &messages})
	if err != nil {
		t.Fatalf("%v\n%s", err, &messages)
	}
	if r.Totals.Acked != 200 || r.Verify.Failed() || r.Workload.BusyNs != int64(time.Millisecond) {
		t.Errorf("%+v, %+v, busy for %d ns", r.Totals, r.Verify, r.Workload.BusyNs)
	}
	if w := time.Duration(r.Totals.WindowNs); w < 200*time.Millisecond {
		t.Errorf("the run took %v, want at least 200 ms of computing", w)
	}
	if s := r.Latency.Service; s == nil || s.N != 200 {
		t.Errorf("service %+v, want all 200 records", s)
	}
}
