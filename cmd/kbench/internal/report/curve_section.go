package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kring-go/kring/cmd/kbench/internal/compare"
)

// curveSections has a section for each workload that was put on rising rates.
func (m *Markdown) curveSections(list []*compare.Report) (string, error) {
	var b strings.Builder
	for _, r := range list {
		for _, of := range r.Workloads() {
			steps := r.Rates(of)
			if m.Charts == "" {
				return "", fmt.Errorf("kbench: %s: block curve needs --svg DIR", m.Path)
			}
			picture, err := m.draw([]Chart{curveChart(chartName(r, of), "p99 response by offered rate: "+of+", "+brokerName(r), rated(r, of))})
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "## At which rate does who become late, with %s?\n\n", brokerName(r))
			p := &steps[0].Plan
			fmt.Fprintf(&b, "The workload of %s (%s) on a timetable: %s of %s after %s of warm-up at each rate, all clients in turn, then the next rate. "+
				"Response counts from the instant at which a record was due. Who reached less than 97 %% of a rate, or had mostly invalid runs there, "+
				"is saturated: its number is the depth of a queue, and it took part in no higher rate. %s\n\n",
				of, steps[0].Workload(), plural(r.Rounds, "round"), seconds(p.Duration), seconds(p.Warmup), worth(r))
			b.WriteString(picture + "\np99 of response:\n\n")
			curveTable(&b, r, of)
			b.WriteString("\n<details><summary>all numbers</summary>\n\n")
			curveNumbers(&b, steps)
			b.WriteString("\n</details>\n\n### Where we lose\n\n" + curveLosses(r, of) + "\n### Reproduce\n\n" + curveCommands(r) + "\n")
		}
	}
	return b.String(), nil
}

// chartName keeps a workload's chart apart from others'.
func chartName(r *compare.Report, of string) string { return "p99-by-rate-" + of + placeSuffix(r) }

// curveTable has a line per rate and a column per client: p99, the ratio to the
// base's, and where a client's curve ends.
func curveTable(b *strings.Builder, r *compare.Report, of string) {
	curves := r.Curves(of)
	head := []string{"offered"}
	for _, c := range curves {
		if c.Bound {
			c.Client += " (no client)"
		}
		head = append(head, c.Client)
	}
	heading(b, 1, head...)
	for _, s := range r.Rates(of) {
		cells := []string{compare.RateName(s.Plan.Rate) + "/s"}
		for _, c := range curves {
			at := slices.IndexFunc(c.Points, func(p compare.CurvePoint) bool { return p.Rate == s.Plan.Rate })
			if at < 0 {
				cells = append(cells, "–")
				continue
			}
			text := "–"
			if row := c.Points[at].Row("p99"); row != nil {
				text = row.Cell()
			}
			if c.Points[at].Saturated != "" {
				text += ", **saturated**"
			}
			cells = append(cells, text)
		}
		row(b, cells...)
	}
}

// curveNumbers has a line per rate and client.
func curveNumbers(b *strings.Builder, steps []*compare.ScenarioReport) {
	headed := false
	for _, s := range steps {
		for _, c := range s.Clients {
			if len(c.Rows) > 0 && !headed {
				head := []string{"offered", "client"}
				for _, r := range c.Rows {
					head = append(head, r.Title)
				}
				heading(b, 2, append(head, "runs", "others", "")...)
				headed = true
			}
			cells := []string{compare.RateName(s.Plan.Rate) + "/s", c.Name}
			for i := range c.Rows {
				cells = append(cells, c.Rows[i].Cell())
			}
			if c.Failed != "" {
				row(b, append(cells, c.Failed)...)
				continue
			}
			runs := c.RunsCell()
			if c.Saturated != "" {
				c.Saturated = "saturated: " + c.Saturated
			}
			row(b, append(cells, runs, c.Others.Percent(), c.Saturated)...)
		}
	}
}

// curveLosses are the numbers at rates that both took, and who went further.
func curveLosses(r *compare.Report, of string) string {
	var lines []string
	for _, s := range r.Rates(of) {
		if own := find(s, compare.Subject); own != nil && own.Saturated == "" {
			sound := *s
			sound.Clients = slices.DeleteFunc(slices.Clone(s.Clients), func(c compare.ClientReport) bool { return c.Saturated != "" })
			lines = append(lines, scenarioLosses(&sound)...)
		}
	}
	highest := map[string]int64{}
	curves := r.Curves(of)
	for _, c := range curves {
		for _, p := range c.Points {
			if p.Saturated == "" {
				highest[c.Client] = p.Rate
			}
		}
	}
	for _, c := range curves {
		if mine, other := highest[compare.Subject], highest[c.Client]; !c.Bound && other > mine {
			lines = append(lines, fmt.Sprintf("- %s: %s still takes %s/s, %s %s/s.", of, c.Client, compare.RateName(other), compare.Subject, compare.RateName(mine)))
		}
	}
	if len(lines) == 0 {
		return "Nowhere at these rates.\n"
	}
	return strings.Join(lines, "\n") + "\n"
}

// curveCommands start a cluster first where one is needed.
func curveCommands(r *compare.Report) string {
	if r.Broker.Embedded {
		return reproduce([]*compare.Report{r})
	}
	return clusterCommands(r)
}

// rated are the curves of a workload as they are drawn.
func rated(r *compare.Report, of string) []curve {
	out := []curve{}
	for _, c := range r.Curves(of) {
		line := curve{Client: c.Client, Saturated: c.Saturated}
		for _, p := range c.Points {
			if l, rate := p.Row("p99"), p.Row("rate"); l != nil && rate != nil && l.Median > 0 {
				line.Points = append(line.Points, [3]float64{float64(p.Rate), float64(l.Median) / 1e6, float64(rate.Median) / float64(p.Rate)})
			}
		}
		if len(line.Points) > 0 {
			out = append(out, line)
		}
	}
	return out
}

// rateRow is a line of the page's table.
type rateRow struct{ Offered, Client, Rate, P50, P99, P999, CPU, Note string }

// rateRows are all of a comparison's rates, for the page.
func rateRows(r *compare.Report) []rateRow {
	var out []rateRow
	for _, s := range r.Scenarios {
		for i := range s.Clients {
			c := &s.Clients[i]
			p := compare.CurvePoint{Rate: s.Plan.Rate, ClientReport: c}
			cell := func(metric string) string {
				if row := p.Row(metric); row != nil {
					return row.Cell()
				}
				return "–"
			}
			note := c.Failed
			if c.Saturated != "" {
				note = "saturated: " + c.Saturated
			}
			out = append(out, rateRow{compare.RateName(s.Plan.Rate) + "/s", c.Name, cell("rate"), cell("p50"), cell("p99"), cell("p999"), cell("cpu"), note})
		}
	}
	return out
}

// ratedAll are the curves of several files on one chart; where one client has
// several, each says of what it is.
func ratedAll(list []*compare.Report) []curve {
	var out []curve
	several := len(list) > 1 || len(list) == 1 && len(list[0].Workloads()) > 1
	for _, r := range list {
		for _, of := range r.Workloads() {
			for _, c := range rated(r, of) {
				if several {
					c.Client += ", " + of + placeSuffix(r)
				}
				out = append(out, c)
			}
		}
	}
	return out
}
