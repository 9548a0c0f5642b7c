package accum

import (
	"sync/atomic"

	"github.com/kring-go/kring/wire"
	"github.com/valyala/bytebufferpool"
)

// This file compresses batches. A batch is compressed once, between its last
// commit and the first look of the sender at it: by the goroutine whose record
// completed it, or, if the sender or a Flush sealed it, by a packer, a goroutine
// that does nothing else. The records stay in the slot as they were written:
// callbacks and Split read them there. What is sent lies beside it, in wire.
//
//	            claim                  end
//	loose ──────────────► busy ────────────────► packed
//	  └──────────────────────────────────────────► (Expired: will never be sent)
//
// A batch that is busy belongs to whoever claimed it: it is not taken and gets
// no outcome. So it can not begin another life under a packer's hands. (The
// child of a split may get one: it has no other life.)

// Compressor compresses the records of a batch. It may be called by several
// goroutines at once.
type Compressor interface {
	// Append appends src, compressed, to dst, and keeps neither.
	Append(dst, src []byte) ([]byte, error)
}

// packState is where a batch stands, with the life that this is about: whoever
// saw the batch complete may look here when it has begun another life.
type packState uint32

const (
	loose packState = iota
	busy
	packed
	phaseBits = iota - 1
	phaseMask = 1<<phaseBits - 1
)

func packStateOf(gen uint32, phase packState) packState { return packState(gen)<<phaseBits | phase }

func (s packState) phase() packState { return s & phaseMask }

type packCell struct{ u atomic.Uint32 }

func (c *packCell) load() packState           { return packState(c.u.Load()) }
func (c *packCell) store(s packState)         { c.u.Store(uint32(s)) }
func (c *packCell) cas(old, n packState) bool { return c.u.CompareAndSwap(uint32(old), uint32(n)) }

// claim makes the caller the one who compresses b, in its life gen.
func (b *Batch) claim(gen uint32) bool {
	return b.pack.cas(packStateOf(gen, loose), packStateOf(gen, busy))
}

// packing is the accumulator's side: what to compress with, and what waits for a
// packer. There is room for every slot, small ones too, and a slot waits once.
type packing struct {
	method  atomic.Pointer[method] // nil: batches are sent as they are
	waiting chan *Batch
	stop    chan struct{}
	failed  func(error) // told of a compressor that fails
	raw     atomic.Uint64
	sent    atomic.Uint64
}

// Pack compresses what waits for it until StopPackers; several goroutines may.
func (a *Accumulator) Pack() {
	for {
		select {
		case b := <-a.packing.waiting:
			p := b.part
			b.compress()
			p.MarkReady()
		case <-a.packing.stop:
			return
		}
	}
}

// StopPackers ends every Pack. Nothing may live any more.
func (a *Accumulator) StopPackers() {
	close(a.packing.stop)
}

// Compressed is how many bytes of records were given to the compressor, and how
// many were sent in their place. Records that were sent as they are because they
// do not compress count in both.
func (a *Accumulator) Compressed() (raw, sent uint64) {
	return a.packing.raw.Load(), a.packing.sent.Load()
}

// handOver is called by whoever took the last writer out of a sealed batch, or
// sealed it without writers, in its life gen: the batch is compressed, and then
// the sender is told. The sender may have been faster with both.
func (p *Partition) handOver(b *Batch, gen uint32) {
	if p.toPack(b, gen) {
		b.compress()
	}
	p.MarkReady()
}

// toPack claims b in its life gen if there is something to compress in it, and
// with. The only record of a batch may have been taken back.
func (p *Partition) toPack(b *Batch, gen uint32) bool {
	return p.method() != nil && b.state.load().count() > 0 && b.claim(gen)
}

// handOverLater is handOver that leaves the work to the packers.
func (p *Partition) handOverLater(b *Batch, gen uint32) {
	if p.toPack(b, gen) {
		b.submit()
		return
	}
	p.MarkReady()
}

// submit gives b, which the caller has claimed, to the packers. The children of
// a split have no slot and may find no room.
func (b *Batch) submit() {
	select {
	case b.acc.packing.waiting <- b:
	default:
		p := b.part
		b.compress()
		p.MarkReady()
	}
}

// isPacked says whether b, complete and the sender's next, can be sent. If not,
// somebody is at it and calls MarkReady behind it.
func (b *Batch) isPacked() bool {
	s := b.pack.load()
	if s.phase() == loose && b.part.method() == nil {
		b.pack.cas(s, s|packed) // or somebody claims it who saw a method that is gone
	} else if s.phase() == loose && b.claim(uint32(s>>phaseBits)) {
		b.submit()
	}
	return b.pack.load().phase() == packed
}

// neverSent says that b, complete, is to end without being sent. False: somebody
// compresses it at the moment, and calls MarkReady behind it.
func (b *Batch) neverSent() bool {
	s := b.pack.load()
	return s.phase() == packed || s.phase() == loose && b.pack.cas(s, s|packed)
}

// compress is for whoever has claimed b, and ends that claim.
func (b *Batch) compress() {
	k, ratio := &b.acc.packing, b.part.topic.ratio
	m := b.part.method()
	s := b.pack.load()
	raw := b.rawSize() - wire.BatchHeaderSize
	sent := raw
	if m != nil && ratio.worthIt() {
		if n, ok := b.squeeze(m.with); ok {
			sent = n
			b.attributes = m.codec
		}
		ratio.observe(float64(sent) / float64(raw))
		b.part.limit.Store(int64(b.part.limitNow()))
	}
	k.raw.Add(uint64(raw))
	k.sent.Add(uint64(sent))
	b.pack.store(s&^phaseMask | packed)
}

// squeeze puts the compressed records into b.wire, behind the room for the
// header, and returns their size. False: they would not become smaller.
func (b *Batch) squeeze(with Compressor) (int, bool) {
	scratch := bytebufferpool.Get()
	defer bytebufferpool.Put(scratch)
	records := b.recordBytes()
	if len(b.chain) > 0 {
		whole := bytebufferpool.Get()
		defer bytebufferpool.Put(whole)
		whole.B = b.appendRecords(whole.B)
		records = whole.B
	}
	out, err := with.Append(scratch.B[:0], records)
	if err != nil {
		b.acc.packing.failed(err)
		return 0, false
	}
	scratch.B = out
	if len(out) >= len(records) {
		return 0, false
	}
	if size := wire.BatchHeaderSize + len(out); cap(b.wire) < size {
		b.wire = make([]byte, wire.BatchHeaderSize, max(size, min(size*5/4, b.acc.BatchSize())))
	}
	b.wire = append(b.wire[:wire.BatchHeaderSize], out...)
	return len(out), true
}

// unpack makes b loose for its life gen: nothing is compressed yet.
func (b *Batch) unpack(gen uint32) {
	if b.attributes != 0 {
		b.attributes = 0
	}
	if len(b.wire) > 0 {
		b.wire = b.wire[:0]
		if cap(b.wire) > 2*b.acc.BatchSize() { // it carried an oversize record
			b.wire = nil
		}
	}
	b.pack.store(packStateOf(gen, loose))
}
