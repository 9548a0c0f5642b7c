package kring

import (
	"errors"
	"fmt"

	"github.com/kring-go/kring/accum"
)

// StopOnSequenceLost makes the producer stop for good when a broker has
// forgotten what it acknowledged (see SequenceLost): then records that were
// reported as written may be lost, and what comes after them is not to be in the
// log before somebody has looked. A batch that was refused, every record that
// has no outcome and every record produced from then on, of whatever partition,
// fails with ErrSequenceLost; only what was sent before may still be acknowledged,
// or sent again until it is. Nothing but a new producer goes on.
//
// Without it, as in Java, the producer logs a warning and goes on under a new
// epoch; HookSequenceLost and Stats tell of it. A refusal is no proof of a loss:
// retention may have deleted all that the producer had in the partition, or the
// broker a producer that was silent for longer than its
// producer.id.expiration.ms, which is a day. It needs idempotence, for only then
// can a broker tell, and goes without TransactionalID, since a transaction with
// such a refusal never commits.
//
// The default is off. franz-go: StopProducerOnDataLossDetected; librdkafka always
// stops. As a property it is kring.sequence.lost.stop=true.
func StopOnSequenceLost() Option {
	return option(func(c *config) { c.stopOnLoss = true })
}

// stopOnLossProperty is kring's own.
const stopOnLossProperty = "kring.sequence.lost.stop"

// ErrSequenceLost is in the error of every record that a producer with
// StopOnSequenceLost does not send any more.
var ErrSequenceLost = errors.New("kring: the producer has stopped, because acknowledged records may be lost")

func (c *config) checkStopOnLoss() {
	switch {
	case !c.stopOnLoss:
	case c.transactional():
		c.problem("StopOnSequenceLost() (%s=true) goes without TransactionalID: a transaction whose sequence is lost never commits", stopOnLossProperty)
	case !c.idempotence || Acks(c.acks) != AcksAll || c.retries == 0:
		c.problem("StopOnSequenceLost() (%s=true) needs idempotence, which needs acks=all and retries: without it no broker can tell that a sequence is lost", stopOnLossProperty)
	}
}

// stop ends what the producer can send: without an identity nothing new goes
// out, and postpone gives up what asks for one, as soon as its sender is woken.
// The reason comes first, so that nobody requests an identity in between.
func (ids *producerIDs) stop(p *Producer, why error) {
	if !ids.fatal.CompareAndSwap(nil, &why) {
		return // It has stopped before.
	}
	none := accum.NoIdentity()
	p.identity.Store(&none)
	p.log.Error("kring: no more records are sent (StopOnSequenceLost)", "error", why)
	p.release() // for good: with ManualFlush the rest is not to wait for Flush
	if !p.workers.tryRun(p.as("stop", p.wakeSenders)) {
		p.tickAll() // Close is under way, and wakes them itself.
	}
}

// noProducerID is for callers that ask why there is no identity.
func noProducerID(why error) error {
	if errors.Is(why, ErrSequenceLost) {
		return why // That says more: there was one.
	}
	return fmt.Errorf("kring: no producer id: %w", why)
}

// appended notes where the broker has put a batch of n records. A log only grows,
// so a batch at an offset that was acknowledged before says that the log has lost
// what was there. (Brokers that answer 0 every time count nothing.)
func (b *broker) appended(q *partition, base int64, n int) {
	last, uncounted := q.lastOffset, base == 0 && q.lastBase == 0
	if base <= last && !uncounted {
		b.p.stats.sequencesLost.Add(1)
		b.p.log.Warn("kring: the broker has put a batch where one stood that it had acknowledged before: the log has lost records",
			"topic", q.Topic, "partition", q.Index, "broker", b.id, "offset", base, "last_offset", last)
		b.p.hooks.sequenceLost(b, q, SequenceLost{Offset: base, Restarts: !b.p.cfg.stopOnLoss})
		if b.p.cfg.stopOnLoss {
			b.p.ids.stop(b.p, fmt.Errorf("%w: %v has put a batch of %s/%d at offset %d, and had acknowledged others up to %d",
				ErrSequenceLost, b, q.Topic, q.Index, base, last))
		}
	}
	q.lastBase, q.lastOffset = base, base+int64(n)-1
}

// stopOnLoss fails a batch whose sequence was refused, if the producer has
// stopped before, or stops now because the refusal says that the sequence is lost.
func (b *broker) stopOnLoss(q *partition, batch *accum.Batch, code KafkaError, lost bool) bool {
	if lost {
		upTo := ""
		if q.lastOffset >= 0 {
			upTo = fmt.Sprintf(", up to offset %d", q.lastOffset)
		}
		b.p.ids.stop(b.p, fmt.Errorf("%w: %v has forgotten what this producer wrote to %s/%d%s: %w",
			ErrSequenceLost, b, q.Topic, q.Index, upTo, code))
	}
	why := b.p.ids.fatal.Load()
	if why != nil {
		b.fail(q, batch, *why)
	}
	return why != nil
}
