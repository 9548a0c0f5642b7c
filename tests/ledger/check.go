package ledger

import "math"

// Rules says which promises a run made; the zero value is an idempotent
// producer's: everything.
type Rules struct {
	// AllowTwice is a producer without idempotence that retries: duplicates are
	// not findings, and neither is the order they disturb.
	AllowTwice bool
	// MayLose is acks=0 with a broker that dies: an acknowledgement is only that
	// the bytes were written.
	MayLose bool
	// ReportedTimestamps compares the log's timestamp with the completion's.
	ReportedTimestamps bool
}

// Checker compares the entries of one read-back with the book. It is fed by one
// goroutine, partition by partition in offset order; partitions may interleave.
type Checker struct {
	book     *Book
	rules    Rules
	report   Report
	claims   map[int32]*claims
	unplaced unplaced
	found    []uint8 // per record: how often it was read, saturating
	// confirmed says per record that it was read where its completion said.
	confirmed []bool
	last      map[int32][]int32 // partition → per goroutine: last number read
	offset    map[int32]int64   // partition → last offset read
	sent      map[uint64]struct{}
	topic     uint32
}

// NewChecker prepares a check. Every producer must have stopped.
func NewChecker(b *Book, rules Rules) *Checker {
	c := &Checker{
		book: b, rules: rules, unplaced: makeUnplaced(b),
		found: make([]uint8, b.total), confirmed: make([]bool, b.total),
		last: map[int32][]int32{}, offset: map[int32]int64{},
		topic: uint32(hashString(b.plan.Topic)),
	}
	c.claims = makeClaims(b, &c.report)
	return c
}

// Add takes one record of the log.
func (c *Checker) Add(e *Entry) {
	c.report.Read++
	if last, seen := c.offset[e.Partition]; seen && e.Offset <= last {
		c.report.find(Reader, "partition %d offset %d was read after %d", e.Partition, e.Offset, last)
		return
	}
	c.offset[e.Partition] = e.Offset
	index, claimed := c.claims[e.Partition].at(e.Offset)
	d := e.digest()
	if claimed && c.book.digests[index] == d {
		c.confirmed[index] = true
		c.place(e, index, true)
		return
	}
	c.stray(e, d, index, claimed)
}

// stray handles an entry that no completion led to, or whose bytes are not
// those of the record that the completion named. A claimant that does not get
// its confirmation here is reported by Finish.
func (c *Checker) stray(e *Entry, d uint64, claimant int, claimed bool) {
	index, known, exact := c.identify(e, d)
	switch {
	case claimed && (!known || index == claimant):
		// The stamp agrees with the claim, or there is none: the bytes differ.
		c.confirmed[claimant] = true
		c.corrupt(e, claimant)
		c.place(e, claimant, true)
	case known:
		if c.book.digests[index] != d {
			c.corrupt(e, index)
		}
		c.place(e, index, exact)
	case c.wasSent(d):
		if !c.rules.AllowTwice {
			c.report.find(Twice, "a record of %d B at partition %d offset %d has its like elsewhere",
				e.ValueSize, e.Partition, e.Offset)
		}
	default:
		c.report.find(Foreign, "partition %d offset %d (key %d B, value %d B) was never sent",
			e.Partition, e.Offset, e.KeySize, e.ValueSize)
	}
}

// wasSent says whether any record has this digest. The set is built when it is
// first needed, which is never in a run without findings.
func (c *Checker) wasSent(d uint64) bool {
	if c.sent == nil {
		c.sent = make(map[uint64]struct{}, len(c.book.digests))
		for i, digest := range c.book.digests {
			if c.book.state[i].Load() != stateUnsent {
				c.sent[digest] = struct{}{}
			}
		}
	}
	_, ok := c.sent[d]
	return ok
}

// identify finds out which record an entry is without a completion's help.
func (c *Checker) identify(e *Entry, d uint64) (index int, known, exact bool) {
	if s, ok := e.stamp(c.book.plan.Run, c.topic); ok {
		index, known = c.book.index(makeID(int(s.Goroutine), int(s.Number)))
		return index, known, known
	}
	index, exact, known = c.unplaced.take(c.book, e, d)
	return index, known, exact
}

func (c *Checker) corrupt(e *Entry, index int) {
	difference := ""
	if c.report.Counts[Corrupt] < maxTold {
		difference = c.book.difference(index, e)
	}
	c.report.find(Corrupt, "%v at partition %d offset %d: %s", c.book.id(index), e.Partition, e.Offset, difference)
}

// place notes that the entry is this record. exact is false if another record
// with equal bytes could be meant as well: then the order says nothing.
func (c *Checker) place(e *Entry, index int, exact bool) {
	b, id := c.book, c.book.id(index)
	if c.found[index] < math.MaxUint8 {
		c.found[index]++
	}
	if c.found[index] > 1 {
		if !c.rules.AllowTwice {
			c.report.find(Twice, "%v is also at partition %d offset %d", id, e.Partition, e.Offset)
		}
		return
	}
	switch b.state[index].Load() {
	case stateNotPersisted, stateRefused, stateUnsent:
		c.report.find(Ghost, "%v was %s and lies at partition %d offset %d",
			id, stateNames[b.state[index].Load()], e.Partition, e.Offset)
	case statePossible:
		c.report.PossibleFound++
	}
	if want := b.address[index]; want >= 0 && want != e.Partition {
		c.report.find(Misplaced, "%v was meant for partition %d and lies in %d", id, want, e.Partition)
	}
	c.checkTimestamp(e, index)
	if exact {
		c.checkOrder(e, id)
	}
}

func (c *Checker) checkTimestamp(e *Entry, index int) {
	b := c.book
	if asked := b.asked[index]; asked != 0 && asked != e.Timestamp {
		c.report.find(Timestamp, "%v has timestamp %d, asked for %d", b.id(index), e.Timestamp, asked)
		return
	}
	reported := b.timestamps[index]
	if c.rules.ReportedTimestamps && b.state[index].Load() == stateAcked && reported >= 0 && reported != e.Timestamp {
		c.report.find(Timestamp, "%v has timestamp %d, reported %d", b.id(index), e.Timestamp, reported)
	}
}

func (c *Checker) checkOrder(e *Entry, id ID) {
	last := c.last[e.Partition]
	if last == nil {
		last = make([]int32, c.book.plan.Goroutines)
		for g := range last {
			last[g] = -1
		}
		c.last[e.Partition] = last
	}
	g, n := id.Goroutine(), int32(id.Number())
	if n < last[g] && !c.rules.AllowTwice {
		c.report.find(OutOfOrder, "%v lies at partition %d offset %d, after g%d/%d", id, e.Partition, e.Offset, g, last[g])
		return
	}
	last[g] = max(last[g], n)
}

// Finish returns the result, once everything was added.
func (c *Checker) Finish() *Report {
	b, r := c.book, &c.report
	for i := range b.state {
		state := b.state[i].Load()
		if state != stateUnsent {
			r.Sent++
		}
		switch state {
		case stateSent:
			r.find(Callback, "%v was never completed", b.id(i))
		case stateAcked:
			r.Acked++
			c.finishAcked(i)
		case stateNotPersisted:
			r.NotPersisted++
		case statePossible:
			r.Possible++
		case stateRefused:
			r.Refused++
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.nMistakes {
		r.find(Callback, "%s", b.mistakes[min(i, len(b.mistakes)-1)])
	}
	return r
}

func (c *Checker) finishAcked(i int) {
	b := c.book
	switch {
	case c.found[i] == 0 && !c.rules.MayLose:
		c.report.find(Lost, "%v, reported at partition %d offset %d", b.id(i), b.partitions[i], b.offsets[i])
	case c.found[i] > 0 && b.offsets[i] >= 0 && !c.confirmed[i]:
		c.report.find(Misplaced, "%v is in the log, but not at partition %d offset %d as reported",
			b.id(i), b.partitions[i], b.offsets[i])
	}
}
