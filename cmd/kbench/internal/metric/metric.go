package metric

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kring-go/kring/bench"
)

// Metric is one number of a result.
type Metric struct {
	ID     string // as --metrics and --fail-on name it
	Title  string
	Unit   string // as the Go benchmark format names it
	Higher bool   // higher is better
	value  func(*bench.Result) (float64, bool)
	format func(float64) string
}

// Volume is the metric of keys and values per second, before compression: what
// rate says, in other words.
const Volume = "mb"

// Value is the metric's of a result; false where it was not measured.
func (m Metric) Value(r *bench.Result) (float64, bool) { return m.value(r) }

// Format writes a value for people.
func (m Metric) Format(v float64) string { return m.format(v) }

// Names is every name that Parse knows, for messages.
func Names() string {
	return "rate, mb, cpu, allocs, rss, heap, backlog, gc, gcpause, gctotal, gccpu, ctxsw, or min, mean, p50, p90, p99, p999, p9999, max, optionally of (response), (service), (call) or (lag)"
}

// Parse reads the name of a metric: cpu, p99, p99(call), p99.9(service). A
// percentile without a distribution is the headline's: response in an open
// loop, service in a closed one.
func Parse(name string) (Metric, error) {
	name = strings.TrimSpace(name)
	for _, m := range append(totals(), memory()...) {
		if m.ID == name {
			return m, nil
		}
	}
	rank, of, ok := strings.Cut(name, "(")
	of = strings.TrimSuffix(of, ")")
	switch rank {
	case "p99.9":
		rank = "p999"
	case "p99.99":
		rank = "p9999"
	}
	pick := percentile(rank)
	if pick == nil || ok && !slices.Contains(bench.DistributionNames(), of) {
		return Metric{}, fmt.Errorf("%q is no metric; want %s", name, Names())
	}
	m := Metric{ID: rank, Title: title(rank), Unit: rank + "-ns", format: func(v float64) string { return bench.FormatNanos(int64(v)) }}
	if of != "" {
		m.ID, m.Title, m.Unit = rank+"("+of+")", m.Title+" "+of, of+"-"+rank+"-ns"
	}
	m.value = func(r *bench.Result) (float64, bool) {
		_, l := r.Headline()
		if of != "" {
			l = r.Latency.ByName(of)
		}
		if l == nil {
			return 0, false
		}
		return float64(pick(l)), true
	}
	return m, nil
}

// ParseList reads several, comma separated.
func ParseList(names string) ([]Metric, error) {
	var list []Metric
	for name := range strings.SplitSeq(names, ",") {
		m, err := Parse(name)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

// Defaults are the metrics that say most about a run: a flat-out run's service
// time is only the depth of its queue, and an open loop's rate is what was asked.
func Defaults(r *bench.Result) []Metric {
	names := "p50,p99,p999,cpu,allocs"
	if r.Workload.Mode == bench.ModeClosed {
		names = "rate,cpu,allocs,p50(call),p99(call)"
	}
	list, err := ParseList(names)
	if err != nil {
		panic(err) // A name above is wrong; every test would see it.
	}
	return list
}

func title(rank string) string {
	switch rank {
	case "p999":
		return "p99.9"
	case "p9999":
		return "p99.99"
	}
	return rank
}

func percentile(rank string) func(*bench.Latency) int64 {
	switch rank {
	case "min":
		return func(l *bench.Latency) int64 { return l.Min }
	case "mean":
		return func(l *bench.Latency) int64 { return l.Mean }
	case "p50":
		return func(l *bench.Latency) int64 { return l.P50 }
	case "p90":
		return func(l *bench.Latency) int64 { return l.P90 }
	case "p99":
		return func(l *bench.Latency) int64 { return l.P99 }
	case "p999":
		return func(l *bench.Latency) int64 { return l.P999 }
	case "p9999":
		return func(l *bench.Latency) int64 { return l.P9999 }
	case "max":
		return func(l *bench.Latency) int64 { return l.Max }
	}
	return nil
}

// number formats with so many digits behind the point.
func number(digits int, unit string) func(float64) string {
	return func(v float64) string { return strconv.FormatFloat(v, 'f', digits, 64) + unit }
}

func totals() []Metric {
	always := func(f func(*bench.Result) float64) func(*bench.Result) (float64, bool) {
		return func(r *bench.Result) (float64, bool) { return f(r), true }
	}
	return []Metric{
		{
			ID: "rate", Title: "rate", Unit: "rec/s", Higher: true,
			value:  always(func(r *bench.Result) float64 { return r.Totals.RateAchieved }),
			format: func(v float64) string { return bench.FormatShort(v) + "/s" },
		},
		{
			ID: Volume, Title: "MB/s", Unit: "MB/s", Higher: true,
			value: func(r *bench.Result) (float64, bool) {
				t := &r.Totals
				return t.RateAchieved * float64(t.Bytes) / float64(max(t.Sent, 1)) / 1e6, t.Sent > 0
			},
			format: number(1, ""),
		},
		{
			ID: "cpu", Title: "CPU per record", Unit: "cpu-ns/rec",
			value:  func(r *bench.Result) (float64, bool) { return r.Cost.CPUPerRecordNs, r.Cost.CPUPerRecordNs > 0 },
			format: number(0, "ns"),
		},
		{
			ID: "ctxsw", Title: "context switches per record", Unit: "ctxsw/rec",
			value: func(r *bench.Result) (float64, bool) {
				n := float64(max(r.Totals.WindowAcked, 1))
				return float64(r.Cost.CtxswVol+r.Cost.CtxswInvol) / n, true
			},
			format: number(5, ""),
		},
	}
}
