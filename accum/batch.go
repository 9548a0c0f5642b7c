package accum

import (
	"sync/atomic"

	"github.com/kring-go/kring/wire"
)

// Batch is one record batch of one partition. Batch i of an accumulator lives
// in slot i of the slab for ever; a record that is larger than a slot takes
// further slots, its chain. A batch has many lives, one after the other:
//
//	free ─open──► open ─seal──► sealed ─last writer out──► complete
//	  ▲                                                        │ drained
//	  └── record side and socket side let go ◄── outcome ◄── in flight ⇄ retry
//
// Who may touch what: state, link, baseTs and maxTs are shared by the writers.
// The fields of "opener" are written by the goroutine that opens the batch,
// before it is published, and are read-only until the batch is free again. The
// fields of "sender" belong to the holder of the role of the partition's
// broker, and after Finish to the completion lane.
type Batch struct {
	state stateCell
	_     [120]byte
	link  wordCell // successor in the partition's chain
	maxTs atomic.Int64
	// mixed is set by the writer of a record whose timestamp is not the
	// base; without it the completing side need not read the records.
	mixed atomic.Bool
	// deadline is the earliest of the records of this life, as far as it is
	// not over; 0: none has one. Lowered by the writers, see setDeadline.
	deadline atomic.Int64
	_        [96]byte

	// Immutable for all lives.
	buf   []byte
	index uint32
	acc   *Accumulator

	done      completions
	deadlines deadlines

	// Of the packer, and of the sender when pack says so, see pack.go.
	pack       packCell
	attributes int16
	wire       []byte // what is sent, header included; empty: the slot as it is

	// Written by the opener. baseTs and created are atomic because a
	// goroutine with a stale open word may look before its CAS fails.
	baseTs  atomic.Int64
	created atomic.Int64
	part    *Partition
	strand  *Strand
	shares  [2]*Share // that its memory counts in

	// hurried is gen+1 of the life that does not linger. A word of an earlier
	// life means nothing, so nobody resets it.
	hurried    atomic.Uint32
	sealedAt   atomic.Int64 // see sealing
	finishedAt int64        // of the sender until Finish, then the lane's
	epoch      uint64       // flush epoch in which the batch was opened
	chain      []uint32     // further slots; empty unless the one record is oversize

	Sender SenderState

	// Split children only (heap memory, no slot): the completions that moved
	// here, and the batch whose slot their parent still holds.
	parent   *Batch
	pieces   atomic.Int32 // a parent: children without an outcome
	moved    []Completion
	heapSize int
	records  int32

	// See cull.go. missed is the sender's until Finish, then the lane's. A piece
	// that is lent took nothing of its parent's but records, and has its outcome
	// before it; one that is within has its callbacks among the parent's.
	missed []missed
	lent   bool
	within bool

	laneNext atomic.Pointer[Batch]
	outcome  Outcome
	live     atomic.Uint64 // epoch+1 while the batch holds accepted records, else 0
}

// SenderState is what the sender keeps with a batch between drain and outcome.
type SenderState struct {
	Sequence      int64 // logical first sequence; -1 when none is assigned
	ProducerID    int64
	ProducerEpoch int16
	Attempts      int
	RetryAt       int64 // monotonic ns; not to be sent before
	// Ambiguous is set when a request that carried the batch left and no
	// definite answer came; it stays set over later retriable errors.
	Ambiguous bool
	// Orphaned is set when a connection ended under a request that carried the
	// batch: a copy may still lie before the broker, and be looked at later than
	// what is sent over the next connection. It stays set.
	Orphaned bool
	// Rejected is set when the broker refused the batch's sequence as the
	// oldest outstanding one: the batch is certainly not in the log.
	Rejected  bool
	Finished  bool // the outcome is out; a late response must not change it
	LastCode  int16
	LastError error
	Order     uint64 // position in the partition's history, for retries
}

// Outcome is what the completion lane tells the callers.
type Outcome struct {
	BaseOffset    int64 // -1 unknown
	LogAppendTime int64 // -1: the records keep their own timestamps
	Err           error
	// Records holds the errors of single records, by index; nil: Err is for
	// all of them.
	Records map[int]error
}

// initBatches makes list the batches of the slots from the first on, for lives
// after gen.
func (a *Accumulator) initBatches(list []Batch, first, maxRecords int, gen uint32) {
	per := (maxRecords + chunkSize - 1) / chunkSize
	chunks := make([]atomic.Pointer[chunk], per*len(list))
	for k := range list {
		b := &list[k]
		b.index, b.acc = uint32(first+k), a
		b.buf = a.slab.Bytes(b.index)
		b.done.chunks = chunks[k*per : (k+1)*per : (k+1)*per]
		b.state.store(makeState(gen, 0, 0, 0) | sealedBit)
	}
}

// limit is the bytes at which b, of p in this life, is full.
func (b *Batch) limit(p *Partition) int { return min(int(p.limit.Load()), len(b.buf)) }

// Partition is the partition that the batch belongs to in this life.
func (b *Batch) Partition() *Partition { return b.part }

// Records is the number of records. Only for a complete batch.
func (b *Batch) Records() int {
	if b.heap() {
		return int(b.records)
	}
	return b.state.load().count()
}

// heap says that the batch is the child of a split and has no slot.
func (b *Batch) heap() bool { return b.parent != nil }

// Size is the number of bytes of the batch on the wire. Only for a batch that
// Next returned.
func (b *Batch) Size() int {
	if len(b.wire) > 0 {
		return len(b.wire)
	}
	return b.rawSize()
}

// RawSize is Size before compression. Only for a complete batch.
func (b *Batch) RawSize() int { return b.rawSize() }

// rawSize is the number of bytes of the records as they were written, and a
// header. Only for a complete batch.
func (b *Batch) rawSize() int {
	if b.heapSize > 0 {
		return b.heapSize
	}
	return b.state.load().offset()
}

// Created is the monotonic time at which the batch was opened, in ns.
func (b *Batch) Created() int64 { return b.created.Load() }

// AppendSegments appends the batch's bytes to dst, in order. Only for a
// complete batch whose header has been written.
func (b *Batch) AppendSegments(dst [][]byte) [][]byte {
	if len(b.wire) > 0 {
		return append(dst, b.wire)
	}
	return b.rawSegments(dst)
}

// rawSegments is AppendSegments of what lies in the slot.
func (b *Batch) rawSegments(dst [][]byte) [][]byte {
	left := b.rawSize()
	n := min(left, len(b.buf))
	dst = append(dst, b.buf[:n])
	left -= n
	for _, i := range b.chain {
		seg := b.acc.slab.Bytes(i)
		n = min(left, len(seg))
		dst = append(dst, seg[:n])
		left -= n
	}
	return dst
}

// appendRecords appends the records as they were written to dst, without the
// room for their header.
func (b *Batch) appendRecords(dst []byte) []byte {
	skip := wire.BatchHeaderSize
	for _, s := range b.rawSegments(nil) {
		dst = append(dst, s[skip:]...)
		skip = 0
	}
	return dst
}

// WriteHeader writes the 61 bytes before the records and the CRC over
// everything after it. It is called at every send: the producer id, epoch and
// sequence may have changed since the last one.
func (b *Batch) WriteHeader() {
	size, n := b.Size(), b.Records()
	h := wire.BatchHeader{
		Attributes:      b.attributes,
		LastOffsetDelta: int32(n - 1),
		BaseTimestamp:   b.baseTs.Load(),
		MaxTimestamp:    b.maxTs.Load(),
		ProducerID:      b.Sender.ProducerID,
		ProducerEpoch:   b.Sender.ProducerEpoch,
		BaseSequence:    SequenceOnWire(b.Sender.Sequence),
		RecordCount:     int32(n),
	}
	if b.acc.cfg.Transactional {
		h.Attributes |= transactionalBit
	}
	head, chain := b.buf, b.chain
	if len(b.wire) > 0 {
		head, chain = b.wire, nil
	}
	wire.PutBatchHeader(head, &h, size-wire.BatchHeaderSize)
	first := min(size, len(head))
	crc := wire.UpdateCRC(0, head[crcStart:first])
	left := size - first
	for _, i := range chain {
		seg := b.acc.slab.Bytes(i)
		n := min(left, len(seg))
		crc = wire.UpdateCRC(crc, seg[:n])
		left -= n
	}
	wire.PutCRC(head, crc)
}

// transactionalBit is the attribute of a batch that is part of a transaction.
const transactionalBit = 1 << 4

// crcStart is the offset of the attributes, the first byte under the CRC.
const crcStart = 21

// SequenceOnWire wraps a logical sequence as Kafka does: 2^31-1 is followed
// by 0. No sequence (-1) stays -1.
func SequenceOnWire(seq int64) int32 {
	if seq < 0 {
		return -1
	}
	return int32(seq & (1<<31 - 1))
}

// noteDelta is called by a writer before its commit when its timestamp ts is not
// the base.
func (b *Batch) noteDelta(ts int64) {
	if !b.mixed.Load() {
		b.mixed.Store(true)
	}
	b.raiseMaxTs(ts)
}

// raiseMaxTs makes maxTs at least ts.
func (b *Batch) raiseMaxTs(ts int64) {
	for {
		cur := b.maxTs.Load()
		if ts <= cur || b.maxTs.CompareAndSwap(cur, ts) {
			return
		}
	}
}
