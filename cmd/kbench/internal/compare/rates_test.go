package compare

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kring-go/kring/bench"
)

func TestParseRates(t *testing.T) {
	for _, tc := range []struct {
		text string
		step float64
		want []int64
	}{
		{"20k", 2, []int64{20_000}},
		{"10k, 20k,50k", 2, []int64{10_000, 20_000, 50_000}},
		{"10k..100k", 2, []int64{10_000, 20_000, 40_000, 80_000, 100_000}},
		{"10k..40k", 2, []int64{10_000, 20_000, 40_000}},
		{"10k..60k", 1.5, []int64{10_000, 15_000, 22_500, 33_800, 50_600, 60_000}},
		{"5,1k..2k", 2, []int64{5, 1000, 2000}},
		{"10..13", 1.01, []int64{10, 11, 12, 13}},
	} {
		if got, err := ParseRates(tc.text, tc.step); err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%s by x%v: %v, %v; want %v", tc.text, tc.step, got, err, tc.want)
		}
	}
	for text, want := range map[string]string{
		"": "records per second", "max": "records per second", "0": "records per second", "fast": "fast", "20k,10k": "does not rise",
		"20k..10k": "nowhere", "10k..x": `"x"`, "10k..10k": "nowhere", "1..1000M": "more than 100",
	} {
		if got, err := ParseRates(text, 1.1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want %q", text, got, err, want)
		}
	}
	if _, err := ParseRates("10k..20k", 1.001); err == nil {
		t.Error("a step of x1.001 is no error")
	}
}

func TestRateName(t *testing.T) {
	for rate, want := range map[int64]string{1: "1", 999: "999", 1500: "1.5k", 20_000: "20k", 22_500: "22.5k", 1_280_000: "1.28M", 1_234_567: "1234567"} {
		if got := RateName(rate); got != want {
			t.Errorf("%d is %q, want %q", rate, got, want)
		}
	}
}

// rated compares fakes at rates; execute is what every run does.
func rated(t *testing.T, runs int, rates []int64, execute func(s bench.Session, r *bench.Result) (*bench.Result, error), clients ...string) Options {
	t.Helper()
	r := source(7)
	o := options(runs, func(_ context.Context, s bench.Session) (*bench.Result, error) {
		res := result(r, s.Library.Name, 1)
		res.Totals.RateAchieved = float64(s.Config.Rate)
		return execute(s, res)
	}, clients...)
	at, err := o.Scenarios[0].AtRates(rates)
	if err != nil {
		t.Fatal(err)
	}
	o.Scenarios = at
	return o
}

// TestRates: all clients in turn at a rate, then the next; who falls short is
// left out from there on, and nobody is asked when nobody is left.
func TestRates(t *testing.T) {
	order, capacity, dir := "", map[string]float64{"a": 45_000, "b": 1e9, "c": 20_000}, t.TempDir()
	o := rated(t, 2, []int64{10_000, 20_000, 40_000, 80_000}, func(s bench.Session, r *bench.Result) (*bench.Result, error) {
		order += fmt.Sprintf("%s%d ", s.Library.Name, s.Config.Rate/1000)
		if s.Config.Mode != bench.ModeOpen {
			t.Errorf("mode %s", s.Config.Mode)
		}
		if err := s.Config.Validate(); err != nil {
			t.Error(err)
		}
		r.Totals.RateAchieved = min(float64(s.Config.Rate), capacity[s.Library.Name])
		return r, nil
	}, "a", "b", "c")
	o.Dir = dir
	report := mustRun(t, o)
	if want := "a10 b10 c10 a10 b10 c10 a20 b20 c20 a20 b20 c20 a40 b40 c40 a40 b40 c40 a80 b80 a80 b80 "; order != want {
		t.Errorf("order %s\nwant  %s", order, want)
	}
	curves := report.Curves("open-1")
	if len(curves) != 3 || len(curves[0].Points) != 4 || len(curves[1].Points) != 4 || len(curves[2].Points) != 3 {
		t.Fatalf("curves %+v", curves)
	}
	if curves[0].Saturated != "it reached 56 % of the rate" || curves[1].Saturated != "" || curves[2].Saturated != "it reached 50 % of the rate" {
		t.Errorf("saturated: %q, %q, %q", curves[0].Saturated, curves[1].Saturated, curves[2].Saturated)
	}
	if !report.Valid || report.ExitCode() != bench.ExitOK {
		t.Errorf("exit code %d: %v", report.ExitCode(), report.Reasons)
	}
	stored, err := Load(filepath.Join(dir, "curve.json"))
	if err != nil || !stored.IsCurve() || len(stored.Rates("open-1")) != 4 || stored.Curves("open-1")[2].Points[2].Row("p99") == nil {
		t.Errorf("what was stored: %v, %+v", err, stored)
	}
	if _, err := os.Stat(filepath.Join(dir, "open-1@20k", "b", "02.json")); err != nil {
		t.Error(err)
	}
	var text bytes.Buffer
	if err := report.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if strings.Count(text.String(), "Settings, as") != 1 || !strings.Contains(text.String(), "SATURATED: it reached 50 %") || !strings.Contains(text.String(), "20k/s") {
		t.Errorf("the text:\n%s", &text)
	}
}

// TestSaturation: what ends a curve, and what is wrong with the measurement.
func TestSaturation(t *testing.T) {
	late := func(r *bench.Result) { r.Valid, r.InvalidReasons = false, []string{"woke up late"} }
	for _, tc := range []struct {
		name   string
		b      func(rate int64, run int, r *bench.Result) error
		code   int
		points int // of b, at 10k, 20k and 40k
		text   string
	}{
		{"nothing", func(int64, int, *bench.Result) error { return nil }, bench.ExitOK, 3, ""},
		{"late at each run of a rate", func(rate int64, _ int, r *bench.Result) error {
			if rate == 20_000 {
				late(r)
			}
			return nil
		}, bench.ExitOK, 2, "3 of 3 runs are invalid: woke up late"},
		{"late once", func(rate int64, run int, r *bench.Result) error {
			if rate == 40_000 && run == 1 {
				late(r)
			}
			return nil
		}, bench.ExitInvalid, 3, ""}, // One of three is too many, and no saturation.
		{"late from the beginning", func(_ int64, _ int, r *bench.Result) error { late(r); return nil }, bench.ExitInvalid, 1, "3 of 3 runs are invalid: woke up late"},
		{"short from the beginning", func(rate int64, _ int, r *bench.Result) error {
			late(r)
			r.Totals.RateAchieved = float64(rate) * 0.96
			return nil
		}, bench.ExitOK, 1, "it reached 96 % of the rate"},
		{"records given up for want of time", func(rate int64, _ int, r *bench.Result) error {
			if rate == 20_000 {
				r.Totals.Failed, r.Totals.RateAchieved = 9, 100
			}
			return nil
		}, bench.ExitOK, 2, "it reached 0 % of the rate"},
		{"failed records at a rate that it reached", func(rate int64, _ int, r *bench.Result) error {
			if rate == 20_000 {
				r.Totals.Failed = 9
			}
			return nil
		}, bench.ExitRuntime, 1, "9 failed"},
		{"a crash", func(rate int64, _ int, _ *bench.Result) error {
			if rate == 20_000 {
				return errors.New("boom")
			}
			return nil
		}, bench.ExitRuntime, 1, "boom"},
		{"a loss is never overload", func(rate int64, _ int, r *bench.Result) error {
			if rate == 20_000 {
				r.Verify.Lost, r.Totals.RateAchieved = 1, 1
			}
			return nil
		}, bench.ExitVerify, 1, "1 lost"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			run := map[int64]int{}
			report := mustRun(t, rated(t, 3, []int64{10_000, 20_000, 40_000}, func(s bench.Session, r *bench.Result) (*bench.Result, error) {
				if s.Library.Name != "b" {
					return r, nil
				}
				rate := s.Config.Rate
				run[rate]++
				if err := tc.b(rate, run[rate], r); err != nil {
					return nil, err
				}
				return r, nil
			}, "a", "b"))
			b := report.Curves("open-1")[1]
			if report.ExitCode() != tc.code || len(b.Points) != tc.points || !strings.Contains(b.Saturated, tc.text) || (tc.text == "") != (b.Saturated == "") {
				t.Errorf("exit code %d %v, %d points, %q; want %d, %d and %q", report.ExitCode(), report.Reasons, len(b.Points), b.Saturated, tc.code, tc.points, tc.text)
			}
			if a := report.Curves("open-1")[0]; len(a.Points) != 3 {
				t.Errorf("the other client has %d points", len(a.Points))
			}
		})
	}
}

// TestRatesKeepTheWorkload: nothing but the rate changes, and busy callers have
// no timetable.
func TestRatesKeepTheWorkload(t *testing.T) {
	for _, s := range Scenarios() {
		at, err := s.AtRates([]int64{5000, 10_000})
		if s.Busy > 0 {
			if err == nil {
				t.Errorf("%s has a timetable", s.Name)
			}
			continue
		}
		if err != nil || len(at) != 2 || at[1].Rate != 10_000 || at[1].Of != s.Name || at[1].Goals != nil || at[1].metrics() != "rate,p50,p99,p999,cpu" {
			t.Errorf("%s: %v, %+v", s.Name, err, at)
			continue
		}
		was, err := s.plan(&Options{Acks: "1"})
		if err != nil {
			t.Fatal(err)
		}
		is, err := at[1].plan(&Options{Acks: "1"})
		if err != nil {
			t.Fatal(err)
		}
		was.Rate, was.Mode = is.Rate, is.Mode
		if fmt.Sprintf("%+v", was) != fmt.Sprintf("%+v", is) {
			t.Errorf("%s at a rate is\n%+v\nwant\n%+v", s.Name, is, was)
		}
		report := ScenarioReport{About: at[1].About}
		if got := report.Workload(); got != at[0].workload() || strings.Contains(got, "records/s") {
			t.Errorf("%s: the workload is %q", s.Name, got)
		}
	}
}
