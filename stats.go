package kring

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// counters are the producer's statistics. None is written per record: batches
// and requests count what is in them.
type counters struct {
	requests        atomic.Uint64
	batches         atomic.Uint64
	ackedRecords    atomic.Uint64
	failedRecords   atomic.Uint64
	retries         atomic.Uint64
	splits          atomic.Uint64
	epochBumps      atomic.Uint64
	sequencesLost   atomic.Uint64
	disconnects     atomic.Uint64
	throttles       atomic.Uint64
	blocked         atomic.Uint64
	metadataUpdates atomic.Uint64
	callbackPanics  atomic.Uint64
	stuckLanes      atomic.Uint64
}

func (c *counters) acked(records int)  { c.ackedRecords.Add(uint64(records)) }
func (c *counters) failed(records int) { c.failedRecords.Add(uint64(records)) }

// Stats is a snapshot of what the producer has done and holds. Counters only
// grow; each is exact, but they are not read at one instant.
type Stats struct {
	Requests       uint64 // Produce requests written, retries included
	Batches        uint64 // batches in them, retries included
	AckedRecords   uint64
	FailedRecords  uint64
	Retries        uint64 // batches that were sent, or tried, once more
	Splits         uint64 // batches cut in two after MESSAGE_TOO_LARGE
	EpochBumps     uint64 // sequences restarted under a new epoch
	SequencesLost  uint64 // see SequenceLost: acknowledged records may be lost
	Disconnects    uint64 // connections that failed with work on them
	Throttles      uint64 // responses that asked for silence (KIP-219)
	BlockedCalls   uint64 // Produce calls that had to wait for memory, or MaxBufferedRecords
	Metadata       uint64 // metadata answers
	CallbackPanics uint64
	StuckCallbacks uint64 // callbacks that did not return within five seconds
	// RecordBytes and CompressedBytes are what went into the compressor and what
	// is sent in its place; 0 without Compression. A batch that does not become
	// smaller counts in both.
	RecordBytes, CompressedBytes uint64

	BufferTotal     int64 // bytes of buffer.memory in slots
	BufferFree      int64 // bytes of free slots
	BufferWaiting   int   // calls that wait for memory, or MaxBufferedRecords, now
	IncompleteBatch int64 // batches with accepted records and no outcome
	Connections     int   // open connections for Produce
	// ConnectedBrokers is how many brokers they lead to; it differs from
	// Connections with ConnectionsPerBroker.
	ConnectedBrokers int
	Brokers          int // brokers known
	// Depths is how many requests each connection may have in flight, see
	// AdaptiveDepth; those that are not open are left out.
	Depths []BrokerDepth
}

// Stats takes a snapshot. It never blocks and may be called at any time, also
// after Close.
func (p *Producer) Stats() Stats {
	c, s := &p.stats, p.acc.Slab()
	st := Stats{
		Requests:        c.requests.Load(),
		Batches:         c.batches.Load(),
		AckedRecords:    c.ackedRecords.Load(),
		FailedRecords:   c.failedRecords.Load(),
		Retries:         c.retries.Load(),
		Splits:          c.splits.Load(),
		EpochBumps:      c.epochBumps.Load(),
		SequencesLost:   c.sequencesLost.Load(),
		Disconnects:     c.disconnects.Load(),
		Throttles:       c.throttles.Load(),
		BlockedCalls:    c.blocked.Load(),
		Metadata:        c.metadataUpdates.Load(),
		CallbackPanics:  c.callbackPanics.Load(),
		StuckCallbacks:  c.stuckLanes.Load(),
		BufferTotal:     s.TotalBytes(),
		BufferFree:      s.FreeBytes(),
		BufferWaiting:   s.Waiting() + p.records.waits(),
		IncompleteBatch: p.acc.Live(),
	}
	st.RecordBytes, st.CompressedBytes = p.acc.Compressed()
	for _, b := range *p.brokers.Load() {
		if b.first {
			st.Brokers++
			st.ConnectedBrokers += min(int(b.node.open.Load()), 1)
		}
		if b.connected.Load() {
			st.Connections++
			st.Depths = append(st.Depths, BrokerDepth{Broker: b.id, Connection: b.stripe, Depth: int(b.depthNow.Load())})
		}
	}
	return st
}

// noteFailure remembers why a broker can not be reached; nil forgets it.
func (p *Producer) noteFailure(b *broker, err error) {
	if err == nil {
		b.trouble.Store(nil)
		return
	}
	b.trouble.Store(&err)
}

// whyNoProgress is the best known reason for a batch that was never sent.
func (p *Producer) whyNoProgress(b *broker) error {
	if err := p.ids.fatal.Load(); err != nil {
		return *err
	}
	if b.id < 0 {
		if last := p.meta.lastErr.Load(); last != nil {
			return *last
		}
		return errNoLeader
	}
	if why := b.trouble.Load(); why != nil {
		return fmt.Errorf("%v can not be reached: %w", b, *why)
	}
	return nil
}

var errNoLeader = errors.New("the partition has no leader")
