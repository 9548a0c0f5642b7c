package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/compare"
)

// comparisonKinds are the blocks that show files of kbench compare.
func comparisonKinds() []string {
	return []string{"summary", "comparison", "losses", "parity", "method", "reproduce", "bars", "cluster", "curve"}
}

// comparisons reads the files that the patterns name, relative to the page.
func (m *Markdown) comparisons(kind string, patterns []string) ([]*compare.Report, error) {
	if len(patterns) == 0 {
		return nil, fmt.Errorf("kbench: %s: block %s names no compare.json", m.Path, kind)
	}
	paths, err := m.match(kind, patterns)
	if err != nil {
		return nil, err
	}
	var list []*compare.Report
	for _, path := range paths {
		r, err := compare.Load(path)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

// comparison writes a block of one of comparisonKinds.
func (m *Markdown) comparison(kind string, list []*compare.Report) (string, error) {
	switch kind {
	case "summary":
		return summaryTable(list), nil
	case "comparison":
		return comparisonTables(list, "###"), nil
	case "losses":
		return losses(list), nil
	case "parity":
		return parityTables(list), nil
	case "method":
		return method(list), nil
	case "reproduce":
		return reproduce(list), nil
	case "cluster":
		return clusterSections(list), nil
	case "curve":
		return m.curveSections(list)
	}
	return m.bars(list)
}

// summaryColumns are the metrics of the first table: what most scenarios are
// about, and memory where one is about that.
func summaryColumns(r *compare.Report) (ids, titles []string) {
	ids = []string{"rate", "cpu", "p50", "p99", "p99(call)"}
	titles = []string{"rate ×", "CPU per record ×", "p50 ×", "p99 ×", "call p99 ×"}
	if slices.ContainsFunc(r.Scenarios, func(s compare.ScenarioReport) bool { return s.Throughput > 0 }) {
		ids, titles = append(ids, "rss", "allocs"), append(titles, "peak memory ×", "allocations ×")
	}
	return ids, titles
}

// summaryTable has a line per scenario: the subject's ratios to the base.
func summaryTable(list []*compare.Report) string {
	var b strings.Builder
	for _, r := range list {
		fmt.Fprintf(&b, "%s beside %s (%s is 1):\n\n", compare.Subject, r.Base, r.Base)
		ids, titles := summaryColumns(r)
		heading(&b, 1, append([]string{"scenario"}, titles...)...)
		for i := range r.Scenarios {
			s := &r.Scenarios[i]
			c := find(s, compare.Subject)
			if c == nil {
				continue
			}
			cells := []string{s.Name}
			for _, id := range ids {
				cells = append(cells, ratioCell(c, id))
			}
			row(&b, cells...)
		}
		b.WriteString("\n" + worth(r) + "\n\n")
	}
	return b.String()
}

// find is a client of a scenario that has numbers, or nil.
func find(s *compare.ScenarioReport, name string) *compare.ClientReport {
	for i := range s.Clients {
		if c := &s.Clients[i]; c.Name == name && c.Failed == "" {
			return c
		}
	}
	return nil
}

func ratioCell(c *compare.ClientReport, metric string) string {
	for i := range c.Rows {
		if r := &c.Rows[i]; r.Metric == metric {
			return strings.TrimSpace(r.Ratio.Text(2) + " " + r.Verdict)
		}
	}
	return "–"
}

// worth says in a line what a comparison may be used for.
func worth(r *compare.Report) string {
	words := []string{"**VALID**"}
	if !r.Valid {
		words = append([]string{"**INVALID**"}, r.Reasons...)
	}
	if r.Partial {
		words = append(words, "it was interrupted")
	}
	return strings.Join(append(words, r.Notes...), ". ") + "."
}

// question is what a scenario answers.
func question(s *compare.ScenarioReport) string {
	switch p := &s.Plan; {
	case s.Throughput > 0:
		return "What does a full buffer cost in memory, and in collecting it?"
	case p.Busy > 0:
		return "What do busy callers lose, and how late is a record?"
	case p.Mode == bench.ModeOpen:
		return "How late is a record, and at what price?"
	case p.Settings.Codec() != bench.CompressionNone:
		return "How much text, compressed with " + p.Settings.Codec() + ", and at what price?"
	}
	return "How many records, and at what price?"
}

// comparisonTables has a table per scenario, whose headings are of a level.
func comparisonTables(list []*compare.Report, level string) string {
	var b strings.Builder
	for _, r := range list {
		for i := range r.Scenarios {
			s := &r.Scenarios[i]
			fmt.Fprintf(&b, "%s %s: %s\n\n%s.\n\n", level, s.Name, question(s), strings.TrimSuffix(s.About, "."))
			comparisonTable(&b, s)
			for _, v := range s.Goals {
				fmt.Fprintf(&b, "\n- goal: %s of %s %s%s; it is %s: %s", v.Metric, compare.Subject, v.Want, v.Of(), v.Measured(), v.Outcome())
			}
			b.WriteString("\n\n")
		}
		for _, skip := range r.Skipped {
			fmt.Fprintf(&b, "%s was skipped: %s.\n\n", skip.Client, skip.Why)
		}
	}
	return b.String()
}

func comparisonTable(b *strings.Builder, s *compare.ScenarioReport) {
	head := []string{"client"}
	for _, c := range s.Clients {
		if len(c.Rows) > 0 {
			for _, r := range c.Rows {
				head = append(head, r.Title)
				if !c.Wide() {
					head = append(head, "×", "p")
				}
			}
			head = append(head, "runs", "others")
			break
		}
	}
	heading(b, 1, head...)
	for _, c := range s.Clients {
		cells := []string{c.Name}
		if c.Bound {
			cells[0] += " (no client)"
		}
		if c.Failed != "" {
			row(b, append(cells, c.Failed)...)
			continue
		}
		for i := range c.Rows {
			if r := &c.Rows[i]; c.Wide() {
				cells = append(cells, r.Cell())
			} else {
				cells = append(cells, r.Text()+" ± "+r.Spread.Percent(), r.Ratio.Text(2), r.Significance())
			}
		}
		runs := c.RunsCell()
		row(b, append(cells, runs, c.Others.Percent())...)
	}
}

// reproduce lists the commands, each once.
func reproduce(list []*compare.Report) string {
	return "```sh\n" + strings.Join(commandLines(list), "\n") + "\n```\n"
}

func commandLines(list []*compare.Report) []string {
	var lines []string
	for _, r := range list {
		var words []string
		for _, arg := range r.Command {
			words = append(words, shellQuoted(arg))
		}
		if line := strings.Join(words, " "); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// seconds is a duration without the zeros that time.Duration prints.
func seconds(d time.Duration) string { return fmt.Sprintf("%g s", d.Seconds()) }
