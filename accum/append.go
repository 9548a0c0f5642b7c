package accum

import (
	"context"
	"time"

	"github.com/kring-go/kring/slab"
	"github.com/kring-go/kring/wire"
)

// Record is what Append encodes. The caller keeps its slices: nothing of them
// is referenced after Append returns.
type Record struct {
	Key, Value []byte
	Headers    []wire.Header
	// Payload is wire.PayloadSize of the three.
	Payload int
	// TimestampMs is Unix milliseconds; used when HasTimestamp.
	TimestampMs  int64
	HasTimestamp bool
	Done         Completion
	// Deadline is the monotonic time from which on the record is not to be
	// sent any more, in ns; 0: none.
	Deadline int64
}

// Append accepts one record into q: it reserves bytes in the open batch,
// encodes the record into them and commits. If the record needs a new batch
// and memory is short it parks up to wait; wait 0 never blocks.
//
// Its errors are slab.ErrTimeout, slab.ErrClosed, slab.ErrTooLarge and ctx's.
// No user code runs and nothing allocates between reserve and commit.
func (q *Strand) Append(ctx context.Context, r *Record, wait time.Duration) (Ticket, error) {
	var until int64 // when the wait is over
	if wait > 0 {
		until = q.acc.cfg.Clock.Now() + int64(wait)
	}
	for {
		w := q.open.load()
		if !w.empty() {
			if w.closed() {
				return 0, slab.ErrClosed
			}
			switch q.tryAppend(w, r) {
			case appended:
				return Ticket(w), nil
			case stale:
				continue
			}
		}
		if wait > 0 { // again, maybe: others may fill what was waited for
			wait = time.Duration(max(until-q.acc.cfg.Clock.Now(), 0))
		}
		t, done, err := q.roll(ctx, w, r, wait)
		if done || err != nil {
			return t, err
		}
	}
}

// AppendOpen is Append without opening a batch: ok is false, and nothing has
// happened, if there is no open batch or r does not fit. full says that it does
// not fit: a partitioner without a key then turns to another partition, so
// that batches leave filled.
func (q *Strand) AppendOpen(r *Record) (t Ticket, ok, full bool) {
	for {
		w := q.open.load()
		if w.empty() || w.closed() {
			return 0, false, false
		}
		switch q.tryAppend(w, r) {
		case appended:
			return Ticket(w), true, false
		case sealedFull:
			return 0, false, true
		case sealedEarly:
			return 0, false, false
		}
	}
}

type appendOutcome uint8

const (
	appended    appendOutcome = iota
	sealedFull                // sealed because it has no room: it needs a successor
	sealedEarly               // sealed by time or by Flush: it needs one too
	stale                     // the open word has moved on
)

// tryAppend appends r to the batch that w names.
func (q *Strand) tryAppend(w word, r *Record) appendOutcome {
	p, a := q.p, q.acc
	b := a.batch(w.index())
	for {
		s := b.state.load()
		if s.gen() != w.gen() {
			return stale
		}
		if s.sealed() {
			if _, total := wire.RecordSize(r.Payload, 0, 0); s.offset()+total > b.limit(p) {
				return sealedFull
			}
			return sealedEarly
		}
		ts := r.TimestampMs
		if !r.HasTimestamp {
			ts = a.timestamp(s.count())
		}
		n := s.count()
		delta := ts - b.baseTs.Load()
		body, total := wire.RecordSize(r.Payload, int32(n), delta)
		if !s.roomFor(total, 1, b.limit(p), a.maxRecords) {
			if s, won := b.seal(w.gen(), a.cfg.Clock.Now()); won && s.complete() {
				p.handOver(b, w.gen())
			}
			return sealedFull
		}
		keep := a.keepsCompletion(r)
		if keep {
			b.done.ensure(n)
		}
		if r.Deadline != 0 {
			b.ensureDeadline(n)
		}
		if !b.state.cas(s, s.reserve(total, 1)) {
			continue
		}
		off := s.offset()
		wire.PutRecord(b.buf[off:off+total], body, int32(n), delta, r.Key, r.Value, r.Headers)
		if keep {
			b.done.set(n, r.Done)
		}
		if delta != 0 {
			b.noteDelta(ts)
		}
		mark := r.Deadline != 0 && b.setDeadline(n, w.gen(), r.Deadline)
		if b.state.commit().complete() { // last one out hands the batch over
			p.handOver(b, w.gen())
		} else if mark {
			p.MarkReady()
		}
		return appended
	}
}

func (a *Accumulator) keepsCompletion(r *Record) bool {
	return a.cfg.AlwaysComplete || r.Done.Callback != nil
}

// exactRecords is the number of records of a batch that read the clock. A
// batch with more is busy enough for the coarse time.
const exactRecords = 4

// timestamp is the timestamp of a record that has none, the n-th of its batch.
func (a *Accumulator) timestamp(n int) int64 {
	if n < exactRecords || a.cfg.ExactTimestamps {
		_, ms := a.cfg.Clock.Read()
		return ms
	}
	return a.cfg.Clock.CoarseMs()
}
