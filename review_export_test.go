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

// MarkedAcrossAMove is a mark that meets a full ready ring while the partition
// moves to another broker: queued is set, the partition moves, and only then the
// ring is found full. It reports whether the new home looks at the partition.
func (p *Producer) MarkedAcrossAMove() bool {
	from, to := newBroker(p, 1, "a"), newBroker(p, 2, "b")
	for _, b := range []*broker{from, to} {
		b.role.Enter() // so that no kick looks before the end
	}
	t := &Topic{p: p, name: "t"}
	t.wanted.Store(true)
	add := func(i int32) *partition {
		q := &partition{topic: t}
		q.home.Store(from)
		q.leader.Store(to)
		q.Partition = p.acc.Make("t", i, q)
		p.acc.Publish(q.Partition)
		return q
	}
	q, other := add(0), add(1)
	for from.ready.TryPush(other) {
	}
	q.Mark()         // MarkReady, which goes on when it has loaded home
	from.move(q, to) // finds the mark, and leaves it to whoever set it
	from.enqueue(q)
	from.collect()
	to.collect()
	return q.pending
}

// MoveBroker is a metadata answer in which the broker has another address.
func (p *Producer) MoveBroker(id int32, addr string) {
	p.meta.mu.Lock()
	defer p.meta.mu.Unlock()
	p.meta.nodes[id].moveTo(addr)
}
