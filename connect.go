package kring

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/kring-go/kring/cluster"
	"github.com/kring-go/kring/netio"
	"github.com/kring-go/kring/wire"
)

// This file opens and ends a broker's connection. All but dial and open is for
// the holder of the role.

// connect starts a dialler unless one is at work or it is too early.
func (b *broker) connect() {
	if b.dialing || b.env.Now < b.dialAt || b.p.ctx.Err() != nil {
		return
	}
	b.dialing = b.p.workers.tryRun(b.as("connect", b.dial))
}

// dial connects, learns what the broker speaks, and leaves the result for the
// role. It is the only part of a broker that may block.
func (b *broker) dial() {
	res := &dialResult{}
	began := b.p.clock.Now()
	res.err = b.open(res)
	b.p.hooks.connected(b, res, began)
	b.dialed.Store(res)
	b.kick()
}

func (b *broker) open(res *dialResult) error {
	res.addr = b.addr.Load()
	link, err := b.p.client.Connect(b.p.ctx, *res.addr)
	if err != nil {
		return err
	}
	res.session = b.sessionOf(link, *res.addr)
	res.version, err = link.Versions.Produce(wire.MaxProduceVersion)
	if err != nil {
		link.Close()
		return err
	}
	nc, err := link.Detach()
	if err != nil {
		return err
	}
	b.as("reader", func() { // the goroutines of the connection inherit the label
		res.conn, err = netio.NewConn(nc, netio.Config{
			Handler:     b,
			Notify:      b.kick,
			Readable:    b.newReader(),
			MaxInFlight: b.p.cfg.maxInFlight,
			MaxFrame:    maxResponse,
		})
	})()
	if err != nil {
		_ = nc.Close() // the error that matters is NewConn's
	}
	return err
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
		b.backOff(res.err)
		if !errors.Is(res.err, context.Canceled) && !errors.Is(res.err, cluster.ErrClosed) {
			b.p.noteFailure(b, b.refusal(res.err))
			b.tellUnreachable(res.err)
			b.p.meta.refresh()
		}
		return
	}
	if b.stopping.Load() {
		b.drop(res)
		return
	}
	if b.conn != nil {
		b.session.fresh = res // see renew
		return
	}
	b.take(res)
}

// take makes the dialler's connection the broker's.
func (b *broker) take(res *dialResult) {
	b.conn, b.version, b.session = res.conn, res.version, res.session
	// In this order: moveTo stores the address, and then outdated.
	b.outdated.Store(false)
	if res.addr != b.addr.Load() {
		b.outdated.Store(true)
	}
	b.failures = 0
	b.lastSend = b.env.Now
	b.setConnected(true)
	b.resetDepth()
	b.p.noteFailure(b, nil)
	b.log.Debug("kring: connected", "broker", b.id, "address", *b.addr.Load(), "produce.version", res.version)
}

// drop closes a connection that is not needed any more.
func (b *broker) drop(res *dialResult) {
	res.conn.Close(ErrClosed)
	b.p.conns.add(res.conn.Done())
	b.p.hooks.disconnected(b, &res.session, ErrClosed)
}

func (b *broker) backOff(err error) {
	c := &b.p.cfg
	wait := cluster.Backoff(c.reconnectBackoff, c.reconnectBackoffMax, b.failures, rand.Float64)
	if errors.Is(authError(err), ErrAuthentication) {
		wait = b.p.client.AuthBackoff(b.failures)
	}
	b.dialAt = b.env.Now + int64(wait)
}

// disconnect ends the connection after an error. What was in flight is retried
// or failed by Failed, which Close calls.
func (b *broker) disconnect(err error) {
	if b.conn.InFlight() > 0 || b.pend.len() > 0 {
		b.failures++
		b.p.stats.disconnects.Add(1)
		b.p.noteFailure(b, err)
		b.log.Warn("kring: connection to a broker failed", "broker", b.id, "address", *b.addr.Load(), "error", err)
	} else {
		b.log.Debug("kring: idle connection ended", "broker", b.id, "error", err)
	}
	b.hangUp(err)
	b.backOff(err)
	b.p.meta.refresh()
}

func (b *broker) hangUp(err error) {
	conn := b.conn
	conn.Close(err)
	b.p.conns.add(conn.Done())
	b.p.hooks.disconnected(b, &b.session, err)
	b.conn = nil
	b.setConnected(false)
	b.throttled = 0
}
