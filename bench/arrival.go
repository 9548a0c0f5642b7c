package bench

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
	"time"
)

// Arrival says how the records of an open loop fall due. The rate is the same in
// the long run, whatever stands here; queues are not: what arrives by chance or in
// bursts waits behind each other also where a constant flow never would.
type Arrival struct {
	kind  string // "" is constant
	burst uint64 // records at once
}

const (
	arrivalConstant = "constant"
	arrivalPoisson  = "poisson"
	arrivalBurst    = "burst"
	// maxBurst bounds what falls due at one instant.
	maxBurst = 1_000_000
)

// ParseArrival reads constant, poisson, or burst:N.
func ParseArrival(s string) (Arrival, error) {
	kind, rest, found := strings.Cut(s, ":")
	switch {
	case kind == "" && !found, kind == arrivalConstant && !found:
		return Arrival{}, nil
	case kind == arrivalPoisson && !found:
		return Arrival{kind: kind}, nil
	case kind == arrivalBurst:
		n, err := ParseCount(rest)
		if err != nil {
			return Arrival{}, fmt.Errorf("arrival %q: %w", s, err)
		}
		if n < 1 || n > maxBurst {
			return Arrival{}, fmt.Errorf("arrival %q: %d is outside 1 to %d", s, n, maxBurst)
		}
		return Arrival{kind: kind, burst: uint64(n)}, nil
	}
	return Arrival{}, fmt.Errorf("arrival %q is not constant, poisson or burst:N", s)
}

// String is the canonical spelling.
func (a Arrival) String() string {
	switch a.kind {
	case "":
		return arrivalConstant
	case arrivalBurst:
		return fmt.Sprintf("%s:%d", a.kind, a.burst)
	}
	return a.kind
}

// MarshalText carries the choice in a plan.
func (a Arrival) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (a *Arrival) UnmarshalText(text []byte) error {
	parsed, err := ParseArrival(string(text))
	*a = parsed
	return err
}

// arrivals is a timetable other than the constant one. Like that it is computed
// from the number of a record, because whoever completes a record asks when it
// was due; so chance comes from a table, which repeats.
//
//	constant   │ │ │ │ │ │ │ │ │ │ │ │
//	poisson    ││   │ │  │││    │ │ ││     each gap is of its own; a block of
//	                                       arrivalBlock of them takes what it
//	                                       takes in the constant timetable
//	burst:4    ││││    ││││    ││││        the others come with the first
type arrivals struct {
	block   uint64   // records after which it is on the constant timetable again
	offsets []uint32 // where in the block each falls due, in 1/2^arrivalBits of a gap; nil: all at once
}

const (
	arrivalBlock  = 1 << 16
	arrivalBits   = 15
	arrivalStream = 0x61727269 // of random numbers
)

// newArrivals is nil for the constant timetable. The table is that of the seed, on
// each machine.
func newArrivals(a Arrival, seed uint64) *arrivals {
	switch a.kind {
	case arrivalBurst:
		return &arrivals{block: a.burst}
	case arrivalPoisson:
	default:
		return nil
	}
	r, gaps, sum := newRNG(seed, arrivalStream), make([]float64, arrivalBlock), 0.0
	for i := range gaps {
		gaps[i] = -math.Log(1 - r.unit()) // of a Poisson process
		sum += gaps[i]
	}
	t := &arrivals{block: arrivalBlock, offsets: make([]uint32, arrivalBlock)}
	at := 0.0
	for i := range gaps {
		t.offsets[i] = uint32(at / sum * (arrivalBlock << arrivalBits))
		at += gaps[i]
	}
	return t
}

// due is when record n of the run falls due.
func (t *arrivals) due(n, rate uint64) int64 {
	in := n % t.block
	at := whenConstant(n-in, rate)
	if t.offsets == nil {
		return at
	}
	hi, lo := bits.Mul64(uint64(t.offsets[in]), uint64(time.Second))
	offset, _ := bits.Div64(hi, lo, rate<<arrivalBits)
	return at + int64(offset)
}

// whenConstant is when record n falls due in the constant timetable.
func whenConstant(n, rate uint64) int64 {
	hi, lo := bits.Mul64(n, uint64(time.Second))
	quotient, _ := bits.Div64(hi, lo, rate)
	return int64(quotient)
}
