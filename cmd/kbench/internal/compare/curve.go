package compare

import (
	"fmt"
	"io"
	"slices"
)

// Curve is one client's way up the rates of a workload.
type Curve struct {
	Client string
	Bound  bool
	Points []CurvePoint
	// Saturated is why it ends; "" if the highest rate was taken.
	Saturated string
}

// CurvePoint is a client at one rate.
type CurvePoint struct {
	Rate int64
	*ClientReport
}

// Row is one of the point's metrics, or nil.
func (p *CurvePoint) Row(metric string) *Row {
	for i := range p.Rows {
		if p.Rows[i].Metric == metric {
			return &p.Rows[i]
		}
	}
	return nil
}

// Rates are the scenarios that put one workload on rising rates.
func (r *Report) Rates(of string) []*ScenarioReport {
	var out []*ScenarioReport
	for i := range r.Scenarios {
		if s := &r.Scenarios[i]; s.Of == of && of != "" {
			out = append(out, s)
		}
	}
	return out
}

// Workloads names what was put on rates, in order.
func (r *Report) Workloads() []string {
	var out []string
	for _, s := range r.Scenarios {
		if s.Of != "" && !slices.Contains(out, s.Of) {
			out = append(out, s.Of)
		}
	}
	return out
}

// Curves turns a workload's rates into a curve per client.
func (r *Report) Curves(of string) []Curve {
	var out []Curve
	for _, s := range r.Rates(of) {
		for i := range s.Clients {
			c := &s.Clients[i]
			at := slices.IndexFunc(out, func(o Curve) bool { return o.Client == c.Name })
			if at < 0 {
				at, out = len(out), append(out, Curve{Client: c.Name, Bound: c.Bound})
			}
			if c.Failed != "" {
				out[at].Saturated = c.Failed
				continue
			}
			out[at].Saturated = c.Saturated
			out[at].Points = append(out[at].Points, CurvePoint{s.Plan.Rate, c})
		}
	}
	return out
}

// writeCurve shows all rates of a workload in one table, where its first stands.
func (r *Report) writeCurve(w io.Writer, at int, title string, show func(table) error) error {
	first := &r.Scenarios[at]
	steps := r.Rates(first.Of)
	if steps[0] != first {
		return nil // It is among those of the first.
	}
	fmt.Fprintf(w, title, first.Of, first.Workload()+", at rising rates")
	t := table{head: []string{"offered", "client"}}
	for _, s := range steps {
		for i := range s.Clients {
			c := &s.Clients[i]
			cells := []string{RateName(s.Plan.Rate) + "/s", c.Name}
			for j := range c.Rows {
				if i == 0 && len(t.body) == 0 {
					t.head = append(t.head, c.Rows[j].Title)
				}
				cells = append(cells, c.Rows[j].Cell())
			}
			if c.Failed != "" {
				t.body = append(t.body, append(cells, c.Failed))
				continue
			}
			runs := fmt.Sprint(c.Runs)
			if c.Saturated != "" {
				runs += ", SATURATED: " + c.Saturated
			}
			t.body = append(t.body, append(cells, c.Others.Percent(), runs))
		}
	}
	t.head = append(t.head, "others", "runs")
	if err := show(t); err != nil {
		return err
	}
	return r.writeSettings(w, first, show)
}

// Workload is what a rate's scenario is about, without the rate.
func (s *ScenarioReport) Workload() string {
	_, rest, ok := cutAfterRate(s.About)
	if !ok {
		return s.About
	}
	return rest
}
