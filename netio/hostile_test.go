package netio

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestImpossibleLength(t *testing.T) {
	int32Bytes := func(n int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
	cases := []struct {
		name  string
		bytes []byte
		hint  string
	}{
		{"minus one", int32Bytes(-1), ""},
		{"smallest", int32Bytes(-1 << 31), ""},
		{"zero", int32Bytes(0), ""},
		{"one", int32Bytes(1), ""},
		{"no room for a correlation id", int32Bytes(3), ""},
		{"limit plus one", int32Bytes(100<<20 + 1), ""},
		{"largest", int32Bytes(1<<31 - 1), ""},
		{"HTTP", []byte("HTTP/1.1 400 Bad Request\r\n"), "looks like an HTTP server"},
		{"SSH", []byte("SSH-2.0-OpenSSH_9.9\r\n"), "looks like an SSH server"},
		{"TLS alert", []byte{0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46}, "looks like a TLS listener"},
		{"TLS handshake", []byte{0x16, 0x03, 0x01, 0x02, 0x00, 0x01}, "looks like a TLS peer"},
	}
	eachSocket(t, func(t *testing.T, kind socketKind) {
		for _, tc := range cases {
			t.Run(tc.name, func(t *testing.T) {
				d, p := pair(t, kind)
				d.send(1, true, 0, frame(1, nil))
				d.expect("written", 0)
				p.readRequest()
				p.write(tc.bytes)
				e := d.expect("failed", 0)
				var fe *FrameError
				if !errors.As(e.err, &fe) {
					t.Fatalf("err = %v, want a FrameError", e.err)
				}
				if want := int32(binary.BigEndian.Uint32(tc.bytes)); fe.Size != want {
					t.Errorf("Size = %d, want %d", fe.Size, want)
				}
				if !strings.HasPrefix(fe.Hint, tc.hint) || (tc.hint == "" && fe.Hint != "") {
					t.Errorf("Hint = %q, want %q", fe.Hint, tc.hint)
				}
				if msg := e.err.Error(); !strings.Contains(msg, p.conn.LocalAddr().String()) || !strings.Contains(msg, tc.hint) {
					t.Errorf("message %q names not the address and the hint", msg)
				}
			})
		}
	})
}

func TestResponseThatAnswersNothing(t *testing.T) {
	type request struct {
		id     int32
		answer bool
	}
	cases := []struct {
		name     string
		requests []request
		answers  []int32
		good     int // how many answers are right
		message  string
	}{
		{"before any request", nil, []int32{0}, 0, "no request waits"},
		{"unknown id", []request{{5, true}}, []int32{6}, 0, "response 6, want 5"},
		{"swapped", []request{{1, true}, {2, true}}, []int32{2, 1}, 0, "response 2, want 1"},
		{"twice", []request{{1, true}, {2, true}}, []int32{1, 1}, 1, "response 1, want 2"},
		{"twice, the last", []request{{1, true}}, []int32{1, 1}, 1, "no request waits"},
		{"to acks=0", []request{{1, false}}, []int32{1}, 0, "no request waits"},
		{"to acks=0 before another", []request{{1, false}, {2, true}}, []int32{1}, 0, "response 1, want 2"},
	}
	eachSocket(t, func(t *testing.T, kind socketKind) {
		for _, tc := range cases {
			t.Run(tc.name, func(t *testing.T) {
				d, p := pair(t, kind)
				slots := []int{}
				for i, r := range tc.requests {
					d.send(r.id, r.answer, 0, frame(r.id, nil))
					slot := (<-d.events).slot
					if r.answer {
						slots = append(slots, slot)
					}
					if id, _ := p.readRequest(); id != r.id {
						t.Fatalf("request %d has id %d, want %d", i, id, r.id)
					}
				}
				var all []byte
				for _, id := range tc.answers {
					all = append(all, frame(id, nil)...)
				}
				p.write(all)
				for i, slot := range slots {
					if i < tc.good {
						d.expect("response", slot)
						continue
					}
					e := d.expect("failed", slot)
					var re *ResponseError
					if !errors.As(e.err, &re) {
						t.Fatalf("err = %v, want a ResponseError", e.err)
					}
				}
				if err := d.closeReason(); err == nil || !strings.Contains(err.Error(), tc.message) {
					t.Errorf("closed because of %v, want %q", err, tc.message)
				}
				d.expectNone()
			})
		}
	})
}

// closeReason waits until the driver has closed the connection by itself.
func (d *driver) closeReason() (err error) {
	d.t.Helper()
	waitFor(d.t, "the connection to end", d.conn.Done())
	d.do(func(*Conn) { err = d.closedBy })
	return err
}

// The answer comes before the request has left: its buffers are still being
// read, so it must not end here.
func TestAnswerToUnfinishedRequest(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		d, p := pair(t, kind)
		d.send(1, true, 0, frame(1, make([]byte, 64<<20)))
		p.write(frame(1, nil))
		e := d.expect("failed", 0)
		var re *ResponseError
		if !errors.As(e.err, &re) || !re.Early {
			t.Errorf("err = %v, want an early ResponseError", e.err)
		}
	})
}

// A length is a claim: 99 MiB and then silence must not cost 99 MiB.
func TestMemoryFollowsBytesReceived(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		d, p := pair(t, kind)
		d.send(1, true, 1, frame(1, nil))
		d.expect("written", 0)
		p.write(binary.BigEndian.AppendUint32(nil, 99<<20))
		for _, received := range []int{4, inboxSize - 1, inboxSize, 3 * inboxSize, 1 << 20} {
			d.awaitBytes(p, received)
			d.do(func(c *Conn) {
				if size := len(c.in.buf); size > max(inboxSize, 2*received) {
					t.Errorf("buffer of %d bytes after %d were received", size, received)
				}
				if !c.Expired(1) {
					t.Error("the request does not expire")
				}
			})
		}
	})
}

// awaitBytes lets the peer write until the connection holds n bytes.
func (d *driver) awaitBytes(p *peer, n int) {
	d.t.Helper()
	have := func() (size int) {
		d.do(func(c *Conn) { size = c.in.size })
		return size
	}
	if missing := n - d.sentTo; missing > 0 && n > 4 {
		p.write(make([]byte, missing))
	}
	d.sentTo = max(n, 4)
	for deadline := time.Now().Add(stall); have() < n; {
		if time.Now().After(deadline) {
			d.t.Fatalf("%d bytes arrived, want %d", have(), n)
		}
	}
}

// A grown buffer serves the next large response and goes when it was large
// beyond reason, or when only small ones come.
func TestInboxShrinks(t *testing.T) {
	feed := func(in *inbox, size int) {
		whole := frame(1, make([]byte, size-8))
		for len(whole) > 0 {
			n := copy(in.room(), whole)
			in.size += n
			whole = whole[n:]
		}
		f, _, bad := in.frame(0)
		if bad || len(f) != size-4 {
			t.Fatalf("frame of %d bytes, bad=%v, want %d", len(f), bad, size-4)
		}
		in.dispatched(len(f))
		in.consumed(4 + len(f))
	}
	in := newInbox(100 << 20)
	feed(&in, 500<<10)
	if got := len(in.buf); got < 500<<10 || got > 512<<10 {
		t.Errorf("buffer of %d bytes after a response of 500 KiB, want it kept", got)
	}
	for range inboxCalm - 1 {
		feed(&in, 100)
	}
	if len(in.buf) == inboxSize {
		t.Error("the grown buffer went too early")
	}
	feed(&in, 100)
	if got := len(in.buf); got != inboxSize {
		t.Errorf("buffer of %d bytes after %d small responses, want %d", got, inboxCalm, inboxSize)
	}
	feed(&in, 8<<20)
	if got := len(in.buf); got != inboxSize {
		t.Errorf("buffer of %d bytes after a response of 8 MiB, want %d", got, inboxSize)
	}
}
