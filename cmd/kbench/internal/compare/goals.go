package compare

import (
	"fmt"
	"math"
	"slices"
)

// Subject is the client whose goals the table of scenarios has, and that the
// others are there for.
const Subject = "kring"

// judgeGoals looks at every goal whose clients were measured. The goals are for
// the embedded broker: what a cluster does for each record is in every ratio.
func judgeGoals(b *books) []Verdict {
	out := []Verdict{}
	if len(b.plan.Settings.Brokers) > 0 {
		return out
	}
	for _, g := range b.s.Goals {
		against := slices.DeleteFunc(slices.Clone(g.Against), func(c string) bool {
			_, failed := b.failed[c]
			return failed || len(b.samples[c]) == 0
		})
		var bases [][]sample
		for _, name := range against {
			bases = append(bases, b.samples[name])
		}
		got := ratioToBest(b.samples[Subject], bases, must(g.Metric)[0])
		if _, failed := b.failed[Subject]; failed || math.IsNaN(got) {
			continue
		}
		v := Verdict{Metric: g.Metric, Against: against, Got: Figure(math.Round(got*1000) / 1000)}
		if g.AtLeast {
			v.Want, v.Met = fmt.Sprintf("≥ %g", g.Factor), got >= g.Factor
		} else {
			v.Want, v.Met = fmt.Sprintf("≤ %g", g.Factor), got <= g.Factor
		}
		out = append(out, v)
	}
	return out
}
