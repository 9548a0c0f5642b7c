package ramp

import (
	"context"
	"errors"
	"testing"

	"github.com/kring-go/kring/bench"
)

// result is a probe that met its objective, or not.
func result(met bool) *bench.Result {
	r := &bench.Result{Valid: true, SLO: &bench.SLOResult{Met: met}, Latency: bench.Latencies{Response: &bench.Latency{P99: 7}}}
	if !met {
		r.SLO.Breaches = []string{"p99(response)<5ms (9.00ms)"}
	}
	r.Client.Name = "fake"
	return r
}

// knee is a client that keeps its promises up to a rate.
func knee(rate int64) Probe {
	return func(_ context.Context, at int64) (*bench.Result, error) { return result(at <= rate), nil }
}

func testOptions() Options {
	return Options{From: 10_000, To: 5_000_000, Step: 1.3, Precision: 0.02, Confirm: 3}
}

func TestFindsTheKnee(t *testing.T) {
	for _, limit := range []int64{10_000, 10_150, 12_345, 478_000, 4_999_999} {
		c, err := Find(t.Context(), testOptions(), knee(limit))
		if err != nil {
			t.Fatal(err)
		}
		if c.Rate > limit || float64(c.Rate)*1.021 < float64(limit) || c.Confirmed != 3 || !c.Valid || c.AtLimit {
			t.Errorf("knee %d: %d, confirmed %d, valid %v", limit, c.Rate, c.Confirmed, c.Valid)
		}
		if last := c.Points[len(c.Points)-1]; last.Phase != Confirm || last.Rate != c.Rate || last.P99 != 7 || c.Client != "fake" {
			t.Errorf("knee %d: the last point is %+v", limit, last)
		}
	}
}

func TestBeyondTheSearch(t *testing.T) {
	c, err := Find(t.Context(), testOptions(), knee(1<<40))
	if err != nil || c.Rate != 5_000_000 || !c.AtLimit {
		t.Errorf("%v, %d, at the limit %v", err, c.Rate, c.AtLimit)
	}
	c, err = Find(t.Context(), testOptions(), knee(1))
	if err != nil || c.Rate != 0 || c.Confirmed != 0 || len(c.Points) != 2 {
		t.Errorf("%v, %+v, want nothing after two points", err, c)
	}
}

// One bad moment does not end the climb.
func TestOneMissIsForgiven(t *testing.T) {
	n := 0
	c, err := Find(t.Context(), testOptions(), func(_ context.Context, rate int64) (*bench.Result, error) {
		n++
		return result(rate <= 400_000 && n != 3), nil
	})
	if err != nil || c.Rate < 390_000 || !c.Valid {
		t.Errorf("%v, %d", err, c.Rate)
	}
}

// An answer that does not hold when it is repeated is lowered until it does.
func TestAnswerMustHold(t *testing.T) {
	confirming := false
	o := testOptions()
	o.Note = func(p Point) { confirming = confirming || p.Phase == Bisect && len(p.Breaches) == 0 }
	seen := map[int64]int{}
	c, err := Find(t.Context(), o, func(_ context.Context, rate int64) (*bench.Result, error) {
		seen[rate]++
		// Above 300k every rate meets it the first time only.
		return result(rate <= 300_000 || rate <= 500_000 && seen[rate] == 1), nil
	})
	if err != nil || !confirming {
		t.Fatalf("%v, bisected %v", err, confirming)
	}
	if c.Rate > 300_000 || c.Rate < 290_000 || c.Confirmed != 3 {
		t.Errorf("%d, confirmed %d, want just below 300,000", c.Rate, c.Confirmed)
	}
}

// What the load generator spoils is its limit, and said to be.
func TestLateGeneratorIsInvalid(t *testing.T) {
	late := func(r *bench.Result) *bench.Result {
		r.Valid, r.InvalidReasons = false, []string{"the load generator woke up late"}
		return r
	}
	c, err := Find(t.Context(), testOptions(), func(_ context.Context, rate int64) (*bench.Result, error) {
		if rate > 100_000 {
			return late(result(true)), nil
		}
		return result(true), nil
	})
	if err != nil || c.Valid || len(c.Reasons) == 0 || c.Rate > 100_000 || c.Rate < 98_000 {
		t.Errorf("%v, %+v", err, c)
	}
	// Late once, and then not: the client's limit counts.
	n := 0
	c, err = Find(t.Context(), testOptions(), func(_ context.Context, rate int64) (*bench.Result, error) {
		if n++; n == 2 {
			return late(result(true)), nil
		}
		return result(rate <= 100_000), nil
	})
	if err != nil || !c.Valid {
		t.Errorf("%v, %+v", err, c.Reasons)
	}
}

// A client that does not take what is offered has missed; that is no fault of
// the measurement. One that loses records has missed as well.
func TestOverloadAndLoss(t *testing.T) {
	c, err := Find(t.Context(), testOptions(), func(_ context.Context, rate int64) (*bench.Result, error) {
		r := result(true)
		if rate > 50_000 {
			r.Totals.Offered, r.Valid, r.InvalidReasons = 5, false, []string{"5 records were never sent"}
		}
		return r, nil
	})
	if err != nil || !c.Valid || c.Rate > 50_000 || c.Rate < 48_000 {
		t.Errorf("%v, %d, %v", err, c.Rate, c.Reasons)
	}
	c, err = Find(t.Context(), testOptions(), func(context.Context, int64) (*bench.Result, error) {
		r := result(true)
		r.Verify.Lost = 1
		return r, nil
	})
	if err != nil || !c.Lost || c.Rate != 0 {
		t.Errorf("%v, %+v", err, c)
	}
}

func TestEnds(t *testing.T) {
	boom := errors.New("boom")
	if _, err := Find(t.Context(), testOptions(), func(context.Context, int64) (*bench.Result, error) { return nil, boom }); !errors.Is(err, boom) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	c, err := Find(ctx, testOptions(), func(context.Context, int64) (*bench.Result, error) {
		if n++; n == 3 {
			cancel()
		}
		return result(true), nil
	})
	if err != nil || !c.Partial || c.Valid || len(c.Points) != 3 {
		t.Errorf("interrupted: %v, %+v", err, c)
	}
	for _, o := range []Options{{}, {From: 1, To: 1, Step: 1, Precision: 1, Confirm: 1}, {From: 2, To: 1, Step: 2, Precision: 1, Confirm: 1}} {
		if _, err := Find(t.Context(), o, knee(1)); err == nil {
			t.Errorf("%+v is no error", o)
		}
	}
}
