package matrix

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Result is what was observed with one release.
type Result struct {
	Kafka  string  `json:"kafka"` // the release
	Checks []Check `json:"checks"`
	// Spoke has the versions of the requests that kring sent, by their names.
	// A request that is missing was not sent.
	Spoke map[string][]int16 `json:"spoke"`
	// TransactionVersion is the finalized feature that the broker told, 0 if
	// it told none.
	TransactionVersion int16 `json:"transaction_version"`
	// TopicIDsTold says that metadata had the ids of topics, TopicIDsUsed that
	// records were sent by them.
	TopicIDsTold bool `json:"topic_ids_told"`
	TopicIDsUsed bool `json:"topic_ids_used"`
	// LeaderHints says that an answer to Produce named a new leader.
	LeaderHints bool `json:"leader_hints"`
	// MetricsOffered says that the broker takes client metrics, MetricsPushed
	// that some arrived there and were accepted.
	MetricsOffered bool `json:"metrics_offered"`
	MetricsPushed  bool `json:"metrics_pushed"`
}

// Check is one part of the conformance run.
type Check struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
}

// Save writes the result into the folder, under the release's name.
func (r *Result) Save(folder string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("matrix: %w", err)
	}
	return os.WriteFile(filepath.Join(folder, r.Kafka+".json"), append(text, '\n'), 0o644)
}

// Load reads every result of a folder, the oldest release first.
func Load(folder string) ([]*Result, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("matrix: %w", err)
	}
	var all []*Result
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("matrix: %w", err)
		}
		r := &Result{}
		if err := json.Unmarshal(text, r); err != nil {
			return nil, fmt.Errorf("matrix: %s: %w", file, err)
		}
		if want := r.Kafka + ".json"; filepath.Base(file) != want {
			return nil, fmt.Errorf("matrix: %s is about %s, so it should be named %s", file, r.Kafka, want)
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *Result) int { return slices.Compare(numbers(a.Kafka), numbers(b.Kafka)) })
	return all, nil
}

// numbers takes a release apart, so that 3.10 comes after 3.9.
func numbers(release string) []int {
	var list []int
	for part := range strings.SplitSeq(release, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			n = -1
		}
		list = append(list, n)
	}
	return list
}

// sent names the versions of a request for the table.
func (r *Result) sent(request string) string {
	versions := slices.Clone(r.Spoke[request])
	if len(versions) == 0 {
		return "–"
	}
	slices.SortFunc(versions, cmp.Compare)
	var parts []string
	for _, v := range versions {
		parts = append(parts, "v"+strconv.Itoa(int(v)))
	}
	return strings.Join(parts, ", ")
}
