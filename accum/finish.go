package accum

import "github.com/kring-go/kring/wire"

// HoldSocket takes the socket side of every slot of b: a request that carries
// b is about to be written. The memory can not go home before ReleaseSocket,
// whatever happens to the records in the meantime (an expired batch whose
// bytes are still being written must not be reused: the CRC covers neither
// topic nor partition).
func (b *Batch) HoldSocket() {
	if b.heap() {
		return
	}
	b.acc.slab.HoldSocket(b.index)
	for _, i := range b.chain {
		b.acc.slab.HoldSocket(i)
	}
}

// ReleaseSocket lets go of the socket side. The caller must not touch b after
// it if b has an outcome.
func (b *Batch) ReleaseSocket() {
	if b.heap() {
		return
	}
	s := b.acc.slab
	for _, i := range b.chain {
		s.ReleaseSocket(i)
	}
	s.ReleaseSocket(b.index)
}

// Finish gives b its outcome, once. The completion lane tells the callers; a
// batch that nobody wants to hear about is released at once. The caller must
// not touch b after it unless it holds the socket side.
func (b *Batch) Finish(o Outcome, lane *Lane) {
	b.Sender.Finished = true
	b.outcome = o
	b.finishedAt = b.acc.cfg.Clock.Now()
	if b.heap() || b.done.used.Load() || b.acc.cfg.AlwaysComplete {
		lane.push(b)
		return
	}
	b.release()
}

// release is the end of a life on the record side.
func (b *Batch) release() {
	if b.lent {
		return
	}
	if p := b.parent; p != nil {
		if p.pieces.Add(-1) == 0 {
			p.release()
		}
		return
	}
	a := b.acc
	b.live.Store(0)
	b.part.ended()
	b.leaveShares()
	// The chain stays in the batch: the socket side may still need it. Both
	// sides let go of the first slot last, so the next opener finds neither
	// of them here.
	for _, i := range b.chain {
		a.slab.ReleaseRecord(i)
	}
	a.slab.ReleaseRecord(b.index)
	if a.flushers.Load() > 0 {
		a.wakeFlushers()
	}
}

// deliver calls back for the records from the i-th of the batch's outcomes on, in
// append order, and leaves behind how many it has come to: less than there are if
// a callback panicked.
func (b *Batch) deliver(i int, all Callback, progress *int) {
	n, missed, step := b.Records(), b.missed, 0
	d := Delivery{Topic: b.part.Topic, Partition: b.part.Index, Offset: -1}
	base := b.baseTs.Load()
	records, mixed := b.recordBytes(), b.mixed.Load()
	for k := 0; k <= n; k++ {
		for ; len(missed) > 0 && missed[0].at == k; missed, step = missed[1:], step+1 {
			if step >= i {
				*progress = step + 1
				missed[0].tell(d, all)
			}
		}
		if k == n {
			return
		}
		var delta int64
		if mixed {
			delta, records = wire.TimestampDelta(records)
		}
		if step++; step <= i {
			continue
		}
		*progress = step
		done := b.completion(k)
		if done.Callback == nil && all == nil {
			continue
		}
		d.Tag = done.Tag
		d.Err = b.outcome.errorOf(k)
		d.Timestamp = base + delta
		if b.outcome.LogAppendTime >= 0 {
			d.Timestamp = b.outcome.LogAppendTime
		}
		if b.outcome.BaseOffset >= 0 {
			d.Offset = b.outcome.BaseOffset + int64(k)
		}
		if done.Callback != nil {
			done.Callback(d)
		} else {
			all(d)
		}
	}
}

func (o *Outcome) errorOf(record int) error {
	if o.Records != nil {
		if err, ok := o.Records[record]; ok {
			return err
		}
	}
	return o.Err
}

func (b *Batch) completion(k int) Completion {
	if b.heap() {
		done := b.moved[k]
		b.moved[k] = Completion{}
		return done
	}
	return b.done.take(k)
}

// recordBytes is the encoded records as far as the first slot holds them. An
// oversize record has no timestamp delta, so its first bytes are enough.
func (b *Batch) recordBytes() []byte {
	return b.buf[wire.BatchHeaderSize:min(b.rawSize(), len(b.buf))]
}
