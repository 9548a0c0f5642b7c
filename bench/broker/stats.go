package broker

import "sync/atomic"

// Stats is a snapshot of what happened since Start. Each number is exact; they
// are not all read at the same instant.
type Stats struct {
	Connections     int64 `json:"connections"`      // accepted since Start
	OpenConnections int64 `json:"open_connections"` // now

	Requests       int64 `json:"requests"` // all that could be read
	Produce        int64 `json:"produce"`
	Metadata       int64 `json:"metadata"`
	APIVersions    int64 `json:"api_versions"`
	InitProducerID int64 `json:"init_producer_id"`
	Fetch          int64 `json:"fetch"`
	ListOffsets    int64 `json:"list_offsets"`

	Batches int64 `json:"batches"` // appended
	Records int64 `json:"records"` // in them
	Bytes   int64 `json:"bytes"`   // of them

	DuplicateBatches int64 `json:"duplicate_batches"` // answered with the offset of the first time
	SequenceErrors   int64 `json:"sequence_errors"`   // OUT_OF_ORDER_SEQUENCE_NUMBER
	EpochErrors      int64 `json:"epoch_errors"`      // INVALID_PRODUCER_EPOCH
	CRCErrors        int64 `json:"crc_errors"`
	BatchErrors      int64 `json:"batch_errors"` // wrong headers, lengths, records
	NotLeader        int64 `json:"not_leader"`
	Rejected         int64 `json:"rejected"`  // batches answered with any error, scripted ones too
	Unwalked         int64 `json:"unwalked"`  // compressed batches whose records were not looked at
	Malformed        int64 `json:"malformed"` // requests that ended their connection
	KeptBytes        int64 `json:"kept_bytes"`
	ForgottenBytes   int64 `json:"forgotten_bytes"` // was kept, made room
}

// counters are the cells behind Stats. A request adds what it did once, at its
// end, so that they cost nothing per record and little per batch.
type counters struct {
	connections, openConnections             atomic.Int64
	requests, produce, metadata, apiVersions atomic.Int64
	initProducerID, fetch, listOffsets       atomic.Int64
	batches, records, bytes                  atomic.Int64
	duplicates, sequenceErrors, epochErrors  atomic.Int64
	crcErrors, batchErrors, notLeader        atomic.Int64
	rejected, unwalked, malformed, forgotten atomic.Int64
}

// Stats reads the counters.
func (b *Broker) Stats() Stats {
	c := &b.stats
	return Stats{
		Connections:      c.connections.Load(),
		OpenConnections:  c.openConnections.Load(),
		Requests:         c.requests.Load(),
		Produce:          c.produce.Load(),
		Metadata:         c.metadata.Load(),
		APIVersions:      c.apiVersions.Load(),
		InitProducerID:   c.initProducerID.Load(),
		Fetch:            c.fetch.Load(),
		ListOffsets:      c.listOffsets.Load(),
		Batches:          c.batches.Load(),
		Records:          c.records.Load(),
		Bytes:            c.bytes.Load(),
		DuplicateBatches: c.duplicates.Load(),
		SequenceErrors:   c.sequenceErrors.Load(),
		EpochErrors:      c.epochErrors.Load(),
		CRCErrors:        c.crcErrors.Load(),
		BatchErrors:      c.batchErrors.Load(),
		NotLeader:        c.notLeader.Load(),
		Rejected:         c.rejected.Load(),
		Unwalked:         c.unwalked.Load(),
		Malformed:        c.malformed.Load(),
		KeptBytes:        b.keptBytes.Load(),
		ForgottenBytes:   c.forgotten.Load(),
	}
}

// produceCounts is what one Produce request did. Its connection owns it.
type produceCounts struct {
	batches, records, bytes    int64
	duplicates, sequenceErrors int64
	epochErrors, crcErrors     int64
	batchErrors, notLeader     int64
	rejected, unwalked         int64
}

// flush adds the counts to the shared cells and clears them. The three that
// are seldom zero come first; the others are touched only if there is news.
func (p *produceCounts) flush(c *counters) {
	c.produce.Add(1)
	c.batches.Add(p.batches)
	c.records.Add(p.records)
	c.bytes.Add(p.bytes)
	for _, rare := range [...]struct {
		cell *atomic.Int64
		n    int64
	}{
		{&c.duplicates, p.duplicates},
		{&c.sequenceErrors, p.sequenceErrors},
		{&c.epochErrors, p.epochErrors},
		{&c.crcErrors, p.crcErrors},
		{&c.batchErrors, p.batchErrors},
		{&c.notLeader, p.notLeader},
		{&c.rejected, p.rejected},
		{&c.unwalked, p.unwalked},
	} {
		if rare.n != 0 {
			rare.cell.Add(rare.n)
		}
	}
	*p = produceCounts{}
}
