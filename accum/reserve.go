package accum

import (
	"context"
	"time"

	"github.com/kring-go/kring/slab"
	"github.com/kring-go/kring/wire"
)

// Reserved is room for one record in a batch, whose value its writer fills in:
//
//	Reserve ─► Value ─► Commit   the record is as long as what was written
//	                └─► Abort    the room is given back
//
// While it is open the batch has a writer, so it is not sent. Nobody else
// appends to the strand, so the room is the last in its batch: it can shrink
// and go away by one add to the state word, which Append can not.
type Reserved struct {
	q     *Strand
	b     *Batch
	self  word // names b
	first bool // the record opened b, and nobody has been told of it yet
	index int
	off   int // of the record in the slot
	total int // bytes that are reserved
	at    int // of the value in the slot
	ts    int64
	delta int64
}

// Reserve reserves room for r, whose Payload counts a value of size bytes and
// whose Value is not looked at. It waits, and fails, as Append does, and also
// with slab.ErrTooLarge for what does not fit one slot. Only the one goroutine
// that a strand of NewStrand belongs to may call it, and nothing else of the
// strand before Commit or Abort.
func (q *Strand) Reserve(ctx context.Context, r *Record, size int, wait time.Duration, into *Reserved) error {
	a := q.acc
	if firstSize(r) > a.slab.SlotSize() {
		return slab.ErrTooLarge
	}
	var until int64 // when the wait is over
	if wait > 0 {
		until = a.cfg.Clock.Now() + int64(wait)
	}
	for {
		w := q.open.load()
		if w.closed() {
			return slab.ErrClosed
		}
		if !w.empty() {
			switch q.tryReserve(w, r, size, into) {
			case appended:
				return nil
			case stale:
				continue
			}
		}
		b, self, err := q.openBatch(ctx, w, r, wait)
		if err != nil {
			return err
		}
		if b != nil {
			*into = Reserved{q: q, b: b, self: self, first: true, off: wire.BatchHeaderSize, total: firstSize(r) - wire.BatchHeaderSize, ts: b.baseTs.Load()}
			into.place(r, size)
			return nil
		}
		if wait > 0 {
			wait = time.Duration(max(until-a.cfg.Clock.Now(), 0))
		}
	}
}

// ReserveOpen is Reserve as AppendOpen is Append.
func (q *Strand) ReserveOpen(r *Record, size int, into *Reserved) (ok, full bool) {
	for {
		w := q.open.load()
		if w.empty() || w.closed() {
			return false, false
		}
		if outcome := q.tryReserve(w, r, size, into); outcome != stale {
			return outcome == appended, outcome == sealedFull
		}
	}
}

// tryReserve reserves room in the batch that w names; if there is none it is
// sealed.
func (q *Strand) tryReserve(w word, r *Record, size int, into *Reserved) appendOutcome {
	a := q.acc
	b := a.batch(w.index())
	for {
		s := b.state.load()
		if s.gen() != w.gen() {
			return stale
		}
		ts := r.TimestampMs
		if !r.HasTimestamp {
			ts = a.timestamp(s.count())
		}
		delta := ts - b.baseTs.Load()
		_, total := wire.RecordSize(r.Payload, int32(s.count()), delta)
		fits := s.roomFor(total, 1, b.limit(q.p), a.maxRecords)
		switch {
		case s.sealed() && fits:
			return sealedEarly
		case s.sealed():
			return sealedFull
		case !fits:
			if s, won := b.seal(w.gen(), a.cfg.Clock.Now()); won && s.complete() {
				q.p.handOver(b, w.gen())
			}
			return sealedFull
		}
		if b.state.cas(s, s.reserve(total, 1)) {
			*into = Reserved{q: q, b: b, self: w, index: s.count(), off: s.offset(), total: total, delta: delta, ts: ts}
			into.place(r, size)
			return appended
		}
	}
}

// place finds where the value goes.
func (x *Reserved) place(r *Record, size int) {
	x.at = x.off + x.total - wire.AfterValue(r.Headers) - size
}

// Value is where the value is written.
func (x *Reserved) Value(size int) []byte { return x.b.buf[x.at : x.at+size : x.at+size] }

// Commit ends x with a value of n bytes, at most what was reserved. r is the
// record that was given to Reserve.
func (x *Reserved) Commit(r *Record, n int) {
	q, b := x.q, x.b
	body, total := wire.RecordSize(wire.PayloadSizeAround(r.Key, n, r.Headers), int32(x.index), x.delta)
	record := b.buf[x.off : x.off+total]
	// Shorter lengths stand before a shorter value, so it may have to move.
	copy(record[total-wire.AfterValue(r.Headers)-n:], b.buf[x.at:x.at+n])
	wire.PutRecordAround(record, body, int32(x.index), x.delta, r.Key, n, r.Headers)
	if q.acc.keepsCompletion(r) {
		b.done.ensure(x.index) // whether there is a callback is known only now
		b.done.set(x.index, r.Done)
	}
	if x.delta != 0 {
		b.noteDelta(x.ts)
	}
	mark := false
	if r.Deadline != 0 {
		b.ensureDeadline(x.index)
		mark = b.setDeadline(x.index, x.self.gen(), r.Deadline)
	}
	if total < x.total {
		b.state.giveBack(x.total-total, 0)
	}
	x.leave()
	if mark {
		q.p.MarkReady()
	}
}

// Abort ends x without a record. A batch that it opened stays open and empty: the
// next record goes there, and if none comes the sender discards it.
func (x *Reserved) Abort() {
	x.b.state.giveBack(x.total, 1)
	x.leave()
}

// leave takes the writer out of the batch.
func (x *Reserved) leave() {
	if x.first {
		x.q.commitFirst(x.b, x.self)
	} else if x.b.state.commit().complete() {
		x.q.p.handOver(x.b, x.self.gen())
	}
}
