package compare

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	// tick is the unit of /proc/stat for programs, 100 Hz.
	tick = 10 * time.Millisecond
	// quietShare of the processors may be others' when a run starts.
	quietShare = 0.1
)

// machine is a reading of the processors' time, all of them together, and of
// what this program and those that it has waited for had of it. Its zeroes,
// where there is no /proc, make every run look undisturbed.
type machine struct {
	busy, all, own time.Duration
}

func readMachine() machine {
	m := machine{own: ownTime()}
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return m
	}
	line, _, _ := strings.Cut(string(text), "\n")
	for i, field := range strings.Fields(line) {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil || i > 8 { // cpu user nice system idle iowait irq softirq steal; guests are in user
			continue
		}
		m.all += time.Duration(n) * tick
		if i != 4 && i != 5 {
			m.busy += time.Duration(n) * tick
		}
	}
	return m
}

// others is the share of the processors that neither this comparison nor
// idleness had between two readings; steal is in it, and so is a cluster.
func others(from, to machine) float64 {
	all := to.all - from.all
	if all <= 0 {
		return 0
	}
	return max(0, float64(to.busy-from.busy-(to.own-from.own))/float64(all))
}

// awaitQuiet returns when the others leave the machine alone, or after patience.
func awaitQuiet(ctx context.Context, limit float64, patience time.Duration) {
	const window = 300 * time.Millisecond
	for end := time.Now().Add(patience); time.Now().Before(end); {
		from := readMachine()
		select {
		case <-time.After(window):
		case <-ctx.Done():
			return
		}
		if others(from, readMachine()) <= limit {
			return
		}
	}
}
