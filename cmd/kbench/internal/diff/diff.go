package diff

import (
	"fmt"
	"math"
	"slices"

	"github.com/kring-go/kring/cmd/kbench/internal/metric"
	"github.com/kring-go/kring/cmd/kbench/internal/runs"
	"golang.org/x/perf/benchmath"
)

const (
	// minRuns is where a U test can first say "different" at 0.05.
	minRuns = 4
	// soundRuns is where a median has a confidence interval at 95 %.
	soundRuns  = 6
	confidence = 0.95
)

// Options are what a comparison is about.
type Options struct {
	Metrics []metric.Metric // empty: those of the gates, or else the defaults
	Gates   []Gate
	Alpha   float64 // 0.05
	// AllowInvalid compares results that are invalid or partial as well.
	AllowInvalid bool
}

// Row is one metric of both sides.
type Row struct {
	Metric   string  `json:"metric"`
	Title    string  `json:"title"`
	Old      float64 `json:"old"` // median
	New      float64 `json:"new"`
	OldRange string  `json:"old_range"` // of the 95 % confidence interval, ± in percent
	NewRange string  `json:"new_range"`
	Ratio    float64 `json:"ratio"` // new / old; 0 where old is 0
	P        float64 `json:"p"`     // of this metric alone
	Adjusted float64 `json:"p_adjusted"`
	Verdict  string  `json:"verdict"` // "~", "better" or "worse"
	OldText  string  `json:"-"`
	NewText  string  `json:"-"`
}

// The verdicts of a row.
const (
	Same   = "~"
	Better = "better"
	Worse  = "worse"
)

// Report is the outcome of a comparison.
type Report struct {
	Alpha    float64  `json:"alpha"`
	NOld     int      `json:"n_old"`
	NNew     int      `json:"n_new"`
	Rows     []Row    `json:"rows"`
	Notes    []string `json:"notes"`
	Breaches []string `json:"breaches"` // of --fail-on
}

// Found reports whether any metric differs.
func (r *Report) Found() bool {
	return slices.ContainsFunc(r.Rows, func(row Row) bool { return row.Verdict != Same })
}

// Compare tests every metric. What can not be compared is an error.
func Compare(old, changed []runs.Run, o Options) (*Report, error) {
	notes, err := check(old, changed, o.AllowInvalid)
	if err != nil {
		return nil, err
	}
	metrics := o.metrics(old, changed)
	report := &Report{Alpha: o.Alpha, NOld: len(old), NNew: len(changed), Rows: []Row{}, Notes: notes, Breaches: []string{}}
	for _, m := range metrics {
		row, err := o.row(m, old, changed)
		if err != nil {
			return nil, err
		}
		report.Rows = append(report.Rows, row)
	}
	holm(report.Rows)
	for i := range report.Rows {
		report.Rows[i].Verdict = verdict(metrics[i], &report.Rows[i], o.Alpha)
	}
	for _, g := range o.Gates {
		if text := g.breach(report.Rows); text != "" {
			report.Breaches = append(report.Breaches, text)
		}
	}
	report.noteRuns(len(metrics))
	return report, nil
}

// metrics are those asked for, or else the usual ones that both sides have: not
// every client knows what it allocates.
func (o *Options) metrics(old, changed []runs.Run) []metric.Metric {
	list := slices.Clone(o.Metrics)
	for _, g := range o.Gates {
		if !slices.ContainsFunc(list, func(m metric.Metric) bool { return m.ID == g.Metric.ID }) {
			list = append(list, g.Metric)
		}
	}
	if len(list) == 0 {
		list = slices.DeleteFunc(metric.Defaults(old[0].Result), func(m metric.Metric) bool {
			unknown := func(r runs.Run) bool { _, ok := m.Value(r.Result); return !ok }
			return m.ID == "allocs" && (slices.ContainsFunc(old, unknown) || slices.ContainsFunc(changed, unknown))
		})
	}
	return list
}

func (o *Options) row(m metric.Metric, old, changed []runs.Run) (Row, error) {
	a, err := values(m, old)
	if err != nil {
		return Row{}, err
	}
	b, err := values(m, changed)
	if err != nil {
		return Row{}, err
	}
	limits := &benchmath.Thresholds{CompareAlpha: o.Alpha}
	before, after := benchmath.NewSample(a, limits), benchmath.NewSample(b, limits)
	s, t := benchmath.AssumeNothing.Summary(before, confidence), benchmath.AssumeNothing.Summary(after, confidence)
	row := Row{
		Metric: m.ID, Title: m.Title, Old: s.Center, New: t.Center, OldRange: s.PctRangeString(), NewRange: t.PctRangeString(),
		P: benchmath.AssumeNothing.Compare(before, after).P, OldText: m.Format(s.Center), NewText: m.Format(t.Center),
	}
	if s.Center != 0 {
		row.Ratio = t.Center / s.Center
	}
	return row, nil
}

func values(m metric.Metric, list []runs.Run) ([]float64, error) {
	out := make([]float64, len(list))
	for i, r := range list {
		v, ok := m.Value(r.Result)
		if !ok {
			return nil, fmt.Errorf("kbench: %s has no %s: it was not measured", r.Path, m.ID)
		}
		out[i] = v
	}
	return out, nil
}

// holm adjusts the rows of a report.
func holm(rows []Row) {
	p := make([]float64, len(rows))
	for i := range rows {
		p[i] = rows[i].P
	}
	for i, adjusted := range Holm(p) {
		rows[i].Adjusted = adjusted
	}
}

// Holm adjusts the p-values of a family of tests: the smallest counts as often
// as there are tests, the next once less, and none less than the one before.
// What is not a number stays one, and counts as a test.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b] || math.IsNaN(p[b]) && !math.IsNaN(p[a]):
			return -1
		case p[a] > p[b] || math.IsNaN(p[a]) && !math.IsNaN(p[b]):
			return 1
		}
		return 0
	})
	out := make([]float64, len(p))
	least := 0.0
	for k, i := range order {
		if math.IsNaN(p[i]) {
			out[i] = p[i]
			continue
		}
		least = max(least, min(1, float64(len(p)-k)*p[i]))
		out[i] = least
	}
	return out
}

func verdict(m metric.Metric, row *Row, alpha float64) string {
	switch {
	case row.Adjusted >= alpha || row.Old == row.New:
		return Same
	case row.New > row.Old == m.Higher:
		return Better
	}
	return Worse
}

// noteRuns says what so many runs can not show.
func (r *Report) noteRuns(metrics int) {
	fewest := min(r.NOld, r.NNew)
	if fewest < soundRuns {
		r.Notes = append(r.Notes, fmt.Sprintf("%d+%d runs are few: with fewer than %d on a side a median has no 95 %% confidence interval", r.NOld, r.NNew, soundRuns))
	}
	// The most extreme outcome: all of one side below all of the other.
	smallest := 2 / binomial(r.NOld+r.NNew, r.NOld)
	if smallest*float64(metrics) >= r.Alpha {
		r.Notes = append(r.Notes, fmt.Sprintf("%d+%d runs can not show a difference in one of %d metrics at alpha %v: repeat more often, or name fewer with --metrics",
			r.NOld, r.NNew, metrics, r.Alpha))
	}
}

func binomial(n, k int) float64 {
	c := 1.0
	for i := range k {
		c = c * float64(n-i) / float64(i+1)
	}
	return math.Round(c)
}
