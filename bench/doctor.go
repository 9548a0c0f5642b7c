package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Check is one finding about the machine.
type Check struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	OK     bool   `json:"ok"`
	Advice string `json:"advice"` // what it spoils and what to do; empty when OK
}

// Diagnosis is what can be said about this machine before anything is measured.
type Diagnosis struct {
	Env    EnvInfo `json:"env"`
	Checks []Check `json:"checks"`
}

// Warnings counts the findings that are not all right.
func (d *Diagnosis) Warnings() int {
	n := 0
	for _, c := range d.Checks {
		if !c.OK {
			n++
		}
	}
	return n
}

const (
	// pacerRounds of pacerStep each take a fifth of a second.
	pacerRounds = 200
	pacerStep   = int64(time.Millisecond)
	// dearClock is a reading of the clock that shows at a million records per second.
	dearClock = 150
	fewFiles  = 1024
	longWay   = 10 * time.Millisecond
)

// Diagnose looks at the machine for a fifth of a second.
func Diagnose() (*Diagnosis, error) {
	clock := NewClock()
	d := &Diagnosis{Env: readEnv(clockCost(clock))}
	steal, all := readUsage().stealTicks, readUsage().stealBase
	name, late, err := pacerLateness(clock)
	if err != nil {
		return nil, err
	}
	after := readUsage()
	e := &d.Env
	d.add("processors", fmt.Sprint(e.CPUs), e.CPUs > 2,
		"broker and client will compete: trust cost per record more than rates and tails")
	d.add("clock", text(e.Clocksource), e.Clocksource == nil || slices.Contains([]string{"tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page"}, *e.Clocksource),
		"every reading is a system call: boot with a faster clock source")
	d.add("cost of reading it", fmt.Sprintf("%d ns", e.ClockCostNs), e.ClockCostNs < dearClock, "use --latency-sample at high rates")
	d.add("pacer "+name, "p50 "+formatNanos(late[0])+", p99 "+formatNanos(late[1])+" late", late[1] < int64(DefaultMaxLag),
		"open loops will be declared invalid: stop what else runs here, or raise --max-lag")
	d.add("frequency governor", text(e.Governor), e.Governor == nil || *e.Governor == "performance",
		"the clock rate follows the load: set the governor to performance")
	d.add("CPU quota", text(e.CgroupCPUQuota), e.CgroupCPUQuota == nil || strings.HasPrefix(*e.CgroupCPUQuota, "max"),
		"throttling shows as pauses of up to 100 ms: lift the quota")
	if load, ok := loadAverage(); ok {
		d.add("load of the last minute", strconv.FormatFloat(load, 'f', 2, 64), load < 0.5*float64(runtime.NumCPU()), "something else is running: wait, or stop it")
	}
	if after.stealBase > all {
		share := 100 * float64(after.stealTicks-steal) / float64(after.stealBase-all)
		d.add("stolen by the hypervisor", fmt.Sprintf("%.1f %%", share), share <= 100*DefaultMaxSteal, "other guests take the processors: results of this machine vary")
	}
	if limit, ok := openFiles(); ok {
		d.add("open files", formatCount(int64(limit)), limit > fewFiles, "raise ulimit -n for large clusters")
	}
	return d, nil
}

// LookAtBrokers adds the round trip to a cluster: no latency can be shorter.
func (d *Diagnosis) LookAtBrokers(ctx context.Context, a *Access) error {
	k, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer k.close()
	rtt, err := k.roundTrip(ctx)
	if err != nil {
		return err
	}
	d.add("round trip to the brokers", formatNanos(rtt), rtt < int64(longWay), "every latency has it: measure from nearer, or name it beside the numbers")
	return nil
}

func (d *Diagnosis) add(name, value string, ok bool, advice string) {
	if ok {
		advice = ""
	}
	d.Checks = append(d.Checks, Check{name, value, ok, advice})
}

// text is a fact that may be unknown.
func text(s *string) string {
	if s == nil {
		return "unknown"
	}
	return *s
}

// pacerLateness is how late one sender wakes up, p50 and p99.
func pacerLateness(clock Clock) (name string, late [2]int64, err error) {
	if name, err = resolvePacer(PacerAuto, 1); err != nil {
		return "", late, err
	}
	p, err := newPacer(name)
	if err != nil {
		return "", late, err
	}
	defer p.close()
	var all [pacerRounds]int64
	due := clock() + pacerStep
	for i := range all {
		for now := clock(); now < due; now = clock() {
			p.wait(due - now)
		}
		all[i] = clock() - due
		due += pacerStep
	}
	slices.Sort(all[:])
	return name, [2]int64{all[pacerRounds/2], all[pacerRounds*99/100]}, nil
}

// loadAverage is of the last minute.
func loadAverage() (float64, bool) {
	line := fileLine("/proc/loadavg")
	if line == nil {
		return 0, false
	}
	first, _, _ := strings.Cut(*line, " ")
	v, err := strconv.ParseFloat(first, 64)
	return v, err == nil
}

// openFiles is how many this process may have.
func openFiles() (uint64, bool) {
	// The line is "Max open files  1024  524288  files": soft, then hard.
	for _, line := range fileLines("/proc/self/limits") {
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			soft := strings.Fields(rest)[0]
			n, err := strconv.ParseUint(soft, 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
