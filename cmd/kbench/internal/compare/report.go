package compare

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kring-go/kring/bench"
)

// SchemaName is the version of Report.
const SchemaName = "kbench.compare/v1"

// Report is what a comparison leaves: kbench.compare/v1.
type Report struct {
	Schema    string           `json:"schema"`
	Started   string           `json:"started"` // RFC 3339
	Command   []string         `json:"command"`
	Base      string           `json:"base"`
	Rounds    int              `json:"rounds"`
	Defaults  bool             `json:"defaults"`
	Env       bench.EnvInfo    `json:"env"`    // of the first run
	Broker    bench.BrokerInfo `json:"broker"` // of the first run
	Valid     bool             `json:"valid"`
	Reasons   []string         `json:"invalid_reasons"`
	Partial   bool             `json:"partial"`
	Skipped   []Skip           `json:"skipped"`
	Notes     []string         `json:"notes"`
	Scenarios []ScenarioReport `json:"scenarios"`
	code      int
}

// Skip is a client that is not available here.
type Skip struct {
	Client string `json:"client"`
	Why    string `json:"why"`
}

// ScenarioReport is one table.
type ScenarioReport struct {
	Name  string       `json:"name"`
	About string       `json:"about"`
	Plan  bench.Config `json:"plan"`
	// Of names the scenario whose workload this is at one rate of several.
	Of string `json:"of"`
	// Throughput is what a node of the broker takes, in bytes per second; 0 is
	// as much as it can.
	Throughput int64          `json:"throughput_bytes"`
	Clients    []ClientReport `json:"clients"`
	Goals      []Verdict      `json:"goals"`
}

// ClientReport is one line of it.
type ClientReport struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	GitSHA  string `json:"git_sha"`
	Lang    string `json:"lang"`
	// Bound is a measure of the least work there is, and no client.
	Bound bool `json:"bound"`
	Runs  int  `json:"runs"`
	// Invalid are the runs that say nothing about the client, and why.
	Invalid int      `json:"invalid_runs"`
	Reasons []string `json:"invalid_reasons"`
	// Repeated are the runs that the hypervisor spoiled and that were made
	// again: they are in no number.
	Repeated int `json:"repeated_runs"`
	// Saturated is why a client took part in no higher rate.
	Saturated string `json:"saturated"`
	// Failed says why there are no numbers.
	Failed string            `json:"failed"`
	Rows   []Row             `json:"metrics"`
	Others Figure            `json:"others"` // median share of the machine that other programs had
	Props  map[string]string `json:"props"`  // effective settings, in the client's own words
	code   int
}

// Figure is a number that may be unknown, or a ratio to nothing: JSON has
// neither NaN nor infinity, so both are null.
type Figure float64

func (f Figure) known() bool { return !math.IsNaN(float64(f)) && !math.IsInf(float64(f), 0) }

// MarshalJSON writes null for what is not known.
func (f Figure) MarshalJSON() ([]byte, error) {
	if !f.known() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}

func newReport(o *Options) *Report {
	r := &Report{
		Schema: SchemaName, Started: time.Now().UTC().Format(time.RFC3339), Command: o.Command, Base: o.Base, Rounds: o.Runs,
		Defaults: o.Defaults, Reasons: []string{}, Skipped: []Skip{}, Notes: []string{}, Scenarios: []ScenarioReport{},
	}
	for _, c := range o.Clients {
		if c.Skipped != "" {
			r.Skipped = append(r.Skipped, Skip{c.Name, c.Skipped})
		}
	}
	if o.Runs < minRuns {
		r.Notes = append(r.Notes, fmt.Sprintf("%d rounds are few: with fewer than %d no difference is told from chance", o.Runs, minRuns))
	}
	return r
}

// add sums up one scenario.
func (r *Report) add(b *books) {
	s := ScenarioReport{Name: b.s.Name, About: b.s.About, Plan: b.plan, Of: b.s.Of, Throughput: b.s.Throughput, Clients: []ClientReport{}, Goals: judgeGoals(b)}
	s.Plan.Settings = s.Plan.Settings.Redacted()
	for i := range b.o.Clients {
		c := &b.o.Clients[i]
		if c.Skipped != "" {
			continue
		}
		if f, ok := b.failed[c.Name]; ok {
			if f.code == bench.ExitSkipped {
				r.skip(c.Name, f.why)
				continue
			}
			s.Clients = append(s.Clients, ClientReport{Name: c.Name, Failed: f.why, code: f.code, Rows: []Row{}, Reasons: []string{}, Others: Figure(math.NaN())})
			continue
		}
		if len(b.samples[c.Name]) > 0 {
			if first := b.samples[c.Name][0].result; r.Env.CPUs == 0 {
				r.Env, r.Broker = first.Env, first.Broker
			}
			s.Clients = append(s.Clients, b.client(c))
		}
	}
	r.Scenarios = append(r.Scenarios, s)
}

func (r *Report) skip(client, why string) {
	for _, s := range r.Skipped {
		if s.Client == client {
			return
		}
	}
	r.Skipped = append(r.Skipped, Skip{client, why})
}

// client sums up one client of a scenario.
func (b *books) client(c *Client) ClientReport {
	list := b.samples[c.Name]
	base := b.samples[b.o.Base]
	if _, failed := b.failed[b.o.Base]; failed {
		base = nil
	}
	out := ClientReport{
		Name: c.Name, Version: list[0].result.Client.Version, GitSHA: list[0].result.Client.GitSHA, Lang: list[0].result.Client.Lang,
		Bound: c.Plain, Runs: len(list), Repeated: b.repeated[c.Name], Reasons: []string{}, Props: list[0].result.Client.Props,
		Rows: rows(b.s, list, base, c.Name != b.o.Base && !c.Alone && base != nil),
	}
	var shares []float64
	for _, x := range list {
		shares = append(shares, x.others)
		if x.result.Valid {
			continue
		}
		if out.Invalid++; out.Invalid == 1 {
			out.Reasons = append(out.Reasons, x.result.InvalidReasons...)
		}
	}
	out.Others, out.Saturated = Figure(median(shares)), b.s.saturated(list)
	return out
}

// invalidShare of a client's runs may be invalid before its medians are.
const invalidShare = 0.2

// judge decides what the comparison is worth, and how the program ends.
func (r *Report) judge() {
	failed := 0
	begun := map[string]bool{}
	for _, s := range r.Scenarios {
		higher := begun[s.Of] && s.Of != ""
		begun[s.Of] = true
		for _, c := range s.Clients {
			if c.Failed != "" {
				// What is worse counts: wrong results before errors.
				if failed == 0 || c.code == bench.ExitVerify {
					failed = c.code
				}
				r.Reasons = append(r.Reasons, fmt.Sprintf("%s: %s %s", s.Name, c.Name, c.Failed))
			}
			// A curve ends with runs that are invalid; but it must have begun.
			if c.Saturated != "" && (higher || s.short(&c)) {
				continue
			}
			if float64(c.Invalid) > invalidShare*float64(c.Runs) {
				r.Reasons = append(r.Reasons, fmt.Sprintf("%s: %d of %d runs of %s: %s", s.Name, c.Invalid, c.Runs, c.Name, strings.Join(c.Reasons, "; ")))
			}
		}
	}
	r.Valid = len(r.Reasons) == 0 && !r.Partial
	switch {
	case r.Partial:
		r.code = bench.ExitInterrupted
	case failed != 0:
		r.code = failed
	case !r.Valid:
		r.code = bench.ExitInvalid
	case len(r.Skipped) > 0:
		r.code = bench.ExitSkipped
	}
}

// ExitCode is how the program ends: 130 interrupted, 4 or 1 if a client lost or
// failed records, 5 if too many runs say nothing, 6 if a client was skipped.
func (r *Report) ExitCode() int { return r.code }

// IsCurve reports whether scenarios are rates of one workload.
func (r *Report) IsCurve() bool { return len(r.Scenarios) > 0 && r.Scenarios[0].Of != "" }

// save writes compare.json into the folder, or curve.json.
func (r *Report) save(dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return bench.UsageError(fmt.Errorf("--out %s can not be written: %w", dir, err))
	}
	name := "compare.json"
	if r.IsCurve() {
		name = "curve.json"
	}
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return bench.UsageError(fmt.Errorf("--out %s can not be written: %w", dir, err))
	}
	return errors.Join(r.WriteJSON(f), f.Close())
}
