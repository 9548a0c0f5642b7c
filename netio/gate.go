package netio

import (
	"fmt"
	"sync/atomic"

	"github.com/kring-go/kring/internal/invariant"
)

// maxInFlight is the size of the array of in-flight entries. Kafka's own limit
// for idempotent producers is five; the rest is room for experiments.
const maxInFlight = 64

// phase says how far a request has come. A request only moves downwards.
type phase uint8

const (
	phaseFree     phase = iota // nobody's
	phaseBuilding              // between Begin and Send
	phaseWriting               // between Send and Handler.Written
	phaseWaiting               // written, the broker owes an answer
)

// entry is one request in flight.
type entry struct {
	deadline      int64 // monotonic nanoseconds, 0 for none
	correlationID int32
	phase         phase
	expectAnswer  bool
	sentBytes     bool // at least one byte has left
}

// gate is the fixed array of requests in flight, oldest at head. Position
// only grows and a request's slot is position % limit, so a slot number is
// always below MaxInFlight.
//
//	        head                 tail
//	          ▼                   ▼
//	… free │ waiting │ waiting │ writing │ free …
//
// The role's holder owns everything but count, which anybody may read: only
// begin adds to it and only release subtracts, once per request, because
// release takes the entry from a phase that it can not be in twice.
type gate struct {
	head, tail uint64
	limit      uint64
	count      atomic.Int32 // entries that are not free: 0 ≤ count ≤ limit
	entries    [maxInFlight]entry
}

// open reports whether another request may begin.
func (g *gate) open() bool { return g.tail-g.head < g.limit }

// slotOf translates a position into a slot.
func (g *gate) slotOf(pos uint64) int { return int(pos % g.limit) }

// begin claims the next entry. The gate must be open.
func (g *gate) begin() int {
	slot := g.slotOf(g.tail)
	if invariant.Enabled && g.entries[slot].phase != phaseFree {
		panic(fmt.Sprintf("netio: slot %d is in phase %d, want free", slot, g.entries[slot].phase))
	}
	g.tail++
	g.entries[slot] = entry{phase: phaseBuilding}
	g.check(g.count.Add(1))
	return slot
}

// release gives an entry back. A request without an answer may end before an
// older one, so head moves over everything that is free.
func (g *gate) release(slot int) {
	if g.entries[slot].phase == phaseFree {
		panic(fmt.Sprintf("netio: slot %d released twice", slot))
	}
	g.entries[slot].phase = phaseFree
	for g.head < g.tail && g.entries[g.slotOf(g.head)].phase == phaseFree {
		g.head++
	}
	g.check(g.count.Add(-1))
}

// oldest returns the slot of the oldest request, or -1.
func (g *gate) oldest() int {
	if g.head == g.tail {
		return -1
	}
	return g.slotOf(g.head)
}

// nextDeadline returns the earliest deadline, 0 if there is none. Deadlines
// need not grow with position, so it looks at all (five, usually).
func (g *gate) nextDeadline() int64 {
	earliest := int64(0)
	for pos := g.head; pos < g.tail; pos++ {
		e := &g.entries[g.slotOf(pos)]
		if e.phase == phaseFree || e.deadline == 0 {
			continue
		}
		if earliest == 0 || e.deadline < earliest {
			earliest = e.deadline
		}
	}
	return earliest
}

// postpone moves every deadline by the time for which the broker is silent on
// purpose (throttling), which is not the request's own delay.
func (g *gate) postpone(by int64) {
	for pos := g.head; pos < g.tail; pos++ {
		if e := &g.entries[g.slotOf(pos)]; e.deadline != 0 {
			e.deadline += by
		}
	}
}

func (g *gate) check(count int32) {
	if invariant.Enabled && (count < 0 || uint64(count) > g.limit) {
		panic(fmt.Sprintf("netio: %d requests in flight, limit %d", count, g.limit))
	}
}
