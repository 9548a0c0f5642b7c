package kring

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/kring-go/kring/accum"
	"github.com/kring-go/kring/cluster"
)

// producerIDs gets the identity of an idempotent producer.
type producerIDs struct {
	running atomic.Bool
	fatal   atomic.Pointer[error] // why there will never be one
}

// request starts a request for a producer id unless one is under way. It never
// waits.
func (ids *producerIDs) request(p *Producer) {
	if p.txn != nil { // InitTransactions gets it
		return
	}
	if ids.fatal.Load() != nil || p.ctx.Err() != nil || !ids.running.CompareAndSwap(false, true) {
		return
	}
	started := p.workers.tryRun(p.as("producer-id", func() {
		defer ids.running.Store(false)
		ids.fetch(p.ctx, p)
	}))
	if !started {
		ids.running.Store(false)
	}
}

func (ids *producerIDs) fetch(ctx context.Context, p *Producer) {
	before := p.identity.Load()
	if before.ID >= 0 {
		return
	}
	id, epoch, err := p.client.InitProducerID(ctx)
	if err != nil {
		if ctx.Err() == nil {
			if code := (*cluster.CodeError)(nil); errors.As(err, &code) {
				err = andAlso{err, KafkaError(code.Code)}
			}
			ids.fatal.CompareAndSwap(nil, &err)
			p.log.Error("kring: no producer id: records can not be sent", "error", err)
		}
	} else if p.identity.CompareAndSwap(before, &accum.Identity{ID: id, Epoch: epoch}) { // not if it has stopped meanwhile
		p.log.Debug("kring: producer id", "id", id, "epoch", epoch)
	}
	p.tickAll()
}

// maxEpoch is the last epoch of a producer id; after it a new id is needed.
const maxEpoch = 1<<15 - 1

// bumpEpoch moves the producer on from identity old, once, however many
// partitions ask for it. An idempotent producer bumps its epoch itself; the
// brokers learn it with the first batch (KIP-360).
func (p *Producer) bumpEpoch(old accum.Identity) {
	cur := p.identity.Load()
	if *cur != old {
		return
	}
	next := accum.Identity{ID: old.ID, Epoch: old.Epoch + 1}
	if old.Epoch >= maxEpoch {
		next = accum.NoIdentity()
	}
	if p.identity.CompareAndSwap(cur, &next) {
		p.stats.epochBumps.Add(1)
		p.log.Info("kring: sequences start again under a new epoch", "id", old.ID, "epoch", next.Epoch)
	}
	if next == accum.NoIdentity() {
		p.ids.request(p)
	}
}
