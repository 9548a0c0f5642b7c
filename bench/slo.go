package bench

import (
	"fmt"
	"strconv"
	"strings"
)

// slo is a list of conditions that all must hold:
//
//	p99(response)<5ms,max(call)<1ms,errors==0,achieved>=99.5%
type slo struct {
	text  string
	terms []sloTerm
}

type sloTerm struct {
	text     string
	metric   string // a percentile, min, mean, max; or errors, achieved, rate
	latency  string // which distribution
	operator string
	bound    float64
}

// parseSLO reads an expression; an empty one has no terms.
func parseSLO(s string) (*slo, error) {
	out := &slo{text: s}
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	for term := range strings.SplitSeq(s, ",") {
		t, err := parseTerm(strings.TrimSpace(term))
		if err != nil {
			return nil, fmt.Errorf("--slo %q: %w", term, err)
		}
		out.terms = append(out.terms, t)
	}
	return out, nil
}

func parseTerm(s string) (sloTerm, error) {
	t := sloTerm{text: s}
	// Two characters before one, or <= would be read as <.
	for _, op := range []string{"<=", ">=", "==", "<", ">"} {
		left, right, ok := strings.Cut(s, op)
		if !ok {
			continue
		}
		t.operator = op
		t.metric = strings.TrimSpace(left)
		if metric, rest, ok := strings.Cut(t.metric, "("); ok {
			t.metric, t.latency = metric, strings.TrimSuffix(rest, ")")
		}
		return t, t.parseBound(strings.TrimSpace(right))
	}
	return t, fmt.Errorf("no comparison (<, <=, ==, >=, >) in it")
}

func (t *sloTerm) parseBound(s string) error {
	var err error
	switch t.metric {
	case "errors", "rate":
		var n int64
		n, err = ParseCount(strings.TrimSuffix(s, "/s"))
		t.bound = float64(n)
	case "achieved":
		t.bound, err = strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	case "p50", "p90", "p99", "p999", "p99.9", "p9999", "p99.99", "min", "mean", "max":
		switch t.latency {
		case "response", "service", "call", "lag", "e2e":
		default:
			return fmt.Errorf("%q is not response, service, call, lag or e2e", t.latency)
		}
		d, derr := ParseMillis(s)
		t.bound, err = float64(d), derr
	default:
		return fmt.Errorf("%q is not errors, achieved, rate, min, mean, max or a percentile such as p99(response)", t.metric)
	}
	return err
}

// judge evaluates every term.
func (s *slo) judge(r *Result) *SLOResult {
	out := &SLOResult{Expression: s.text, Met: true, Breaches: []string{}}
	for _, t := range s.terms {
		got, text, ok := t.value(r)
		if ok && t.holds(got) {
			continue
		}
		if !ok {
			text = "not measured"
		}
		out.Met = false
		out.Breaches = append(out.Breaches, fmt.Sprintf("%s (%s)", t.text, text))
	}
	return out
}

func (t *sloTerm) holds(got float64) bool {
	switch t.operator {
	case "<":
		return got < t.bound
	case "<=":
		return got <= t.bound
	case ">":
		return got > t.bound
	case ">=":
		return got >= t.bound
	}
	return got == t.bound
}

// value is what the run achieved, for the comparison and in words.
func (t *sloTerm) value(r *Result) (v float64, text string, ok bool) {
	switch t.metric {
	case "errors":
		n := r.Totals.Failed + r.Totals.Rejected + r.Totals.Unresolved
		return float64(n), formatCount(n), true
	case "rate":
		return r.Totals.RateAchieved, formatShort(r.Totals.RateAchieved) + "/s", true
	case "achieved":
		if r.Workload.RateTarget == 0 {
			return 0, "", false
		}
		v = 100 * r.Totals.RateAchieved / float64(r.Workload.RateTarget)
		return v, fmt.Sprintf("%.2f %%", v), true
	}
	l := r.Latency.ByName(t.latency)
	if l == nil {
		return 0, "", false
	}
	ns := map[string]int64{
		"min": l.Min, "mean": l.Mean, "max": l.Max, "p50": l.P50, "p90": l.P90, "p99": l.P99,
		"p999": l.P999, "p99.9": l.P999, "p9999": l.P9999, "p99.99": l.P9999,
	}[t.metric]
	return float64(ns), formatNanos(ns), true
}
