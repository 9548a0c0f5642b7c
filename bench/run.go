package bench

import (
	"context"
	"errors"
	"io"
	"math"
	"sync"
	"time"
)

// Output is where a run reports while it is under way.
type Output struct {
	// Progress gets lines for people; nil is silence. TTY makes it one line
	// that rewrites itself.
	Progress io.Writer
	TTY      bool
	// View shows the run in place of Progress; it may be nil.
	View View
	// Intervals gets one CSV row per interval; it may be nil.
	Intervals io.Writer
	// log keeps the histograms of every interval; it may be nil.
	log *intervalLog
}

const (
	// openLead lets every sender be asleep before the first record is due.
	openLead = int64(10 * time.Millisecond)
	// openGrace is how long an open loop may go on after its end in order to
	// send what was due before it.
	openGrace = int64(10 * time.Second)
	// stopPatience is how long a sender may stay in Produce after the end.
	stopPatience = 5 * time.Second
	// stragglerPatience is for completions that come after Flush has returned.
	stragglerPatience = 2 * time.Second
	defaultDrain      = 130 * time.Second // above Kafka's delivery.timeout.ms
)

// run is one run under way. The goroutine of Run owns it; senders and
// completions touch recorder and signals only.
type run struct {
	cfg     *Config
	lib     Library
	out     Output
	clock   Clock
	rec     *recorder
	payload *payload
	clients team
	handles bool       // each sender has its own
	warm    *warmCount // nil but for a warm-up by count
	senders []*sender
	signal  signals
	pacer   string

	begin, end           *meter
	beginNs, endNs       int64
	warmNs               int64 // how long a warm-up by count took
	beginAcked, endAcked uint64
	partial              bool
	profiles             *profiler
	tail                 *tail  // nil without --e2e
	tailed               string // what it missed
	faults               *faultRun
}

// Run drives one client through the workload and reports. The topic must exist.
// When ctx ends, the run stops, drains, and returns a partial result. With a
// result, an error says that a profile could not be written.
func Run(ctx context.Context, cfg Config, lib Library, out Output) (*Result, error) {
	r := &run{cfg: &cfg, lib: lib, out: out, clock: NewClock(), begin: newMeter(), end: newMeter()}
	if err := r.prepare(); err != nil {
		return nil, err
	}
	defer func() {
		for _, s := range r.senders {
			if s.pacer != nil {
				s.pacer.close()
			}
		}
	}()
	var err error
	if r.profiles, err = newProfiler(cfg.Profiles); err != nil {
		return nil, err
	}
	defer func() { _ = r.profiles.close() }() // What it says is returned at the end.
	if r.faults, err = newFaultRun(&cfg, &lib); err != nil {
		return nil, err
	}
	defer r.faults.close()
	if r.clients, err = newTeam(ctx, &cfg, lib, r.rec.done); err != nil {
		return nil, err
	}
	r.takeClients(r.clients)
	if err := r.awaitStart(ctx); err != nil {
		return nil, err
	}
	if cfg.E2E {
		if r.tail, err = startTail(ctx, &cfg, r.rec); err != nil {
			return nil, errors.Join(err, r.clients.Close(ctx))
		}
	}
	started := time.Now()
	err = r.drive(ctx)
	r.faults.close()
	if r.tail != nil {
		r.tailed = r.tail.finish(int64(r.rec.totalAcked()))
	}
	if err != nil {
		return nil, err
	}
	if out.log != nil {
		// What came after the last tick: intervals add up to the result.
		out.log.started = started
		out.log.take(r.rec, r.clock())
	}
	return r.result(started), r.profiles.close()
}

// takeClients looks at how the clients complete records. An open loop reads the
// clock for each of them anyway, and at a low rate the records that nobody sees
// yet would look like a rate that is missed.
func (r *run) takeClients(t team) { r.rec.serial = t.serial() && !r.rec.open }

// prepare allocates everything that the measured loop uses.
func (r *run) prepare() error {
	c := r.cfg
	if c.DrainTimeout == 0 {
		c.DrainTimeout = defaultDrain
	}
	var err error
	if r.pacer, err = resolvePacer(c.Pacer, c.Senders); err != nil {
		return UsageError(err)
	}
	plan := c.verifyPlan()
	if r.payload, err = newPayload(&plan); err != nil {
		return UsageError(err)
	}
	slots := retainSlots(c, r.lib.Retaining)
	r.rec = newRecorder(c, r.clock, slots)
	r.rec.values, r.rec.seed = r.payload.values, c.Seed
	keys := newKeyTable(c.Keys)
	if c.WarmupRecords > 0 {
		r.warm = newWarmCount(c.WarmupRecords)
	}
	for i := range c.Senders {
		s := &sender{
			id: i, rec: r.rec, shard: &r.rec.shards[i], signal: &r.signal,
			source: newSource(c, r.payload, keys, i, slots),
			grace:  int64(c.Warmup+c.Duration) + openGrace,
			bound:  noBound,
			busy:   int64(c.Busy),
			warm:   r.warm,
		}
		if c.Records > 0 {
			s.bound = c.share(i)
		}
		if c.Mode == ModeOpen {
			if c.Duration == 0 {
				s.grace = math.MaxInt64
			}
			if s.pacer, err = newPacer(r.pacer); err != nil {
				return err
			}
		}
		r.senders = append(r.senders, s)
	}
	return nil
}

// planned is how many records of a sender an open loop's timetable holds.
func (r *run) planned(sender int) uint64 {
	c := r.cfg
	end := uint64(math.MaxUint64)
	if c.Duration > 0 {
		end = r.rec.schedule.before(sender, int64(c.Warmup+c.Duration))
	}
	if c.Records > 0 {
		end = min(end, r.rec.firstMeasured(c, sender)+c.share(sender))
	}
	return end
}

// drive is the run from the first record to the closed client.
func (r *run) drive(ctx context.Context) error {
	c := r.cfg
	for _, s := range r.senders {
		to, own := r.clients.of(s.id, c)
		s.client, r.handles = to, r.handles || own
	}
	produceCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	start := r.zero()
	r.rec.start.Store(start)
	r.faults.start(ctx, r.clock, start, c.Warmup)
	// Without a warm-up everything belongs to the window, the first record too.
	if !c.warms() {
		if err := r.openWindow(); err != nil {
			return err
		}
	}
	finished := r.launch(produceCtx)
	progress := startProgress(r)
	defer progress.stop()
	if c.warms() {
		r.awaitWarm(ctx, start, finished)
		if err := r.openWindow(); err != nil {
			cancel()
			return err
		}
	}
	timeUp := r.await(ctx, r.stopAt(start), finished)
	patience := stopPatience
	if r.partial = ctx.Err() != nil; r.partial {
		patience = 0
	}
	r.signal.stop.Store(true)
	for _, s := range r.senders {
		if s.pacer != nil {
			s.pacer.stop()
		}
	}
	// A flat-out run ended by the clock is in a steady state at both ends of
	// the window, so what is buffered there cancels out.
	if timeUp || r.partial {
		r.closeWindow()
	}
	select {
	case <-finished:
	case <-time.After(patience):
		cancel() // Calls back what is blocked in Produce.
		<-finished
	}
	err := r.drain(ctx)
	if r.endNs == 0 {
		r.closeWindow()
	}
	progress.stop()
	return r.close(ctx, err)
}

// stopAt is when the senders are told to stop. An open loop ends by itself;
// only a client that does not take its records has to be stopped.
func (r *run) stopAt(start int64) int64 {
	switch c := r.cfg; {
	case c.Duration == 0:
		return math.MaxInt64
	case c.Mode == ModeOpen:
		return start + int64(c.Warmup+c.Duration) + openGrace
	case r.warm != nil:
		return r.beginNs + int64(c.Duration)
	default:
		return start + int64(c.Warmup+c.Duration)
	}
}

// launch starts the senders; the channel closes when all have returned.
func (r *run) launch(ctx context.Context) <-chan struct{} {
	var group sync.WaitGroup
	for _, s := range r.senders {
		group.Go(func() {
			if r.cfg.Mode == ModeOpen {
				s.openLoop(ctx, r.planned(s.id))
			} else {
				s.closed(ctx)
			}
		})
	}
	finished := make(chan struct{})
	go func() {
		group.Wait()
		close(finished)
	}()
	return finished
}

// await returns true at the instant until, false when the senders are finished
// or ctx has ended before.
func (r *run) await(ctx context.Context, until int64, finished <-chan struct{}) bool {
	wait := until - r.clock()
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(time.Duration(wait))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-finished:
	case <-ctx.Done():
	}
	return false
}
