package bench

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// DefaultMaxLag is the wake-up lag p99 up to which a run is valid however
	// fast the broker answers. Measured idle it is 0.1 to 0.3 ms here.
	DefaultMaxLag = 2 * time.Millisecond
	// lagShare of the response time is the harness's to spoil.
	lagShare = 0.10
	// DefaultMaxSteal is the share of all processors' time that the hypervisor
	// may give to others: beyond it CPU figures are meaningless.
	DefaultMaxSteal = 0.05
	// stealTicks is when ticks of 10 ms are fine enough to tell shares.
	stealTicks   = 100
	maxClockStep = 100 * time.Millisecond
)

// judge decides whether the measurement says something about the client.
func (r *run) judge(res *Result) {
	refuse := func(format string, args ...any) {
		res.InvalidReasons = append(res.InvalidReasons, fmt.Sprintf(format, args...))
	}
	warn := func(format string, args ...any) { res.Warnings = append(res.Warnings, fmt.Sprintf(format, args...)) }
	t := &res.Totals
	if t.WindowAcked == 0 {
		refuse("nothing was acknowledged in the measured phase")
	}
	if unsent := t.Offered - t.Sent - t.Rejected; unsent > 0 && !r.partial {
		refuse("%s of %s records were never sent: the client did not keep up with the rate", formatCount(unsent), formatCount(t.Offered))
	}
	r.judgeLag(res, refuse, warn)
	step := (r.end.wallNs - r.begin.wallNs) - (r.endNs - r.beginNs)
	if time.Duration(step).Abs() > maxClockStep {
		refuse("the wall clock was set by %v during the run", time.Duration(step))
	}
	r.judgeSteal(refuse, warn)
	lost := uint64(0)
	for i := range r.rec.shards {
		lost += r.rec.shards[i].lostStamp.Load()
	}
	if s := res.Latency.Service; s != nil && lost > s.N/100 {
		warn("%s send times were overwritten before their record ended: service leaves out the slowest", formatCount(int64(lost)))
	}
	if res.Cost.CPUUserNs+res.Cost.CPUSysNs == 0 {
		warn("CPU time can not be measured on this system")
	}
	if len(res.Profiles) > 0 {
		warn("profiles were taken: times include their cost")
	}
	res.Valid = len(res.InvalidReasons) == 0
}

// stolen begins the reason of workers in every language.
const stolen = "the hypervisor took"

// Stolen reports whether a result is invalid because the hypervisor gave the
// processors to others. Whatever else was wrong with it may be of that: it says
// nothing of the client, nor of the load generator, and may be made again.
func (r *Result) Stolen() bool {
	return !r.Valid && !r.Partial &&
		slices.ContainsFunc(r.InvalidReasons, func(reason string) bool { return strings.Contains(reason, stolen) })
}

// judgeSteal looks at the time that other guests of the machine were given.
func (r *run) judgeSteal(refuse, warn func(string, ...any)) {
	all := r.end.stealBase - r.begin.stealBase
	if all < stealTicks {
		return
	}
	share := float64(r.end.stealTicks-r.begin.stealTicks) / float64(all)
	switch {
	case share > cmp.Or(r.cfg.MaxSteal, DefaultMaxSteal):
		refuse(stolen+" %.1f %% of the processors' time", 100*share)
	case share > DefaultMaxSteal:
		warn(stolen+" %.1f %% of the processors' time", 100*share)
	}
}

// judgeLag looks at how late the harness itself woke up. The lag of a record
// also counts how long the client did not take the one before it, which is a
// finding, not a fault of the measurement.
func (r *run) judgeLag(res *Result, refuse, warn func(string, ...any)) {
	wake, response := res.Latency.Wake, res.Latency.Response
	if wake == nil || response == nil {
		return
	}
	limit := cmp.Or(r.cfg.MaxLag, DefaultMaxLag)
	share := int64(lagShare * float64(response.P99))
	switch {
	case wake.P99 > max(share, int64(limit)):
		refuse("the load generator woke up late: p99 %s, allowed %s", formatNanos(wake.P99), formatNanos(max(share, int64(limit))))
	case wake.P99 > share:
		warn("harness lag p99 %s is more than 10 %% of response p99 %s", formatNanos(wake.P99), formatNanos(response.P99))
	}
}
