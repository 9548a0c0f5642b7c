package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc/stat and /proc/PID/stat, 100 Hz for programs.
const tick = 10 * time.Millisecond

// machine is a reading of the processors' time, all of them together. Its
// zeroes, where there is no /proc, make every run look undisturbed.
type machine struct {
	busy, all time.Duration
}

func readMachine() machine {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return machine{}
	}
	line, _, _ := strings.Cut(string(text), "\n")
	var m machine
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

// processTime is the CPU time of another process so far; 0 if it is unknown.
func processTime(pid int) time.Duration {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	// The name, in parentheses, may hold anything.
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick
}

// others is the share of the processors that neither this comparison nor
// idleness had between two readings; steal is in it.
func others(from, to machine, own time.Duration) float64 {
	all := to.all - from.all
	if all <= 0 {
		return 0
	}
	return max(0, float64(to.busy-from.busy-own)/float64(all))
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
		if others(from, readMachine(), 0) <= limit {
			return
		}
	}
}
