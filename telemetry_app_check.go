package kring

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/kring-go/kring/internal/otlp"
)

// OpenTelemetry's limits.
const (
	appNameMax = 255
	appUnitMax = 63
)

// check says what is wrong with a point, beside those that were seen in the same
// reading. Where nothing is, key is its name and attributes.
func (a *appMetrics) check(m *AppMetric, seen map[string]bool) (key, problem string) {
	switch {
	case m.Name == "":
		return "", "it has no name"
	case len(m.Name) > appNameMax:
		return "", fmt.Sprintf("its name has %d bytes, at most %d are allowed", len(m.Name), appNameMax)
	case !metricName(m.Name):
		return "", "its name must start with a letter and have a-z, 0-9, dot, underscore and hyphen"
	case reservedMetric(m.Name):
		return "", "names under " + javaMetrics + " and " + ownMetrics + " are the producer's own"
	case len(m.Unit) > appUnitMax || !printable(m.Unit):
		return "", fmt.Sprintf("its unit must be at most %d bytes of ASCII", appUnitMax)
	case m.Kind > AppSum:
		return "", fmt.Sprintf("there is no kind %d", m.Kind)
	case m.Kind != AppCounter && (math.IsNaN(m.Value) || math.IsInf(m.Value, 0)):
		return "", "its value is not a number"
	case m.amount().smaller(amount{}) && m.Kind != AppGauge:
		return "", "a counter is never negative"
	}
	if _, nameless := m.Attributes[""]; nameless {
		return "", "one of its attributes has no name"
	}
	if i, there := a.index[m.Name]; there {
		if f := &a.families[i]; f.Unit != m.Unit || f.Sum != (m.Kind != AppGauge) || f.Float != (m.Kind == AppSum) {
			return "", "another point of that name has another kind or unit"
		}
	}
	if key = fmt.Sprintf("%s %q", m.Name, attributesOf(m)); seen[key] {
		return "", "it is there twice, with the same attributes"
	}
	return key, ""
}

// metricName says that OpenTelemetry and kring take the name.
func metricName(name string) bool {
	return name[0] >= 'a' && name[0] <= 'z' && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == ""
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// attributesOf lists a point's attributes by name.
func attributesOf(m *AppMetric) (list []otlp.Attribute) {
	for _, key := range slices.Sorted(maps.Keys(m.Attributes)) {
		list = append(list, otlp.Attribute{Key: key, Value: m.Attributes[key]})
	}
	return list
}

// refuse counts a point that is left out, and says so once for each name and
// problem. A program may make up names without end: it is told of the first.
func (a *appMetrics) refuse(name, problem string) {
	a.refused++
	if len(a.logged) < appLogged {
		a.once(slog.LevelWarn, name+" "+problem, "kring: a metric of AppMetrics is left out; this is not logged again",
			"metric", name, "problem", problem)
	}
}

// once logs each thing once.
func (a *appMetrics) once(level slog.Level, thing, message string, args ...any) {
	if !a.logged[thing] {
		a.logged[thing] = true
		a.p.log.Log(context.Background(), level, message, args...)
	}
}
