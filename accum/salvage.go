package accum

import (
	"fmt"

	"github.com/kring-go/kring/wire"
)

// Salvaged is one record of a batch that was not delivered.
type Salvaged struct {
	wire.Record       // its slices are the batch's memory
	TimestampMs int64 // Unix milliseconds
	Tag         uint64
}

// Salvage calls f for every record of b, in append order: what was appended,
// however it would have been sent. b is complete and not finished; the caller
// holds the role. A Tag is only known of a record with a callback, or with
// AlwaysComplete.
func (b *Batch) Salvage(f func(i int, r *Salvaged)) error {
	records := b.recordBytes()
	if len(b.chain) > 0 { // one record across several slots
		records = b.appendRecords(nil)
	}
	base := b.baseTs.Load()
	for i := range b.Records() {
		r, rest, err := wire.NextRecord(records)
		if err != nil {
			return fmt.Errorf("accum: record %d of a batch to be handed back: %w", i, err)
		}
		s := Salvaged{Record: r, TimestampMs: base + r.TimestampDelta, Tag: b.tagOf(i)}
		f(i, &s)
		records = rest
	}
	return nil
}

// tagOf looks at what completion takes.
func (b *Batch) tagOf(i int) uint64 {
	if b.heap() {
		return b.moved[i].Tag
	}
	if k := b.done.chunks[i>>chunkShift].Load(); k != nil {
		return k[i&(chunkSize-1)].Tag
	}
	return 0
}
