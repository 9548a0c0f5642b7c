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
	b.dialing = b.p.workers.tryRun(b.dial)
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
		Readable:    b.newReader(),
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
	wait := cluster.Backoff(c.reconnectBackoff, c.reconnectBackoffMax, b.failures, rand.Float64)
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
