package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/kring-go/kring/bench"
)

// report is the file that a comparison leaves.
type report struct {
	Schema   string            `json:"schema"` // kbench.compare/v1
	Started  string            `json:"started"`
	Scenario string            `json:"scenario"`
	About    string            `json:"about"`
	Plan     bench.Config      `json:"plan"`
	Rounds   int               `json:"rounds"`
	Clients  map[string]totals `json:"clients"`
	Goals    []verdict         `json:"goals"`
}

// totals are a client's medians and its whole results, round by round.
type totals struct {
	Median  map[string]figure `json:"median"` // null: not measured
	Spread  map[string]figure `json:"spread"`
	Results []*bench.Result   `json:"results"`
}

// figure is a number that may be unknown, or a ratio to nothing: JSON has
// neither NaN nor infinity, so both are null.
type figure float64

// known reports whether there is a number.
func (f figure) known() bool { return !math.IsNaN(float64(f)) && !math.IsInf(float64(f), 0) }

// MarshalJSON writes null for what is not known.
func (f figure) MarshalJSON() ([]byte, error) {
	if !f.known() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}

// save writes DATE-NAME.json into the folder.
func save(dir string, started time.Time, s *scenario, plan bench.Config, r rounds, verdicts []verdict) (string, error) {
	out := report{
		Schema: "kbench.compare/v1", Started: started.UTC().Format(time.RFC3339), Scenario: s.name, About: s.about,
		Plan: plan, Clients: map[string]totals{}, Goals: verdicts,
	}
	for client, samples := range r {
		t := totals{Median: map[string]figure{}, Spread: map[string]figure{}}
		for _, metric := range metrics() {
			column := r.column(client, metric)
			t.Median[metric], t.Spread[metric] = figure(median(column)), figure(spread(column))
		}
		for _, sample := range samples {
			sample.result.Ledger = nil // For reading back only, and long.
			t.Results = append(t.Results, sample.result)
		}
		out.Rounds = max(out.Rounds, len(samples))
		out.Clients[client] = t
	}
	text, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	file := filepath.Join(dir, fmt.Sprintf("%s-%s.json", started.Format("2006-01-02"), s.name))
	return file, os.WriteFile(file, append(text, '\n'), 0o644)
}
