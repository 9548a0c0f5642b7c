package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/compare"
	"github.com/kring-go/kring/cmd/kbench/internal/runs"
)

//go:embed assets
var assets embed.FS

// view is what the template shows of a run.
type view struct {
	Label, Word, Why, Class string
	Command                 string
	Latency                 []latencyRow
	Facts                   [][2]string
	Settings                string
	Warnings                []string
	HasHlog, HasTimeline    bool
}

// rateTable is what a comparison at rates has, under a line about it.
type rateTable struct {
	About string
	Rows  []rateRow
}

type latencyRow struct {
	Name                               string
	P50, P90, P99, P999, P9999, Max, N string
}

// Page writes one HTML file that needs nothing else, of runs and of comparisons at
// rates.
func Page(w io.Writer, list []runs.Run, rates []*compare.Report) error {
	data, err := collect(list, rates)
	if err != nil {
		return err
	}
	files := map[string]string{}
	for _, name := range []string{"page.html", "page.js", "page.css", "uPlot.iife.min.js", "uPlot.min.css", "uPlot-LICENSE.txt"} {
		text, err := assets.ReadFile("assets/" + name)
		if err != nil {
			return err
		}
		files[name] = string(text)
	}
	page, err := template.New("page").Parse(files["page.html"])
	if err != nil {
		return err
	}
	var views []view
	for i, r := range list {
		views = append(views, newView(data.Runs[i], r.Result))
	}
	var tables []rateTable
	for _, r := range rates {
		tables = append(tables, rateTable{strings.Join(r.Workloads(), ", ") + ", " + brokerName(r) + ". " + strings.ReplaceAll(worth(r), "*", ""), rateRows(r)})
	}
	return page.Execute(w, map[string]any{
		"Title":  title(list, rates),
		"Rates":  tables,
		"Views":  views,
		"Data":   data,
		"Curve":  len(data.Curve) > 0,
		"Style":  template.CSS(files["uPlot.min.css"] + files["page.css"]),
		"Script": template.JS(files["uPlot.iife.min.js"]), //nolint:gosec // It is compiled in.
		"Page":   template.JS(files["page.js"]),           //nolint:gosec // It is compiled in.
		"Notice": files["uPlot-LICENSE.txt"],
	})
}

func title(list []runs.Run, rates []*compare.Report) string {
	if len(list) == 0 {
		var what []string
		for _, r := range rates {
			for _, of := range r.Workloads() {
				what = append(what, of+placeSuffix(r))
			}
		}
		return "p99 by offered rate: " + strings.Join(what, ", ")
	}
	if len(list) == 1 {
		r := list[0].Result
		return fmt.Sprintf("%s: %s", r.Client.Name, runs.Workload(r))
	}
	return fmt.Sprintf("%d runs", len(list))
}

func newView(d runData, r *bench.Result) view {
	v := view{Label: d.Label, Settings: runs.Settings(r), Warnings: r.Warnings, HasHlog: d.Hlog != "", HasTimeline: d.Timeline != nil}
	v.Word, v.Why = runs.Verdict(r)
	if v.Class = "bad"; v.Word == "VALID" {
		v.Class = "good"
	}
	for i, arg := range r.Command {
		if i > 0 {
			v.Command += " "
		}
		v.Command += shellQuoted(arg)
	}
	for _, name := range bench.DistributionNames() {
		if l := r.Latency.ByName(name); l != nil {
			v.Latency = append(v.Latency, latencyRow{
				name, bench.FormatNanos(l.P50), bench.FormatNanos(l.P90), bench.FormatNanos(l.P99), bench.FormatNanos(l.P999),
				bench.FormatNanos(l.P9999), bench.FormatNanos(l.Max), bench.FormatCount(int64(l.N)),
			})
		}
	}
	v.Facts = facts(r)
	return v
}

// facts are the numbers beside the latencies.
func facts(r *bench.Result) [][2]string {
	c, t := &r.Cost, &r.Totals
	broker := "embedded"
	if !r.Broker.Embedded {
		broker = "Kafka"
		if r.Broker.Version != nil {
			broker += " " + *r.Broker.Version
		}
	}
	if r.Broker.Colocated {
		broker += ", co-located"
	}
	return [][2]string{
		{"rate", bench.FormatShort(t.RateAchieved) + " records/s"},
		{"acknowledged", bench.FormatCount(t.Acked) + " of " + bench.FormatCount(t.Sent)},
		{"CPU", fmt.Sprintf("%.0f ns per record (user %s, sys %s)", c.CPUPerRecordNs, bench.FormatNanos(c.CPUUserNs), bench.FormatNanos(c.CPUSysNs))},
		{"allocations", fmt.Sprintf("%.4f per record", c.AllocsPerRecord)},
		{"GC", fmt.Sprintf("%d, longest pause %s", c.GCCount, bench.FormatNanos(c.GCPauseMaxNs))},
		{"peak memory", bench.FormatBytes(float64(c.RSSPeakBytes))},
		{"verified", fmt.Sprintf("%s: %d lost, %d duplicated, %d reordered, %d corrupt", r.Verify.Mode, r.Verify.Lost, r.Verify.Duplicated, r.Verify.Reordered, r.Verify.Corrupt)},
		{"client", r.Client.Name + " " + r.Client.Version + ", " + r.Client.Lang},
		{"broker", fmt.Sprintf("%s, %d nodes, %d partitions, %d replicas", broker, r.Broker.Nodes, r.Broker.Topic.Partitions, r.Broker.Topic.Replication)},
		{"machine", fmt.Sprintf("%s, %d CPUs, %s", r.Env.CPUModel, r.Env.CPUs, r.Env.Kernel)},
		{"started", r.Started},
	}
}
