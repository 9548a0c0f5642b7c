package compare

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/diff"
	"github.com/kring-go/kring/cmd/kbench/internal/runs"
)

// result is a sound run of a client; noise scatters its numbers as those of
// real runs scatter, and slower scales them.
func result(r *rand.Rand, client string, slower float64) *bench.Result {
	res := &bench.Result{Schema: bench.SchemaName, RunID: bench.RunID(r.Uint64()), Valid: true, InvalidReasons: []string{}}
	res.Client = bench.ClientInfo{Name: client, Version: "v1", Props: map[string]string{"acks": "1", "linger.ms": "0"}}
	res.Workload = bench.WorkloadInfo{Mode: bench.ModeOpen, RateTarget: 20_000, Size: "fixed:100"}
	mood := math.Exp(0.1 * r.NormFloat64()) // One bad moment shows in all of a run's numbers.
	noisy := func(center float64) float64 { return center * slower * mood * math.Exp(0.05*r.NormFloat64()) }
	res.Latency.Response = &bench.Latency{P50: int64(noisy(2e5)), P99: int64(noisy(3e6)), P999: int64(noisy(9e6))}
	res.Latency.Call = &bench.Latency{P99: int64(noisy(1500))}
	res.Cost.CPUPerRecordNs = noisy(25_000)
	res.Totals = bench.Totals{Sent: 1000, Acked: 1000, WindowAcked: 1000, RateAchieved: 1e9 / noisy(200)}
	return res
}

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

// options compare fakes on open-1; execute is what every run does.
func options(runs int, execute func(context.Context, bench.Session) (*bench.Result, error), clients ...string) Options {
	list, err := FindScenarios("open-1")
	if err != nil {
		panic(err)
	}
	o := Options{
		Scenarios: list, Runs: runs, Acks: "1", Duration: time.Second, Verify: bench.VerifyNone, Pacer: bench.PacerAuto,
		Base: clients[0], Messages: &bytes.Buffer{}, execute: execute,
	}
	for _, name := range clients {
		o.Clients = append(o.Clients, Client{Name: name, Command: []string{name}})
	}
	return o
}

func mustRun(t *testing.T, o Options) *Report {
	t.Helper()
	report, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestAA compares a client with itself, over and over: at least 95 % of the
// comparisons find nothing, whatever the number of rounds.
func TestAA(t *testing.T) {
	const seeds = 400
	for _, n := range []int{5, 10} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			found := 0
			for seed := range uint64(seeds) {
				r := source(seed)
				report := mustRun(t, options(n, func(_ context.Context, s bench.Session) (*bench.Result, error) {
					return result(r, s.Library.Name, 1), nil
				}, "a", "b"))
				rows := report.Scenarios[0].Clients[1].Rows
				if slices.ContainsFunc(rows, func(row Row) bool { return row.Verdict != diff.Same }) {
					found++
				}
			}
			t.Logf("found a difference in %d of %d comparisons of equals", found, seeds)
			if found > seeds*5/100 {
				t.Errorf("found a difference in %d of %d comparisons of equals", found, seeds)
			}
		})
	}
}

// TestAB: what is a third slower is found nearly always, and called worse.
func TestAB(t *testing.T) {
	const seeds = 100
	found := 0
	for seed := range uint64(seeds) {
		r := source(seed)
		report := mustRun(t, options(10, func(_ context.Context, s bench.Session) (*bench.Result, error) {
			return result(r, s.Library.Name, map[string]float64{"a": 1, "b": 1.33}[s.Library.Name]), nil
		}, "a", "b"))
		if report.Scenarios[0].Clients[1].Rows[1].Verdict == diff.Worse {
			found++
		}
	}
	if found < 90 {
		t.Errorf("found the difference in %d of %d", found, seeds)
	}
}

// Rounds are interleaved, and all get the same plan but for the run's id.
func TestInTurns(t *testing.T) {
	r, order, dir := source(1), "", t.TempDir()
	ids := map[bench.RunID]bool{}
	o := options(3, func(_ context.Context, s bench.Session) (*bench.Result, error) {
		order += s.Library.Name
		ids[s.Config.RunID] = true
		if s.Config.Rate != 20_000 || s.Config.Senders != 1 || s.Config.Settings.Linger != 0 || s.Config.Settings.Acks != "1" {
			t.Errorf("plan %+v", s.Config)
		}
		if err := s.Config.Validate(); err != nil {
			t.Error(err)
		}
		return result(r, s.Library.Name, 1), nil
	}, "a", "b", "c")
	o.Dir = dir
	report := mustRun(t, o)
	if order != "abcabcabc" || len(ids) != 9 || report.ExitCode() != bench.ExitOK {
		t.Errorf("order %s, %d ids, exit code %d %v", order, len(ids), report.ExitCode(), report.Reasons)
	}
	list, err := runs.Load([]string{filepath.Join(dir, "open-1", "b")})
	if err != nil || len(list) != 3 {
		t.Errorf("%d results in the folder, %v", len(list), err)
	}
}

// TestVerdicts: how each kind of trouble shows, and ends the program.
func TestVerdicts(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(o *Options)
		b      func(round int, res *bench.Result) (*bench.Result, error)
		code   int
		text   string
	}{
		{"nothing wrong", nil, nil, bench.ExitOK, "VALID"},
		{"a lost record", nil, func(_ int, res *bench.Result) (*bench.Result, error) {
			res.Verify.Lost = 1
			return res, nil
		}, bench.ExitVerify, "1 lost"},
		{"a failed record", nil, func(_ int, res *bench.Result) (*bench.Result, error) {
			res.Totals.Failed = 3
			return res, nil
		}, bench.ExitRuntime, "3 failed"},
		{"a crash", nil, func(int, *bench.Result) (*bench.Result, error) { return nil, errors.New("boom") }, bench.ExitRuntime, "boom"},
		{"late in each run", nil, func(_ int, res *bench.Result) (*bench.Result, error) {
			res.Valid, res.InvalidReasons = false, []string{"the load generator woke up late"}
			return res, nil
		}, bench.ExitInvalid, "woke up late"},
		{"late once in five", nil, func(round int, res *bench.Result) (*bench.Result, error) {
			res.Valid = round != 1
			return res, nil
		}, bench.ExitOK, "5, 1 invalid"},
		{"not available", nil, func(int, *bench.Result) (*bench.Result, error) {
			return nil, bench.SkippedError(errors.New("worker b: exit status 6"))
		}, bench.ExitSkipped, "SKIPPED  b: worker b"},
		{"not found", func(o *Options) { o.Clients[1].Skipped = "no worker" }, nil, bench.ExitSkipped, "SKIPPED  b: no worker"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, round := source(2), 0
			o := options(5, func(_ context.Context, s bench.Session) (*bench.Result, error) {
				res := result(r, s.Library.Name, 1)
				if s.Library.Name == "b" && tc.b != nil {
					round++
					return tc.b(round, res)
				}
				return res, nil
			}, "a", "b", "c")
			if tc.change != nil {
				tc.change(&o)
			}
			report := mustRun(t, o)
			var text, markdown bytes.Buffer
			if err := errors.Join(report.WriteText(&text), report.WriteMarkdown(&markdown)); err != nil {
				t.Fatal(err)
			}
			if report.ExitCode() != tc.code || !strings.Contains(text.String(), tc.text) || !strings.Contains(markdown.String(), "| c |") {
				t.Errorf("exit code %d, want %d and %q in\n%s", report.ExitCode(), tc.code, tc.text, &text)
			}
			if n := len(report.Scenarios[0].Clients); tc.code != bench.ExitSkipped && n != 3 {
				t.Errorf("%d clients in the table", n)
			}
		})
	}
}

// A client that failed once runs no more; the others' rounds go on.
func TestFailedClientStops(t *testing.T) {
	r, order := source(3), ""
	report := mustRun(t, options(5, func(_ context.Context, s bench.Session) (*bench.Result, error) {
		order += s.Library.Name
		res := result(r, s.Library.Name, 1)
		if s.Library.Name == "a" && len(order) > 2 {
			return nil, errors.New("gone")
		}
		return res, nil
	}, "a", "b"))
	if order != "ababbbb" || report.Scenarios[0].Clients[1].Rows[0].Ratio.known() {
		t.Errorf("order %s, %+v", order, report.Scenarios[0].Clients[1].Rows)
	}
}

func TestInterruptedIsPartial(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, n := source(4), 0
	o := options(5, func(_ context.Context, s bench.Session) (*bench.Result, error) {
		if n++; n == 4 {
			cancel()
		}
		return result(r, s.Library.Name, 1), nil
	}, "a", "b")
	report, err := Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if report.ExitCode() != bench.ExitInterrupted || n != 4 || report.Scenarios[0].Clients[0].Runs != 2 {
		t.Errorf("exit code %d after %d runs: %+v", report.ExitCode(), n, report.Scenarios[0].Clients)
	}
}

// The report has what JSON has not: unknown numbers, and ratios to nothing.
func TestReportIsJSON(t *testing.T) {
	r := source(5)
	report := mustRun(t, options(1, func(_ context.Context, s bench.Session) (*bench.Result, error) {
		res := result(r, s.Library.Name, 1)
		res.Latency.Response = &bench.Latency{} // A client that does nothing: ratios to it are infinite.
		return res, nil
	}, "a", "b"))
	var text bytes.Buffer
	if err := report.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Schema    string
		Scenarios []struct {
			Clients []struct{ Metrics []map[string]any }
		}
	}
	if err := json.Unmarshal(text.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	row := got.Scenarios[0].Clients[1].Metrics[0]
	if got.Schema != SchemaName || row["ratio"] != nil || row["median"] != 0.0 || row["p_adjusted"] != nil {
		t.Errorf("%s: %v", got.Schema, row)
	}
}
