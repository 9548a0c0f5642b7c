package broker

import (
	"encoding/binary"
	"hash/crc32"
)

// Record is one record of a log. Its slices point into the batch.
type Record struct {
	Topic         string
	Partition     int32
	Offset        int64
	Timestamp     int64 // ms
	Key, Value    []byte
	Headers       []Header
	ProducerID    int64 // -1 without idempotence
	ProducerEpoch int16
	Sequence      int32
}

// Header is one header of a record.
type Header struct {
	Key   []byte
	Value []byte // nil is null
}

// castagnoli makes CRC-32C; MakeTable returns the one table that the standard
// library has for it, so the call costs nothing.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// verify checks the CRC of a batch and walks its records.
func (c *conn) verify(pr *producePartition) int16 {
	if binary.BigEndian.Uint32(pr.records[17:]) != crc32.Checksum(pr.records[21:], castagnoli()) {
		c.counts.crcErrors++
		return errCorruptMessage
	}
	pr.plain = pr.records[batchHeaderSize:]
	if codec := pr.header.codec(); codec != 0 {
		pr.plain = nil
		if c.b.cfg.Decompress == nil {
			c.counts.unwalked++
			return errNone
		}
		plain, err := c.b.cfg.Decompress(codec, pr.records[batchHeaderSize:])
		if err != nil {
			return errCorruptMessage
		}
		pr.plain = plain
	}
	w := walker{rest: pr.plain}
	for w.next() {
	}
	if w.bad || w.count != pr.header.count {
		return errInvalidRecord
	}
	return errNone
}

// walker steps over the records of a batch. It stops at the end, or at the
// first record that is wrong.
type walker struct {
	rest  []byte
	count int32
	bad   bool

	timestampDelta int64
	key, value     []byte
	headers        []Header // of the newest record; only with wantHeaders
	wantHeaders    bool
}

// next reads one record. The offset deltas must count 0, 1, 2, …, the lengths
// must fit and a record must fill its own length exactly.
func (w *walker) next() bool {
	if len(w.rest) == 0 || w.bad {
		return false
	}
	outer := cursor{p: w.rest}
	n := outer.varint()
	if n < 0 || n > int64(len(outer.p)) {
		w.bad = true
		return false
	}
	cur := cursor{p: outer.take(int(n))}
	w.rest = outer.p
	cur.int8() // attributes are unused
	w.timestampDelta = cur.varint()
	if cur.varint() != int64(w.count) {
		w.bad = true
		return false
	}
	w.key = cur.varintBytes()
	w.value = cur.varintBytes()
	w.readHeaders(&cur)
	if cur.bad || outer.bad || len(cur.p) != 0 {
		w.bad = true
		return false
	}
	w.count++
	return true
}

func (w *walker) readHeaders(cur *cursor) {
	w.headers = w.headers[:0]
	n := cur.varint()
	if n < 0 || n > int64(len(cur.p)) {
		cur.fail()
		return
	}
	for range n {
		key := cur.varintBytes()
		value := cur.varintBytes()
		if cur.bad {
			return
		}
		if key == nil { // a header must have a key
			cur.fail()
			return
		}
		if w.wantHeaders {
			w.headers = append(w.headers, Header{Key: key, Value: value})
		}
	}
}

// each calls yield for every record of a batch that starts at offset base. The
// Record is reused. It returns false if yield does.
func (h *batchHeader) each(r *Record, plain []byte, base int64, yield func(*Record) bool) bool {
	w := walker{rest: plain, wantHeaders: true}
	r.ProducerID, r.ProducerEpoch = h.producerID, h.producerEpoch
	for w.next() {
		i := w.count - 1
		r.Offset = base + int64(i)
		r.Timestamp = h.baseTimestamp + w.timestampDelta
		r.Key, r.Value, r.Headers = w.key, w.value, w.headers
		r.Sequence = -1
		if h.idempotent() {
			r.Sequence = int32((int64(h.baseSequence) + int64(i)) & (1<<31 - 1))
		}
		if !yield(r) {
			return false
		}
	}
	return true
}

// report shows an appended batch to OnRecord, under the lock of its partition.
func (b *Broker) report(t *topic, pr *producePartition) {
	r := Record{Topic: t.name, Partition: pr.index}
	pr.header.each(&r, pr.plain, pr.offset, func(r *Record) bool {
		b.cfg.OnRecord(r)
		return true
	})
}
