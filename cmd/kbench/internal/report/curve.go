package report

import (
	"cmp"
	"slices"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/compare"
	"github.com/kring-go/kring/cmd/kbench/internal/runs"
)

// curves is p99 of response time against the offered rate, per client: the
// median over the runs at each rate. Clients seen at one rate only have none.
func curves(list []runs.Run) []curve {
	type at struct {
		client string
		rate   int64
	}
	p99, achieved := map[at][]float64{}, map[at][]float64{}
	clients := []string{}
	for _, r := range list {
		l := r.Result.Latency.Response
		if l == nil || r.Result.Workload.Mode != bench.ModeOpen {
			continue
		}
		key := at{r.Result.Client.Name, r.Result.Workload.RateTarget}
		if !slices.Contains(clients, key.client) {
			clients = append(clients, key.client)
		}
		p99[key] = append(p99[key], float64(l.P99)/1e6)
		achieved[key] = append(achieved[key], r.Result.Totals.RateAchieved/float64(key.rate))
	}
	out := []curve{}
	for _, client := range clients {
		c := curve{Client: client}
		for key, values := range p99 {
			if key.client == client {
				c.Points = append(c.Points, [3]float64{float64(key.rate), middle(values), middle(achieved[key])})
			}
		}
		slices.SortFunc(c.Points, func(a, b [3]float64) int { return cmp.Compare(a[0], b[0]) })
		if len(c.Points) > 1 {
			out = append(out, c)
		}
	}
	return out
}

// saturatedAt reports whether a point is where the client could not follow.
func (c *curve) saturatedAt(point [3]float64) bool {
	last := c.Points[len(c.Points)-1]
	return c.Saturated != "" && point == last || point[2] < compare.Saturation
}

// middle is the median.
func middle(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	if n%2 == 1 {
		return v[n/2]
	}
	return (v[n/2-1] + v[n/2]) / 2
}

// RatedCharts are the curves of comparisons, each in a chart of its own.
func RatedCharts(list []*compare.Report) []Chart {
	var charts []Chart
	for _, r := range list {
		for _, of := range r.Workloads() {
			charts = append(charts, curveChart(chartName(r, of), "p99 response by offered rate: "+of+", "+brokerName(r), rated(r, of)))
		}
	}
	return charts
}
