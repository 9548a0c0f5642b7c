package netio

// CanSend reports whether Begin may be called: the previous request has been
// written completely, the gate is open and the connection works.
func (c *Conn) CanSend() bool {
	return c.broken == nil && c.state == connOpen && c.out.slot < 0 && c.gate.open()
}

// Begin claims the next in-flight entry and returns its slot, which is below
// MaxInFlight and belongs to this request until it ends. It panics unless
// CanSend.
func (c *Conn) Begin() (slot int) {
	if !c.CanSend() {
		panic("netio: Begin, but CanSend is false")
	}
	c.out.slot = c.gate.begin()
	return c.out.slot
}

// Append adds one buffer to the request that Begin began. The buffer must not
// change until Handler.Written or Handler.Failed.
func (c *Conn) Append(b []byte) { c.out.append(b) }

// Send writes as much of the request as the socket takes now; Poll writes the
// rest. Without expectResponse (acks=0) the request ends with Handler.Written.
// deadline is in monotonic nanoseconds of the caller's clock, 0 for none.
//
// After an error the caller calls Close, which fails the request.
func (c *Conn) Send(correlationID int32, expectResponse bool, deadline int64) error {
	if c.out.slot < 0 || c.pending.Load() {
		panic("netio: Send without Begin")
	}
	if c.out.done() {
		panic("netio: Send of an empty request")
	}
	before := c.sole.enter()
	defer c.sole.leave(before)
	e := &c.gate.entries[c.out.slot]
	e.correlationID, e.expectAnswer, e.deadline = correlationID, expectResponse, deadline
	e.phase = phaseWriting
	c.pending.Store(true)
	_, err := c.flush()
	return err
}

// flush writes until everything has left or the socket is full. Some system
// calls take fewer bytes than there is room for, so only errWouldBlock ends
// the loop.
func (c *Conn) flush() (progress bool, err error) {
	for {
		n, err := c.sock.tryWritev(c.out.rest())
		if n > 0 {
			progress = true
			c.gate.entries[c.out.slot].sentBytes = true
			c.out.left(n)
		}
		switch {
		case err == errWouldBlock: //nolint:errorlint // the socket's own sentinel, never wrapped
			return progress, nil
		case err != nil:
			c.broken = &ConnError{Addr: c.addr, Op: "write", Err: err}
			return progress, c.broken
		case c.out.done():
			c.written()
			return true, nil
		}
	}
}

// written ends the request's way out.
func (c *Conn) written() {
	slot := c.out.slot
	c.out.reset()
	c.pending.Store(false)
	e := &c.gate.entries[slot]
	if e.expectAnswer {
		e.phase = phaseWaiting
	} else {
		c.gate.release(slot)
	}
	c.sole.lend()
	c.handler.Written(slot)
	c.sole.resume()
}
