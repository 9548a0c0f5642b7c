package netio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// lastReads bounds how much Close reads: enough for every answer that has
// arrived, too little for a peer that never stops talking.
const lastReads = 16

// Poll continues a pending write, reads until the socket is empty, and
// dispatches complete responses in order. progress says that bytes moved.
// After an error the caller calls Close.
//
// Reading ends at errWouldBlock and not at the first short read, although that
// saves a system call: a FIN that arrives together with the last bytes has no
// edge of its own, so nobody would ever look again.
func (c *Conn) Poll() (progress bool, err error) {
	if c.state != connOpen || c.broken != nil {
		return false, c.reason()
	}
	if c.inPoll {
		panic("netio: Poll from inside a Handler")
	}
	before := c.sole.enter()
	defer c.sole.leave(before)
	if c.pending.Load() {
		if progress, err = c.flush(); err != nil {
			return progress, err
		}
	}
	received, err := c.receive(-1)
	return progress || received, err
}

// reason is what a connection answers that takes no more calls.
func (c *Conn) reason() error {
	if c.broken != nil {
		return c.broken
	}
	return ErrClosed
}

// receive reads and dispatches until the socket is empty, at most reads times
// if reads is not negative. A Handler may close the connection meanwhile, and
// then the descriptor is not ours any more.
func (c *Conn) receive(reads int) (progress bool, err error) {
	c.inPoll = true
	defer func() { c.inPoll = false }()
	for ; reads != 0 && c.state != connClosed; reads-- {
		n, err := c.sock.tryRead(c.in.room())
		if err == errWouldBlock { //nolint:errorlint // the socket's own sentinel, never wrapped
			return progress, nil
		}
		if err != nil {
			return progress, c.breakRead(c.readError(err))
		}
		progress = true
		c.in.size += n
		if err := c.dispatch(); err != nil {
			return progress, c.breakRead(err)
		}
	}
	return progress, c.broken
}

// breakRead ends the receiving side for good: the stream has ended, or nobody
// knows any more where the next frame starts.
func (c *Conn) breakRead(err error) error {
	c.readable = false
	if c.broken == nil {
		c.broken = err
	}
	return err
}

// readError names the broker and what was under way.
func (c *Conn) readError(err error) error {
	e := &ConnError{Addr: c.addr, Op: "read", Err: err}
	if c.in.size > 0 {
		if errors.Is(err, io.EOF) {
			e.Err = io.ErrUnexpectedEOF
		}
		e.Detail = fmt.Sprintf("%d bytes into a response", c.in.size)
	} else if n := c.InFlight(); n > 0 {
		e.Detail = fmt.Sprintf("%d requests in flight", n)
	}
	return e
}

// dispatch hands every complete frame to the Handler.
func (c *Conn) dispatch() error {
	from := 0
	for c.state != connClosed {
		frame, size, bad := c.in.frame(from)
		if bad {
			return &FrameError{Addr: c.addr, Size: size, Max: c.in.limit, Hint: frameHint(size)}
		}
		if frame == nil {
			break
		}
		from += lengthSize + len(frame)
		c.in.dispatched(len(frame))
		slot, err := c.match(frame)
		if err != nil {
			return err
		}
		c.sole.lend()
		err = c.handler.Response(slot, frame)
		c.sole.resume()
		if err != nil {
			return err
		}
	}
	if c.state != connClosed {
		c.in.consumed(from)
	}
	return nil
}

// match takes the oldest request out of the gate if frame is its answer. A
// broker answers in the order of the requests, so any other correlation id
// means that the stream can not be trusted.
func (c *Conn) match(frame []byte) (slot int, err error) {
	got := int32(binary.BigEndian.Uint32(frame))
	slot = c.gate.oldest()
	if slot < 0 {
		return 0, &ResponseError{Addr: c.addr, Got: got}
	}
	e := &c.gate.entries[slot]
	if got != e.correlationID || e.phase != phaseWaiting {
		early := got == e.correlationID && e.phase == phaseWriting
		return 0, &ResponseError{Addr: c.addr, Got: got, Want: e.correlationID, InFlight: c.InFlight(), Early: early}
	}
	c.gate.release(slot)
	return slot, nil
}

// Close ends the connection for the reason err (ErrClosed if nil) and fails
// every request in flight, oldest first. Answers that have already arrived are
// dispatched before: what they say is certain, and a failure is not. The
// goroutines and the descriptor are gone when Done is closed. A second Close
// does nothing.
func (c *Conn) Close(err error) {
	if c.state != connOpen {
		return
	}
	if err == nil {
		err = ErrClosed
	}
	before := c.sole.enter()
	defer c.sole.leave(before)
	c.state = connClosing
	if c.readable && !c.inPoll {
		c.receive(lastReads) //nolint:errcheck // the connection has a reason to close already
	}
	c.state = connClosed
	if c.broken == nil {
		c.broken = err
	}
	c.sock.close()
	c.out.reset()
	c.pending.Store(false)
	c.fail(err)
}

// fail ends all requests in flight.
func (c *Conn) fail(err error) {
	for {
		slot := c.gate.oldest()
		if slot < 0 {
			return
		}
		sent := c.gate.entries[slot].sentBytes
		c.gate.release(slot)
		c.sole.lend()
		c.handler.Failed(slot, sent, err)
		c.sole.resume()
	}
}
