package netio

import (
	"fmt"
	"net"
	"sync/atomic"
)

// Handler is told what becomes of requests. Every method is called under the
// role, by the goroutine that holds it, from within Send, Poll or Close.
//
// A request gets Written at most once, and after that, or instead of it,
// exactly one of Response and Failed; a request that expects no answer gets
// exactly one of Written and Failed.
//
// A Handler may call Begin, Append and Send (for a slot's next request: the
// entry is free when Response is called), and Close. It must not call Poll.
type Handler interface {
	// Written says that the last byte of the request has been taken, so the
	// socket side lets go of its buffers.
	Written(slot int)
	// Response hands over the answer, without the length in front; it starts
	// with the correlation id and is valid during the call. An error breaks
	// the connection: Poll returns it.
	Response(slot int, frame []byte) error
	// Failed says that the connection ended before the answer came; oldest
	// request first. The socket side lets go of the buffers. sentBytes: at
	// least one byte of the request may have reached the broker.
	Failed(slot int, sentBytes bool, err error)
}

// Config is what a Conn needs to know.
type Config struct {
	Handler Handler
	// Notify says that something may be readable or writable, or that the
	// connection has ended: enter the role and Poll. It is called from the
	// connection's own goroutines, even before NewConn has returned and,
	// spuriously, after Close. It must not wait for anything.
	Notify func()
	// Readable, if not nil, is called in place of Notify by a goroutine that
	// only waits for something to read, where there is one. It may take its
	// time, and even end its goroutine: but meanwhile nobody is told of what
	// arrives, and the caller must Poll by itself.
	Readable func()
	// MaxInFlight is how many requests may be out, 1 to 64.
	MaxInFlight int
	// MaxFrame is the largest response accepted. Memory grows with the bytes
	// received, not with the length claimed.
	MaxFrame int
}

// Conn drives one connection to a broker without ever waiting. One goroutine
// at a time, the holder of a Role that the caller keeps beside the Conn, may
// call its methods; InFlight, Pending and Done are open to all.
type Conn struct {
	handler  Handler
	sock     socket
	addr     string
	gate     gate
	out      outbox
	in       inbox
	state    connState
	broken   error // why no further request is accepted
	readable bool  // responses may still come; outlives a failed write
	inPoll   bool  // a Handler is, or may be, called from receive
	pending  atomic.Bool
	sole     soleUse
}

// connState is how far a Conn has closed.
type connState uint8

const (
	connOpen    connState = iota
	connClosing           // Close dispatches what has already arrived
	connClosed
)

// NewConn takes over nc: from now on only the Conn may touch it. On Linux a
// *net.TCPConn is driven by system calls of our own, everything else through
// net.Conn.
func NewConn(nc net.Conn, cfg Config) (*Conn, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	sock, err := newSocket(nc)
	if err != nil {
		return nil, &ConnError{Addr: addrOf(nc), Op: "open", Err: err}
	}
	return newConn(sock, addrOf(nc), cfg), nil
}

func newConn(sock socket, addr string, cfg Config) *Conn {
	c := &Conn{
		handler:  cfg.Handler,
		sock:     sock,
		addr:     addr,
		out:      newOutbox(),
		in:       newInbox(cfg.MaxFrame),
		readable: true,
	}
	c.gate.limit = uint64(cfg.MaxInFlight)
	readable := cfg.Readable
	if readable == nil {
		readable = cfg.Notify
	}
	sock.start(cfg.Notify, readable)
	return c
}

func (cfg *Config) validate() error {
	switch {
	case cfg.Handler == nil:
		return fmt.Errorf("netio: Config.Handler is missing")
	case cfg.Notify == nil:
		return fmt.Errorf("netio: Config.Notify is missing")
	case cfg.MaxInFlight < 1 || cfg.MaxInFlight > maxInFlight:
		return fmt.Errorf("netio: Config.MaxInFlight is %d, want 1 to %d", cfg.MaxInFlight, maxInFlight)
	case cfg.MaxFrame < minResponseSize:
		return fmt.Errorf("netio: Config.MaxFrame is %d, want at least %d", cfg.MaxFrame, minResponseSize)
	}
	return nil
}

// addrOf names the broker in errors. A net.Conn of the caller's own dialer may
// know no address.
func addrOf(nc net.Conn) string {
	if a := nc.RemoteAddr(); a != nil {
		return a.String()
	}
	return "(unknown address)"
}

// InFlight returns the number of requests between Begin and their end. Any
// goroutine may call it.
func (c *Conn) InFlight() int { return int(c.gate.count.Load()) }

// Pending reports whether a request has been sent but not yet written
// completely. Any goroutine may call it.
func (c *Conn) Pending() bool { return c.pending.Load() }

// Expired reports whether the deadline of a request in flight has passed. The
// caller polls once more, and then closes the connection: a late answer can
// not be told from the next one's.
func (c *Conn) Expired(now int64) bool {
	d := c.gate.nextDeadline()
	return d != 0 && d <= now
}

// NextDeadline returns the earliest deadline of the requests in flight, 0 if
// there is none: when to look at Expired.
func (c *Conn) NextDeadline() int64 { return c.gate.nextDeadline() }

// Postpone moves all deadlines by the nanoseconds for which the broker has
// announced to be silent; throttling is not the request's own delay.
func (c *Conn) Postpone(by int64) { c.gate.postpone(by) }

// Done is closed when, after Close, the connection's goroutines have ended and
// its descriptor is given back.
func (c *Conn) Done() <-chan struct{} { return c.sock.done() }
