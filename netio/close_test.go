package netio

import (
	"bytes"
	"io"
	"testing"
)

// When Done is closed, so is the connection: the peer sees its end.
func TestDoneMeansClosed(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		d, p := pair(t, kind)
		d.do(func(c *Conn) { c.Close(nil) })
		waitFor(t, "Done", d.conn.Done())
		if n, err := p.conn.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("peer read %d bytes, %v, want io.EOF", n, err)
		}
	})
}

// acks=0 said that the bytes were taken, so Close does not throw them away.
func TestCloseLetsTakenBytesGo(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		for range 20 {
			d, p := pair(t, kind)
			body := bytes.Repeat([]byte("kring"), 40_000)
			d.do(func(c *Conn) {
				c.Begin()
				c.Append(frame(1, body))
				if err := c.Send(1, false, 0); err != nil {
					t.Errorf("Send: %v", err)
				}
				if !c.Pending() { // all of it was taken at once, usually
					c.Close(nil)
				}
			})
			d.expect("written", 0)
			if id, got := p.readRequest(); id != 1 || !bytes.Equal(got, body) {
				t.Fatalf("peer got request %d of %d bytes, want 1 of %d", id, len(got), len(body))
			}
		}
	})
}
