package kring

import (
	"fmt"
	"sync/atomic"
)

// ManualFlush makes Flush the one thing that sends records: neither a full batch
// nor the end of Linger does. While a Flush runs, everything that is there is
// sent, and so is what comes meanwhile; ProduceSync, CommitTransaction,
// AbortTransaction, Close and Drain flush. Between flushes nobody frees memory,
// so Produce does not wait for BufferMemory or MaxBufferedRecords then: it
// returns ErrBufferFull, as TryProduce does, and the caller flushes. A record
// that no Flush has sent within DeliveryTimeout fails with ErrDeliveryTimeout;
// Explain says that it waits for Flush.
//
// It is for programs that decide themselves when a group of records leaves, in
// requests as full as they can be. The default is off. Like franz-go's
// ManualFlushing; Java has none. As a property it is kring.manual.flush=true.
func ManualFlush() Option {
	return option(func(c *config) { c.manualFlush = true })
}

// manualFlushProperty is kring's own.
const manualFlushProperty = "kring.manual.flush"

// sendGate is ManualFlush at work: brokers send nothing while it is shut. It is
// never shut without ManualFlush.
//
//	release ─► held+1, kick every broker ─► … ─► held-1
//
// Whoever releases counts first and kicks then, and a turn looks after the kick
// that it came by, so none of the two is missed. Shutting it again needs no
// kick: what is being sent may go.
type sendGate struct {
	manual   bool
	released atomic.Int32 // by how many calls
}

// shut says that nothing is to be sent now.
func (g *sendGate) shut() bool { return g.manual && g.released.Load() == 0 }

// release lets everything be sent until the result is called.
func (p *Producer) release() (end func()) {
	g := &p.gate
	if !g.manual {
		return func() {}
	}
	if g.released.Add(1) == 1 {
		p.nowhere.kick()
		for _, b := range *p.brokers.Load() {
			b.kick()
		}
	}
	return func() { g.released.Add(-1) }
}

// mayWait is why a call must not wait for memory: nothing is sent, and so nothing
// freed, before a Flush, or it is in a callback, which has to return first.
func (t *Topic) mayWait() error {
	switch {
	case t.p.inCallback():
		return ErrInCallback
	case !t.p.gate.shut():
		return nil
	}
	return fmt.Errorf("%w, and with ManualFlush (kring.manual.flush) only Flush empties it: call Flush; "+
		"the record to topic %q was not accepted", ErrBufferFull, t.name)
}
