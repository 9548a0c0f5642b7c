package accum

import "sync/atomic"

// Delivery is the outcome of one record.
type Delivery struct {
	// Topic and Partition say where the record went, or would have gone.
	Topic     string
	Partition int32
	// Offset is the record's offset in the partition; -1 when it is not known:
	// acks=0, a batch that the broker had already, or an error.
	Offset int64
	// Timestamp is the record's timestamp in the log, in Unix milliseconds:
	// the record's own, or the broker's if the topic uses LogAppendTime.
	Timestamp int64
	// Tag is Record.Tag as the caller set it.
	Tag uint64
	// Err is nil for a delivered record; otherwise it says whether the record
	// may be in the log all the same.
	Err error
}

// Callback receives the outcome of one record.
type Callback func(Delivery)

// Completion is what a record leaves behind in its batch: whom to tell.
type Completion struct {
	Callback Callback
	Tag      uint64
}

// chunkSize is the number of completions that are allocated together. A small
// batch of 100-byte records needs one chunk, one of empty records many.
const (
	chunkShift = 5
	chunkSize  = 1 << chunkShift
)

type chunk [chunkSize]Completion

// completions holds one Completion per record of a batch. Chunks are allocated
// when a batch first grows into them and stay for all later lives of the
// batch. Entry i belongs to the writer of record i between its reserve and its
// commit, and to the completing side after the batch is complete.
type completions struct {
	chunks []atomic.Pointer[chunk]
	used   atomic.Bool // some record of this life stored a completion
}

// ensure makes the chunk of entry i exist. It may allocate, so it must be
// called before the reservation.
func (c *completions) ensure(i int) *chunk {
	p := &c.chunks[i>>chunkShift]
	if k := p.Load(); k != nil {
		return k
	}
	p.CompareAndSwap(nil, new(chunk))
	return p.Load()
}

// set stores the completion of record i. ensure(i) must have been called.
func (c *completions) set(i int, done Completion) {
	c.chunks[i>>chunkShift].Load()[i&(chunkSize-1)] = done
	if !c.used.Load() {
		c.used.Store(true)
	}
}

// take returns the completion of record i and forgets it, so that the batch
// does not keep the caller's closure alive.
func (c *completions) take(i int) Completion {
	k := c.chunks[i>>chunkShift].Load()
	if k == nil {
		return Completion{}
	}
	done := k[i&(chunkSize-1)]
	k[i&(chunkSize-1)] = Completion{}
	return done
}
