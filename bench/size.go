package bench

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// maxValueSize is far above max.message.bytes of any sane broker; it bounds
// what the payload pool may take.
const maxValueSize = 64 << 20

// Sizes is a distribution of value sizes in bytes: weighted ranges, so that
// fixed, uniform, mixed and lognormal sizes are one thing.
type Sizes struct {
	spec   string
	parts  []sizePart
	weight uint64
	even   bool // every part weighs 1
}

// sizePart is drawn weight times out of Sizes.weight, evenly in [low, high].
type sizePart struct {
	weight    uint64
	low, high int
}

// FixedSize is every value of n bytes.
func FixedSize(n int) Sizes {
	return Sizes{spec: "fixed:" + strconv.Itoa(n), parts: []sizePart{{1, n, n}}, weight: 1}
}

// ParseSizes reads 100, 1KiB, fixed:100, uniform:10-500,
// mix:90%x128,10%x4096 or lognormal:200,0.8,16KiB: the median, the deviation of
// the size's natural logarithm, and the largest size.
func ParseSizes(s string) (Sizes, error) {
	if strings.HasPrefix(s, sizesOfFile+":") {
		return Sizes{}, fmt.Errorf("record size %q is that of a --payload-file", s)
	}
	return parseSizes(s)
}

// sizesOfFile is the kind of a payload file's sizes, file:LOW-HIGH. Plans and
// results have it, and no flag.
const sizesOfFile = "file"

func parseSizes(s string) (Sizes, error) {
	kind, rest, found := strings.Cut(s, ":")
	if !found {
		kind, rest = "fixed", s
	}
	out := Sizes{}
	var err error
	switch kind {
	case "fixed":
		var n int
		if n, err = parseSize(rest); err == nil {
			return FixedSize(n), nil
		}
	case "uniform", sizesOfFile:
		var p sizePart
		if p, err = parseRange(rest); err == nil {
			out.parts = []sizePart{p}
		}
	case "mix":
		out.parts, err = parseMix(rest)
	case "lognormal":
		out.parts, err = parseLognormal(rest)
		out.even = true
	default:
		err = fmt.Errorf("size distribution %q is not fixed, uniform, mix or lognormal", kind)
	}
	if err != nil {
		return Sizes{}, fmt.Errorf("record size %q: %w", s, err)
	}
	out.spec = kind + ":" + rest
	for _, p := range out.parts {
		out.weight += p.weight
	}
	return out, nil
}

func parseSize(s string) (int, error) {
	n, err := ParseBytes(s)
	if err != nil {
		return 0, err
	}
	if n > maxValueSize {
		return 0, fmt.Errorf("%s is above the limit of %d bytes", s, maxValueSize)
	}
	return int(n), nil
}

func parseRange(s string) (sizePart, error) {
	lows, highs, ok := strings.Cut(s, "-")
	if !ok {
		return sizePart{}, fmt.Errorf("%q is not low-high", s)
	}
	low, err := parseSize(lows)
	if err != nil {
		return sizePart{}, err
	}
	high, err := parseSize(highs)
	if err != nil {
		return sizePart{}, err
	}
	if low > high {
		return sizePart{}, fmt.Errorf("%d is above %d", low, high)
	}
	return sizePart{1, low, high}, nil
}

// parseMix reads 90%x128,10%x4096; an entry may be a range (5%x1KiB-2KiB).
func parseMix(s string) ([]sizePart, error) {
	var parts []sizePart
	total := uint64(0)
	for entry := range strings.SplitSeq(s, ",") {
		percent, size, ok := strings.Cut(entry, "%x")
		if !ok {
			return nil, fmt.Errorf("%q is not percent%%xsize", entry)
		}
		share, err := strconv.ParseFloat(percent, 64)
		if err != nil || share <= 0 || share > 100 {
			return nil, fmt.Errorf("%q is not a percentage", percent)
		}
		if !strings.Contains(size, "-") {
			size += "-" + size
		}
		part, err := parseRange(size)
		if err != nil {
			return nil, err
		}
		part.weight = uint64(share*1000 + 0.5)
		total += part.weight
		parts = append(parts, part)
	}
	if total != 100_000 {
		return nil, fmt.Errorf("the percentages add up to %v, not 100", float64(total)/1000)
	}
	return parts, nil
}

// lognormalParts is how finely the curve is cut: each part has as many records.
const lognormalParts = 1024

// parseLognormal reads median,deviation,max.
func parseLognormal(s string) ([]sizePart, error) {
	fields := strings.Split(s, ",")
	if len(fields) != 3 {
		return nil, fmt.Errorf("%q is not median,deviation,max", s)
	}
	median, err := parseSize(fields[0])
	if err != nil {
		return nil, err
	}
	deviation, err := strconv.ParseFloat(fields[1], 64)
	if err != nil || !(deviation > 0 && deviation <= 5) {
		return nil, fmt.Errorf("deviation %q is not a number above 0 and up to 5", fields[1])
	}
	high, err := parseSize(fields[2])
	if err != nil {
		return nil, err
	}
	if median < 1 || median > high {
		return nil, fmt.Errorf("the median %d is not between 1 and the largest size, %d", median, high)
	}
	// A part's bounds are neighbouring quantiles of the curve; its ends, which
	// go on to nothing and to infinity, are cut off.
	bound := func(i int) int {
		at := min(max(float64(i), 0.25), lognormalParts-0.25)
		size := float64(median) * math.Exp(deviation*math.Sqrt2*math.Erfinv(2*at/lognormalParts-1))
		return int(math.Round(min(size, float64(high))))
	}
	parts := make([]sizePart, lognormalParts)
	for i := range parts {
		parts[i] = sizePart{1, bound(i), bound(i + 1)}
	}
	return parts, nil
}

// String is the canonical spelling, as it stands in a result.
func (s Sizes) String() string { return s.spec }

// Min and Max bound what Draw returns.
func (s Sizes) Min() int {
	low := maxValueSize
	for _, p := range s.parts {
		low = min(low, p.low)
	}
	return low
}

// Max is the size that a payload buffer needs.
func (s Sizes) Max() int {
	high := 0
	for _, p := range s.parts {
		high = max(high, p.high)
	}
	return high
}

// Draw returns the next size. A fixed size takes nothing from the generator.
func (s Sizes) Draw(r *rng) int {
	if len(s.parts) == 1 && s.parts[0].low == s.parts[0].high {
		return s.parts[0].low
	}
	w := r.below(s.weight)
	if s.even {
		p := s.parts[w]
		return p.low + int(r.below(uint64(p.high-p.low+1)))
	}
	for _, p := range s.parts {
		if w < p.weight {
			return p.low + int(r.below(uint64(p.high-p.low+1)))
		}
		w -= p.weight
	}
	panic(fmt.Sprintf("bench: size weights of %s do not add up to %d", s.spec, s.weight))
}

// MarshalText and UnmarshalText carry the distribution in a plan.
func (s Sizes) MarshalText() ([]byte, error) { return []byte(s.spec), nil }

// UnmarshalText is the inverse of MarshalText.
func (s *Sizes) UnmarshalText(text []byte) error {
	parsed, err := parseSizes(string(text))
	*s = parsed
	return err
}
