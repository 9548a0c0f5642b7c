package compare

import (
	"context"
	"strings"
	"testing"

	"github.com/kring-go/kring/bench"
)

// spoilt is what a worker says of a run without processors.
const spoilt = "the hypervisor took 12.5 % of the processors' time"

// TestRetry: a run that the hypervisor spoiled is made again, is counted, and
// is in no number; a run that is invalid for nothing but what the client or the
// load generator did stays.
func TestRetry(t *testing.T) {
	late := "the load generator woke up late: p99 3ms, allowed 2ms"
	for name, x := range map[string]struct {
		spoiled, retry           int
		reasons                  []string
		attempts, repeated, runs int
		invalid                  int
	}{
		"none wanted":        {1, 0, []string{spoilt}, 3, 0, 3, 1},
		"second attempt":     {1, 2, []string{spoilt}, 4, 1, 3, 0},
		"last attempt":       {2, 2, []string{spoilt}, 5, 2, 3, 0},
		"out of attempts":    {3, 2, []string{spoilt}, 5, 2, 3, 1},
		"of every process":   {1, 1, []string{"process 1: " + spoilt, "process 2: " + spoilt}, 4, 1, 3, 0},
		"late because of it": {1, 2, []string{late, spoilt}, 4, 1, 3, 0},
		"late":               {1, 2, []string{late}, 3, 0, 3, 1},
	} {
		t.Run(name, func(t *testing.T) {
			attempts, r := 0, source(1)
			o := options(3, func(_ context.Context, s bench.Session) (*bench.Result, error) {
				res := result(r, s.Library.Name, 1)
				if attempts++; attempts <= x.spoiled {
					res.Valid, res.InvalidReasons = false, x.reasons
					res.Latency.Response.P99 = 1e12
				}
				return res, nil
			}, "a")
			o.Retry = x.retry
			c := mustRun(t, o).Scenarios[0].Clients[0]
			if attempts != x.attempts || c.Repeated != x.repeated || c.Runs != x.runs || c.Invalid != x.invalid {
				t.Errorf("%d attempts, %d repeated, %d runs, %d invalid; want %+v", attempts, c.Repeated, c.Runs, c.Invalid, x)
			}
			var words strings.Builder
			report := &Report{Scenarios: []ScenarioReport{{Clients: []ClientReport{c}}}}
			if err := report.WriteText(&words); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(words.String(), "repeated") != (x.repeated > 0) {
				t.Errorf("the table says:\n%s", words.String())
			}
		})
	}
}
