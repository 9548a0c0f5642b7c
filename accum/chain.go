package accum

import "github.com/kring-go/kring/wire"

// encodeChain writes the one record of an oversize batch across its slots.
func (q *Strand) encodeChain(b *Batch, r *Record, body int) {
	segments := make([][]byte, 0, 1+len(b.chain))
	segments = append(segments, b.buf[wire.BatchHeaderSize:])
	for _, i := range b.chain {
		segments = append(segments, q.acc.slab.Bytes(i))
	}
	wire.PutRecordSegments(segments, body, 0, 0, r.Key, r.Value, r.Headers)
}
