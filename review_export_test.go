package kring

import (
	"context"
	"sync"

	"github.com/kring-go/kring/accum"
	"github.com/kring-go/kring/wire"
)

// LateAppend is what is left of a Produce that passed the check for a closing
// producer before it was set, and got a processor only now.
func (p *Producer) LateAppend(topic string, partition int32, value []byte, cb Callback) error {
	t := p.topic(topic)
	rec := accum.Record{Value: value, Payload: wire.PayloadSize(nil, value, nil), Done: accum.Completion{Callback: cb}}
	_, _, err := t.append(context.Background(), (*t.parts.Load())[partition], &rec, &blockBudget{}, call{})
	return err
}

// Closing says that Close has begun and the first pass over the accumulator too.
func (p *Producer) Closing() bool { return p.closing.Load() && p.acc.Slab() != nil }

// StopsUnderKicks makes a broker without a runner, as after the end of the
// producer's context, and tells it to stop while others kick it. It reports
// whether the broker heard.
func (p *Producer) StopsUnderKicks(others, kicks int) bool {
	b := newBroker(p, -1, "")
	var wg sync.WaitGroup
	for range others {
		wg.Go(func() {
			for range kicks {
				b.kick()
			}
		})
	}
	b.stopping.Store(true)
	b.kick()
	wg.Wait()
	select {
	case <-b.stopDone:
		return true
	default:
		return false
	}
}
