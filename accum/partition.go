package accum

import (
	"sync/atomic"
)

// ReadySink is told that a partition has something for the sender. It is
// called by any goroutine, never under a lock, at most once until the sender
// calls Unmark.
type ReadySink interface{ PartitionReady(p *Partition) }

// Partition is one topic-partition: the strand that everybody appends to, those
// that have one writer each, and the sender's side of them all.
type Partition struct {
	// Immutable.
	Topic string
	Index int32
	acc   *Accumulator
	sink  ReadySink
	topic *topic
	// limit is the bytes at which a batch that holds a record is full. It
	// changes with settings, and when batches are compressed.
	limit       atomic.Int64
	brokerShare brokerShare

	_ [64]byte
	Strand
	_ [120]byte
	// queued is 1 while the partition stands in a ready ring; set by
	// MarkReady, cleared by the sender before it looks at the partition.
	queued atomic.Uint32
	// incomplete counts the batches that were opened and whose life has not
	// ended, if the accumulator CountBatches.
	incomplete atomic.Int32
	_          [120]byte

	strands strands
	sender  senderSide
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

// Incomplete is how many batches have been opened and have no outcome, or one
// that the callbacks have not been told; 0 unless Config.CountBatches.
func (p *Partition) Incomplete() int32 { return p.incomplete.Load() }

// Sink is what the partition was added with.
func (p *Partition) Sink() ReadySink { return p.sink }

// Unmark is called by the sender when it takes p out of a ready ring, before
// it looks at p.
func (p *Partition) Unmark() { p.queued.Store(0) }

// Mark claims the ready flag without telling the sink; the sender does so
// when it moves p to the ready ring of another broker itself.
func (p *Partition) Mark() bool { return p.queued.CompareAndSwap(0, 1) }

// SealOpen seals the open batches, so that they are sent without waiting for
// their linger. Records of the same partition that are accepted later go to the
// next batch.
func (p *Partition) SealOpen() {
	p.each(func(q *Strand) bool {
		q.sealOpen()
		return true
	})
}

// Ticket names the batch that took a record.
type Ticket uint64

// EndLinger makes the batch that t names due. Unlike Seal it leaves it open: until
// the sender has room for it others may join.
func (p *Partition) EndLinger(t Ticket) {
	b, gen := p.acc.batch(word(t).index()), word(t).gen()
	// In this order: what stands there when b has lived on meanwhile is that
	// life's, and is left alone.
	was := b.hurried.Load()
	if b.state.load().gen() != gen {
		return
	}
	b.hurried.CompareAndSwap(was, gen+1)
	if s := b.state.load(); s.gen() == gen && !s.sealed() {
		p.MarkReady()
	}
}

// Seal closes the batch that t names, if nobody has.
func (p *Partition) Seal(t Ticket) {
	b := p.acc.batch(word(t).index())
	if s, won := b.seal(word(t).gen(), p.acc.cfg.Clock.Now()); won && s.complete() {
		p.handOver(b, s.gen())
	}
}
