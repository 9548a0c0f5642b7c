package main

import (
	"encoding/binary"

	"github.com/kring-go/kring/wire"
)

// batch is one partition's share of a request.
type batch struct {
	partition int32
	buf       []byte // header and records; as long as what is in it
	tags      []uint64
}

// generation is one request: a batch for each partition that the broker leads.
type generation struct {
	batches []batch
	base    int64 // timestamp of its records, milliseconds
	records int
	id      int32 // correlation id
}

func newGeneration(partitions []int32, batchSize int) *generation {
	g := &generation{batches: make([]batch, len(partitions))}
	for i, p := range partitions {
		g.batches[i] = batch{
			partition: p,
			buf:       make([]byte, wire.BatchHeaderSize, batchSize),
			tags:      make([]uint64, 0, batchSize/16),
		}
	}
	return g
}

// add encodes a record into a batch; false when it does not fit.
func (g *generation) add(i int, key, value []byte, tag uint64) bool {
	b := &g.batches[i]
	delta := int32(len(b.tags))
	body, total := wire.RecordSize(wire.PayloadSize(key, value, nil), delta, 0)
	at := len(b.buf)
	if at+total > cap(b.buf) {
		return false
	}
	b.buf = b.buf[:at+total]
	wire.PutRecord(b.buf[at:], body, delta, 0, key, value, nil)
	b.tags = append(b.tags, tag)
	g.records++
	return true
}

// seal writes header and checksum of every batch that has records.
func (g *generation) seal(id producerID, sequences []int32) (filled int) {
	for i := range g.batches {
		b := &g.batches[i]
		n := int32(len(b.tags))
		if n == 0 {
			continue
		}
		filled++
		h := wire.BatchHeader{
			LastOffsetDelta: n - 1, BaseTimestamp: g.base, MaxTimestamp: g.base,
			ProducerID: id.id, ProducerEpoch: id.epoch, BaseSequence: -1, RecordCount: n,
		}
		if id.id >= 0 {
			h.BaseSequence = sequences[i]
			sequences[i] = (sequences[i] + n) & 0x7fffffff
		}
		wire.PutBatchHeader(b.buf, &h, len(b.buf)-wire.BatchHeaderSize)
		wire.PutCRC(b.buf, wire.BatchCRC(b.buf))
	}
	return filled
}

// reset empties the generation for its next use.
func (g *generation) reset() {
	for i := range g.batches {
		b := &g.batches[i]
		b.buf, b.tags = b.buf[:wire.BatchHeaderSize], b.tags[:0]
	}
	g.records = 0
}

func frameSize(p []byte) int { return int(int32(binary.BigEndian.Uint32(p))) }
