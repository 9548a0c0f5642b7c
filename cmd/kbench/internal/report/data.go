package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/compare"
	"github.com/kring-go/kring/cmd/kbench/internal/runs"
)

// pageData is what the page's script draws.
type pageData struct {
	// Nines is the x of every spectrum: 1/(1-quantile).
	Nines []float64 `json:"nines"`
	Runs  []runData `json:"runs"`
	Curve []curve   `json:"curve"`
}

type runData struct {
	Label    string                `json:"label"`
	Headline string                `json:"headline"`
	Spectra  map[string][]*float64 `json:"spectra"` // by distribution: ms, null beyond the last value
	Timeline *timeline             `json:"timeline"`
	Events   []bench.Event         `json:"events"`
	Result   json.RawMessage       `json:"result"`
	Hlog     string                `json:"hlog"`
}

// timeline is a run's intervals.csv.
type timeline struct {
	Seconds []float64 `json:"t"`
	Rate    []float64 `json:"rate"` // records per second
	P50     []float64 `json:"p50"`  // ms
	P99     []float64 `json:"p99"`
	Lag     []float64 `json:"lag"`
	CPU     []float64 `json:"cpu"` // processors
}

// curve is one client's latency against the offered rate.
type curve struct {
	Client string       `json:"client"`
	Points [][3]float64 `json:"points"` // rate, p99 in ms, achieved share
	// Saturated is why the last point is the last, if it is known.
	Saturated string `json:"saturated"`
}

// stepsPerDecade is how fine a spectrum is drawn.
const (
	stepsPerDecade = 12
	decades        = 6
	maxHlogBytes   = 1 << 20
)

func nines() []float64 {
	var x []float64
	for i := range decades*stepsPerDecade + 1 {
		x = append(x, math.Pow(10, float64(i)/stepsPerDecade))
	}
	return x
}

// spectrum is a distribution's quantiles at nines, in milliseconds.
func spectrum(d *bench.Distribution) []*float64 {
	x := nines()
	y := make([]*float64, len(x))
	n := float64(d.Count())
	for i, nine := range x {
		// Beyond one record in n there is nothing but the maximum.
		if nine > n && i > 0 && x[i-1] >= n {
			break
		}
		ms := float64(d.Quantile(1-1/nine)) / 1e6
		y[i] = &ms
	}
	return y
}

// collect reads what the page shows of every run.
func collect(list []runs.Run, rates []*compare.Report) (*pageData, error) {
	data := &pageData{Nines: nines(), Runs: []runData{}, Curve: append(curves(list), ratedAll(rates)...)}
	for i, r := range list {
		item := runData{Label: label(list, i), Spectra: map[string][]*float64{}, Events: r.Result.Events}
		item.Headline, _ = r.Result.Headline()
		all, err := r.Result.Distributions()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Path, err)
		}
		for _, d := range all {
			item.Spectra[d.Name] = spectrum(d)
		}
		if item.Result, err = json.Marshal(r.Result); err != nil {
			return nil, err
		}
		if err := item.beside(r); err != nil {
			return nil, err
		}
		data.Runs = append(data.Runs, item)
	}
	return data, nil
}

// label tells the runs of a page apart.
func label(list []runs.Run, i int) string {
	r := list[i].Result
	text := r.Client.Name + ", " + runs.Workload(r)
	same, before := 0, 0
	for j, other := range list {
		if other.Result.Client.Name+", "+runs.Workload(other.Result) == text {
			same++
			if j < i {
				before++
			}
		}
	}
	if same > 1 {
		text += fmt.Sprintf(" #%d", before+1)
	}
	return text
}

// beside reads the files that the result names. A result that was moved away
// from them is shown without.
func (d *runData) beside(r runs.Run) error {
	folder := filepath.Dir(r.Path)
	if name := r.Result.Intervals; name != nil {
		text, err := os.ReadFile(filepath.Join(folder, filepath.Base(*name)))
		if err == nil {
			if d.Timeline, err = parseTimeline(string(text)); err != nil {
				return fmt.Errorf("kbench: %s: %w", filepath.Join(folder, *name), err)
			}
		}
	}
	if name := r.Result.Hlog; name != nil {
		if text, err := os.ReadFile(filepath.Join(folder, filepath.Base(*name))); err == nil && len(text) <= maxHlogBytes {
			d.Hlog = string(text)
		}
	}
	return nil
}

// parseTimeline reads intervals.csv; nil when there is no interval.
func parseTimeline(text string) (*timeline, error) {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) < 2 {
		return nil, err
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	t := &timeline{}
	last := 0.0
	for _, row := range rows[1:] {
		number := func(name string) float64 {
			at, ok := column[name]
			if !ok {
				err = fmt.Errorf("there is no column %s", name)
				return 0
			}
			v, bad := strconv.ParseFloat(row[at], 64)
			if bad != nil {
				err = bad
			}
			return v
		}
		at := number("t_ns") / 1e9
		seconds := max(at-last, 1e-9)
		last = at
		t.Seconds = append(t.Seconds, at)
		t.Rate = append(t.Rate, number("acked")/seconds)
		t.CPU = append(t.CPU, number("cpu_ns")/1e9/seconds)
		t.P50 = append(t.P50, number("p50_ns")/1e6)
		t.P99 = append(t.P99, number("p99_ns")/1e6)
		t.Lag = append(t.Lag, number("lag_p99_ns")/1e6)
		if err != nil {
			return nil, err
		}
	}
	return t, nil
}
