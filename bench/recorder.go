package bench

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
)

// recorder is what completions write into. One shard per sender, so that
// records of different senders never meet on a cache line.
type recorder struct {
	clock    Clock
	schedule schedule
	start    atomic.Int64 // clock reading of the run's zero
	shift    tag          // from this shard's tags to the run's
	open     bool
	every    bool // open loop: response of each record, not of the sampled only
	serial   bool // see Serial; set before the first record
	shards   []shard
	digests  []atomic.Uint64 // per partition; nil without --verify full
	digestOK atomic.Bool     // false once an offset was unknown
	values   *fileValues     // what records are known by in place of tags; nil for stamped ones
	seed     uint64

	mu     sync.Mutex
	errors map[string]int64 // message → records; cold
	failed []tag            // what may be missing from the log; bounded
	strays int64            // completions of tags that were never sent
	twice  int64            // completions beyond the first
}

const (
	cacheLine = 128
	// maxFailedTags bounds the memory of a run in which everything fails.
	maxFailedTags = 1 << 20
	maxErrorKinds = 16
)

// shard is one sender's side of the books.
type shard struct {
	// Written by the sender, read by whoever reports.
	sent     atomic.Uint64 // records given to Produce, warm-up included
	bytes    atomic.Uint64
	rejected atomic.Uint64
	_        [cacheLine]byte

	// Written by whoever completes.
	acked     atomic.Uint64 // of the measured phase
	ackedWarm atomic.Uint64
	failed    atomic.Uint64
	failWarm  atomic.Uint64
	lostStamp atomic.Uint64 // sampled, but the stamp had been overwritten
	// runs count what a Serial client completed and acked does not have yet.
	run, runWarm uint64
	_            [cacheLine]byte

	// Set before the run, and only read afterwards; measured changes once.
	measured atomic.Uint64 // first sequence of the measured phase
	stamps   []stamp
	sample   uint64
	busy     []atomic.Uint32 // slots that a retaining client still holds
	tokens   chan struct{}   // closed loop with a bound
	ended    *bitmap         // completions seen; nil without --verify full
	hists
	_ [cacheLine]byte
}

// histGroups bounds the memory of histograms; senders share beyond it.
const histGroups = 4

func newRecorder(c *Config, clock Clock, retainSlots int) *recorder {
	sample, response := c.sampling()
	r := &recorder{
		clock: clock, open: c.Mode == ModeOpen, every: c.Mode == ModeOpen && response == 1,
		schedule: schedule{
			rate: uint64(max(c.Rate, 1)), senders: uint64(c.Shard.all(c.Senders)), first: uint64(c.Shard.first(c.Senders)),
			arrivals: newArrivals(c.Arrival, c.Seed),
		},
		shards: make([]shard, c.Senders), errors: map[string]int64{}, shift: c.Shard.shift(c.Senders),
	}
	if c.Verify == VerifyFull {
		r.digests = make([]atomic.Uint64, max(c.Partitions, 1))
	}
	r.digestOK.Store(true)
	groups := make([]hists, min(c.Senders, histGroups))
	for i := range groups {
		groups[i] = newHists(c)
	}
	for i := range r.shards {
		sh := &r.shards[i]
		sh.hists = groups[i%len(groups)]
		sh.stamps, sh.sample = newStamps(c, sample), uint64(sample)
		sh.measured.Store(r.firstMeasured(c, i))
		if retainSlots > 0 {
			sh.busy = make([]atomic.Uint32, retainSlots)
		}
		if c.Outstanding > 0 {
			sh.tokens = make(chan struct{}, c.Outstanding)
		}
		if c.Verify == VerifyFull {
			sh.ended = new(bitmap)
		}
	}
	return r
}

// firstMeasured is known beforehand where a timetable says so; otherwise the
// sender sets it when the warm-up ends.
func (r *recorder) firstMeasured(c *Config, sender int) uint64 {
	switch {
	case !c.warms():
		return 0
	case r.open:
		return r.schedule.before(sender, int64(c.Warmup))
	}
	return math.MaxUint64
}

// done is the end of one record; see Done. It runs on the client's goroutines,
// so it does as little as it can.
func (r *recorder) done(raw uint64, partition int32, offset int64, err error) {
	t := tag(raw)
	if t.sender() >= len(r.shards) {
		r.stray()
		return
	}
	sh, seq := &r.shards[t.sender()], t.seq()
	if sh.ended != nil && !sh.ended.set(seq) {
		r.again()
		return
	}
	if sh.busy != nil {
		sh.busy[seq&uint64(len(sh.busy)-1)].Store(0)
	}
	warm := seq < sh.measured.Load()
	if err != nil {
		r.fail(sh, t, warm, err)
	} else {
		if r.digests != nil {
			r.digest(t, partition, offset)
		}
		r.count(sh, warm)
		if !warm && (t.sampled() || r.every) {
			r.time(sh, t)
		}
	}
	if sh.tokens != nil {
		<-sh.tokens
	}
}

// count adds an acknowledged record. A Serial client's are added to what others
// read by the run of publishEvery.
func (r *recorder) count(sh *shard, warm bool) {
	switch {
	case !r.serial && warm:
		sh.ackedWarm.Add(1)
	case !r.serial:
		sh.acked.Add(1)
	case warm:
		if sh.runWarm++; sh.runWarm == publishEvery {
			sh.ackedWarm.Add(publishEvery)
			sh.runWarm = 0
		}
	default:
		if sh.run++; sh.run == publishEvery {
			sh.acked.Add(publishEvery)
			sh.run = 0
		}
	}
}

// settle adds what is left of the runs. It is called when a Serial client has
// promised that no completion is under way.
func (r *recorder) settle() {
	if !r.serial {
		return
	}
	for i := range r.shards {
		sh := &r.shards[i]
		sh.acked.Add(sh.run)
		sh.ackedWarm.Add(sh.runWarm)
		sh.run, sh.runWarm = 0, 0
	}
}

// time notes how long an acknowledged record took. The intended time comes
// from the timetable, not from a store, so no stall can overwrite it.
func (r *recorder) time(sh *shard, t tag) {
	now, seq := r.clock(), t.seq()
	if r.open {
		sh.response.record(r.sinceDue(now, t))
	}
	if !t.sampled() {
		return
	}
	sent, kept := sh.sentAt(seq)
	if !kept {
		sh.lostStamp.Add(1)
		return
	}
	sh.service.record(now - sent)
}

// sinceDue is how long ago, at now, the record t of an open loop fell due.
func (r *recorder) sinceDue(now int64, t tag) int64 {
	return now - r.start.Load() - r.schedule.intended(t.sender(), t.seq())
}

// digest adds what the log must hold of this record, so that the reader can
// tell whether every acknowledged offset was the true one.
func (r *recorder) digest(t tag, partition int32, offset int64) {
	if offset < 0 || partition < 0 || int(partition) >= len(r.digests) {
		r.digestOK.Store(false)
		return
	}
	id := t.plain() + r.shift
	if r.values != nil {
		id = tag(r.values.hash(r.seed, id))
	}
	r.digests[partition].Add(placeDigest(id, offset))
}

func placeDigest(t tag, offset int64) uint64 {
	return mix64(uint64(t)*0x9e3779b97f4a7c15 + uint64(offset))
}

func (r *recorder) fail(sh *shard, t tag, warm bool, err error) {
	if warm {
		sh.failWarm.Add(1)
	} else {
		sh.failed.Add(1)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.note(err)
	if len(r.failed) < maxFailedTags {
		r.failed = append(r.failed, t.plain())
	}
}

// reject books a record that Produce did not accept.
func (r *recorder) reject(sh *shard, t tag, err error) {
	sh.rejected.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.note(fmt.Errorf("not accepted: %w", err))
	if len(r.failed) < maxFailedTags {
		r.failed = append(r.failed, t.plain())
	}
}

func (r *recorder) note(err error) {
	message := err.Error()
	if _, known := r.errors[message]; !known && len(r.errors) >= maxErrorKinds {
		message = "(other errors)"
	}
	r.errors[message]++
}

func (r *recorder) stray() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.strays++
}

func (r *recorder) again() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.twice++
}

// totalAcked is every acknowledged record, warm-up included.
func (r *recorder) totalAcked() uint64 {
	n := uint64(0)
	for i := range r.shards {
		n += r.shards[i].acked.Load() + r.shards[i].ackedWarm.Load()
	}
	return n
}

// pending is how many accepted records have not ended.
func (r *recorder) pending() int64 {
	n := int64(0)
	for i := range r.shards {
		sh := &r.shards[i]
		n += int64(sh.sent.Load() - sh.rejected.Load())
		n -= int64(sh.acked.Load() + sh.ackedWarm.Load() + sh.failed.Load() + sh.failWarm.Load())
	}
	return n
}
