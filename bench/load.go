package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ReadResult reads a kbench.result/v1 from a file, or from the result.json of a
// folder that --out wrote.
func ReadResult(path string) (*Result, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, resultFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("kbench: %w", err)
	}
	r := &Result{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("kbench: %s is not a result: %w", path, err)
	}
	if r.Schema != SchemaName {
		return nil, fmt.Errorf("kbench: %s is %q, want %s", path, r.Schema, SchemaName)
	}
	return r, nil
}

// Span is when a result's records were sent.
func (r *Result) Span() HlogSpan {
	from, err := time.Parse(time.RFC3339, r.Started)
	if err != nil {
		return HlogSpan{}
	}
	return HlogSpan{from, from.Add(time.Duration(r.Workload.WarmupNs + r.Workload.DurationNs))}
}

// ReadDistributions reads the histograms of a result, of a folder that --out
// wrote, or of a histogram log.
func ReadDistributions(path string) ([]*Distribution, HlogSpan, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, resultFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, HlogSpan{}, fmt.Errorf("kbench: %w", err)
	}
	if strings.HasPrefix(strings.TrimSpace(string(text)), "{") {
		r, err := ReadResult(path)
		if err != nil {
			return nil, HlogSpan{}, err
		}
		list, err := r.Distributions()
		if err != nil {
			return nil, HlogSpan{}, fmt.Errorf("%s: %w", path, err)
		}
		return list, r.Span(), nil
	}
	list, span, err := ReadHlog(bytes.NewReader(text))
	if err != nil {
		return nil, span, fmt.Errorf("kbench: %s: %w", path, err)
	}
	return list, span, nil
}

// FormatNanos writes a latency with three digits: 118ns, 1.40µs, 2.92ms, 1.20s.
func FormatNanos(ns int64) string { return formatNanos(ns) }

// FormatCount writes 12,000,000.
func FormatCount(n int64) string { return formatCount(n) }

// FormatShort writes 200.0k or 1.36M.
func FormatShort(v float64) string { return formatShort(v) }

// FormatBytes writes 48.8 MiB.
func FormatBytes(v float64) string { return formatBytes(v) }
