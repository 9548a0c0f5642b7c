package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/metric"
	"github.com/kring-go/kring/cmd/kbench/internal/runs"
	"golang.org/x/perf/benchmath"
)

// columns of the results table, by the names of package metric.
const columns = "rate,p50,p99,p99.9,p99(call),cpu,allocs,rss"

// row is one line of a Markdown table.
func row(b *strings.Builder, cells ...string) {
	for _, c := range cells {
		b.WriteString("| " + strings.ReplaceAll(c, "|", `\|`) + " ")
	}
	b.WriteString("|\n")
}

// heading is the first two lines; columns from the second on align right.
func heading(b *strings.Builder, left int, cells ...string) {
	row(b, cells...)
	for i := range cells {
		if i < left {
			b.WriteString("|---")
		} else {
			b.WriteString("|--:")
		}
	}
	b.WriteString("|\n")
}

// resultsTable has a line per sample: medians over its runs, ± the 95 %
// confidence interval of the median where there are runs enough for one.
func resultsTable(groups []*runs.Group) string {
	metrics, err := metric.ParseList(columns)
	if err != nil {
		panic(err) // A name above is wrong; every test would see it.
	}
	var b strings.Builder
	head := []string{"client", "workload", "runs"}
	for _, m := range metrics {
		head = append(head, m.Title)
	}
	heading(&b, 2, append(head, "verdict")...)
	for _, g := range groups {
		cells := []string{g.Client, g.Workload, fmt.Sprint(len(g.Runs))}
		for _, m := range metrics {
			cells = append(cells, cell(m, g))
		}
		row(&b, append(cells, verdicts(g))...)
	}
	return b.String()
}

func cell(m metric.Metric, g *runs.Group) string {
	var values []float64
	for _, r := range g.Runs {
		if v, ok := m.Value(r.Result); ok {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return "–"
	}
	sample := benchmath.NewSample(values, &benchmath.DefaultThresholds)
	s := benchmath.AssumeNothing.Summary(sample, 0.95)
	text := m.Format(s.Center)
	if spread := s.PctRangeString(); len(values) > 1 && spread != "∞" && spread != "?" {
		return text + " ±" + spread
	}
	if len(values) > 1 {
		return fmt.Sprintf("%s (%s–%s)", text, m.Format(sample.Values[0]), m.Format(sample.Values[len(values)-1]))
	}
	return text
}

// verdicts are those of a sample's runs, each once.
func verdicts(g *runs.Group) string {
	var words []string
	for _, r := range g.Runs {
		if word, _ := runs.Verdict(r.Result); !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, ", ")
}

// settingsTable shows every client's settings beside each other.
func settingsTable(groups []*runs.Group) string {
	var clients []*bench.Result
	names := map[string]bool{}
	for _, g := range groups {
		first := g.Runs[0].Result
		known := func(r *bench.Result) bool {
			return r.Client.Name == first.Client.Name && maps.Equal(r.Client.Props, first.Client.Props)
		}
		if slices.ContainsFunc(clients, known) {
			continue
		}
		clients = append(clients, first)
		for name := range first.Client.Props {
			names[name] = true
		}
	}
	var b strings.Builder
	head := []string{"setting"}
	for _, c := range clients {
		head = append(head, strings.TrimSpace(c.Client.Name+" "+c.Client.Version))
	}
	heading(&b, 1, head...)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		cells := []string{"`" + name + "`"}
		for _, c := range clients {
			value, ok := c.Client.Props[name]
			if !ok {
				value = "(default)"
			}
			cells = append(cells, value)
		}
		row(&b, cells...)
	}
	return b.String()
}

// environmentTable shows each machine and broker once.
func environmentTable(list []runs.Run) string {
	var b strings.Builder
	heading(&b, 2, "CPU", "kernel", "CPUs", "GOMAXPROCS", "Go", "broker", "first run", "last run")
	type key struct{ cpu, kernel, cpus, procs, lang, broker string }
	var order []key
	first, last := map[key]string{}, map[key]string{}
	for _, r := range list {
		e := &r.Result.Env
		broker := "embedded"
		if !r.Result.Broker.Embedded {
			broker = "Kafka"
			if v := r.Result.Broker.Version; v != nil {
				broker += " " + *v
			}
		}
		if r.Result.Broker.Colocated {
			broker += ", co-located"
		}
		k := key{e.CPUModel, e.Kernel, fmt.Sprint(e.CPUs), fmt.Sprint(e.GOMAXPROCS), r.Result.Client.Lang, broker}
		day, _, _ := strings.Cut(r.Result.Started, "T")
		if _, ok := first[k]; !ok {
			order = append(order, k)
			first[k], last[k] = day, day
		}
		first[k], last[k] = min(first[k], day), max(last[k], day)
	}
	for _, k := range order {
		row(&b, k.cpu, k.kernel, k.cpus, k.procs, k.lang, k.broker, first[k], last[k])
	}
	return b.String()
}

// commandsTable lists what was run, each command once.
func commandsTable(list []runs.Run) string {
	var b strings.Builder
	b.WriteString("```sh\n")
	seen := map[string]bool{}
	for _, r := range list {
		var words []string
		for _, arg := range r.Result.Command {
			words = append(words, shellQuoted(arg))
		}
		if line := strings.Join(words, " "); line != "" && !seen[line] {
			seen[line] = true
			b.WriteString(line + "\n")
		}
	}
	b.WriteString("```\n")
	return b.String()
}
