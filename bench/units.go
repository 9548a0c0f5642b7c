package bench

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// The two families of suffixes that people type. SI counts (10M records) use
// powers of a thousand; IEC sizes (16KiB) use powers of 1024.
func multiplier(suffix string) (float64, bool) {
	switch suffix {
	case "":
		return 1, true
	case "k", "K":
		return 1e3, true
	case "m", "M":
		return 1e6, true
	case "g", "G":
		return 1e9, true
	case "Ki", "ki":
		return 1 << 10, true
	case "Mi", "mi":
		return 1 << 20, true
	case "Gi", "gi":
		return 1 << 30, true
	}
	return 0, false
}

// parseScaled reads a number with an SI or IEC suffix, after the unit (such as
// B or /s) was cut off.
func parseScaled(s string) (float64, error) {
	end := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if end < 0 {
		end = len(s)
	}
	factor, ok := multiplier(s[end:])
	if end == 0 || !ok {
		return 0, fmt.Errorf("%q is not a number with an optional suffix k, M, G, Ki, Mi or Gi", s)
	}
	v, err := strconv.ParseFloat(s[:end], 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	return v * factor, nil
}

// parseWhole is parseScaled for what can not be a fraction.
func parseWhole(s string) (int64, error) {
	v, err := parseScaled(s)
	if err != nil {
		return 0, err
	}
	if v != math.Trunc(v) {
		return 0, fmt.Errorf("%q is not a whole number", s)
	}
	if v >= 1<<53 {
		return 0, fmt.Errorf("%q is too large", s)
	}
	return int64(v), nil
}

// ParseCount reads a number of records: 500, 10k, 10M, 1.5M.
func ParseCount(s string) (int64, error) { return parseWhole(strings.ReplaceAll(s, "_", "")) }

// ParseBytes reads a size: 100, 16KiB, 16Ki, 1MB, 32M.
func ParseBytes(s string) (int64, error) {
	n, err := parseWhole(strings.TrimSuffix(strings.TrimSuffix(s, "B"), "b"))
	if err != nil {
		return 0, fmt.Errorf("size %w", err)
	}
	return n, nil
}

// ParseRate reads a rate per second, 0 for "max": 200k/s, 20000, max.
func ParseRate(s string) (int64, error) {
	if s == "max" || s == "" || s == "-1" {
		return 0, nil
	}
	n, err := ParseCount(strings.TrimSuffix(s, "/s"))
	if err != nil {
		return 0, fmt.Errorf("rate %w, nor max", err)
	}
	if n < 1 || n > maxRate {
		return 0, fmt.Errorf("rate %q is outside 1 to %d records per second (or max)", s, int64(maxRate))
	}
	return n, nil
}

// maxRate is one record per nanosecond, the resolution of the schedule.
const maxRate = 1_000_000_000

// ParseDuration reads a duration; a bare number is seconds.
func ParseDuration(s string) (time.Duration, error) {
	if v, err := strconv.ParseFloat(s, 64); err == nil {
		s = strconv.FormatFloat(v, 'f', -1, 64) + "s"
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration such as 500ms, 10s or 2m", s)
	}
	if d < 0 {
		return 0, fmt.Errorf("duration %q is negative", s)
	}
	return d, nil
}

// ParseMillis reads a duration as Kafka's properties mean it: a bare number is
// milliseconds.
func ParseMillis(s string) (time.Duration, error) {
	if v, err := strconv.ParseFloat(s, 64); err == nil {
		s = strconv.FormatFloat(v, 'f', -1, 64) + "ms"
	}
	return ParseDuration(s)
}

// formatCount writes 12,000,000.
func formatCount(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// formatShort writes 200.0k or 1.36M.
func formatShort(v float64) string {
	switch {
	case v >= 1e6:
		return strconv.FormatFloat(v/1e6, 'f', 2, 64) + "M"
	case v >= 1e4:
		return strconv.FormatFloat(v/1e3, 'f', 1, 64) + "k"
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

// formatBytes writes 48.8 MiB.
func formatBytes(v float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if v >= u.size {
			return strconv.FormatFloat(v/u.size, 'f', 1, 64) + " " + u.name
		}
	}
	return strconv.FormatFloat(v, 'f', 0, 64) + " B"
}

// formatNanos writes a latency with three digits: 118ns, 1.40µs, 2.92ms, 1.20s.
func formatNanos(ns int64) string {
	v, unit := float64(ns), "ns"
	switch {
	case ns >= 1e9:
		v, unit = v/1e9, "s"
	case ns >= 1e6:
		v, unit = v/1e6, "ms"
	case ns >= 1e3:
		v, unit = v/1e3, "µs"
	}
	digits := 0
	if unit != "ns" {
		switch {
		case v < 10:
			digits = 2
		case v < 100:
			digits = 1
		}
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + unit
}
