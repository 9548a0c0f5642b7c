package accum

import (
	"slices"

	"github.com/kring-go/kring/wire"
)

// This file takes records out of batches because their deadlines have passed.
// A batch that was never sent can lose records: it has no sequence, and nobody
// but the role's holder and a packer looks at it once it is complete. The others
// close ranks where they lie, so the batch is, for all that comes after, one that
// never had them:
//
//	slot    │ a │ B │ c │ D │        B and D are late
//	        └─┬─┘   └─┬─┘
//	slot    │ a │ c │                count, offset, completions: of two records
//	piece   │ B │ D │                what B and D leave, in memory of its own
//	missed  B before record 1, D before record 2: when their callbacks run
//
// Callbacks keep the order of acceptance, so those of B and D run between those
// of a and c, with the outcome of the batch. Only what is late at the front of
// the batch, before any that is to be sent, has its outcome at once: see Finish.
//
// Who is busy with the batch comes first: a writer that is not out yet, or a
// packer. Both mark the partition behind it. Culling claims the batch as a packer
// does (P1), so a writer that sees it complete and comes late to compress it finds
// it busy, or loose again with fewer records.

// missed is a record whose deadline has passed, while its callback waits for its
// turn among those of its batch.
type missed struct {
	at   int // it comes before the callback of this record of the batch
	ts   int64
	done Completion
	err  error // nil until Finish says
}

// Cull takes records out whose deadlines have passed at now and that were never
// sent; nil: there are none left. What it returns is to be finished with an error,
// as what Expired returns. It looks at the oldest batch of each strand only:
// callbacks of those behind have to wait for it anyway. While nothing can be
// sent, sending is false, and only what is late at the front of a batch is taken,
// since the callbacks of the others would have to wait too.
func (p *Partition) Cull(now int64, sending bool) (x *Batch) {
	p.each(func(q *Strand) bool {
		x = q.cull(now, sending)
		return x == nil
	})
	if x != nil {
		// Behind all that was sent, with the pieces of a split, and before what
		// is sent next, see Finish.
		x.Sender.Order = p.sender.order + orderStep - 1
	}
	return x
}

func (q *Strand) cull(now int64, sending bool) *Batch {
	b := q.oldest()
	if b == nil || !b.late(now) {
		return nil
	}
	b.seal(q.head.gen(), now)
	st := b.state.load()
	switch {
	case !st.complete():
		return nil // the last writer marks the partition
	case b.allLate(now):
		if !b.neverSent() {
			return nil // who compresses it marks the partition
		}
		q.advance(b)
		return b
	case !sending && !b.lateAt(0, now):
		return nil
	case !b.claimAnyhow(st.gen()):
		return nil // as above
	}
	x := b.takeOut(now, b.lateAt(0, now))
	b.unpack(st.gen())
	return x
}

// claimAnyhow claims b, which is the sender's, whether it is packed or not.
func (b *Batch) claimAnyhow(gen uint32) bool {
	if s := b.pack.load(); s.phase() == packed {
		return b.pack.cas(s, packStateOf(gen, busy))
	}
	return b.claim(gen)
}

// takeOut moves the records that are late into a piece: those at the front, up to
// the first that is not, or all. There is one at least, and one that stays.
func (b *Batch) takeOut(now int64, front bool) *Batch {
	n := b.Records()
	x := &Batch{
		acc: b.acc, parent: b, part: b.part, epoch: b.epoch,
		lent: true, within: !front,
		buf:     make([]byte, wire.BatchHeaderSize),
		Sender:  b.Sender,
		outcome: Outcome{BaseOffset: -1, LogAppendTime: -1},
	}
	base := b.baseTs.Load()
	x.baseTs.Store(base)
	x.maxTs.Store(base)
	x.created.Store(b.created.Load())
	w := wayOut{b: b, x: x, size: wire.BatchHeaderSize, first: noneLeft, latest: base}
	x.heapSize = wire.BatchHeaderSize
	old, rest := b.missed, b.recordBytes()
	if front {
		old = b.splitMissed(x, now)
	}
	var after []missed
	for i := range n {
		for ; len(old) > 0 && old[0].at == i; old = old[1:] {
			after = append(after, w.place(old[0]))
		}
		r, next, err := wire.NextRecord(rest)
		if err != nil {
			panic("accum: a record that was written here can not be read: " + err.Error())
		}
		rest = next
		if b.lateAt(i, now) && (!front || w.kept == 0) {
			m := w.out(i, &r)
			if !front {
				after = append(after, m)
			}
			continue
		}
		w.keep(i, &r)
	}
	for ; len(old) > 0; old = old[1:] {
		after = append(after, w.place(old[0]))
	}
	b.missed = after
	w.end()
	return x
}

// wayOut is what takeOut has come to.
type wayOut struct {
	b, x   *Batch
	size   int   // bytes of b that stay, with the header
	kept   int   // records
	first  int64 // the earliest deadline of those
	latest int64 // and their latest timestamp, or the base
}

func (w *wayOut) place(m missed) missed {
	m.at = w.kept
	return m
}

// out moves record i to x.
func (w *wayOut) out(i int, r *wire.Record) missed {
	x := w.x
	_, total := r.Size(x.records)
	x.buf = slices.Grow(x.buf, total)[:len(x.buf)+total]
	x.heapSize += r.Put(x.buf[x.heapSize:], x.records)
	x.records++
	ts := x.baseTs.Load() + r.TimestampDelta
	if r.TimestampDelta != 0 {
		x.noteDelta(ts)
	}
	done := w.b.completion(i)
	x.moved = append(x.moved, done)
	w.b.clearDeadline(i)
	return missed{at: w.kept, ts: ts, done: done}
}

// keep moves record i of b to its new place, which is not behind the old one.
func (w *wayOut) keep(i int, r *wire.Record) {
	b, k := w.b, w.kept
	w.latest = max(w.latest, b.baseTs.Load()+r.TimestampDelta)
	if d := b.deadlineOf(i); d != 0 {
		w.first = min(w.first, d)
	}
	w.size += r.Put(b.buf[w.size:], int32(k))
	if i != k {
		b.moveDeadline(i, k)
		if done := b.completion(i); done.Callback != nil || done.Tag != 0 {
			b.done.ensure(k)
			b.done.set(k, done)
		}
	}
	w.kept++
}

// end makes b a batch of the records that stay.
func (w *wayOut) end() {
	b := w.b
	b.maxTs.Store(w.latest)
	b.deadline.Store(w.first)
	b.state.store(makeState(b.state.load().gen(), w.size, w.kept, 0) | sealedBit)
}

// splitMissed gives x, the front of b, the callbacks that come before the first
// record that stays, and returns the others.
func (b *Batch) splitMissed(x *Batch, now int64) []missed {
	front := 0
	for b.lateAt(front, now) {
		front++
	}
	n := 0
	for n < len(b.missed) && b.missed[n].at <= front {
		n++
	}
	x.missed = b.missed[:n:n]
	return b.missed[n:]
}

// outcomes is how many callbacks the outcome of b brings.
func (b *Batch) outcomes() int { return b.Records() + len(b.missed) }

// settleMissed says what became of the records that the last piece was made of.
func (b *Batch) settleMissed(err error) {
	for i := range b.missed {
		if b.missed[i].err == nil {
			b.missed[i].err = err
		}
	}
}

// shareMissed divides the callbacks among the pieces of a split at record cut.
func (b *Batch) shareMissed(first, second *Batch, cut int) {
	for _, m := range b.missed {
		if m.at < cut {
			first.missed = append(first.missed, m)
			continue
		}
		m.at -= cut
		second.missed = append(second.missed, m)
	}
}

// tell calls back for m, with d for what is the same for all records of a batch.
func (m *missed) tell(d Delivery, all Callback) {
	done := m.done
	m.done = Completion{}
	d.Tag, d.Err, d.Timestamp, d.Offset = done.Tag, m.err, m.ts, -1
	if done.Callback != nil {
		done.Callback(d)
	} else if all != nil {
		all(d)
	}
}
