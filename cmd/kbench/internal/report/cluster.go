package report

import (
	"fmt"
	"strings"

	"github.com/kring-go/kring/cmd/kbench/internal/compare"
)

// clusterSections has everything about each comparison on a cluster in a section
// of its own: what holds beside a broker that does nothing need not hold there.
func clusterSections(list []*compare.Report) string {
	var b strings.Builder
	for _, r := range list {
		one := []*compare.Report{r}
		place := brokerName(r)
		fmt.Fprintf(&b, "## %s: does it hold against a broker that does something?\n\n", place)
		fmt.Fprintf(&b, "The same questions to %s, with %s of each partition. Its own work is in the way of all clients alike%s.\n\n",
			place, plural(max(r.Broker.Topic.Replication, 1), "replica"), sharing(r))
		b.WriteString(summaryTable(one))
		b.WriteString(comparisonTables(one, "###"))
		fmt.Fprintf(&b, "### Where we lose against %s\n\n%s\n", place, losses(one))
		fmt.Fprintf(&b, "### Method, settings and command for %s\n\n%s\n%s%s\n", place, method(one), parityTables(one), clusterCommands(r))
	}
	return b.String()
}

// brokerName is short enough for a heading.
func brokerName(r *compare.Report) string {
	if r.Broker.Embedded {
		return "the discard broker"
	}
	text := "Apache Kafka"
	if r.Broker.Version != nil {
		text += " " + *r.Broker.Version
	}
	text += " with " + plural(r.Broker.Nodes, "node")
	if len(r.Scenarios) > 0 && r.Scenarios[0].Plan.Settings.Acks != "" {
		text += ", acks=" + r.Scenarios[0].Plan.Settings.Acks
	}
	return text
}

func sharing(r *compare.Report) string {
	if r.Broker.Colocated {
		return ", and takes most of the processors that they share"
	}
	return ""
}

// clusterCommands are those of a cluster that is started for it, on this machine.
func clusterCommands(r *compare.Report) string {
	return fmt.Sprintf("```sh\nmake kafka-up KAFKA_NODES=%d\n%s\nmake kafka-down\n```\n", r.Broker.Nodes, strings.Join(commandLines([]*compare.Report{r}), "\n"))
}
