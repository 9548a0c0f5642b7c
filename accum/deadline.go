package accum

import (
	"math"
	"sync/atomic"
)

// deadlines are the deadlines of the single records of a batch, in chunks beside
// its completions: whoever gives none pays for no room. A chunk is allocated when
// a record with a deadline first comes there, and stays for all later lives. Entry
// i belongs to the writer of record i between its reserve and its commit, and to
// the sender after the batch is complete. Between two lives all are 0.
type deadlines struct {
	table atomic.Pointer[[]atomic.Pointer[deadlineChunk]]
}

type deadlineChunk [chunkSize]int64

// noneLeft is Batch.deadline once every record that had a deadline was taken
// out: not 0, so that the next life clears what this one has left.
const noneLeft = math.MaxInt64

// ensureDeadline makes room for the deadline of record i. It may allocate, so it
// must be called before the reservation.
func (b *Batch) ensureDeadline(i int) {
	t := b.deadlines.table.Load()
	if t == nil {
		chunks := make([]atomic.Pointer[deadlineChunk], len(b.done.chunks))
		b.deadlines.table.CompareAndSwap(nil, &chunks)
		t = b.deadlines.table.Load()
	}
	if c := &(*t)[i>>chunkShift]; c.Load() == nil {
		c.CompareAndSwap(nil, new(deadlineChunk))
	}
}

// setDeadline is called by the writer of record i before its commit, in life
// gen. It reports whether the writer has to mark the partition behind its commit:
// a record whose deadline comes before the end of its linger does not linger, or
// waiting for company would be what it dies of.
func (b *Batch) setDeadline(i int, gen uint32, d int64) (mark bool) {
	(*b.deadlines.table.Load())[i>>chunkShift].Load()[i&(chunkSize-1)] = d
	for {
		if cur := b.deadline.Load(); cur != 0 && cur <= d || b.deadline.CompareAndSwap(cur, d) {
			break
		}
	}
	if d >= b.created.Load()+int64(b.part.Linger()) || b.hurried.Load() == gen+1 {
		return false
	}
	b.hurried.Store(gen + 1)
	return true
}

// setDeadlines is setDeadline for a run whose first record is the i-th.
func (b *Batch) setDeadlines(i int, gen uint32, rs []Record) (mark bool) {
	for k := range rs {
		if rs[k].Deadline != 0 {
			mark = b.setDeadline(i+k, gen, rs[k].Deadline) || mark
		}
	}
	return mark
}

// markIfHurried marks p if b, in its life gen, is not to linger.
func (p *Partition) markIfHurried(b *Batch, gen uint32) {
	if b.hurried.Load() == gen+1 {
		p.MarkReady()
	}
}

// deadlineOf is the deadline of record i; 0: it has none.
func (b *Batch) deadlineOf(i int) int64 {
	if t := b.deadlines.table.Load(); t != nil {
		if c := (*t)[i>>chunkShift].Load(); c != nil {
			return c[i&(chunkSize-1)]
		}
	}
	return 0
}

// moveDeadline gives the deadline of record from to record to, which stands
// before it.
func (b *Batch) moveDeadline(from, to int) {
	d := b.deadlineOf(from)
	b.clearDeadline(from)
	if d != 0 {
		b.ensureDeadline(to)
		(*b.deadlines.table.Load())[to>>chunkShift].Load()[to&(chunkSize-1)] = d
	}
}

func (b *Batch) clearDeadline(i int) {
	if c := (*b.deadlines.table.Load())[i>>chunkShift].Load(); c != nil {
		c[i&(chunkSize-1)] = 0
	}
}

// forgetDeadlines is for the opener of the next life, who has not begun it yet:
// the state still counts the records of the last one.
func (b *Batch) forgetDeadlines() {
	n, table := b.state.load().count(), *b.deadlines.table.Load()
	for i := range table {
		if c := table[i].Load(); c != nil && i<<chunkShift < n {
			clear(c[:])
		}
	}
	b.missed = nil
	b.deadline.Store(0)
}

// late says that a record of b should not be sent at now any more.
func (b *Batch) late(now int64) bool {
	d := b.deadline.Load()
	return d != 0 && d <= now
}

// lateAt is late for record i.
func (b *Batch) lateAt(i int, now int64) bool {
	d := b.deadlineOf(i)
	return d != 0 && d <= now
}

// allLate says that no record of b is to be sent at now. For a complete batch.
func (b *Batch) allLate(now int64) bool {
	for i := range b.Records() {
		if !b.lateAt(i, now) {
			return false
		}
	}
	return true
}
