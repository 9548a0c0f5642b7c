package fault

import (
	"fmt"
	"time"
)

// Kind is what goes wrong.
type Kind string

// The kinds of faults; see the package.
const (
	Latency    Kind = "latency"
	Bandwidth  Kind = "bandwidth"
	Reset      Kind = "reset"
	Blackhole  Kind = "blackhole"
	BrokerStop Kind = "broker-stop"
)

// Kinds are all of them.
func Kinds() []Kind { return []Kind{Latency, Bandwidth, Reset, Blackhole, BrokerStop} }

// Fault is one disturbance.
type Fault struct {
	Kind Kind `json:"kind"`
	// Delay is Latency's, and Rate, in bytes per second, is Bandwidth's.
	Delay time.Duration `json:"delay_ns,omitzero"`
	Rate  int64         `json:"bytes_per_second,omitzero"`
	// Address is the broker's, as the client dials it; "" is every broker.
	Address string `json:"address,omitzero"`
}

// String is the kind with its value, as on the command line.
func (f Fault) String() string {
	switch f.Kind {
	case Latency:
		return fmt.Sprintf("%s:%v", f.Kind, f.Delay)
	case Bandwidth:
		return fmt.Sprintf("%s:%s/s", f.Kind, bytes(f.Rate))
	}
	return string(f.Kind)
}

// bytes writes a whole number with the largest suffix that fits.
func bytes(n int64) string {
	for _, u := range []struct {
		size int64
		name string
	}{{1e9, "GB"}, {1 << 30, "GiB"}, {1e6, "MB"}, {1 << 20, "MiB"}, {1e3, "kB"}, {1 << 10, "KiB"}} {
		if n > 0 && n%u.size == 0 {
			return fmt.Sprintf("%d%s", n/u.size, u.name)
		}
	}
	return fmt.Sprintf("%dB", n)
}

// at reports whether the fault is one of the broker's.
func (f *Fault) at(address string) bool { return f.Address == "" || f.Address == address }

// cuts reports whether connections that exist end with the fault's beginning.
func (f *Fault) cuts() bool { return f.Kind == Reset || f.Kind == BrokerStop }
