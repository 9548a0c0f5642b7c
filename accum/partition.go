package accum

import (
	"sync/atomic"
)

// ReadySink is told that a partition has something for the sender. It is
// called by any goroutine, never under a lock, at most once until the sender
// calls Unmark.
type ReadySink interface{ PartitionReady(p *Partition) }

// Partition is one topic-partition: an open batch that callers append to, and
// behind it the chain of older batches in the order in which they were opened.
//
//	first ──► batch ──link──► batch ──link──► open batch ◄── open
//	 ▲ sender takes here                       ▲ callers append here
//
// The chain is the per-partition queue. It is intrusive, so a partition costs
// no memory of its own per queued batch, and it is bounded by the slab.
type Partition struct {
	// Immutable.
	Topic string
	Index int32
	acc   *Accumulator
	sink  ReadySink
	ratio *ratio // of its topic, when compressed
	// limit is the bytes at which a batch that holds a record is full. It
	// changes with settings, and when batches are compressed.
	limit atomic.Int64

	_ [64]byte
	// open names the batch that is appended to: none, a batch in one of its
	// lives, or closed for ever. Moved by CAS only: from none to a new batch
	// (opener), from a batch to its successor (anyone who meets it, after
	// the link says so), from a batch to none (anyone, after the link is
	// closed), from none to closed (Close).
	open wordCell
	_    [120]byte
	// first is the batch after which the sender has nothing: written by the
	// goroutine that opened a batch from none, taken by the sender.
	first wordCell
	// queued is 1 while the partition stands in a ready ring; set by
	// MarkReady, cleared by the sender before it looks at the partition.
	queued atomic.Uint32
	// lingering is 1 while the timer has an entry for the partition.
	lingering atomic.Uint32
	_         [104]byte

	sender senderSide
}

// MarkReady tells the sink, once, that the sender should look at p.
//
// Publish before marking: whoever makes something visible to the sender (a
// batch, a seal) does so before it calls MarkReady. The sender clears the flag
// before it looks. So either the sender's look sees the news, or the news's
// MarkReady comes after the clear and queues the partition again.
func (p *Partition) MarkReady() {
	if p.queued.Load() == 0 && p.queued.CompareAndSwap(0, 1) {
		p.sink.PartitionReady(p)
	}
}

// Sink is what the partition was added with.
func (p *Partition) Sink() ReadySink { return p.sink }

// Unmark is called by the sender when it takes p out of a ready ring, before
// it looks at p.
func (p *Partition) Unmark() { p.queued.Store(0) }

// Mark claims the ready flag without telling the sink; the sender does so
// when it moves p to the ready ring of another broker itself.
func (p *Partition) Mark() bool { return p.queued.CompareAndSwap(0, 1) }

// SealOpen seals the open batch, if there is one, so that it is sent without
// waiting for its linger. Records of the same partition that are accepted
// later go to the next batch.
func (p *Partition) SealOpen() {
	w := p.open.load()
	if w.empty() || w.closed() {
		return
	}
	b := &p.acc.batches[w.index()]
	b.sealing(p.acc.cfg.Clock.Now())
	if s, won := b.state.seal(w.gen()); won && s.complete() {
		p.handOverLater(b, w.gen())
	}
}

// Ticket names the batch that took a record.
type Ticket uint64

// Seal ends the linger of the batch that t names, if it still has any.
func (p *Partition) Seal(t Ticket) {
	b := &p.acc.batches[word(t).index()]
	b.sealing(p.acc.cfg.Clock.Now())
	if s, won := b.state.seal(word(t).gen()); won && s.complete() {
		p.handOver(b, s.gen())
	}
}

// close makes p refuse new batches for ever. False: a batch is open; it must
// be sealed and sent first.
func (p *Partition) close() bool {
	w := p.open.load()
	return w.closed() || w.empty() && p.open.cas(w, closedIndex)
}
