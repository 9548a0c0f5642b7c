//go:build race

package accum

const raceEnabled = true
