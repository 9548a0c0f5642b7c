package kring

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FromProperties makes one option of a Java producer's properties, as
// ReadProperties reads them. Names and values mean what they mean in Java;
// options given to New after it win over it. Every problem is reported at once:
//
//   - a name that no Java producer knows is an error that suggests the nearest;
//   - a value of the wrong form is an error that says what was expected;
//   - what kring does not support (plug-in classes) is an error that says why, unless it has the value that Java
//     defaults to: then there is nothing to support.
//
// Unlike the files that Java reads, nothing is merely ignored: a setting that
// has no effect is a promise that is not kept. key.serializer and
// value.serializer must be ByteArraySerializer, since kring's keys and values
// are bytes. The values of properties that may hold secrets never appear in an
// error.
func FromProperties(properties map[string]string) (Option, error) {
	known := knownProperties()
	own := maps.Clone(properties)
	trial := defaultConfig()
	guesses := 20 // a nearest name costs a comparison with every known one
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if p, ok := known[name]; ok {
			p.set(trial, p, strings.TrimSpace(own[name]))
		} else {
			trial.problem("%s", unknownProperty(name, known, guesses > 0))
			guesses--
		}
	}
	if trial.given[setBrokers] != "" {
		trial.checkBrokers()
	}
	trial.checkEach()
	trial.checkSecurityProperties()
	if err := errors.Join(trial.problems...); err != nil {
		return nil, err
	}
	return option(func(c *config) {
		for _, name := range slices.Sorted(maps.Keys(own)) {
			p := known[name]
			p.set(c, p, strings.TrimSpace(own[name]))
		}
	}), nil
}

// property is one name that a Java producer knows, and what its value does to
// the configuration. A value that can not be used becomes a problem there.
type property struct {
	name string
	set  func(c *config, p property, value string)
}

// malformed records a value of the wrong form. It is for properties that hold
// no secrets.
func (p property) malformed(c *config, value, want string) {
	c.problem("%s=%s: want %s", p.name, clip(strconv.Quote(value)), want)
}

// timeProperty is a whole number of milliseconds. What exceeds a Duration, such
// as Java's Long.MAX_VALUE for "never", is the longest one.
func timeProperty(s setting, at func(*config) *time.Duration) property {
	return property{s.String(), func(c *config, p property, value string) {
		ms, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			p.malformed(c, value, "a whole number of milliseconds")
			return
		}
		const most = int64(forever / time.Millisecond)
		*at(c) = time.Duration(max(-most, min(most, ms))) * time.Millisecond
		c.give(s, "%s=%s", p.name, value)
	}}
}

// numberProperty is a whole number of a unit. Java's limits for an int are
// checked here, all others by validate.
func numberProperty[T int | int64](s setting, unit string, at func(*config) *T) property {
	return property{s.String(), func(c *config, p property, value string) {
		bits := 32
		if s == setBufferMemory {
			bits = 64
		}
		n, err := strconv.ParseInt(value, 10, bits)
		if err != nil {
			if unit != "" {
				unit = " of " + unit
			}
			p.malformed(c, value, fmt.Sprintf("a whole number%s that fits %d bits", unit, bits))
			return
		}
		*at(c) = T(n)
		c.give(s, "%s=%s", p.name, value)
	}}
}

// switchProperty is a flagProperty that contradictions can be found with.
func switchProperty(s setting, at func(*config) *bool) property {
	return property{s.String(), func(c *config, p property, value string) {
		if p.flag(c, value, at) {
			c.give(s, "%s=%s", p.name, value)
		}
	}}
}

// flagProperty is true or false, in upper or lower case.
func flagProperty(name string, at func(*config) *bool) property {
	return property{name, func(c *config, p property, value string) { p.flag(c, value, at) }}
}

// flag reports whether value was one.
func (p property) flag(c *config, value string, at func(*config) *bool) bool {
	on, ok := readSwitch(value)
	if !ok {
		p.malformed(c, value, "true or false")
		return false
	}
	*at(c) = on
	return true
}

func readSwitch(value string) (on, ok bool) {
	value = strings.ToLower(value)
	return value == "true", value == "true" || value == "false"
}

// inlineProperty is kring's own: Java has nothing like InlineDelivery.
const inlineProperty = "kring.delivery.inline"

// unsupportedProperty has an effect in Java that kring does not have. It is
// accepted with the values under which it has none. Its value is never quoted:
// it may be a password.
func unsupportedProperty(name string, harmless ...string) property {
	return property{name, func(c *config, p property, value string) {
		if slices.Contains(harmless, value) {
			return
		}
		c.problem("%s: not supported%s", p.name, unsupportedHint(p.name))
	}}
}

// unknownProperty describes a name that is not in Java's list, and if guess is
// set, names the nearest one that is.
func unknownProperty(name string, known map[string]property, guess bool) string {
	text := fmt.Sprintf("%s: Kafka's producer has no such property", clip(strconv.Quote(name)))
	if strings.HasPrefix(name, "config.providers.") {
		text = clip(name) + ": not supported" + unsupportedHint("config.providers")
		guess = false
	}
	if !guess {
		return text
	}
	if nearest := nearestName(name, known); nearest != "" {
		text += fmt.Sprintf("; did you mean %s?", nearest)
	}
	return text
}

// nearestName returns the known name with the fewest edits, or "" if none is
// near: more than a third of the name would have to change. Blanks, case, _ and
// - do not count as edits.
func nearestName(name string, known map[string]property) string {
	if len(name) > 100 {
		return ""
	}
	plain := strings.NewReplacer("_", ".", "-", ".").Replace(strings.ToLower(strings.TrimSpace(name)))
	best, nearest := max(2, len(plain)/3)+1, ""
	for _, candidate := range slices.Sorted(maps.Keys(known)) {
		if d := editDistance(plain, candidate); d < best {
			best, nearest = d, candidate
		}
	}
	return nearest
}

// editDistance is Levenshtein's: how many bytes must be added, removed or
// changed to turn a into b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
