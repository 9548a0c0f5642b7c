package report

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kring-go/kring/cmd/kbench/internal/compare"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// bars shows a chart per scenario, and notes it among those to write.
func (m *Markdown) bars(list []*compare.Report) (string, error) {
	if m.Charts == "" {
		return "", fmt.Errorf("kbench: %s: block bars needs --svg DIR", m.Path)
	}
	return m.draw(barCharts(list))
}

// draw notes charts among those to write, and shows them.
func (m *Markdown) draw(charts []Chart) (string, error) {
	text, err := m.show(charts)
	m.Drawn = append(m.Drawn, charts...)
	return text, err
}

// show is the HTML of charts in the reader's colours.
func (m *Markdown) show(charts []Chart) (string, error) {
	folder, err := filepath.Rel(filepath.Dir(m.Path), m.Charts)
	if err != nil {
		return "", fmt.Errorf("kbench: %s: %w", m.Path, err)
	}
	folder = filepath.ToSlash(folder)
	var b strings.Builder
	for i, c := range charts {
		for _, other := range slices.Concat(m.Drawn, charts[:i]) {
			if other.Name == c.Name && other.Alt != c.Alt {
				return "", fmt.Errorf("kbench: %s: two of its results have the chart %s: leave one out", m.Path, c.Name)
			}
		}
		fmt.Fprintf(&b, "<picture>\n<source media=\"(prefers-color-scheme: dark)\" srcset=\"%s/%s\">\n<img alt=%q src=\"%s/%s\">\n</picture>\n",
			folder, c.file("dark"), c.Alt, folder, c.file("light"))
	}
	return b.String(), nil
}

// barCharts are the processor time per record of every scenario's clients.
func barCharts(list []*compare.Report) []Chart {
	var charts []Chart
	for _, r := range list {
		for i := range r.Scenarios {
			s := &r.Scenarios[i]
			alt := []string{"Processor time per record, " + s.About + "."}
			var names []string
			var values plotter.Values
			for _, c := range s.Clients {
				for j := range c.Rows {
					if row := &c.Rows[j]; row.Metric == "cpu" && row.Median > 0 {
						names, values = append(names, c.Name), append(values, float64(row.Median))
						alt = append(alt, fmt.Sprintf("%s: %s.", c.Name, row.Text()))
					}
				}
			}
			if len(values) == 0 {
				continue
			}
			charts = append(charts, Chart{Name: "cpu-" + s.Name + placeSuffix(r), Alt: strings.Join(alt, " "), draw: func(t theme) (*plot.Plot, error) {
				return barPlot(t, "Processor time per record: "+s.Name+placeSuffix(r), names, values)
			}})
		}
	}
	return charts
}

// placeSuffix keeps the charts of one broker apart from those of others.
func placeSuffix(r *compare.Report) string {
	if r.Broker.Embedded || r.Broker.Nodes == 0 {
		return ""
	}
	return fmt.Sprintf("-kafka-%d", r.Broker.Nodes)
}
