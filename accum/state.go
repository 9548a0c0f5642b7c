package accum

import "sync/atomic"

// state is the whole life of a batch in one word, so that one CAS reserves
// bytes, a record index and the right to write, and one Add gives the right
// back:
//
//	 63       42 41        21 20       8 7        1   0
//	+-----------+------------+----------+----------+---+
//	|    gen    |   offset   |  count   | writers  | S |
//	+-----------+------------+----------+----------+---+
//
// gen counts the lives of the batch modulo 2^22: a goroutine that stalls with
// a word of an earlier life fails its CAS. offset is the number of bytes
// reserved in the slot, header included. count is the number of records
// reserved. writers is the number of goroutines between reserve and commit.
// S says that the batch is sealed: nothing more is reserved in this life.
type state uint64

const (
	sealedBit = 1

	writersShift = 1
	writersBits  = 7
	countShift   = writersShift + writersBits
	countBits    = 13
	offsetShift  = countShift + countBits
	offsetBits   = 21
	genShift     = offsetShift + offsetBits
	genBits      = 64 - genShift

	maxWriters = 1<<writersBits - 1
	maxCount   = 1<<countBits - 1
	maxOffset  = 1<<offsetBits - 1
	genMask    = 1<<genBits - 1

	oneWriter = 1 << writersShift
)

// MaxBatchBytes is the largest batch that the state word can describe, and so
// the upper limit of batch.size.
const MaxBatchBytes = maxOffset

// The word must be used up exactly, and gen must stay wide enough to make a
// stalled CAS hopeless: 2^22 lives of one slot.
var (
	_ [64]struct{} = [genShift + genBits]struct{}{}
	_ [22]struct{} = [genBits]struct{}{}
)

func makeState(gen uint32, offset, count, writers int) state {
	return state(gen&genMask)<<genShift | state(offset)<<offsetShift |
		state(count)<<countShift | state(writers)<<writersShift
}

func (s state) sealed() bool { return s&sealedBit != 0 }
func (s state) writers() int { return int(s>>writersShift) & maxWriters }
func (s state) count() int   { return int(s>>countShift) & maxCount }
func (s state) offset() int  { return int(s>>offsetShift) & maxOffset }
func (s state) gen() uint32  { return uint32(s >> genShift) }

// complete says that nobody will write to the batch again in this life.
func (s state) complete() bool { return s&(sealedBit|maxWriters<<writersShift) == sealedBit }

// reserve adds n records of size bytes together and their one writer. The
// caller has checked that no field overflows (roomFor).
func (s state) reserve(size, n int) state {
	return s + state(size)<<offsetShift + state(n)<<countShift + oneWriter
}

// roomFor says whether n records of size bytes together may be reserved in a
// batch that may hold limit bytes and maxRecords records.
func (s state) roomFor(size, n, limit, maxRecords int) bool {
	return s.offset()+size <= limit && s.count()+n <= maxRecords && s.writers() < maxWriters
}

// stateCell is the shared state word of a batch.
type stateCell struct{ u atomic.Uint64 }

func (c *stateCell) load() state           { return state(c.u.Load()) }
func (c *stateCell) store(s state)         { c.u.Store(uint64(s)) }
func (c *stateCell) cas(old, n state) bool { return c.u.CompareAndSwap(uint64(old), uint64(n)) }

// commit takes one writer out and returns the state after it.
func (c *stateCell) commit() state { return state(c.u.Add(^uint64(oneWriter - 1))) }

// giveBack takes the last bytes and records that were reserved off again. For a
// writer that nobody has reserved behind.
func (c *stateCell) giveBack(size, n int) {
	c.u.Add(-(uint64(size)<<offsetShift + uint64(n)<<countShift))
}

// seal sets S in the life gen and reports whether this call set it, and the
// state that it left.
func (c *stateCell) seal(gen uint32) (s state, won bool) {
	for {
		s = c.load()
		if s.gen() != gen || s.sealed() {
			return s, false
		}
		if c.cas(s, s|sealedBit) {
			return s | sealedBit, true
		}
	}
}

// word names a batch in one of its lives: the open word of a partition, its
// first word, and the link from one batch to the next.
//
//	 63      32 31          0
//	+----------+-------------+
//	|   gen    |  index + 1  |
//	+----------+-------------+
//
// In a partition gen is the life of the batch that the word names. In a link
// gen is the life of the batch that holds the link: the CAS of a goroutine
// that stalled with the link of an earlier life must fail.
type word uint64

const (
	noBatch     = 0
	closedIndex = 1<<32 - 1 // low half: no batch will follow here
)

func makeWord(gen, index uint32) word { return word(gen)<<32 | word(index+1) }
func emptyLink(gen uint32) word       { return word(gen) << 32 }
func closedLink(gen uint32) word      { return word(gen)<<32 | closedIndex }

func (w word) gen() uint32   { return uint32(w >> 32) }
func (w word) index() uint32 { return uint32(w) - 1 }
func (w word) empty() bool   { return uint32(w) == noBatch }
func (w word) closed() bool  { return uint32(w) == closedIndex }

// wordCell is a shared word.
type wordCell struct{ u atomic.Uint64 }

func (c *wordCell) load() word           { return word(c.u.Load()) }
func (c *wordCell) store(w word)         { c.u.Store(uint64(w)) }
func (c *wordCell) cas(old, n word) bool { return c.u.CompareAndSwap(uint64(old), uint64(n)) }
