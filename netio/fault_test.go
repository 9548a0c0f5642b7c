package netio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
)

// The peer resets the connection after k bytes of the request: the request
// fails once, and is never said to be unsent if the peer has seen some of it.
func TestResetWithinRequest(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		request := frame(1, []byte("0123456789"))
		for k := range len(request) + 1 {
			t.Run(fmt.Sprintf("bytes=%d", k), func(t *testing.T) {
				d, p := pair(t, kind)
				d.send(1, true, 0, request)
				d.expect("written", 0)
				p.readN(k)
				p.reset()
				if e := d.expect("failed", 0); !e.sent || e.err == nil {
					t.Errorf("sent=%v err=%v, want true and an error", e.sent, e.err)
				}
				d.expectNone()
			})
		}
	})
}

// The peer resets the connection after k bytes of the second response: the
// first is delivered, the second fails unless it was complete.
func TestResetWithinResponse(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		response := frame(2, []byte("abcdef"))
		for k := range len(response) + 1 {
			t.Run(fmt.Sprintf("bytes=%d", k), func(t *testing.T) {
				d, p := pair(t, kind)
				for i := range 2 {
					d.send(int32(i+1), true, 0, frame(int32(i+1), nil))
					d.expect("written", i)
					p.readRequest()
				}
				p.write(frame(1, nil))
				d.expect("response", 0)
				if k > 0 {
					p.write(response[:k])
				}
				p.reset()
				if k == len(response) {
					e := <-d.events // a reset may overtake bytes, so both are right
					if e.slot != 1 || (e.kind != "response" && e.kind != "failed") {
						t.Fatalf("got %v, want the end of slot 1", e)
					}
				} else if e := d.expect("failed", 1); !e.sent {
					t.Error("sent = false for a request that was answered in part")
				}
				d.expectNone()
			})
		}
	})
}

// A response and the end of the stream arrive together, so there is one edge
// for both, and nobody polls but the parked reader.
func TestEndOfStreamBehindResponse(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		for range 50 {
			d, p := pair(t, kind)
			for i := range 2 {
				d.send(int32(i), true, 0, frame(int32(i), nil))
				d.expect("written", i)
			}
			p.write(frame(0, nil))
			p.conn.CloseWrite()
			d.expect("response", 0)
			e := d.expect("failed", 1)
			var ce *ConnError
			if !errors.As(e.err, &ce) || ce.Op != "read" || !errors.Is(e.err, io.EOF) {
				t.Fatalf("err = %v, want a read error that is io.EOF", e.err)
			}
		}
	})
}

// A response that ends in the middle names how far it came.
func TestTruncatedResponse(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		response := frame(1, []byte("payload"))
		for _, k := range []int{1, 3, 4, 7, 8, len(response) - 1} {
			t.Run(fmt.Sprintf("bytes=%d", k), func(t *testing.T) {
				d, p := pair(t, kind)
				d.send(1, true, 0, frame(1, nil))
				d.expect("written", 0)
				p.readRequest()
				p.write(response[:k])
				p.conn.Close()
				e := d.expect("failed", 0)
				var ce *ConnError
				if !errors.Is(e.err, io.ErrUnexpectedEOF) || !errors.As(e.err, &ce) {
					t.Fatalf("err = %v, want io.ErrUnexpectedEOF in a ConnError", e.err)
				}
				if want := fmt.Sprintf("%d bytes into a response", k); ce.Detail != want {
					t.Errorf("Detail = %q, want %q", ce.Detail, want)
				}
			})
		}
	})
}

func TestResponseByteByByte(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		d, p := pair(t, kind)
		for i := range 5 {
			id := int32(i * 1000)
			d.send(id, true, 0, frame(id, nil))
			d.expect("written", i)
		}
		for i := range 5 {
			response := frame(int32(i*1000), bytes.Repeat([]byte{byte(i)}, i*7))
			for j := range response {
				p.write(response[j : j+1])
			}
			if got := d.expect("response", i).frame; !bytes.Equal(got, response[4:]) {
				t.Errorf("response %d = %x, want %x", i, got, response[4:])
			}
		}
	})
}

func TestResponsesCoalesced(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		d, p := pair(t, kind, inFlight(50))
		var all []byte
		for i := range 50 {
			d.send(int32(i), true, 0, frame(int32(i), nil))
			d.expect("written", i)
			// Some of them do not fit the first buffer.
			all = append(all, frame(int32(i), bytes.Repeat([]byte{byte(i)}, i*i*50))...)
		}
		go p.write(all)
		for i := range 50 {
			if got := d.expect("response", i).frame; len(got) != 4+i*i*50 {
				t.Errorf("response %d has %d bytes, want %d", i, len(got), 4+i*i*50)
			}
		}
	})
}

// A peer that does not read: the request stays pending, nobody waits, and the
// deadline is seen. (A peer that is gone without a word looks the same.)
func TestZeroWindowExpires(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		for _, answer := range []bool{true, false} {
			t.Run(fmt.Sprintf("answer=%v", answer), func(t *testing.T) {
				d, _ := pair(t, kind)
				d.send(1, answer, 1000, frame(1, make([]byte, 64<<20)))
				if !d.conn.Pending() {
					t.Fatal("64 MiB were taken by a peer that does not read")
				}
				d.do(func(c *Conn) {
					if c.CanSend() {
						t.Error("CanSend while a request is pending")
					}
					if !c.Expired(1000) {
						t.Error("a pending request does not expire")
					}
					c.Close(io.ErrNoProgress)
				})
				if e := d.expect("failed", 0); !e.sent || !errors.Is(e.err, io.ErrNoProgress) {
					t.Errorf("sent=%v err=%v, want true, %v", e.sent, e.err, io.ErrNoProgress)
				}
				waitFor(t, "Done after Close of a pending write", d.conn.Done())
				d.expectNone()
			})
		}
	})
}

// The window opens again: the rest leaves without anybody polling.
func TestZeroWindowOpens(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		d, p := pair(t, kind)
		for round := range 3 {
			body := make([]byte, 24<<20)
			for i := range body {
				body[i] = byte(i*7 + round)
			}
			id := int32(round)
			whole := frame(id, body)
			d.send(id, true, 0, whole[:9], whole[9:1<<20], whole[1<<20:])
			if !d.conn.Pending() {
				t.Fatal("24 MiB were taken by a peer that does not read")
			}
			got, payload := p.readRequest()
			if got != id || !bytes.Equal(payload, body) {
				t.Fatalf("round %d: the request arrived changed", round)
			}
			d.expect("written", round)
			p.write(frame(id, nil))
			d.expect("response", round)
		}
	})
}

// The peer resets while a write is blocked.
func TestResetWhilePending(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		d, p := pair(t, kind)
		d.send(1, true, 0, frame(1, make([]byte, 64<<20)))
		p.readN(1000)
		p.reset()
		if e := d.expect("failed", 0); !e.sent || e.err == nil {
			t.Errorf("sent=%v err=%v, want true and an error", e.sent, e.err)
		}
		d.expectNone()
	})
}

// Answers that come after the connection was given up reach nobody.
func TestLateAnswer(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		d, p := pair(t, kind)
		d.send(1, true, 10, frame(1, nil))
		d.expect("written", 0)
		p.readRequest()
		d.do(func(c *Conn) {
			if _, err := c.Poll(); err != nil || !c.Expired(10) {
				t.Errorf("Poll: %v; Expired = %v, want true", err, c.Expired(10))
			}
			c.Close(io.ErrNoProgress)
		})
		d.expect("failed", 0)
		p.conn.Write(frame(1, nil)) // may find the connection reset already
		waitFor(t, "Done", d.conn.Done())
		d.expectNone()
	})
}

// Writing to a connection that was reset is an error, not a signal that kills
// the process (SIGPIPE).
func TestSendAfterReset(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		d, p := pair(t, kind, manual())
		p.reset()
		var err error
		for i := 0; err == nil && i < 5; {
			d.do(func(c *Conn) {
				if c.CanSend() {
					c.Begin()
					c.Append(frame(int32(i), nil))
					err = c.Send(int32(i), true, 0)
					i++
				}
			})
		}
		var ce *ConnError
		if kind.name == "raw" && (!errors.As(err, &ce) || ce.Op != "write") {
			t.Errorf("Send: %v, want a write error", err)
		}
		d.do(func(c *Conn) {
			if kind.name == "raw" && c.CanSend() {
				t.Error("CanSend after a failed write")
			}
			c.Close(err)
		})
	})
}
