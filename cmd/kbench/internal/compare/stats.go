package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/diff"
	"github.com/kring-go/kring/cmd/kbench/internal/metric"
	"golang.org/x/perf/benchmath"
)

// sample is one run of one client.
type sample struct {
	result *bench.Result
	others float64 // share of the machine that other programs had
}

func newSample(r *bench.Result, others float64) sample { return sample{r, others} }

// value is the metric's, NaN where the run has none.
func (s sample) value(m metric.Metric) float64 {
	if v, ok := m.Value(s.result); ok {
		return v
	}
	return math.NaN()
}

// line is the run for the progress.
func (s sample) line(of *Scenario) string {
	var parts []string
	for _, m := range must(of.metrics()) {
		parts = append(parts, m.Title+" "+format(m, s.value(m)))
	}
	parts = append(parts, percent(s.others)+" others")
	if !s.result.Valid {
		parts = append(parts, "INVALID: "+strings.Join(s.result.InvalidReasons, "; "))
	}
	return strings.Join(parts, "  ")
}

func must(names string) []metric.Metric {
	list, err := metric.ParseList(names)
	if err != nil {
		panic(err) // A name in the table of scenarios is wrong; every test would see it.
	}
	return list
}

// Row is one metric of one client.
type Row struct {
	Metric string `json:"metric"`
	Title  string `json:"title"`
	Median Figure `json:"median"`
	// Spread is half the range, as a share of the median.
	Spread Figure `json:"spread"`
	// Ratio to the base: the median of the rounds' ratios.
	Ratio    Figure `json:"ratio"`
	P        Figure `json:"p"` // Mann-Whitney U against the base
	Adjusted Figure `json:"p_adjusted"`
	// Verdict is "better", "worse" or "~" beside the base; "" is untested.
	Verdict string `json:"verdict"`
	text    string
}

// minRuns is where a comparison begins to say something.
const minRuns = 5

// alpha is how often at most chance may pass for a difference.
const alpha = 0.05

// rows sums a client up, beside the base. base is nil for the base itself, and
// tested is false for a bound that is no client.
func rows(s *Scenario, client, base []sample, tested bool) []Row {
	metrics := must(s.metrics())
	out := make([]Row, len(metrics))
	p := make([]float64, len(metrics))
	for i, m := range metrics {
		values := column(client, m)
		center := median(values)
		out[i] = Row{
			Metric: m.ID, Title: m.Title, Median: Figure(center), Spread: Figure(spread(values)),
			Ratio: Figure(ratio(client, base, m)), P: Figure(math.NaN()), Adjusted: Figure(math.NaN()), text: format(m, center),
		}
		p[i] = math.NaN()
		if tested && s.tests(m) {
			p[i] = uTest(values, column(base, m))
			out[i].P = Figure(p[i])
		}
	}
	if !tested || len(client) < minRuns || len(base) < minRuns {
		return out
	}
	for i, adjusted := range adjust(p) {
		if metrics[i].ID == metric.Volume || math.IsNaN(adjusted) {
			continue // The rate in other words: one verdict is enough. Or not asked about, or not known.
		}
		row := &out[i]
		row.Adjusted, row.Verdict = Figure(adjusted), diff.Same
		if adjusted < alpha {
			row.Verdict = diff.Worse
			if float64(row.Median) > median(column(base, metrics[i])) == metrics[i].Higher {
				row.Verdict = diff.Better
			}
		}
	}
	return out
}

// adjust is Holm's method for the p-values that are known.
func adjust(p []float64) []float64 {
	known := slices.DeleteFunc(slices.Clone(p), math.IsNaN)
	known = diff.Holm(known)
	out := slices.Clone(p)
	for i := range out {
		if !math.IsNaN(out[i]) {
			out[i], known = known[0], known[1:]
		}
	}
	return out
}

// uTest is the probability that two samples differ so much by chance.
func uTest(a, b []float64) float64 {
	if slices.ContainsFunc(slices.Concat(a, b), math.IsNaN) || len(a) == 0 || len(b) == 0 {
		return math.NaN()
	}
	limits := &benchmath.Thresholds{CompareAlpha: alpha}
	return benchmath.AssumeNothing.Compare(benchmath.NewSample(a, limits), benchmath.NewSample(b, limits)).P
}

func column(list []sample, m metric.Metric) []float64 {
	out := make([]float64, len(list))
	for i, s := range list {
		out[i] = s.value(m)
	}
	return out
}

// ratio is the median over the rounds of the client's value relative to the
// base's of the same round.
func ratio(client, base []sample, m metric.Metric) float64 {
	return ratioToBest(client, [][]sample{base}, m)
}

// ratioToBest is against the best of several in each round.
func ratioToBest(client []sample, bases [][]sample, m metric.Metric) float64 {
	var out []float64
	for i, s := range client {
		best := math.NaN()
		for _, base := range bases {
			if i >= len(base) {
				continue
			}
			v := base[i].value(m)
			if math.IsNaN(best) || m.Higher && v > best || !m.Higher && v < best {
				best = v
			}
		}
		out = append(out, s.value(m)/best)
	}
	return median(out)
}

func median(values []float64) float64 {
	v := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// spread is half the range, as a share of the median.
func spread(values []float64) float64 {
	v := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	if len(v) == 0 {
		return math.NaN()
	}
	return (slices.Max(v) - slices.Min(v)) / 2 / median(v)
}

func format(m metric.Metric, v float64) string {
	if !Figure(v).known() {
		return "–"
	}
	return m.Format(v)
}

// Text is the number with so many digits behind the point, – if it is not known.
func (f Figure) Text(digits int) string {
	if !f.known() {
		return "–"
	}
	return fmt.Sprintf("%.*f", digits, float64(f))
}

// Percent is a share as people write it.
func (f Figure) Percent() string { return percent(float64(f)) }

func percent(v float64) string {
	if !Figure(v).known() {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", v*100)
}
