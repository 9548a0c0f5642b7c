package compare

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kring-go/kring/bench"
)

// setting is one thing that clients should be told alike, and what their
// libraries call it, the most telling name first.
type setting struct {
	name  string
	names []string
}

// levelSetting says something only where there is compression.
const levelSetting = "level of it"

func settings() []setting {
	return []setting{
		{"acks", []string{"RequiredAcks", "Producer.RequiredAcks", "acks"}},
		{"idempotence", []string{"DisableIdempotentWrite", "Producer.Idempotent", "enable.idempotence"}},
		{"linger", []string{"ProducerLinger", "Producer.Flush.Frequency", "BatchTimeout", "linger.ms"}},
		{"batch", []string{"ProducerBatchMaxBytes", "Producer.Flush.Bytes", "BatchBytes", "batch.size", "batch"}},
		{"buffer", []string{"MaxBufferedBytes", "queue.buffering.max.kbytes", "buffer.memory"}},
		{"in flight", []string{"MaxProduceRequestsInflightPerBroker", "Net.MaxOpenRequests", "in flight", "max.in.flight.requests.per.connection"}},
		{"compression", []string{"ProducerBatchCompression", "Producer.Compression", "Compression", "compression.type"}},
		{levelSetting, []string{"Producer.CompressionLevel", "compression.level"}},
		{"partitioner", []string{"RecordPartitioner", "Producer.Partitioner", "Balancer", "partitioner", "partitioner.class"}},
	}
}

// parity has a column per client: a difference in a line is one that the
// library does not let anybody remove.
func parity(s *ScenarioReport) table {
	t := table{head: []string{"setting"}}
	for _, c := range s.Clients {
		if c.Failed == "" {
			t.head = append(t.head, c.Name)
		}
	}
	for _, line := range settings() {
		if line.name == levelSetting && s.Plan.Settings.Codec() == bench.CompressionNone {
			continue
		}
		cells := []string{line.name}
		for _, c := range s.Clients {
			if c.Failed == "" {
				cells = append(cells, line.of(c.Props))
			}
		}
		t.body = append(t.body, cells)
	}
	return t
}

// Parity is the table of settings: the names of the clients, and a line for each
// setting, its name first.
func (s *ScenarioReport) Parity() (clients []string, lines [][]string) {
	t := parity(s)
	return t.head[1:], t.body
}

func (l *setting) of(props map[string]string) string {
	for _, name := range l.names {
		if value, ok := props[name]; ok {
			if name == "DisableIdempotentWrite" { // The other way round.
				return strconv.FormatBool(value == "false")
			}
			return value
		}
	}
	return "its default"
}

// writeOwnWords prints every property that a client reports.
func writeOwnWords(w io.Writer, s *ScenarioReport) {
	fmt.Fprintln(w, "\nIn their own words:")
	for _, c := range s.Clients {
		if c.Failed != "" {
			continue
		}
		var props []string
		for _, name := range slices.Sorted(maps.Keys(c.Props)) {
			props = append(props, name+"="+c.Props[name])
		}
		fmt.Fprintf(w, "- %s %s: %s\n", c.Name, c.Version, strings.Join(props, ", "))
	}
}
