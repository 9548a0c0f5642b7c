package ramp

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/kring-go/kring/bench"
)

// Probe is one run at a rate, judged against the objective.
type Probe func(ctx context.Context, rate int64) (*bench.Result, error)

// Options are a search.
type Options struct {
	From, To  int64   // records per second, From at least 1
	Step      float64 // of the climb, more than 1
	Precision float64 // of the answer: 0.02
	Confirm   int     // how often the answer must hold, 1 or more
	// Note is told of every point as it is known; it may be nil.
	Note func(Point)
}

// The phases of a search.
const (
	Climb   = "climb"
	Bisect  = "bisect"
	Confirm = "confirm"
)

// Point is one probe.
type Point struct {
	Phase    string  `json:"phase"`
	Rate     int64   `json:"rate_target"`
	Achieved float64 `json:"rate_achieved"`
	Met      bool    `json:"met"`
	// Breaches are the conditions that were missed.
	Breaches []string `json:"breaches"`
	// Invalid says why the run says nothing about the client.
	Invalid []string `json:"invalid_reasons"`
	P50     int64    `json:"response_p50_ns"`
	P99     int64    `json:"response_p99_ns"`
	P999    int64    `json:"response_p999_ns"`
	CPU     float64  `json:"cpu_per_record_ns"`
	Errors  int64    `json:"errors"`
	RunID   string   `json:"run_id"`
}

// Curve is what a search found.
type Curve struct {
	Client  string `json:"client"`
	Version string `json:"version"`
	// Rate is the highest that held, 0 for none.
	Rate      int64 `json:"rate"`
	Confirmed int   `json:"confirmed"` // probes of Rate that met the objective, in the last phase
	// AtLimit says that the highest rate of the search was met: the client may
	// go further.
	AtLimit bool `json:"at_limit"`
	Valid   bool `json:"valid"`
	// Reasons say why the answer may be the load generator's and not the client's.
	Reasons []string `json:"invalid_reasons"`
	Partial bool     `json:"partial"`
	// Lost says that a verification found records missing or wrong.
	Lost    bool    `json:"lost"`
	Skipped string  `json:"skipped"`
	Points  []Point `json:"points"`
}

// search is one under way.
type search struct {
	o     Options
	probe Probe
	curve *Curve
}

// Find searches. An error is one of the probes': there is no answer then.
func Find(ctx context.Context, o Options, probe Probe) (*Curve, error) {
	if o.From < 1 || o.To < o.From || o.Step <= 1 || o.Precision <= 0 || o.Confirm < 1 {
		return nil, fmt.Errorf("ramp: from %d to %d by %v to a precision of %v, confirmed %d times: that is no search", o.From, o.To, o.Step, o.Precision, o.Confirm)
	}
	s := &search{o: o, probe: probe, curve: &Curve{Points: []Point{}, Reasons: []string{}}}
	met, missed, err := s.climb(ctx)
	if err == nil {
		met, missed, err = s.bisect(ctx, met, missed)
	}
	if err == nil {
		err = s.confirm(ctx, met)
	}
	if errors.Is(err, context.Canceled) && len(s.curve.Points) > 0 {
		s.curve.Partial, err = true, nil
	}
	if err != nil {
		return nil, err
	}
	s.curve.AtLimit = missed == 0 && s.curve.Rate == o.To
	s.curve.Reasons = append(s.curve.Reasons, s.curve.spoilt()...)
	s.curve.Valid = len(s.curve.Reasons) == 0 && !s.curve.Partial
	return s.curve, nil
}

// climb raises the rate until one is missed; 0 is none.
func (s *search) climb(ctx context.Context) (met, missed int64, err error) {
	for rate := s.o.From; ; {
		ok, err := s.twice(ctx, Climb, rate)
		if err != nil {
			return 0, 0, err
		}
		if !ok {
			return met, rate, nil
		}
		if met = rate; rate == s.o.To {
			return met, 0, nil
		}
		rate = min(max(int64(math.Round(float64(rate)*s.o.Step)), rate+1), s.o.To)
	}
}

// bisect narrows what is between, in ratios.
func (s *search) bisect(ctx context.Context, met, missed int64) (low, high int64, err error) {
	for met > 0 && missed > 0 && float64(missed) > float64(met)*(1+s.o.Precision) && missed-met > 1 {
		middle := int64(math.Round(math.Sqrt(float64(met) * float64(missed))))
		middle = min(max(middle, met+1), missed-1)
		ok, err := s.twice(ctx, Bisect, middle)
		if err != nil {
			return met, missed, err
		}
		if ok {
			met = middle
		} else {
			missed = middle
		}
	}
	return met, missed, nil
}

// confirm repeats the answer, and lowers it by the precision until it holds.
func (s *search) confirm(ctx context.Context, rate int64) error {
	for ; rate >= s.o.From; rate = int64(float64(rate) / (1 + s.o.Precision)) {
		held := 0
		for range s.o.Confirm {
			p, err := s.once(ctx, Confirm, rate)
			if err != nil {
				return err
			}
			if !p.Met {
				break
			}
			held++
		}
		if held == s.o.Confirm {
			s.curve.Rate, s.curve.Confirmed = rate, held
			return nil
		}
	}
	return nil
}

// twice asks a second time before a point is missed.
func (s *search) twice(ctx context.Context, phase string, rate int64) (bool, error) {
	p, err := s.once(ctx, phase, rate)
	if err != nil || p.Met {
		return p.Met, err
	}
	p, err = s.once(ctx, phase, rate)
	return p.Met, err
}

// once is one probe, and its place in the curve.
func (s *search) once(ctx context.Context, phase string, rate int64) (Point, error) {
	if err := ctx.Err(); err != nil {
		return Point{}, context.Canceled
	}
	r, err := s.probe(ctx, rate)
	if err != nil {
		return Point{}, err
	}
	if r.Partial {
		return Point{}, context.Canceled // What was interrupted is no point.
	}
	p := pointOf(phase, rate, r)
	s.curve.Client, s.curve.Version = r.Client.Name, r.Client.Version
	s.curve.Points = append(s.curve.Points, p)
	s.curve.Lost = s.curve.Lost || r.Verify.Failed()
	if s.o.Note != nil {
		s.o.Note(p)
	}
	return p, nil
}

// spoilt is why the lowest point above the answer was missed, where that was
// the load generator's fault: the answer is then its, and not the client's.
func (c *Curve) spoilt() []string {
	var lowest *Point
	for i := range c.Points {
		p := &c.Points[i]
		if !p.Met && p.Rate > c.Rate && (lowest == nil || p.Rate <= lowest.Rate) {
			lowest = p
		}
	}
	if lowest == nil {
		return nil
	}
	return lowest.Invalid
}

// pointOf reduces a result. A client that does not take what it is offered has
// missed its objective; a generator that is late has shown nothing, so such a
// run is not met either, and says why.
func pointOf(phase string, rate int64, r *bench.Result) Point {
	t := &r.Totals
	p := Point{
		Phase: phase, Rate: rate, Achieved: t.RateAchieved, Breaches: []string{}, Invalid: []string{},
		CPU: r.Cost.CPUPerRecordNs, Errors: t.Failed + t.Rejected + t.Unresolved, RunID: r.RunID.String(),
	}
	if l := r.Latency.Response; l != nil {
		p.P50, p.P99, p.P999 = l.P50, l.P99, l.P999
	}
	if r.SLO != nil {
		p.Breaches = append(p.Breaches, r.SLO.Breaches...)
	}
	if r.Verify.Failed() {
		p.Breaches = append(p.Breaches, "verification failed")
	}
	if unsent := t.Offered - t.Sent - t.Rejected; unsent > 0 {
		p.Breaches = append(p.Breaches, fmt.Sprintf("%s records were never taken", bench.FormatCount(unsent)))
	} else {
		p.Invalid = append(p.Invalid, r.InvalidReasons...)
	}
	p.Met = r.SLO != nil && r.SLO.Met && len(p.Breaches) == 0 && len(p.Invalid) == 0
	return p
}
