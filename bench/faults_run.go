package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kring-go/kring/bench/fault"
)

// faultRun brings a plan's faults about. nil has none, and does nothing.
type faultRun struct {
	faults []Fault
	proxy  *fault.Proxy
	now    atomic.Pointer[string] // the faults that hold, for people
	quit   chan struct{}
	ended  sync.WaitGroup
	once   sync.Once

	// Written by loop, read after close.
	active []bool
	begun  []bool
	events []Event
	notes  []string
}

// faultStep is the beginning or the end of a fault.
type faultStep struct {
	at    time.Duration // since the measured phase began
	index int
	begin bool
}

// errNoDialer is for libraries whose connections can not be led through a proxy.
var errNoDialer = errors.New("--fault is for the client kring: connections of another library would not be disturbed")

// newFaultRun puts a proxy between the client and its brokers, if the plan has
// faults.
func newFaultRun(c *Config, lib *Library) (*faultRun, error) {
	if len(c.Faults) == 0 {
		return nil, nil
	}
	if !lib.Dials {
		return nil, UsageError(errNoDialer)
	}
	f := &faultRun{
		faults: c.Faults, proxy: fault.New(nil), quit: make(chan struct{}),
		active: make([]bool, len(c.Faults)), begun: make([]bool, len(c.Faults)),
	}
	c.Settings.Dial = f.proxy.Dial
	return f, nil
}

// faultSteps are in order; of those at one time ends come first, so that one
// fault can follow another of its kind.
func faultSteps(faults []Fault) []faultStep {
	var steps []faultStep
	for i := range faults {
		f := &faults[i]
		steps = append(steps, faultStep{f.At, i, true})
		if f.For > 0 {
			steps = append(steps, faultStep{f.end(), i, false})
		}
	}
	slices.SortStableFunc(steps, func(a, b faultStep) int {
		if a.at != b.at || a.begin == b.begin {
			return cmp.Compare(a.at, b.at)
		}
		if b.begin {
			return -1
		}
		return 1
	})
	return steps
}

// start begins to count: warmup is how long after the run's zero, a reading of
// clock, the measured phase begins. When ctx ends, all faults do, so that an
// interrupted run can end.
func (f *faultRun) start(ctx context.Context, clock Clock, zero int64, warmup time.Duration) {
	if f == nil {
		return
	}
	f.ended.Go(func() {
		f.loop(ctx, func(until time.Duration) bool {
			timer := time.NewTimer(time.Duration(zero-clock()) + warmup + until)
			defer timer.Stop()
			select {
			case <-timer.C:
				return true
			case <-ctx.Done():
			case <-f.quit:
			}
			return false
		}, func() int64 { return clock() - zero })
	})
}

// loop goes through the steps. await returns false when the run is over.
func (f *faultRun) loop(ctx context.Context, await func(time.Duration) bool, since func() int64) {
	note := func(i int, how string) {
		f.events = append(f.events, Event{TNs: max(since(), 0), Kind: "fault", Detail: f.faults[i].String() + how})
		f.tell()
	}
	for _, s := range faultSteps(f.faults) {
		if !await(s.at) {
			break
		}
		what := f.faults[s.index].What
		switch {
		case !s.begin:
			f.proxy.End(what)
			f.active[s.index] = false
			note(s.index, faultEnds)
		case f.faults[s.index].For == 0:
			cut := f.proxy.Begin(what)
			f.proxy.End(what)
			f.begun[s.index] = true
			note(s.index, cutText(what, cut))
		default:
			cut := f.proxy.Begin(what)
			f.begun[s.index], f.active[s.index] = true, true
			note(s.index, faultBegins+cutText(what, cut))
		}
	}
	why := "the run had ended"
	if ctx.Err() != nil {
		why = "the run was interrupted"
	}
	for i := range f.faults {
		switch {
		case !f.begun[i]:
			f.notes = append(f.notes, fmt.Sprintf("fault %s did not begin: %s", f.faults[i].plan(), why))
		case f.active[i]:
			f.proxy.End(f.faults[i].What)
			f.active[i] = false
			note(i, faultEnds)
			f.notes = append(f.notes, fmt.Sprintf("fault %s was cut short: %s", f.faults[i].plan(), why))
		}
	}
}

// How the details of events end; the report draws a band from the one to the
// other.
const (
	faultBegins = " begins"
	faultEnds   = " ends"
)

// cutText says what became of connections.
func cutText(f fault.Fault, cut int) string {
	switch f.Kind {
	case fault.Reset, fault.BrokerStop:
		return fmt.Sprintf(", %d connection%s cut", cut, plural(cut))
	}
	return ""
}

// tell publishes which faults hold now.
func (f *faultRun) tell() {
	var names []string
	for i := range f.faults {
		if f.active[i] {
			names = append(names, f.faults[i].String())
		}
	}
	text := strings.Join(names, ", ")
	f.now.Store(&text)
}

// holding names the faults of this moment.
func (f *faultRun) holding() string {
	if f == nil {
		return ""
	}
	if text := f.now.Load(); text != nil {
		return *text
	}
	return ""
}

// close ends all faults and the proxy, once the clients are closed. Later calls
// do nothing.
func (f *faultRun) close() {
	if f == nil {
		return
	}
	f.once.Do(func() {
		close(f.quit)
		f.ended.Wait()
		f.proxy.Close()
	})
}

// report puts what happened into the result.
func (f *faultRun) report(r *Result) {
	if f == nil {
		return
	}
	r.Events = append(r.Events, f.events...)
	r.Warnings = append(append(r.Warnings, f.notes...),
		"connections led through a proxy in this process (--fault): CPU time, and a little of every latency, are its")
}
