package compare

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/kring-go/kring/cmd/kbench/internal/metric"
)

// Subject is the client whose goals the table of scenarios has, and that the
// others are there for.
const Subject = "kring"

// limit is the worker that does the least that any producer can.
const limit = "rawlimit"

// Goal bounds kring's number as a multiple of the best of the others named, or,
// where none is, the number itself: records per second, nanoseconds.
type Goal struct {
	Metric  string
	Against []string
	Factor  float64
}

func ofFranz(metric string, factor float64) Goal { return Goal{metric, []string{"franz-go"}, factor} }

func ofBoth(metric string, factor float64) Goal {
	return Goal{metric, []string{"franz-go", "java"}, factor}
}

func ofPeers(metric string, factor float64) Goal {
	return Goal{metric, []string{"franz-go", "java", "librdkafka", "sarama", "kafka-go"}, factor}
}

func ofLimit(metric string, factor float64) Goal { return Goal{metric, []string{limit}, factor} }

func plain(metric string, value float64) Goal { return Goal{metric, nil, value} }

// Verdict is one goal and what was measured: a ratio to the best of some
// clients, or the metric itself, where Against is empty.
type Verdict struct {
	Metric  string   `json:"metric"`
	Against []string `json:"against"`
	Want    string   `json:"want"`
	Got     Figure   `json:"got"`
	Met     bool     `json:"met"`
}

// Of is what the ratio is to: " × that of a or b"; "" without clients.
func (v *Verdict) Of() string {
	switch n := len(v.Against); n {
	case 0:
		return ""
	case 1, 2:
		return " × that of " + strings.Join(v.Against, " or ")
	default:
		return fmt.Sprintf(" × the best of %s and %s", strings.Join(v.Against[:n-1], ", "), v.Against[n-1])
	}
}

// Measured is what was measured, for people.
func (v *Verdict) Measured() string {
	if m, err := metric.Parse(v.Metric); err == nil && len(v.Against) == 0 && v.Got.known() {
		return m.Format(float64(v.Got))
	}
	return v.Got.Text(3)
}

// Outcome is met or missed.
func (v *Verdict) Outcome() string {
	if v.Met {
		return "met"
	}
	return "missed"
}

// onKafka are the goals beside Apache Kafka, whose own work is in every ratio,
// with so many replicas.
func (s *Scenario) onKafka(replicas int, acks string) []Goal {
	switch s.Name + " " + acks + " " + strconv.Itoa(replicas) {
	case "partitioned 1 1":
		return []Goal{ofLimit("rate", 0.9), ofPeers("cpu", 0.3)}
	case "open-1 1 1":
		return []Goal{ofLimit("p50", 1.3), ofPeers("p90", 0.35)}
	case "partitioned all 3":
		return []Goal{ofLimit("rate", 0.95), ofPeers("cpu", 0.3)}
	case "open-1 all 3":
		return []Goal{ofPeers("p50", 0.35), ofPeers("p99", 0.6)}
	case "open-100k all 3":
		return []Goal{ofPeers("p50", 0.35), ofPeers("p99", 0.7)}
	}
	return nil
}

// judgeGoals looks at every goal whose clients were measured.
func judgeGoals(b *books) []Verdict {
	out, goals := []Verdict{}, b.s.Goals
	if len(b.plan.Settings.Brokers) > 0 {
		goals = b.s.onKafka(max(b.o.Replication, 1), b.plan.Settings.Acks)
	}
	if _, failed := b.failed[Subject]; failed || len(b.samples[Subject]) == 0 {
		return out
	}
	for _, g := range goals {
		if v := b.judge(g); v.Got.known() {
			out = append(out, v)
		}
	}
	return out
}

func (b *books) judge(g Goal) Verdict {
	m := must(g.Metric)[0]
	v := Verdict{Metric: g.Metric, Against: []string{}}
	sign, want := "≤", fmt.Sprint(g.Factor)
	if m.Higher {
		sign = "≥"
	}
	var got float64
	if len(g.Against) == 0 {
		got, want = median(column(b.samples[Subject], m)), m.Format(g.Factor)
	} else {
		var bases [][]sample
		for _, name := range g.Against {
			if _, failed := b.failed[name]; !failed && len(b.samples[name]) > 0 {
				v.Against, bases = append(v.Against, name), append(bases, b.samples[name])
			}
		}
		got = math.Round(ratioToBest(b.samples[Subject], bases, m)*1000) / 1000
	}
	v.Want, v.Got, v.Met = sign+" "+want, Figure(got), got <= g.Factor
	if m.Higher {
		v.Met = got >= g.Factor
	}
	return v
}
