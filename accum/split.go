package accum

import (
	"fmt"

	"github.com/kring-go/kring/wire"
)

// Split divides b, which the broker refused as too large, into two batches of
// about half its bytes and puts them where b was: in front of everything
// younger, to be sent next. b holds more than one record and is in flight or
// waits for a retry; its sequence range is divided among the pieces.
//
// The pieces live in memory of their own, beside the slab: this happens once
// for a misconfigured topic, and waiting for a slot here could deadlock. b
// keeps its slot until both pieces have an outcome, so a Flush that waits for
// b waits for the pieces too.
func (p *Partition) Split(b *Batch) error {
	p.topic.ratio.reset()
	p.limit.Store(int64(p.limitNow()))
	records := b.recordBytes()
	half := len(records) / 2
	n := b.Records()
	at, cut := 0, 0 // bytes and records of the first piece
	for rest := records; cut < n-1 && (at < half || cut == 0); cut++ {
		_, next, err := wire.NextRecord(rest)
		if err != nil {
			return fmt.Errorf("accum: batch of %d records can not be split at record %d: %w", n, cut, err)
		}
		at += len(rest) - len(next)
		rest = next
	}
	first, err := b.piece(records[:at], 0, cut)
	if err != nil {
		return err
	}
	second, err := b.piece(records[at:], cut, n-cut)
	if err != nil {
		return err
	}
	b.shareMissed(first, second, cut)
	b.pieces.Store(2)
	s := &p.sender
	s.inflight = remove(s.inflight, b)
	s.retry = remove(s.retry, b)
	s.retry = insertByOrder(s.retry, first)
	s.retry = insertByOrder(s.retry, second)
	return nil
}

// piece makes a batch of n records of b, from record from on.
func (b *Batch) piece(records []byte, from, n int) (*Batch, error) {
	c := &Batch{
		acc:     b.acc,
		parent:  b,
		part:    b.part,
		epoch:   b.epoch,
		records: int32(n),
		moved:   make([]Completion, n),
		buf:     make([]byte, wire.BatchHeaderSize+len(records)),
		Sender:  b.Sender,
		outcome: Outcome{BaseOffset: -1, LogAppendTime: -1},
	}
	if b.Sender.Sequence >= 0 {
		c.Sender.Sequence += int64(from)
	}
	c.Sender.Order += uint64(from)
	c.Sender.RetryAt = 0
	base := b.baseTs.Load()
	c.baseTs.Store(base)
	c.maxTs.Store(base)
	c.created.Store(b.created.Load())
	size := wire.BatchHeaderSize
	for i := range n {
		r, rest, err := wire.NextRecord(records)
		if err != nil {
			return nil, fmt.Errorf("accum: record %d of a batch to be split: %w", from+i, err)
		}
		size += r.Put(c.buf[size:], int32(i))
		if r.TimestampDelta != 0 {
			c.noteDelta(base + r.TimestampDelta)
		}
		c.moved[i] = b.completion(from + i)
		records = rest
	}
	c.heapSize = size
	return c, nil
}
