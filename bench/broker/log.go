package broker

import (
	"encoding/binary"
	"iter"
)

// Log is the kept part of a partition as it was when Broker.Log was called.
type Log struct {
	// Start is the offset of the first kept record, End the one behind the
	// last. Start is 0 if nothing was forgotten.
	Start, End int64

	topic      string
	partition  int32
	batches    [][]byte
	decompress func(codec int8, compressed []byte) ([]byte, error)
}

// Log returns what is kept of a partition. It may be called after Close.
func (b *Broker) Log(topic string, partition int32) (*Log, error) {
	p, err := b.partition(topic, partition)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return &Log{
		Start: p.kept.start(p.next), End: p.next,
		topic: topic, partition: partition,
		batches:    p.kept.read(0, int(^uint(0)>>1)),
		decompress: b.cfg.Decompress,
	}, nil
}

// Topics lists the topics and how many partitions each has.
func (b *Broker) Topics() map[string]int {
	topics := make(map[string]int)
	for name, t := range b.topics.Load().byName {
		topics[name] = len(t.partitions)
	}
	return topics
}

// Batches yields the kept batches as they lie in the log, offsets filled in.
func (l *Log) Batches() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, b := range l.batches {
			if !yield(b) {
				return
			}
		}
	}
}

// Records yields every kept record in the order of the log. The Record and its
// Headers are reused from one step to the next; the bytes they point to stay
// valid. Compressed batches need Config.Decompress, and are left out without.
func (l *Log) Records() iter.Seq[*Record] {
	return func(yield func(*Record) bool) {
		r := Record{Topic: l.topic, Partition: l.partition}
		for _, batch := range l.batches {
			base := int64(binary.BigEndian.Uint64(batch))
			var h batchHeader
			h.read(batch)
			plain := batch[batchHeaderSize:]
			if codec := h.codec(); codec != 0 {
				if l.decompress == nil {
					continue
				}
				var err error
				if plain, err = l.decompress(codec, plain); err != nil {
					continue
				}
			}
			if !h.each(&r, plain, base, yield) {
				return
			}
		}
	}
}
