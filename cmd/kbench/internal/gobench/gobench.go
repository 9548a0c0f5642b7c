package gobench

import (
	"fmt"
	"io"
	"strings"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/metric"
	"golang.org/x/perf/benchfmt"
)

// columns are the metrics of a line, in its order.
const columns = "cpu,p50,p99,p999,p99(call),rate,allocs,rss"

// Write prints results. Several of one workload share a name, as the runs of
// go test -count do, so that benchstat takes them for one sample.
func Write(w io.Writer, results []*bench.Result) error {
	metrics, err := metric.ParseList(columns)
	if err != nil {
		return err
	}
	out := benchfmt.NewWriter(w)
	for _, m := range metrics {
		better := "lower"
		if m.Higher {
			better = "higher"
		}
		unit := &benchfmt.UnitMetadata{}
		unit.OrigUnit, unit.Unit, unit.Key, unit.Value = m.Unit, m.Unit, "better", better
		if err := out.Write(unit); err != nil {
			return err
		}
	}
	for _, r := range results {
		if err := out.Write(line(r, metrics)); err != nil {
			return err
		}
	}
	return nil
}

// line is one run. Its configuration holds the machine and the target, and not
// the client's version or the time: benchstat puts runs whose configuration
// differs into different tables, and old and new belong into one.
func line(r *bench.Result, metrics []metric.Metric) *benchfmt.Result {
	out := &benchfmt.Result{Name: benchfmt.Name(name(r)), Iters: int(max(r.Totals.Acked, 1))}
	broker := "embedded"
	if !r.Broker.Embedded {
		broker = "kafka"
		if r.Broker.Version != nil {
			broker += " " + *r.Broker.Version
		}
	}
	for _, c := range []struct{ key, value string }{
		{"kernel", r.Env.Kernel},
		{"cpu", r.Env.CPUModel},
		{"broker", broker},
		{"nodes", fmt.Sprint(r.Broker.Nodes)},
		{"partitions", fmt.Sprint(r.Broker.Topic.Partitions)},
		{"replication", fmt.Sprint(r.Broker.Topic.Replication)},
		{"valid", fmt.Sprint(r.Valid && !r.Partial)},
	} {
		out.SetConfig(c.key, oneLine(c.value))
	}
	for i := range out.Config {
		out.Config[i].File = true // Otherwise the writer leaves it out.
	}
	for _, m := range metrics {
		if v, ok := m.Value(r); ok {
			out.Values = append(out.Values, benchfmt.Value{Value: v, Unit: m.Unit})
		}
	}
	return out
}

// name is the workload: what must be equal for two runs to be one sample.
func name(r *bench.Result) string {
	rate := "max"
	if r.Workload.RateTarget > 0 {
		rate = strings.Replace(bench.FormatShort(float64(r.Workload.RateTarget)), ".0k", "k", 1)
	}
	parts := []string{
		"Kbench", "client=" + r.Client.Name, "acks=" + r.Client.Props["acks"],
		"size=" + strings.TrimPrefix(r.Workload.Size, "fixed:"), "rate=" + rate, fmt.Sprintf("senders=%d", r.Workload.Senders),
	}
	if r.Workload.Keys != "none" {
		parts = append(parts, "keys="+r.Workload.Keys)
	}
	for i := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(parts[i], "/", "_"), " ", "_")
	}
	return fmt.Sprintf("%s-%d", strings.Join(parts, "/"), r.Env.GOMAXPROCS)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
