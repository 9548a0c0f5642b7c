package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/kring-go/kring/cmd/kbench/internal/compare"
)

// losses names every number in which another client is better than the subject,
// and every goal that was missed.
func losses(list []*compare.Report) string {
	var lines []string
	for _, r := range list {
		for i := range r.Scenarios {
			s := &r.Scenarios[i]
			lines = append(lines, scenarioLosses(s)...)
			for _, v := range s.Goals {
				if !v.Met {
					lines = append(lines, fmt.Sprintf("- %s, %s: %s%s; the goal is %s.", s.Name, v.Metric, v.Measured(), v.Of(), v.Want))
				}
			}
		}
	}
	if len(lines) == 0 {
		return "Nowhere in these scenarios.\n"
	}
	return strings.Join(lines, "\n") + "\n"
}

// scenarioLosses compares medians; what lies within both spreads is said to.
func scenarioLosses(s *compare.ScenarioReport) []string {
	own := find(s, compare.Subject)
	if own == nil {
		return nil
	}
	var lines []string
	for i := range own.Rows {
		mine := &own.Rows[i]
		for _, c := range s.Clients {
			if c.Failed != "" || c.Bound || c.Name == compare.Subject || i >= len(c.Rows) {
				continue
			}
			other := &c.Rows[i]
			if !better(other, mine) || given(s, mine.Metric) {
				continue
			}
			line := fmt.Sprintf("- %s, %s: %s has %s, %s %s", s.Name, mine.Title, c.Name, other.Text(), compare.Subject, mine.Text())
			if within(mine, other) {
				line += " (their runs overlap)"
			}
			lines = append(lines, line+".")
		}
	}
	return lines
}

// given reports whether the scenario and not the client sets the metric: more of
// it is no loss of the others.
func given(s *compare.ScenarioReport, metric string) bool {
	switch metric {
	case "rate":
		return s.Of != "" || s.Throughput > 0
	case "backlog":
		return true
	}
	return false
}

// better reports whether a's median is better than b's.
func better(a, b *compare.Row) bool {
	if a.Metric != b.Metric {
		return false
	}
	if a.Higher() {
		return a.Median > b.Median
	}
	return a.Median < b.Median
}

// within reports whether medians are no further apart than the runs around them.
func within(a, b *compare.Row) bool {
	room := float64(a.Spread*a.Median + b.Spread*b.Median)
	return math.Abs(float64(a.Median-b.Median)) <= room
}

// parityTables has a table per set of settings, and the scenarios that had it.
func parityTables(list []*compare.Report) string {
	type table struct{ names, text string }
	var tables []table
	for _, r := range list {
		for i := range r.Scenarios {
			s := &r.Scenarios[i]
			clients, lines := s.Parity()
			var b strings.Builder
			heading(&b, len(clients)+1, append([]string{"setting"}, clients...)...)
			for _, line := range lines {
				row(&b, line...)
			}
			j := slices.IndexFunc(tables, func(t table) bool { return t.text == b.String() })
			if j < 0 {
				tables = append(tables, table{s.Name, b.String()})
				continue
			}
			tables[j].names += ", " + s.Name
		}
	}
	var b strings.Builder
	for _, t := range tables {
		fmt.Fprintf(&b, "<details><summary>%s</summary>\n\n%s\n</details>\n\n", t.names, t.text)
	}
	return b.String()
}

// method says where and how the numbers came to be.
func method(list []*compare.Report) string {
	var lines []string
	add := func(format string, args ...any) {
		if line := "- " + fmt.Sprintf(format, args...); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	for _, r := range list {
		if len(r.Scenarios) == 0 {
			continue
		}
		p := &r.Scenarios[0].Plan
		day, _, _ := strings.Cut(r.Started, "T")
		add("%s: %s, in turn, %s of %s after %s of warm-up (Java at least 10 s). %s", day, plural(r.Rounds, "round"),
			plural(len(r.Scenarios), "scenario"), seconds(p.Duration), seconds(p.Warmup), worth(r))
		for _, s := range r.Scenarios {
			if s.Plan.Duration != p.Duration || s.Plan.Warmup != p.Warmup {
				add("%s: %s after %s.", s.Name, seconds(s.Plan.Duration), seconds(s.Plan.Warmup))
			}
		}
		add("Machine: %d × %s, Linux %s.", r.Env.CPUs, r.Env.CPUModel, r.Env.Kernel)
		add("Broker: %s.", brokerText(r))
		for _, s := range r.Scenarios {
			for _, c := range s.Clients {
				if c.Failed == "" && !c.Bound {
					add("%s", clientText(&c))
				}
			}
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

func brokerText(r *compare.Report) string {
	text := "Apache Kafka"
	if r.Broker.Version != nil {
		text += " " + *r.Broker.Version
	}
	if r.Broker.Embedded {
		text = "kbench's discard broker, a process of its own"
	}
	if r.Broker.Colocated {
		text += ", on the same machine"
	}
	return text
}

func clientText(c *compare.ClientReport) string {
	text := c.Name + " " + c.Version
	if c.GitSHA != "" {
		text += " (" + c.GitSHA + ")"
	}
	return text + ", " + c.Lang + "."
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
