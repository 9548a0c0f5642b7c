package main

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/kring-go/kring/cmd/kbench/internal/compare"
)

// ratedScenario is what --rates offers unless a scenario is named.
const ratedScenario = "open-8"

// defaultStep is --step's.
const defaultStep = "x2"

// scenarios are those named, each at every rate if there are rates.
func (c *compareCmd) scenarios() ([]compare.Scenario, error) {
	if c.Rates == "" && c.Step != defaultStep {
		return nil, errors.New("--step is for --rates FROM..TO")
	}
	if c.Rates == "" {
		return compare.FindScenarios(cmp.Or(c.Scenario, "core"))
	}
	list, err := compare.FindScenarios(cmp.Or(c.Scenario, ratedScenario))
	if err != nil {
		return nil, err
	}
	step, err := parseStep(c.Step)
	if err != nil {
		return nil, fmt.Errorf("--step: %w", err)
	}
	rates, err := compare.ParseRates(c.Rates, step)
	if err != nil {
		return nil, fmt.Errorf("--rates: %w", err)
	}
	var out []compare.Scenario
	for i := range list {
		at, err := list[i].AtRates(rates)
		if err != nil {
			return nil, fmt.Errorf("--rates: %w", err)
		}
		out = append(out, at...)
	}
	return out, nil
}

// what is measured, in words.
func (c *compareCmd) what(scenarios int) string {
	if c.Rates != "" {
		return fmt.Sprintf("%d rates", scenarios)
	}
	return fmt.Sprintf("%d scenarios", scenarios)
}

// estimate is how long it takes, in words. With rates it is a bound: who is
// saturated is soon done.
func (c *compareCmd) estimate(o *compare.Options) string {
	word := "about"
	if c.Rates != "" {
		word = "at most"
	}
	unit := time.Minute
	if o.Estimate() < 5*time.Minute {
		unit = time.Second
	}
	return word + " " + o.Estimate().Round(unit).String()
}
