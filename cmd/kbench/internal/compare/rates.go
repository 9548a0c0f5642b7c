package compare

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/kring-go/kring/bench"
)

// maxRates bounds a curve: each rate costs every client its rounds.
const maxRates = 100

// ParseRates reads rates, comma separated and rising: 10k,20k,50k. FROM..TO
// stands for all from the one to the other, each step times the one before it.
func ParseRates(text string, step float64) ([]int64, error) {
	var rates []int64
	for part := range strings.SplitSeq(text, ",") {
		first, last, climbs := strings.Cut(strings.TrimSpace(part), "..")
		from, err := oneRate(first)
		if err != nil {
			return nil, err
		}
		if !climbs {
			rates = append(rates, from)
			continue
		}
		to, err := oneRate(last)
		if err != nil {
			return nil, err
		}
		if to <= from || step < 1.01 {
			return nil, fmt.Errorf("%s by steps of x%g leads nowhere; want it to rise, by x1.01 or more", part, step)
		}
		for rate := float64(from); rate < float64(to); rate *= step {
			rates = append(rates, rounded(rate))
		}
		rates = append(rates, to)
	}
	rates = slices.Compact(rates)
	if !slices.IsSorted(rates) {
		return nil, fmt.Errorf("%q does not rise: who is saturated at one rate is left out of those behind it", text)
	}
	if len(rates) > maxRates {
		return nil, fmt.Errorf("%d rates are more than %d", len(rates), maxRates)
	}
	return rates, nil
}

func oneRate(text string) (int64, error) {
	rate, err := bench.ParseRate(text)
	if err == nil && rate < 1 {
		err = errors.New("want records per second")
	}
	if err != nil {
		return 0, fmt.Errorf("%q: %w", text, err)
	}
	return rate, nil
}

// rounded keeps three digits, which are easier to read and to repeat.
func rounded(rate float64) int64 {
	unit := math.Pow(10, math.Floor(math.Log10(rate))-2)
	if unit < 1 {
		unit = 1
	}
	return int64(math.Round(math.Round(rate/unit) * unit))
}

// RateName writes a rate as people do, without losing a digit: 22.5k.
func RateName(rate int64) string {
	switch v := float64(rate); {
	case rate >= 1_000_000 && rate%1000 == 0:
		return strconv.FormatFloat(v/1e6, 'f', -1, 64) + "M"
	case rate >= 1000 && rate < 1_000_000:
		return strconv.FormatFloat(v/1e3, 'f', -1, 64) + "k"
	}
	return strconv.FormatInt(rate, 10)
}

// AtRates is a scenario's workload on a timetable of each rate. All else about
// it stays: what is flat out by itself is offered no more than that.
func (s *Scenario) AtRates(rates []int64) ([]Scenario, error) {
	if s.Busy > 0 {
		return nil, fmt.Errorf("scenario %s has no timetable: its callers are busy", s.Name)
	}
	var out []Scenario
	for _, rate := range rates {
		at := *s
		at.Name, at.Of, at.Rate, at.Goals = s.Name+"@"+RateName(rate), s.Name, rate, nil
		at.About = fmt.Sprintf("%s records/s, %s", RateName(rate), s.workload())
		out = append(out, at)
	}
	return out, nil
}

// cutAfterRate parts what AtRates puts together.
func cutAfterRate(about string) (rate, rest string, ok bool) {
	return strings.Cut(about, " records/s, ")
}

// workload is the scenario without its rate, in words.
func (s *Scenario) workload() string {
	words := []string{
		fmt.Sprintf("%d B", s.Size), fmt.Sprintf("batches of %d KiB", s.Batch>>10), "linger " + strings.Replace(s.Linger.String(), "0s", "0", 1),
		fmt.Sprintf("%d goroutines", s.Senders), fmt.Sprintf("%d partitions", s.Partitions),
	}
	if s.Senders == 1 {
		words[3] = "1 goroutine"
	}
	if s.Keys != "none" {
		words = append(words, "keys "+s.Keys)
	}
	return strings.Join(words, ", ")
}

// Saturation is the share of the offered rate below which a client has had enough.
const Saturation = 0.97

// short says that a run at a rate did not reach it.
func (s *Scenario) short(r *bench.Result) bool {
	return s.Of != "" && r.Totals.RateAchieved < Saturation*float64(s.Rate)
}

// short says that a client's median did not reach the rate.
func (s *ScenarioReport) short(c *ClientReport) bool {
	for i := range c.Rows {
		if row := &c.Rows[i]; row.Metric == "rate" {
			return float64(row.Median) < Saturation*float64(s.Plan.Rate)
		}
	}
	return false
}

// saturated is why a client goes no further than this rate; "" if it does.
func (s *Scenario) saturated(list []sample) string {
	if s.Of == "" || len(list) == 0 {
		return ""
	}
	var rates []float64
	invalid, why := 0, ""
	for _, x := range list {
		rates = append(rates, x.result.Totals.RateAchieved)
		if !x.result.Valid {
			invalid, why = invalid+1, strings.Join(x.result.InvalidReasons, "; ")
		}
	}
	if share := median(rates) / float64(s.Rate); share < Saturation {
		return fmt.Sprintf("it reached %.0f %% of the rate", share*100)
	}
	if invalid*2 > len(list) {
		return fmt.Sprintf("%d of %d runs are invalid: %s", invalid, len(list), why)
	}
	return ""
}
