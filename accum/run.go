package accum

import "github.com/kring-go/kring/wire"

// MaxRun is how many records AppendRun takes at most.
const MaxRun = 32

// AppendRun appends as many of rs as the open batch has room for, in their
// order, and returns how many. It reserves their bytes by one CAS and commits
// them by one add. 0 says nothing but that Append has to be asked: there is no
// open batch, or the first record does not fit. rs has at most MaxRun records.
func (q *Strand) AppendRun(rs []Record) int {
	for {
		w := q.open.load()
		if w.empty() || w.closed() {
			return 0
		}
		if n, again := q.tryRun(w, rs); !again {
			return n
		}
	}
}

// runPlan is where the records of a run go, as one state of the batch has it.
type runPlan struct {
	n     int // of the records that fit
	total int // bytes of those
	body  [MaxRun]int
	delta [MaxRun]int64
}

// tryRun is one attempt of AppendRun at the batch that w names. again: the
// batch has changed meanwhile.
func (q *Strand) tryRun(w word, rs []Record) (n int, again bool) {
	a := q.acc
	b := a.batch(w.index())
	s := b.state.load()
	if s.gen() != w.gen() {
		return 0, true
	}
	if s.sealed() {
		return 0, false
	}
	var plan runPlan
	q.plan(&plan, b, s, rs)
	if plan.n == 0 {
		return 0, false
	}
	first, off, dated := s.count(), s.offset(), false
	for i := range plan.n {
		if a.keepsCompletion(&rs[i]) {
			b.done.ensure(first + i)
		}
		if rs[i].Deadline != 0 {
			b.ensureDeadline(first + i)
			dated = true
		}
	}
	if !b.state.cas(s, s.reserve(plan.total, plan.n)) {
		return 0, true
	}
	latest := int64(-1)
	for i := range plan.n {
		r := &rs[i]
		off += wire.PutRecord(b.buf[off:], plan.body[i], int32(first+i), plan.delta[i], r.Key, r.Value, r.Headers)
		if a.keepsCompletion(r) {
			b.done.set(first+i, r.Done)
		}
		if plan.delta[i] != 0 {
			latest = max(latest, b.baseTs.Load()+plan.delta[i])
		}
	}
	if latest >= 0 {
		b.noteDelta(latest)
	}
	mark := dated && b.setDeadlines(first, w.gen(), rs[:plan.n])
	if b.state.commit().complete() {
		q.p.handOver(b, w.gen())
	} else if mark {
		q.p.MarkReady()
	}
	return plan.n, false
}

// plan sees how many of rs fit behind s.
func (q *Strand) plan(plan *runPlan, b *Batch, s state, rs []Record) {
	a := q.acc
	limit, base, now := b.limit(q.p), b.baseTs.Load(), int64(-1)
	for i := range rs[:min(len(rs), MaxRun)] {
		ts := rs[i].TimestampMs
		if !rs[i].HasTimestamp {
			if now < 0 || a.cfg.ExactTimestamps {
				now = a.timestamp(s.count())
			}
			ts = now
		}
		body, total := wire.RecordSize(rs[i].Payload, int32(s.count()+i), ts-base)
		if !s.roomFor(plan.total+total, i+1, limit, a.maxRecords) {
			return
		}
		plan.body[i], plan.delta[i] = body, ts-base
		plan.total += total
		plan.n++
	}
}
