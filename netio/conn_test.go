package netio

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func TestRequestAndResponse(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		d, p := pair(t, kind)
		head, body := frame(7, []byte("hello, "))[:15], []byte("broker")
		head[3] += byte(len(body))
		d.send(7, true, 0, head[:4], nil, head[4:], body)
		d.expect("written", 0)
		id, payload := p.readRequest()
		if id != 7 || string(payload) != "hello, broker" {
			t.Errorf("peer got %d %q, want 7 %q", id, payload, "hello, broker")
		}
		if n := d.conn.InFlight(); n != 1 {
			t.Errorf("InFlight() = %d before the response, want 1", n)
		}
		p.write(frame(7, []byte("hello, client")))
		if got := d.expect("response", 0).frame; !bytes.Equal(got, frame(7, []byte("hello, client"))[4:]) {
			t.Errorf("response = %q", got)
		}
		if n := d.conn.InFlight(); n != 0 {
			t.Errorf("InFlight() = %d after the response, want 0", n)
		}
	})
}

func TestGateClosesAtLimit(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		for _, limit := range []int{1, 2, 5, 64} {
			d, p := pair(t, kind, inFlight(limit))
			for round := range 3 {
				for i := range limit {
					d.send(int32(i), true, 0, frame(int32(i), nil))
					d.expect("written", i)
				}
				d.do(func(c *Conn) {
					if c.CanSend() {
						t.Errorf("limit %d: CanSend with %d in flight", limit, c.InFlight())
					}
				})
				for i := range limit {
					if id, _ := p.readRequest(); id != int32(i) {
						t.Fatalf("round %d: peer got request %d, want %d", round, id, i)
					}
					p.write(frame(int32(i), nil))
					d.expect("response", i)
				}
			}
		}
	})
}

func TestNoAnswerExpected(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		d, p := pair(t, kind, inFlight(1))
		for i := range 20 {
			d.send(int32(i), false, 0, frame(int32(i), nil))
			d.expect("written", 0)
			if n := d.conn.InFlight(); n != 0 {
				t.Fatalf("InFlight() = %d after acks=0, want 0", n)
			}
			if id, _ := p.readRequest(); id != int32(i) {
				t.Fatalf("peer got %d, want %d", id, i)
			}
		}
	})
}

// A request without an answer ends before an older one that still waits.
func TestNoAnswerBehindAnAnswer(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		d, p := pair(t, kind, inFlight(2))
		d.send(1, true, 0, frame(1, nil))
		d.expect("written", 0)
		d.send(2, false, 0, frame(2, nil))
		d.expect("written", 1)
		if n := d.conn.InFlight(); n != 1 {
			t.Errorf("InFlight() = %d, want 1", n)
		}
		p.write(frame(1, nil))
		d.expect("response", 0)
		d.send(3, true, 0, frame(3, nil))
		d.expect("written", 0)
	})
}

func TestDeadlines(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		d, _ := pair(t, kind)
		expired := func(now int64) (got bool) {
			d.do(func(c *Conn) { got = c.Expired(now) })
			return got
		}
		if expired(1 << 62) {
			t.Error("Expired with nothing in flight")
		}
		d.send(1, true, 0, frame(1, nil))
		if expired(1 << 62) {
			t.Error("Expired without a deadline")
		}
		d.send(2, true, 300, frame(2, nil))
		d.send(3, true, 200, frame(3, nil)) // a shorter timeout behind a longer one
		for _, tc := range []struct {
			now  int64
			want bool
		}{{199, false}, {200, true}, {300, true}} {
			if got := expired(tc.now); got != tc.want {
				t.Errorf("Expired(%d) = %v, want %v", tc.now, got, tc.want)
			}
		}
		d.do(func(c *Conn) { c.Postpone(1000) })
		d.do(func(c *Conn) {
			if got := c.NextDeadline(); got != 1200 {
				t.Errorf("NextDeadline() = %d after Postpone(1000), want 1200", got)
			}
		})
		if expired(1199) {
			t.Error("throttle time counts towards the deadline")
		}
	})
}

func TestCloseFailsOldestFirst(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		d, _ := pair(t, kind)
		for i := range 5 {
			d.send(int32(i), true, 0, frame(int32(i), nil))
			d.expect("written", i)
		}
		reason := errors.New("leader moved")
		d.do(func(c *Conn) { c.Close(reason) })
		for i := range 5 {
			e := d.expect("failed", i)
			if !e.sent || !errors.Is(e.err, reason) {
				t.Errorf("slot %d: sent=%v err=%v, want true, %v", i, e.sent, e.err, reason)
			}
		}
		d.do(func(c *Conn) {
			c.Close(errors.New("again"))
			if c.CanSend() {
				t.Error("CanSend after Close")
			}
			if _, err := c.Poll(); !errors.Is(err, reason) {
				t.Errorf("Poll after Close: %v, want %v", err, reason)
			}
		})
		d.expectNone()
	})
}

// A request that was begun and never sent fails without any doubt.
func TestCloseBetweenBeginAndSend(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		d, _ := pair(t, kind)
		d.do(func(c *Conn) {
			c.Begin()
			c.Append(frame(1, nil))
			c.Close(nil)
		})
		if e := d.expect("failed", 0); e.sent || !errors.Is(e.err, ErrClosed) {
			t.Errorf("sent=%v err=%v, want false, %v", e.sent, e.err, ErrClosed)
		}
	})
}

// What a Handler says about a response breaks the connection, and the
// responses behind it are not dispatched.
func TestResponseErrorBreaks(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		d, p := pair(t, kind)
		bad := errors.New("no such topic in the request")
		d.do(func(*Conn) { d.onResponse = func([]byte) error { return bad } })
		d.send(1, true, 0, frame(1, nil))
		d.expect("written", 0)
		d.send(2, true, 0, frame(2, nil))
		d.expect("written", 1)
		p.write(append(frame(1, nil), frame(2, nil)...))
		d.expect("response", 0)
		if e := d.expect("failed", 1); !errors.Is(e.err, bad) {
			t.Errorf("err = %v, want %v", e.err, bad)
		}
	})
}

// A Handler may send the next request, and may close, from within Response.
func TestHandlerCallsBack(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		d, p := pair(t, kind, inFlight(1))
		next := int32(2)
		d.do(func(c *Conn) {
			d.onResponse = func([]byte) error {
				if next == 5 {
					c.Close(nil)
					return nil
				}
				slot := c.Begin()
				c.Append(frame(next, nil))
				next++
				if slot != 0 {
					t.Errorf("Begin() = %d, want 0", slot)
				}
				return c.Send(next-1, true, 0)
			}
		})
		d.send(1, true, 0, frame(1, nil))
		d.expect("written", 0)
		for want := int32(1); want < 5; want++ {
			id, _ := p.readRequest()
			if id != want {
				t.Fatalf("peer got request %d, want %d", id, want)
			}
			p.write(frame(id, nil))
			d.expect("response", 0)
			if want < 4 {
				d.expect("written", 0)
			}
		}
		waitFor(t, "Done after Close from inside a Handler", d.conn.Done())
		d.expectNone()
	})
}

// An answer that has arrived before Close is delivered, not failed.
func TestCloseDeliversWhatHasArrived(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		d, p := pair(t, kind, manual())
		d.send(1, true, 0, frame(1, nil))
		d.expect("written", 0)
		d.send(2, true, 0, frame(2, nil))
		d.expect("written", 1)
		p.readRequest()
		p.write(frame(1, nil))
		awaitInput(t, d.conn)
		d.do(func(c *Conn) { c.Close(io.ErrNoProgress) })
		d.expect("response", 0)
		if e := d.expect("failed", 1); !errors.Is(e.err, io.ErrNoProgress) {
			t.Errorf("err = %v, want %v", e.err, io.ErrNoProgress)
		}
	})
}
