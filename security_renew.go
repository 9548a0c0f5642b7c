package kring

import (
	"errors"
	"time"

	"github.com/kring-go/kring/cluster"
)

// session is how long the login of a connection holds (KIP-368). The connection
// is renewed, not the login on it: a second one is dialled beside it, the first
// is sent nothing more, and when its last answer has come the second takes over.
// So no request ever stands before or behind a login on the same connection,
// where answers would have to be told apart, and the order of batches is kept as
// it is across any other change of connection. Owned by the role.
//
//	0 ─────────────── renewAt ───── holdAt ───── end of the login
//	  send, answer     dial, still   nothing is    the broker closes
//	                   send          sent          at the next request
type session struct {
	address                string      // host:port that was dialled
	began, renewAt, holdAt int64       // monotonic ns; renewAt 0: it does not end
	fresh                  *dialResult // the connection that is to take over
}

// sessionOf returns the times of l's login by the producer's clock.
func (b *broker) sessionOf(l *cluster.Link, address string) session {
	now := b.p.clock.Now()
	s := session{address: address, began: now}
	if !l.RenewAt.IsZero() {
		s.renewAt = max(now+int64(time.Until(l.RenewAt)), 1)
		s.holdAt = s.renewAt + int64(l.SessionEnd.Sub(l.RenewAt))/2
	}
	return s
}

// renew brings the successor of a connection whose login ends.
func (b *broker) renew() {
	s := &b.session
	switch {
	case b.conn == nil:
		if fresh := s.fresh; fresh != nil {
			s.fresh = nil
			b.take(fresh)
		}
	case s.renewAt == 0 || b.env.Now < s.renewAt:
	case b.conn.InFlight() > 0:
		if s.fresh == nil {
			b.connect()
		}
	case s.fresh != nil:
		fresh, throttled := s.fresh, b.throttled
		b.hangUp(errRenewed)
		b.throttled = throttled // the broker's wish is about the client
		b.take(fresh)
		b.log.Debug("kring: a new connection has replaced one whose login ends", "broker", b.id)
	case b.lastSend <= s.began && b.pend.len() == 0:
		b.hangUp(errIdle) // nobody has used it: the next one to do so dials
	default:
		b.connect()
	}
}

// held says that nothing more may be sent over conn: its successor is there, or
// the broker might refuse what is still on its way when the login ends.
func (b *broker) held() bool {
	s := &b.session
	return s.fresh != nil || s.renewAt != 0 && b.env.Now >= s.holdAt
}

// dropFresh closes a successor that is not needed any more.
func (b *broker) dropFresh() {
	if fresh := b.session.fresh; fresh != nil {
		b.session.fresh = nil
		b.drop(fresh)
	}
}

var errRenewed = errors.New("the login on this connection ends soon; another one takes over")
