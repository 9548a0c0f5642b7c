package kring

import (
	"math/bits"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// stickyPartitioner chooses the partitions of one topic's records without a
// key. Records stick to a partition until a batch's worth of bytes went there,
// then move on (KIP-794), so that batches fill and every partition gets the
// same number of bytes.
//
//	goroutine ─► shardOf ─► shards[hash >> shift] ─ partition, bytes ─► pick
//	                              │ enough bytes                         ▲
//	                              ▼                                      │
//	                        the next partition ◄── loads ◄── update ◄── sender
//
// What sticks is not the topic but a shard of its producing goroutines: two
// cores that append to one partition pay two to three times as much for each
// record as two that append to different ones. But as many open batches as
// goroutines are a waste where few records come: the linger would close each
// almost empty. So the topic starts with one shard, doubles them while turns end
// with full batches, and halves them while they do not. Many slow goroutines
// then fill one batch at a time, as in the Java client, and busy ones soon have
// a partition each.
//
// Any goroutine may call pick and produced. update belongs to the sender, one
// call at a time.
type stickyPartitioner struct {
	// limit is how many bytes make a partition's turn: batch.size.
	limit atomic.Uint64

	// minShift is the shift at which every shard is in use.
	minShift uint32

	// loads says where the next turn may go, and nil means to all partitions
	// alike. It points to immutable tables: written by update, read whenever
	// a turn begins.
	loads atomic.Pointer[loadTable]

	// shift turns a goroutine's hash into a shard: 32 is one shard, 31 two,
	// and so on. Read for every record, written when the shards change.
	shift atomic.Uint32

	_ [cacheLinePair]byte

	// next counts the turns of all shards, which is what spreads them: no
	// two shards get the same number.
	next atomic.Uint32

	// filled is how many turns ended with a full batch, less those that did
	// not, since the shards last changed.
	filled atomic.Int32

	_ [cacheLinePair - 8]byte

	shards []stickyShard

	// backlog is of a partition, for LeastBackedUpPartitioning; nil: turns go by
	// loads.
	backlog func(partition int32) int32
}

// stickyShard is one shard's turn. Normally one goroutine writes it; any may.
type stickyShard struct {
	turn atomicTurn
	_    [cacheLinePair - 8]byte
}

// cacheLinePair is what must lie between words that different cores write: two
// lines of 64 bytes, since x86 prefetches lines in pairs.
const cacheLinePair = 128

var _ [cacheLinePair]byte = [unsafe.Sizeof(stickyShard{})]byte{}

const (
	// maxShards bounds the memory of a topic, 8 KiB here, and the number of
	// its partitions that are being filled at once.
	maxShards = 64

	// shardsPerCore leaves room, because goroutines fall into shards by a
	// hash: with as many shards as cores, two of them would often meet.
	shardsPerCore = 4

	// oneShard is the shift that leads every hash to the first shard.
	oneShard = 32

	// turnsToChange is how many more turns must have ended one way than the
	// other before the shards change. A change costs each shard one short
	// batch, so it should be rare; and 3 changes of 8 turns are soon over.
	turnsToChange = 8
)

// newStickyPartitioner makes the state of one topic. batchSize is at least 1. seed is any number: it
// decides where the first turn goes, so that the many producers of a fleet do
// not all begin with partition 0.
func newStickyPartitioner(batchSize int, seed uint32) *stickyPartitioner {
	shards := min(maxShards, shardsPerCore*runtime.GOMAXPROCS(0))
	log2 := bits.Len(uint(shards - 1))
	s := &stickyPartitioner{
		minShift: uint32(oneShard - log2),
		shards:   make([]stickyShard, 1<<log2),
	}
	s.limit.Store(uint64(batchSize))
	s.shift.Store(oneShard)
	s.next.Store(seed)
	return s
}

// turn is a shard's partition and the bytes that went there, in one word:
//
//	 63              32 31               0
//	+------------------+------------------+
//	|  partition + 1   |      bytes       |
//	+------------------+------------------+
//
// Zero is a shard that has to choose: its partition, -1, is none. The bytes can not overflow into the
// partition: a turn ends at twice the limit, so there are never more than
// 2·2 MiB plus one record.
type turn uint64

func newTurn(partition int32) turn        { return turn(partition+1) << 32 }
func (t turn) partition() int32           { return int32(t>>32) - 1 }
func (t turn) bytes() uint64              { return uint64(uint32(t)) }
func (t turn) with(bytes uint64) turn     { return t&^0xffffffff | turn(uint32(bytes)) }
func (t turn) fits(partitions int32) bool { return uint32(t.partition()) < uint32(partitions) }

type atomicTurn struct{ u atomic.Uint64 }

func (a *atomicTurn) load() turn             { return turn(a.u.Load()) }
func (a *atomicTurn) cas(from, to turn) bool { return a.u.CompareAndSwap(uint64(from), uint64(to)) }

// shard finds a goroutine's shard by its hash.
func (s *stickyPartitioner) shard(hash uint32) *stickyShard {
	return &s.shards[hash>>s.shift.Load()]
}

// pick returns the partition that the goroutine's records go to now. partitions
// is how many the topic has, at least 1. hash is what shardOf returned.
func (s *stickyPartitioner) pick(hash uint32, partitions int32) int32 {
	sh := s.shard(hash)
	for {
		t := sh.turn.load()
		// The topic may have been created anew, with fewer partitions.
		if t.fits(partitions) {
			return t.partition()
		}
		if chosen := newTurn(s.choose(partitions)); sh.turn.cas(t, chosen) {
			return chosen.partition()
		}
	}
}

// produced counts bytes that were appended to the partition that pick returned.
// batchFull says that the batch they are in has no room left. A turn ends when
// it has had its bytes and the batch is full; or at twice the bytes, for a
// batch may never get full, because records with keys and the linger close it
// first. Waiting for the full batch is what avoids batches cut short by the
// change of turns.
//
// It may be called for each record, or once for each batch with all its bytes
// and batchFull. The call is a locked instruction, which costs as much as a
// tenth to a third of an append; so whoever knows a batch's bytes when it rolls
// over to the next counts them there.
func (s *stickyPartitioner) produced(hash uint32, partition int32, bytes int, batchFull bool) {
	sh := s.shard(hash)
	for {
		t := sh.turn.load()
		if t.partition() != partition {
			return // Another goroutine of the shard has ended this turn.
		}
		sum := t.bytes() + uint64(max(1, bytes))
		after := t.with(sum)
		limit := s.limit.Load()
		filled := sum >= limit && batchFull
		if filled || sum >= 2*limit {
			after = 0
		}
		if sh.turn.cas(t, after) {
			if after == 0 {
				s.ended(filled)
			}
			return
		}
	}
}

// ended counts a turn that is over, and changes the shards if most turns lately
// ended alike.
func (s *stickyPartitioner) ended(filled bool) {
	if filled {
		if s.filled.Add(1) >= turnsToChange {
			s.filled.Store(0)
			s.split()
		}
	} else if s.filled.Add(-1) <= -turnsToChange {
		s.filled.Store(0)
		s.merge()
	}
}

// split doubles the shards. Goroutines whose hash leads them to another one now
// begin a turn there, or go on with one that was left in the middle.
func (s *stickyPartitioner) split() {
	if shift := s.shift.Load(); shift > s.minShift {
		s.shift.CompareAndSwap(shift, shift-1)
	}
}

// merge halves the shards.
func (s *stickyPartitioner) merge() {
	if shift := s.shift.Load(); shift < oneShard {
		s.shift.CompareAndSwap(shift, shift+1)
	}
}

// shardOf returns a hash that stays the same while a goroutine calls from the
// same place, and that differs between goroutines: it is taken from the address
// of a local variable, which lies in the goroutine's own stack. Go has no id of
// a goroutine or core to offer that would cost as little (1 ns). The smallest
// stack has 2 KiB, so the 11 lower bits say nothing. A stack that grows moves,
// and its goroutine then begins another turn, which is harmless.
//
// The multiplication spreads stacks that lie side by side, as those of
// goroutines started together do, evenly over the upper bits.
func shardOf() uint32 {
	var local byte
	page := uint64(uintptr(unsafe.Pointer(&local))) >> 11
	return uint32(page * fibonacci >> 32)
}

// fibonacci is 2^64 divided by the golden ratio: its multiples, modulo 2^64, keep
// as far from each other as is possible.
const fibonacci = 0x9e3779b97f4a7c15

// keyed says that the record's key decides where it goes, if nothing else does.
func (c *config) keyed(r *Record) bool { return r.Key != nil && !c.ignoreKeys }

// byKey is where records with the key go.
func byKey(parts []*partition, key []byte) *partition {
	return parts[partitionForKey(key, int32(len(parts)))]
}
