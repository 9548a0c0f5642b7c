package diff

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/kring-go/kring/cmd/kbench/internal/metric"
)

// Gate is one term of --fail-on: p99>+10% is breached by a significant rise of
// more than a tenth, rate<-5% by a significant fall.
type Gate struct {
	Text   string
	Metric metric.Metric
	rise   bool
	share  float64 // the change from which on it is breached, 0 or more
}

// ParseGates reads comma separated terms.
func ParseGates(s string) ([]Gate, error) {
	var list []Gate
	for term := range strings.SplitSeq(s, ",") {
		if term = strings.TrimSpace(term); term == "" {
			continue
		}
		g, err := parseGate(term)
		if err != nil {
			return nil, fmt.Errorf("--fail-on %q: %w", term, err)
		}
		list = append(list, g)
	}
	return list, nil
}

func parseGate(term string) (Gate, error) {
	at := strings.IndexAny(term, "<>")
	if at < 0 {
		return Gate{}, fmt.Errorf("want METRIC>+N%% or METRIC<-N%%")
	}
	m, err := metric.Parse(term[:at])
	if err != nil {
		return Gate{}, err
	}
	g := Gate{Text: term, Metric: m, rise: term[at] == '>'}
	bound, ok := strings.CutSuffix(strings.TrimSpace(term[at+1:]), "%")
	percent, err := strconv.ParseFloat(strings.TrimSpace(bound), 64)
	switch {
	case !ok || err != nil:
		return g, fmt.Errorf("%q is no change in percent such as +10%%", term[at+1:])
	case g.rise && percent < 0 || !g.rise && percent > 0:
		return g, fmt.Errorf("a rise is written >+N%%, a fall <-N%%")
	}
	g.share = max(percent, -percent) / 100
	return g, nil
}

// breach describes how the rows breach the gate; empty: they do not.
func (g *Gate) breach(rows []Row) string {
	for _, row := range rows {
		if row.Metric != g.Metric.ID || row.Verdict == Same {
			continue
		}
		// A change from nothing is beyond every percentage.
		change := row.New - row.Old
		if !g.rise {
			change = -change
		}
		if change > 0 && change > g.share*row.Old {
			return fmt.Sprintf("%s: %s, %s to %s (p %.3f)", g.Text, row.Delta(), row.OldText, row.NewText, row.Adjusted)
		}
	}
	return ""
}

// Delta is the change in percent.
func (r *Row) Delta() string {
	if r.Old == 0 {
		if r.New == 0 {
			return "0 %"
		}
		return "from 0"
	}
	return fmt.Sprintf("%+.2f %%", 100*(r.New/r.Old-1))
}
