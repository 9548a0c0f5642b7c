package ledger

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Outcome is what the producer said about a record.
type Outcome uint8

// The outcomes of a completion.
const (
	Acked             Outcome = iota + 1 // in the log
	NotPersisted                         // certainly not in the log
	PossiblyPersisted                    // nobody knows
)

// Completion is one call of the producer's callback.
type Completion struct {
	ID        ID
	Outcome   Outcome
	Partition int32
	Offset    int64 // -1: unknown
	Timestamp int64 // milliseconds; -1: unknown
}

// The states of a record, in Book.state.
const (
	stateUnsent uint32 = iota
	stateSent
	stateAcked
	stateNotPersisted
	statePossible
	stateRefused // Send returned an error: no completion may come
)

var stateNames = [...]string{"unsent", "sent", "acked", "not persisted", "possibly persisted", "refused"}

// Book remembers one run: a digest and an outcome per record, 40 bytes.
type Book struct {
	plan  Plan
	first []int // first[g] is the index of goroutine g's first record
	total int

	// Written by the producing goroutine before it hands the record over.
	digests []uint64
	address []int32 // intended partition, -1 if it is the partitioner's
	asked   []int64 // explicit timestamp, 0 if none

	// Written by the one completion that moved state from sent.
	offsets    []int64
	partitions []int32
	timestamps []int64
	state      []atomic.Uint32

	pace     Pace
	latency  []atomic.Int64 // response time of a paced run, ns from the intended moment; 0: none
	finished atomic.Int64   // completions so far

	mu        sync.Mutex
	mistakes  []string // what was wrong with completions themselves, capped
	nMistakes int
}

// Pace is an open loop: record number n of goroutine g is due at
// Start + (n·goroutines + g)·Interval, however late the ones before it are.
// A zero Interval is a closed loop without latencies.
type Pace struct {
	Start    time.Time
	Interval time.Duration
}

// NewBook makes an empty book for a plan.
func NewBook(plan Plan, pace Pace) *Book {
	b := &Book{plan: plan, pace: pace, first: make([]int, plan.Goroutines)}
	for g := range b.first {
		b.first[g] = b.total
		b.total += plan.Of(g)
	}
	b.digests = make([]uint64, b.total)
	b.address = make([]int32, b.total)
	b.asked = make([]int64, b.total)
	b.offsets = make([]int64, b.total)
	b.partitions = make([]int32, b.total)
	b.timestamps = make([]int64, b.total)
	b.state = make([]atomic.Uint32, b.total)
	if pace.Interval > 0 {
		b.latency = make([]atomic.Int64, b.total)
	}
	return b
}

// Plan returns the plan of the run.
func (b *Book) Plan() *Plan { return &b.plan }

// index returns the place of a record in the slices; false if the run has no
// such record.
func (b *Book) index(id ID) (int, bool) {
	g, n := id.Goroutine(), id.Number()
	if g >= b.plan.Goroutines || n >= b.plan.Of(g) {
		return 0, false
	}
	return b.first[g] + n, true
}

// id is the inverse of index.
func (b *Book) id(index int) ID {
	g := len(b.first) - 1
	for b.first[g] > index {
		g--
	}
	return makeID(g, index-b.first[g])
}

// Sent notes a record before it is handed to the producer.
func (b *Book) Sent(id ID, r *Record) {
	i, _ := b.index(id)
	b.digests[i] = digestOf(r)
	b.address[i] = b.intended(r)
	b.asked[i] = r.Timestamp
	b.state[i].Store(stateSent)
}

// intended returns the partition in which the record must turn up, -1 for any.
func (b *Book) intended(r *Record) int32 {
	if r.Partition < 0 && r.Key != nil && b.plan.KeyPartition != nil {
		return b.plan.KeyPartition(r.Key, b.plan.Partitions)
	}
	return r.Partition
}

// Refused notes that the producer did not accept the record.
func (b *Book) Refused(id ID) {
	i, _ := b.index(id)
	if !b.state[i].CompareAndSwap(stateSent, stateRefused) {
		b.mistake("%v was refused after its completion", id)
	}
}

// Complete notes a completion.
func (b *Book) Complete(c Completion) {
	i, ok := b.index(c.ID)
	if !ok {
		b.mistake("completion of %v, which is not of this run", c.ID)
		return
	}
	next := stateAcked + uint32(c.Outcome-Acked)
	if c.Outcome < Acked || c.Outcome > PossiblyPersisted || !b.state[i].CompareAndSwap(stateSent, next) {
		b.mistake("%v, %s, was completed with outcome %d", c.ID, stateNames[b.state[i].Load()], c.Outcome)
		return
	}
	b.offsets[i], b.partitions[i], b.timestamps[i] = c.Offset, c.Partition, c.Timestamp
	if b.latency != nil {
		due := b.Due(c.ID)
		b.latency[i].Store(max(1, int64(time.Since(due))))
	}
	b.finished.Add(1)
}

// Due returns when a record of a paced run should be sent.
func (b *Book) Due(id ID) time.Time {
	turn := id.Number()*b.plan.Goroutines + id.Goroutine()
	return b.pace.Start.Add(time.Duration(turn) * b.pace.Interval)
}

// Finished returns the number of completions so far.
func (b *Book) Finished() int { return int(b.finished.Load()) }

func (b *Book) mistake(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.nMistakes++
	if len(b.mistakes) < maxTold {
		b.mistakes = append(b.mistakes, fmt.Sprintf(format, args...))
	}
}

// Outcomes counts the records by what became of them.
func (b *Book) Outcomes() map[string]int {
	counts := map[string]int{}
	for i := range b.state {
		counts[stateNames[b.state[i].Load()]]++
	}
	return counts
}
