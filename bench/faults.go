package bench

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kring-go/kring/bench/fault"
)

// Fault is a disturbance of the network at a time of the run.
type Fault struct {
	What fault.Fault   `json:"what"`
	At   time.Duration `json:"at_ns"`  // since the measured phase began
	For  time.Duration `json:"for_ns"` // 0 is a reset of what exists
	Node int32         `json:"node"`   // AllNodes, or one broker
}

const (
	// AllNodes is every broker.
	AllNodes = int32(-1)
	// maxFaults bounds the events of a result.
	maxFaults = 64
	// maxFaultDelay is beyond every timeout of a producer.
	maxFaultDelay = 10 * time.Minute
)

// String names the fault without its times.
func (f *Fault) String() string {
	if f.Node == AllNodes {
		return f.What.String()
	}
	return fmt.Sprintf("%v on node %d", f.What, f.Node)
}

// plan is String with the times.
func (f *Fault) plan() string {
	if f.For == 0 {
		return fmt.Sprintf("%v at %v", f, f.At)
	}
	return fmt.Sprintf("%v at %v for %v", f, f.At, f.For)
}

// end is when it is over.
func (f *Fault) end() time.Duration { return f.At + f.For }

// ParseFault reads at=30s,for=5s,kind=latency:50ms,node=1.
func ParseFault(s string) (Fault, error) {
	f := Fault{Node: AllNodes}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(s, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			return f, fmt.Errorf("%q: %q is not name=value; want at=30s,for=5s,kind=latency:50ms", s, part)
		}
		if seen[name] {
			return f, fmt.Errorf("%q: %s is given twice", s, name)
		}
		seen[name] = true
		var err error
		switch name {
		case "at":
			f.At, err = ParseDuration(value)
		case "for":
			if f.For, err = ParseDuration(value); err == nil && f.For == 0 {
				err = errors.New("0 is no duration")
			}
		case "kind":
			f.What, err = parseFaultKind(value)
		case "node":
			var n int64
			if n, err = strconv.ParseInt(value, 10, 32); err != nil || n < 0 {
				err = fmt.Errorf("%q is not a broker's number", value)
			}
			f.Node = int32(n)
		default:
			err = errors.New("no such part; want at, for, kind or node")
		}
		if err != nil {
			return f, fmt.Errorf("%q: %s: %w", s, name, err)
		}
	}
	for _, name := range []string{"at", "kind"} {
		if !seen[name] {
			return f, fmt.Errorf("%q: %s= is missing; want at=30s,for=5s,kind=latency:50ms", s, name)
		}
	}
	if !seen["for"] && f.What.Kind != fault.Reset {
		return f, fmt.Errorf("%q: for= is missing: how long the fault lasts", s)
	}
	return f, nil
}

// parseFaultKind reads latency:50ms.
func parseFaultKind(s string) (fault.Fault, error) {
	name, value, given := strings.Cut(s, ":")
	f := fault.Fault{Kind: fault.Kind(name)}
	if !slices.Contains(fault.Kinds(), f.Kind) {
		return f, fmt.Errorf("%q is not latency:TIME, bandwidth:BYTES/s, reset, blackhole or broker-stop", s)
	}
	var err error
	switch {
	case f.Kind == fault.Latency && given:
		f.Delay, err = ParseDuration(value)
	case f.Kind == fault.Bandwidth && given:
		f.Rate, err = ParseBytes(strings.TrimSuffix(value, "/s"))
	case f.Kind == fault.Latency:
		err = errors.New("how much? want latency:50ms")
	case f.Kind == fault.Bandwidth:
		err = errors.New("how much? want bandwidth:20MB/s")
	case given:
		err = fmt.Errorf("%s takes no value", name)
	}
	return f, err
}

// check looks at one fault's numbers, in the words of the flag.
func (f *Fault) check(want func(ok bool, format string, args ...any)) {
	want(slices.Contains(fault.Kinds(), f.What.Kind), "--fault: %q is no kind", f.What.Kind)
	want(f.At >= 0 && f.For >= 0, "--fault %v: at and for can not be negative", f)
	want(f.For > 0 || f.What.Kind == fault.Reset, "--fault %v: for= is missing", f)
	if f.What.Kind == fault.Latency {
		want(f.What.Delay > 0 && f.What.Delay <= maxFaultDelay, "--fault %v: want a latency of more than 0 and up to %v", f, maxFaultDelay)
	}
	if f.What.Kind == fault.Bandwidth {
		want(f.What.Rate > 0, "--fault %v: want 1 byte per second or more; blackhole is none", f)
	}
}

// checkFaults refuses faults that would not happen as they are written.
func (c *Config) checkFaults(want func(ok bool, format string, args ...any)) {
	want(len(c.Faults) <= maxFaults, "--fault: %d of them, want up to %d", len(c.Faults), maxFaults)
	length, what := c.Duration, "--duration"
	if c.Mode == ModeOpen && c.Rate > 0 && c.Records > 0 {
		if d := time.Duration(float64(c.Records) / float64(c.Rate) * 1e9); length == 0 || d < length {
			length, what = d, "--num-records at --rate"
		}
	}
	for i := range c.Faults {
		f := &c.Faults[i]
		f.check(want)
		want(length == 0 || f.end() <= length, "--fault %s: it ends after the run, which is %v long by %s", f.plan(), length, what)
		for j := range c.Faults[:i] {
			want(!f.collides(&c.Faults[j]), "--fault %s: it overlaps with %s", f.plan(), c.Faults[j].plan())
		}
	}
}

// collides reports whether two faults of one kind would hold at once for one
// broker.
func (f *Fault) collides(o *Fault) bool {
	if f.What.Kind != o.What.Kind || f.Node != o.Node && f.Node != AllNodes && o.Node != AllNodes {
		return false
	}
	// An instant has a length here too, so that it is in what surrounds it.
	return f.At < max(o.end(), o.At+1) && o.At < max(f.end(), f.At+1)
}

// placeFaults finds the addresses of the brokers that are to be disturbed.
func (c *Config) placeFaults(brokers map[int32]string) error {
	c.Faults = slices.Clone(c.Faults) // The plan may be run again, elsewhere.
	for i := range c.Faults {
		f := &c.Faults[i]
		if f.Node == AllNodes {
			continue
		}
		address, ok := brokers[f.Node]
		if !ok {
			return UsageError(fmt.Errorf("--fault %s: the brokers are %v", f.plan(), sortedNodes(brokers)))
		}
		f.What.Address = address
	}
	return nil
}

func sortedNodes(brokers map[int32]string) []int32 {
	var nodes []int32
	for id := range brokers {
		nodes = append(nodes, id)
	}
	slices.Sort(nodes)
	return nodes
}

// numbered are the embedded broker's nodes, which count from 1.
func numbered(addresses []string) map[int32]string {
	nodes := map[int32]string{}
	for i, address := range addresses {
		nodes[int32(i+1)] = address
	}
	return nodes
}
