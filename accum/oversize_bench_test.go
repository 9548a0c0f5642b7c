package accum

import (
	"testing"

	"github.com/kring-go/kring/wire"
)

// BenchmarkOversize encodes one record of 900 KB: across a chain of slots, as
// it is done, and into a buffer of its own; docs/adr/0002 has the figures. The
// CRC is part of both.
//
//	go test ./accum -run XXX -bench Oversize -benchmem -count 10
func BenchmarkOversize(b *testing.B) {
	r := record(make([]byte, 900<<10))
	body, total := wire.RecordSize(r.Payload, 0, 0)
	size := wire.BatchHeaderSize + total
	b.Run("impl=chain", func(b *testing.B) {
		a, parts, _ := newTest(b, Config{BatchSize: 16 << 10, BufferMemory: 32 << 20}, 1)
		b.ReportAllocs()
		for b.Loop() {
			batch, err := a.acquire(b.Context(), size, 0, false)
			if err != nil {
				b.Fatal(err)
			}
			parts[0].encodeChain(batch, r, body)
			crc := wire.UpdateCRC(0, batch.buf[crcStart:])
			for _, i := range batch.chain {
				crc = wire.UpdateCRC(crc, a.slab.Bytes(i))
			}
			wire.PutCRC(batch.buf, crc)
			a.putBack(batch)
		}
	})
	b.Run("impl=own", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf := make([]byte, size)
			wire.PutRecord(buf[wire.BatchHeaderSize:], body, 0, 0, r.Key, r.Value, r.Headers)
			wire.PutCRC(buf, wire.UpdateCRC(0, buf[crcStart:]))
		}
	})
}
