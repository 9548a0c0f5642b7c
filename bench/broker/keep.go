package broker

import "encoding/binary"

// keptLog is the batches of a partition that are kept, oldest first, in a few
// large segments. The partition's lock guards it; the bytes of a batch never
// change once they are in a segment, so a reader may use them without the lock.
type keptLog struct {
	segments []*segment
}

// segment holds whole batches, one behind another. Its bytes are allocated once
// and only appended to.
type segment struct {
	bytes   []byte
	batches []keptBatch
}

type keptBatch struct {
	base, next   int64 // offsets of its first record and of the one behind it
	maxTimestamp int64
	at           int // where it starts in bytes
	size         int
}

// A segment is twice as large as the one before it: a partition with few
// records should hold little, and one with many should not be all segments. It
// is never more than a quarter of Config.Keep, as it is forgotten as a whole.
const (
	minSegment = 16 << 10
	maxSegment = 1 << 20
)

// append keeps a copy of a batch, with its offset and leader epoch filled in.
func (k *keptLog) append(b *Broker, pr *producePartition, leaderEpoch int32) {
	s := k.room(b, len(pr.records))
	at := len(s.bytes)
	s.bytes = append(s.bytes, pr.records...)
	binary.BigEndian.PutUint64(s.bytes[at:], uint64(pr.offset))
	binary.BigEndian.PutUint32(s.bytes[at+12:], uint32(leaderEpoch))
	s.batches = append(s.batches, keptBatch{
		base: pr.offset, next: pr.offset + int64(pr.header.count),
		maxTimestamp: pr.header.maxTimestamp, at: at, size: len(pr.records),
	})
}

// room returns a segment with n bytes left. A new one that would exceed
// Config.Keep makes the partition forget its oldest.
func (k *keptLog) room(b *Broker, n int) *segment {
	size := minSegment
	if last := len(k.segments) - 1; last >= 0 {
		s := k.segments[last]
		if cap(s.bytes)-len(s.bytes) >= n {
			return s
		}
		size = min(2*cap(s.bytes), maxSegment)
	}
	size = max(min(size, int(b.cfg.Keep/4)), n)
	for len(k.segments) > 0 && b.keptBytes.Load()+int64(size) > b.cfg.Keep {
		oldest := k.segments[0]
		k.segments[0] = nil // readers may still hold it; the log must not
		k.segments = k.segments[1:]
		b.keptBytes.Add(-int64(cap(oldest.bytes)))
		b.stats.forgotten.Add(int64(len(oldest.bytes)))
	}
	s := &segment{bytes: make([]byte, 0, size)}
	k.segments = append(k.segments, s)
	b.keptBytes.Add(int64(size))
	return s
}

// start is the offset of the oldest kept record; end, if nothing is kept.
func (k *keptLog) start(end int64) int64 {
	if len(k.segments) == 0 {
		return end
	}
	return k.segments[0].batches[0].base
}

// read returns whole batches from the one that holds offset on, at least one
// and beyond it no more than maxBytes.
func (k *keptLog) read(offset int64, maxBytes int) [][]byte {
	var out [][]byte
	total := 0
	for _, s := range k.segments {
		if s.batches[len(s.batches)-1].next <= offset {
			continue
		}
		for _, kb := range s.batches {
			if kb.next <= offset {
				continue
			}
			if total += kb.size; total > maxBytes && len(out) > 0 {
				return out
			}
			out = append(out, s.bytes[kb.at:kb.at+kb.size:kb.at+kb.size])
		}
	}
	return out
}

// find returns the first batch with a record at or after a time; -3 is the batch
// with the newest record.
func (k *keptLog) find(timestamp int64) (found keptBatch, ok bool) {
	for _, s := range k.segments {
		for _, kb := range s.batches {
			switch {
			case timestamp != newestTimestamp && kb.maxTimestamp >= timestamp:
				return kb, true
			case timestamp == newestTimestamp && (!ok || kb.maxTimestamp > found.maxTimestamp):
				found, ok = kb, true
			}
		}
	}
	return found, ok
}

// newestTimestamp asks ListOffsets for the record with the largest timestamp.
const newestTimestamp = -3
