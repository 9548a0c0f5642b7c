package bench

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync/atomic"
	"time"
)

// sender is one goroutine that produces. Its counters are plain until it
// publishes them, every publishEvery records.
type sender struct {
	id     int
	client Handle
	source *source
	rec    *recorder
	shard  *shard
	signal *signals
	pacer  pacer      // open loop only
	busy   int64      // nanoseconds of computing before each record of a closed loop
	bound  uint64     // measured records of this sender; noBound for as many as fit the time
	grace  int64      // open loop: when to stop trying, nanoseconds since zero
	warm   *warmCount // nil but for a warm-up by count

	seq       uint64
	bytes     uint64
	warmBytes uint64 // of bytes, before the measured phase
	warmed    uint64 // what warm was told of
	left      uint64 // records until the next sampled one
	reject    uint64
}

// signals are what the controller tells all senders.
type signals struct {
	measuring atomic.Bool // the warm-up is over
	stop      atomic.Bool
}

const (
	noBound      = math.MaxUint64
	publishEvery = 64
	// rejectLimit ends a sender whose client accepts nothing: going on would
	// spin, and say nothing new.
	rejectLimit = 100
)

// newSample starts the senders' samples apart from each other.
func (s *sender) newSample() { s.left = uint64(s.id) % s.shard.sample }

// publish makes the counters visible.
func (s *sender) publish() {
	s.shard.sent.Store(s.seq)
	s.shard.bytes.Store(s.bytes)
}

// closed produces as fast as Produce returns, until told to stop or until the
// bound of measured records is reached.
func (s *sender) closed(ctx context.Context) {
	defer s.publish()
	s.newSample()
	end := uint64(noBound)
	measuring := s.shard.measured.Load() == 0
	if measuring {
		end = s.bound
	}
	for s.seq < end {
		if s.seq%publishEvery == 0 || s.busy > 0 {
			s.publish()
			if s.signal.stop.Load() {
				return
			}
			if !measuring && s.endsWarmup() {
				measuring = true
				if s.bound != noBound {
					end = s.seq + s.bound
				}
			}
		}
		if s.shard.tokens != nil && !s.token(ctx) {
			return
		}
		if s.busy > 0 {
			s.compute()
		}
		if !s.one(ctx) {
			return
		}
	}
}

// endsWarmup counts, and reports whether the next record is the first measured.
func (s *sender) endsWarmup() bool {
	if s.warm != nil {
		s.warm.sent(s.seq - s.warmed)
		s.warmed = s.seq
	}
	if !s.signal.measuring.Load() {
		return false
	}
	s.shard.measured.Store(s.seq)
	s.warmBytes = s.bytes
	return true
}

// compute keeps its processor for the time that an application's own work
// takes. It gives way to nobody of its own accord.
func (s *sender) compute() {
	for until := s.rec.clock() + s.busy; s.rec.clock() < until; {
	}
}

// token waits until one of the outstanding records is done.
func (s *sender) token(ctx context.Context) bool {
	select {
	case s.shard.tokens <- struct{}{}:
		return true
	default:
	}
	// About to wait: let the reporter see what was sent so far.
	s.publish()
	select {
	case s.shard.tokens <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// one produces the next record. It reads the clock for sampled records only.
func (s *sender) one(ctx context.Context) bool {
	t := makeTag(s.id, s.seq)
	if s.left > 0 {
		s.left--
		return s.produce(ctx, t)
	}
	s.left = s.shard.sample - 1
	before := s.rec.clock()
	s.note(before)
	ok := s.produce(ctx, t|tagSampled)
	if ok {
		s.recordCall(t, s.rec.clock()-before)
	}
	return ok
}

// note stores when the sampled record s.seq is handed over. The entry is
// invalid while it changes, so that the reader never pairs it wrongly.
func (s *sender) note(now int64) {
	st := s.shard.stampAt(s.seq)
	st.seq.Store(^uint64(0))
	st.sent.Store(now)
	st.seq.Store(s.seq)
}

func (s *sender) recordCall(t tag, ns int64) {
	if t.seq() >= s.shard.measured.Load() {
		s.shard.call.record(ns)
	}
}

// produce hands the record to the client; false ends the sender.
func (s *sender) produce(ctx context.Context, t tag) bool {
	if s.shard.busy != nil && !s.claim(ctx) {
		return false
	}
	rec := s.source.make(s.seq, t)
	size := uint64(len(rec.Key) + len(rec.Value))
	err := s.client.Produce(ctx, rec)
	s.seq++
	s.bytes += size
	if err == nil {
		return true
	}
	return s.rejected(ctx, t, size, err)
}

// claim waits until the client has let go of the slot's last record.
func (s *sender) claim(ctx context.Context) bool {
	slot := &s.shard.busy[s.source.slot(s.seq)]
	for tries := 0; slot.Load() != 0; tries++ {
		if ctx.Err() != nil {
			return false
		}
		if tries < 10 {
			runtime.Gosched()
		} else {
			time.Sleep(20 * time.Microsecond)
		}
	}
	slot.Store(1)
	return true
}

// rejected books a record that the client did not take. One that was called
// back because the run ends was never sent, and is no error.
func (s *sender) rejected(ctx context.Context, t tag, size uint64, err error) bool {
	if s.shard.busy != nil {
		s.shard.busy[s.source.slot(t.seq())].Store(0)
	}
	if s.shard.tokens != nil {
		<-s.shard.tokens
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		s.seq--
		s.bytes -= size
		return false
	}
	s.rec.reject(s.shard, t, err)
	s.reject++
	return s.reject < rejectLimit
}
