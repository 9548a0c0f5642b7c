package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// writeTable prints the medians, and what they are relative to franz-go.
func writeTable(w io.Writer, s *scenario, clients []string, r rounds) {
	fmt.Fprintf(w, "\n### %s: %s\n\n", s.name, s.about)
	fmt.Fprintln(w, "| client | k records/s | ± | × | CPU ns/record | ± | × | p50 µs | × | p99 µs | × | p99.9 µs | lag p50/p99 µs | allocs | ctxsw | sys ns | others % |")
	fmt.Fprintln(w, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
	base := []string{"franz-go"}
	for _, c := range clients {
		if len(r[c]) == 0 {
			fmt.Fprintf(w, "| %s | not available |\n", c)
			continue
		}
		m := func(metric string) float64 { return median(r.column(c, metric)) }
		cells := []string{
			c,
			number(m(metricRate)/1e3, 0), percent(spread(r.column(c, metricRate))), number(r.ratio(c, metricRate, base, true), 2),
			number(m(metricCPU), 0), percent(spread(r.column(c, metricCPU))), number(r.ratio(c, metricCPU, base, false), 3),
			number(m(metricP50), 0), number(r.ratio(c, metricP50, base, false), 2),
			number(m(metricP99), 0), number(r.ratio(c, metricP99, base, false), 2), number(m("p999"), 0),
			number(m("lag50"), 0) + "/" + number(m("lag99"), 0),
			number(m("allocs"), 3), number(m("ctxsw"), 4), number(m("sys"), 0), number(m(metricOthers), 0),
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
	}
	fmt.Fprintln(w)
}

// verdict is one goal and what was measured.
type verdict struct {
	Metric  string   `json:"metric"`
	Against []string `json:"against"`
	Want    string   `json:"want"`
	Got     figure   `json:"got"`
	Met     bool     `json:"met"`
}

// judge looks at every goal whose clients were measured.
func judge(s *scenario, r rounds) []verdict {
	out := []verdict{}
	for _, g := range s.goals {
		against := slices.DeleteFunc(slices.Clone(g.against), func(c string) bool { return len(r[c]) == 0 })
		got := r.ratio("kring", g.metric, against, g.atLeast)
		if math.IsNaN(got) {
			continue
		}
		v := verdict{Metric: g.metric, Against: against, Got: figure(math.Round(got*1000) / 1000)}
		if g.atLeast {
			v.Want, v.Met = fmt.Sprintf("≥ %g", g.factor), got >= g.factor
		} else {
			v.Want, v.Met = fmt.Sprintf("≤ %g", g.factor), got <= g.factor
		}
		out = append(out, v)
	}
	return out
}

func writeVerdicts(w io.Writer, verdicts []verdict) {
	for _, v := range verdicts {
		word := "MISSED"
		if v.Met {
			word = "met"
		}
		fmt.Fprintf(w, "- %s against %s: want %s, got %s: %s\n", v.Metric, strings.Join(v.Against, " or "), v.Want, number(float64(v.Got), 3), word)
	}
}

func number(v float64, digits int) string {
	if !figure(v).known() {
		return "–"
	}
	return fmt.Sprintf("%.*f", digits, v)
}

func percent(v float64) string {
	if !figure(v).known() {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", v*100)
}

// writeParity prints what each client was told, in its own words.
func writeParity(w io.Writer, clients []string, r rounds) {
	fmt.Fprintln(w, "Settings:")
	for _, c := range clients {
		if len(r[c]) == 0 {
			continue
		}
		client := r[c][0].result.Client
		keys := make([]string, 0, len(client.Props))
		for k := range client.Props {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		var props []string
		for _, k := range keys {
			props = append(props, k+"="+client.Props[k])
		}
		fmt.Fprintf(w, "- %s %s: %s\n", c, client.Version, strings.Join(props, ", "))
	}
	fmt.Fprintln(w)
}
