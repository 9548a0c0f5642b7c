package bench

import (
	"strings"
	"testing"
	"time"
)

// judgeCase is one defect of a measurement, and what must be said of it.
type judgeCase struct {
	name    string
	change  func(r *run, res *Result)
	invalid string
	warning string
}

const ms = int64(time.Millisecond)

// clientCases are defects that show in the result.
func clientCases() []judgeCase {
	return []judgeCase{
		{name: "sound", change: func(*run, *Result) {}},
		{
			name:    "nothing acknowledged",
			change:  func(_ *run, res *Result) { res.Totals.WindowAcked = 0 },
			invalid: "nothing was acknowledged",
		},
		{
			name:    "behind the timetable",
			change:  func(_ *run, res *Result) { res.Totals.Offered += 5 },
			invalid: "5 of 1,005 records were never sent",
		},
		{
			name: "behind, but interrupted",
			change: func(r *run, res *Result) {
				r.partial = true
				res.Totals.Offered += 5
			},
		},
		{
			name:    "late",
			change:  func(_ *run, res *Result) { res.Latency.Wake.P99 = 3 * ms },
			invalid: "woke up late",
		},
		{
			name: "late, and the client slower still",
			change: func(_ *run, res *Result) {
				res.Latency.Wake.P99, res.Latency.Response.P99 = 3*ms, 31*ms
			},
		},
		{
			name:    "late within the limit",
			change:  func(_ *run, res *Result) { res.Latency.Wake.P99 = ms },
			warning: "more than 10 %",
		},
		{
			name: "a limit of its own",
			change: func(r *run, res *Result) {
				r.cfg.MaxLag = 500 * time.Microsecond
				res.Latency.Wake.P99 = ms
			},
			invalid: "allowed 500µs",
		},
	}
}

// machineCases are the machine's doing.
func machineCases() []judgeCase {
	return []judgeCase{
		{
			name:    "clock set forward",
			change:  func(r *run, _ *Result) { r.end.wallNs += 200 * ms },
			invalid: "the wall clock was set by 200ms",
		},
		{
			name:    "clock set back",
			change:  func(r *run, _ *Result) { r.end.wallNs -= 200 * ms },
			invalid: "the wall clock was set by -200ms",
		},
		{
			name:    "stolen time",
			change:  func(r *run, _ *Result) { r.end.stealTicks, r.end.stealBase = 20, 200 },
			invalid: "took 10.0 %",
		},
		{
			name: "stolen time that is allowed",
			change: func(r *run, _ *Result) {
				r.cfg.MaxSteal = 0.2
				r.end.stealTicks, r.end.stealBase = 20, 200
			},
			warning: "took 10.0 %",
		},
		{
			name: "less stolen time than usual is allowed",
			change: func(r *run, _ *Result) {
				r.cfg.MaxSteal = 0.01
				r.end.stealTicks, r.end.stealBase = 4, 200
			},
			invalid: "took 2.0 %",
		},
		{
			name:   "stolen ticks of a moment",
			change: func(r *run, _ *Result) { r.end.stealTicks, r.end.stealBase = 1, 2 },
		},
		{
			name:    "send times lost",
			change:  func(r *run, _ *Result) { r.rec.shards[0].lostStamp.Store(100) },
			warning: "overwritten",
		},
		{
			name:    "no CPU time",
			change:  func(_ *run, res *Result) { res.Cost.CPUUserNs = 0 },
			warning: "CPU time",
		},
		{
			name:    "profiles",
			change:  func(_ *run, res *Result) { res.Profiles = []string{"cpu"} },
			warning: "profiles",
		},
	}
}

// TestJudge gives one defect at a time to a measurement that is sound.
func TestJudge(t *testing.T) {
	for _, tc := range append(clientCases(), machineCases()...) {
		t.Run(tc.name, func(t *testing.T) {
			c := testConfig()
			c.MaxLag, c.MaxSteal = 0, 0
			r := &run{cfg: &c, begin: newMeter(), end: newMeter(), rec: newRecorder(&c, NewClock(), 0)}
			r.endNs, r.end.wallNs = 1000*ms, 1000*ms
			res := &Result{
				Totals:  Totals{Offered: 1000, Sent: 1000, WindowAcked: 1000},
				Cost:    Cost{CPUUserNs: 1},
				Latency: Latencies{Wake: &Latency{P99: ms / 10}, Response: &Latency{P99: ms}, Service: &Latency{N: 1000}},
			}
			tc.change(r, res)
			r.judge(res)
			check := func(kind, want string, got []string) {
				if text := strings.Join(got, "; "); want == "" && text != "" || !strings.Contains(text, want) {
					t.Errorf("%s: %q, want %q", kind, text, want)
				}
			}
			check("invalid", tc.invalid, res.InvalidReasons)
			check("warnings", tc.warning, res.Warnings)
			if res.Valid != (tc.invalid == "") {
				t.Errorf("valid is %v", res.Valid)
			}
		})
	}
}
