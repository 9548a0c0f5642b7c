package main

import (
	"math"
	"slices"
	"strings"

	"github.com/kring-go/kring/bench"
)

// sample is one run of one client, reduced to what is compared. A value that
// the run has not is NaN.
type sample struct {
	values map[string]float64
	result *bench.Result
}

// metrics, in the order of the table. Times are microseconds, cost nanoseconds.
func metrics() []string {
	return []string{metricRate, metricCPU, metricP50, metricP99, "p999", "lag50", "lag99", "allocs", "ctxsw", "sys", metricOthers}
}

func newSample(r *bench.Result) sample {
	v := map[string]float64{}
	for _, m := range metrics() {
		v[m] = math.NaN()
	}
	v[metricRate], v[metricCPU] = r.Totals.RateAchieved, r.Cost.CPUPerRecordNs
	// Only workers in Go report the rest.
	if n := float64(r.Totals.WindowAcked); n > 0 && strings.HasPrefix(r.Client.Lang, "go") {
		v["allocs"] = r.Cost.AllocsPerRecord
		v["ctxsw"] = float64(r.Cost.CtxswVol+r.Cost.CtxswInvol) / n
		v["sys"] = float64(r.Cost.CPUSysNs) / n
	}
	if l := r.Latency.Response; l != nil {
		v[metricP50], v[metricP99], v["p999"] = float64(l.P50)/1e3, float64(l.P99)/1e3, float64(l.P999)/1e3
	}
	if l := r.Latency.Lag; l != nil {
		v["lag50"], v["lag99"] = float64(l.P50)/1e3, float64(l.P99)/1e3
	}
	return sample{v, r}
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

// rounds are all samples of a scenario: by client, then by round.
type rounds map[string][]sample

func (r rounds) column(client, metric string) []float64 {
	var out []float64
	for _, s := range r[client] {
		out = append(out, s.values[metric])
	}
	return out
}

// ratio is the median over the rounds of client's value relative to the best of
// the others in the same round.
func (r rounds) ratio(client, metric string, others []string, larger bool) float64 {
	var out []float64
	for i, s := range r[client] {
		best := math.NaN()
		for _, other := range others {
			if i >= len(r[other]) {
				continue
			}
			v := r[other][i].values[metric]
			if math.IsNaN(best) || larger && v > best || !larger && v < best {
				best = v
			}
		}
		out = append(out, s.values[metric]/best)
	}
	return median(out)
}
