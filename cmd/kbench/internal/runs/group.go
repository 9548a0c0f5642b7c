package runs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kring-go/kring/bench"
)

// Group is the runs of one client with one workload: one sample.
type Group struct {
	Client   string
	Workload string
	Runs     []Run
}

// Groups sorts runs into samples, in the order in which the first of each came.
func Groups(list []Run) []*Group {
	var groups []*Group
	at := map[string]*Group{}
	for _, r := range list {
		key := fmt.Sprint(r.Result.Client.Name, r.Result.Client.Version, Workload(r.Result), Settings(r.Result))
		g, ok := at[key]
		if !ok {
			g = &Group{Client: r.Result.Client.Name, Workload: Workload(r.Result)}
			at[key] = g
			groups = append(groups, g)
		}
		g.Runs = append(g.Runs, r)
	}
	return groups
}

// Workload says what was asked for, in a few words.
func Workload(r *bench.Result) string {
	w := &r.Workload
	parts := []string{"flat out"}
	switch {
	case w.Mode == bench.ModeOpen:
		parts[0] = bench.FormatShort(float64(w.RateTarget)) + "/s"
	case w.Outstanding > 0:
		parts[0] = fmt.Sprintf("%d outstanding", w.Outstanding)
	case w.BusyNs > 0:
		parts[0] = "busy for " + bench.FormatNanos(w.BusyNs)
	}
	parts[0] = strings.Replace(parts[0], ".0k", "k", 1)
	size := strings.TrimPrefix(w.Size, "fixed:")
	if size != w.Size {
		size += " B"
	}
	parts = append(parts, size)
	if w.Keys != "none" {
		parts = append(parts, "keys "+w.Keys)
	}
	plural := "s"
	if w.Senders == 1 {
		plural = ""
	}
	parts = append(parts, fmt.Sprintf("%d sender%s", w.Senders, plural), fmt.Sprintf("%d partitions", r.Broker.Topic.Partitions))
	if r.Broker.Topic.Replication > 1 {
		parts = append(parts, fmt.Sprintf("%d replicas", r.Broker.Topic.Replication))
	}
	return strings.Join(parts, ", ")
}

// Settings is the client's properties on one line.
func Settings(r *bench.Result) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(r.Client.Props)) {
		parts = append(parts, name+"="+r.Client.Props[name])
	}
	return strings.Join(parts, " ")
}

// Verdict is what a run is worth, in a word and the reasons for it.
func Verdict(r *bench.Result) (word, why string) {
	switch {
	case r.Partial:
		return "PARTIAL", "interrupted"
	case r.Verify.Failed():
		return "FAILED", "the log does not hold what was acknowledged"
	case r.Totals.Failed+r.Totals.Rejected+r.Totals.Unresolved > 0:
		return "ERRORS", "not every record was acknowledged"
	case !r.Valid:
		return "INVALID", strings.Join(r.InvalidReasons, "; ")
	case r.Verify.Mode == bench.VerifyNone:
		return "VALID", "not verified"
	}
	return "VALID", fmt.Sprintf("%s records read back", bench.FormatCount(r.Verify.Read))
}
