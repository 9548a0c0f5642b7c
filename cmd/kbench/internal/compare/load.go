package compare

import (
	"encoding/json"
	"fmt"
	"math"
	"os"

	"github.com/kring-go/kring/cmd/kbench/internal/metric"
)

// Load reads a compare.json.
func Load(path string) (*Report, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("kbench: %w", err)
	}
	r := &Report{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("kbench: %s is no comparison: %w", path, err)
	}
	if r.Schema != SchemaName {
		return nil, fmt.Errorf("kbench: %s is %q, want %s, as kbench compare -o writes it", path, r.Schema, SchemaName)
	}
	for i := range r.Scenarios {
		for j := range r.Scenarios[i].Clients {
			if err := r.Scenarios[i].Clients[j].describe(); err != nil {
				return nil, fmt.Errorf("kbench: %s: %w", path, err)
			}
		}
	}
	return r, nil
}

// describe makes the texts, which are not stored.
func (c *ClientReport) describe() error {
	for i := range c.Rows {
		row := &c.Rows[i]
		m, err := metric.Parse(row.Metric)
		if err != nil {
			return err
		}
		row.text = format(m, float64(row.Median))
	}
	return nil
}

// Text is the median as people write it.
func (row *Row) Text() string { return row.text }

// Higher reports whether higher is better.
func (row *Row) Higher() bool { return must(row.Metric)[0].Higher }

// UnmarshalJSON reads what MarshalJSON writes.
func (f *Figure) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*f = Figure(math.NaN())
		return nil
	}
	return json.Unmarshal(text, (*float64)(f))
}
