package kring

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/kring-go/kring/accum"
	"github.com/kring-go/kring/cluster"
	"github.com/kring-go/kring/netio"
	"github.com/kring-go/kring/wire"
)

// tick looks at everything that time decides: partitions in backoff, records
// and requests that are too old, connections that nobody uses.
func (b *broker) tick() {
	slow := b.slow
	b.slow = b.slow[:0]
	for i, q := range slow {
		slow[i] = nil
		q.slow = false
		b.add(q)
	}
	if b.conn != nil {
		b.tickConnection()
	}
	now, limit := b.env.Now, int64(b.p.cfg.deliveryTimeout)
	for range b.pend.len() {
		q := b.pend.pop()
		b.expireQueued(q, now-limit)
		q.load.Store(int32(q.Backlog(maxBacklog)))
		b.pend.push(q)
	}
	for slot := range b.reqs[:b.p.cfg.maxInFlight] {
		b.expireInFlight(&b.reqs[slot], now-limit)
	}
}

// maxBacklog bounds the look at a partition's queue for the adaptive
// partitioner: beyond it, longer makes no difference.
const maxBacklog = 32

func (b *broker) tickConnection() {
	switch now := b.env.Now; {
	case b.conn.Expired(now):
		// One more look: the answer may lie in the socket because this
		// process was slow, not the broker.
		if _, err := b.conn.Poll(); err != nil {
			b.disconnect(err)
		} else if b.conn.Expired(now) {
			b.disconnect(fmt.Errorf("no answer within RequestTimeout (request.timeout.ms) of %v: %w",
				b.p.cfg.requestTimeout, error(RequestTimedOut)))
		}
	case b.conn.InFlight() == 0 && b.p.cfg.connMaxIdle > 0 && now-b.lastSend > int64(b.p.cfg.connMaxIdle),
		(b.gone.Load() || b.outdated.Load()) && b.conn.InFlight() == 0:
		b.outdated.Store(false)
		b.hangUp(errIdle)
	}
}

var errIdle = errors.New("the connection is not needed any more")

// expireQueued fails the batches at the head of q that were opened before the
// limit and are not in flight.
func (b *broker) expireQueued(q *partition, before int64) {
	for batch := q.Retrying(); batch != nil && batch.Created() <= before; batch = q.Retrying() {
		b.expire(q, batch)
	}
	for {
		batch := q.Expired(before)
		if batch == nil {
			return
		}
		b.expire(q, batch)
	}
}

// expireInFlight tells the callers of batches that are still in flight. Their
// memory stays until the answer comes or the connection ends: its bytes may
// still be on their way into the socket.
func (b *broker) expireInFlight(r *request, before int64) {
	for i, batch := range r.batches {
		if batch == nil || batch.Sender.Finished || batch.Created() > before {
			continue
		}
		batch.Sender.Ambiguous = true
		b.p.stats.failed(batch.Records())
		err := b.produceError(r.owners[i], batch, b.expiryCause(batch))
		batch.Finish(accum.Outcome{BaseOffset: -1, LogAppendTime: -1, Err: err}, b.p.lane)
	}
}

func (b *broker) expire(q *partition, batch *accum.Batch) {
	b.fail(q, batch, b.expiryCause(batch))
}

func (b *broker) expiryCause(batch *accum.Batch) error {
	limit := b.p.cfg.deliveryTimeout
	if last := batch.Sender.LastError; last != nil {
		return fmt.Errorf("%w: %v since the batch was opened; the last attempt: %w", ErrDeliveryTimeout, limit, last)
	}
	if why := b.p.whyNoProgress(b); why != nil {
		return fmt.Errorf("%w: %v since the batch was opened: %w", ErrDeliveryTimeout, limit, why)
	}
	return fmt.Errorf("%w: %v since the batch was opened", ErrDeliveryTimeout, limit)
}

// connect starts a dialler unless one is at work or it is too early.
func (b *broker) connect() {
	if b.dialing || b.env.Now < b.dialAt || b.p.ctx.Err() != nil {
		return
	}
	b.dialing = true
	b.p.goDo(b.dial)
}

// dial connects, learns what the broker speaks, and leaves the result for the
// role. It is the only part of a broker that may block.
func (b *broker) dial() {
	res := &dialResult{}
	res.conn, res.version, res.err = b.open()
	b.dialed.Store(res)
	b.kick()
}

func (b *broker) open() (*netio.Conn, int16, error) {
	link, err := b.p.client.Connect(b.p.ctx, *b.addr.Load())
	if err != nil {
		return nil, 0, err
	}
	version, err := link.Versions.Produce(wire.MaxProduceVersion)
	if err != nil {
		link.Close()
		return nil, 0, err
	}
	nc, err := link.Detach()
	if err != nil {
		return nil, 0, err
	}
	conn, err := netio.NewConn(nc, netio.Config{
		Handler:     b,
		Notify:      b.kick,
		MaxInFlight: b.p.cfg.maxInFlight,
		MaxFrame:    maxResponse,
	})
	if err != nil {
		_ = nc.Close() // the error that matters is NewConn's
		return nil, 0, err
	}
	return conn, version, nil
}

// maxResponse bounds a Produce response. 100 MiB is Kafka's own limit of a
// request; memory grows with what has arrived, not with what is claimed.
const maxResponse = 100 << 20

// adopt takes over what the dialler left.
func (b *broker) adopt() {
	if b.dialed.Load() == nil {
		return
	}
	res := b.dialed.Swap(nil)
	b.dialing = false
	if res.err != nil {
		b.failures++
		b.backOff()
		if !errors.Is(res.err, context.Canceled) && !errors.Is(res.err, cluster.ErrClosed) {
			b.p.noteFailure(b, res.err)
			b.p.meta.refresh()
		}
		return
	}
	if b.stopping.Load() {
		res.conn.Close(ErrClosed)
		b.p.conns.add(res.conn.Done())
		return
	}
	b.conn, b.version = res.conn, res.version
	b.failures = 0
	b.lastSend = b.env.Now
	b.connected.Store(true)
	b.p.noteFailure(b, nil)
	b.p.log.Debug("kring: connected", "broker", b.id, "address", *b.addr.Load(), "produce.version", res.version)
}

func (b *broker) backOff() {
	c := &b.p.cfg
	wait := cluster.Backoff(c.reconnectBackoff, c.reconnectBackoffMax, max(b.failures-1, 0), rand.Float64)
	b.dialAt = b.env.Now + int64(wait)
}

// disconnect ends the connection after an error. What was in flight is retried
// or failed by Failed, which Close calls.
func (b *broker) disconnect(err error) {
	if b.conn.InFlight() > 0 || b.pend.len() > 0 {
		b.failures++
		b.p.stats.disconnects.Add(1)
		b.p.noteFailure(b, err)
		b.p.log.Warn("kring: connection to a broker failed", "broker", b.id, "address", *b.addr.Load(), "error", err)
	} else {
		b.p.log.Debug("kring: idle connection ended", "broker", b.id, "error", err)
	}
	b.hangUp(err)
	b.backOff()
	b.p.meta.refresh()
}

func (b *broker) hangUp(err error) {
	conn := b.conn
	conn.Close(err)
	b.p.conns.add(conn.Done())
	b.conn = nil
	b.connected.Store(false)
	b.throttled = 0
}
