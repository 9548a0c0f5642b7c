package netio

import (
	"bytes"
	"fmt"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// scripted replaces system calls of a raw socket, before it is used.
func scripted(change func(*syscalls)) socketKind {
	raw := socketKinds()[0]
	return socketKind{name: "scripted", open: withSyscalls(raw.open, change)}
}

// cut returns iov shortened to n bytes.
func cut(iov []unix.Iovec, n int) []unix.Iovec {
	var short []unix.Iovec
	for _, v := range iov {
		if size := int(v.Len); size > n {
			v.SetLen(n)
		}
		if v.Len > 0 {
			short = append(short, v)
		}
		n -= int(v.Len)
	}
	return short
}

// The first writev is cut after every possible number of bytes, which includes
// every iovec boundary, and then the socket is full once.
func TestWritevCutEverywhere(t *testing.T) {
	parts := [][]byte{frame(1, make([]byte, 30))[:8], []byte("header"), {'x'}, []byte("batch one"), []byte("batch two...xy")}
	whole := bytes.Join(parts, nil)
	for at := range len(whole) {
		t.Run(fmt.Sprintf("at=%d", at), func(t *testing.T) {
			calls := 0
			d, p := pair(t, scripted(func(s *syscalls) {
				s.writev = func(fd int, iov []unix.Iovec) (int, syscall.Errno) {
					calls++
					switch {
					case calls == 1 && at > 0:
						return sysWritev(fd, cut(iov, at))
					case calls <= 2:
						return 0, unix.EAGAIN
					}
					return sysWritev(fd, iov)
				}
			}))
			d.send(1, true, 0, parts...)
			// Nobody polls: the parked writer finds the room.
			d.expect("written", 0)
			if got := p.readN(len(whole)); !bytes.Equal(got, whole) {
				t.Errorf("peer got %q, want %q", got, whole)
			}
		})
	}
}

// One byte at a time both ways, and every other call is interrupted.
func TestOneByteAtATime(t *testing.T) {
	var reads, writes int
	d, p := pair(t, scripted(func(s *syscalls) {
		s.writev = func(fd int, iov []unix.Iovec) (int, syscall.Errno) {
			if writes++; writes%2 == 0 {
				return 0, unix.EINTR
			}
			return sysWritev(fd, cut(iov, 1))
		}
		s.read = func(fd int, b []byte) (int, syscall.Errno) {
			if reads++; reads%2 == 0 {
				return 0, unix.EINTR
			}
			return sysRead(fd, b[:1])
		}
	}))
	for i := range 20 {
		id, body := int32(i), bytes.Repeat([]byte{byte(i)}, 10*i)
		d.send(id, true, 0, frame(id, body))
		d.expect("written", i%5)
		if got, payload := p.readRequest(); got != id || !bytes.Equal(payload, body) {
			t.Fatalf("peer got %d %x, want %d %x", got, payload, id, body)
		}
		p.write(frame(id, body))
		if got := d.expect("response", i%5).frame; !bytes.Equal(got[4:], body) {
			t.Fatalf("response %d = %x, want %x", i, got[4:], body)
		}
	}
}

// More buffers than one writev may have.
func TestMoreBuffersThanIovecs(t *testing.T) {
	most := 0
	d, p := pair(t, scripted(func(s *syscalls) {
		s.writev = func(fd int, iov []unix.Iovec) (int, syscall.Errno) {
			most = max(most, len(iov))
			return sysWritev(fd, iov)
		}
	}))
	var parts [][]byte
	for i := range 3*maxIovecs + 17 {
		parts = append(parts, []byte{byte(i), byte(i >> 8)})
	}
	d.send(1, true, 0, parts...)
	d.expect("written", 0)
	if got, want := p.readN(2*len(parts)), bytes.Join(parts, nil); !bytes.Equal(got, want) {
		t.Error("the request arrived changed")
	}
	d.do(func(*Conn) {
		if most != maxIovecs {
			t.Errorf("largest writev had %d iovecs, want %d", most, maxIovecs)
		}
	})
}

// Errors of the system calls end the connection and keep their errno.
func TestSyscallErrors(t *testing.T) {
	t.Run("writev", func(t *testing.T) {
		d, _ := pair(t, scripted(func(s *syscalls) {
			s.writev = func(int, []unix.Iovec) (int, syscall.Errno) { return 0, unix.ENOBUFS }
		}))
		d.send(1, true, 0, frame(1, nil))
		e := d.expect("failed", 0)
		if e.sent {
			t.Error("sent = true, but no byte has left")
		}
		wantErrno(t, e.err, unix.ENOBUFS)
	})
	t.Run("read", func(t *testing.T) {
		d, p := pair(t, scripted(func(s *syscalls) {
			s.read = func(fd int, b []byte) (int, syscall.Errno) {
				if n, errno := sysRead(fd, b); errno != 0 || n == 0 {
					return n, errno
				}
				return 0, unix.ETIMEDOUT
			}
		}))
		d.send(1, true, 0, frame(1, nil))
		d.expect("written", 0)
		p.write(frame(1, nil))
		wantErrno(t, d.expect("failed", 0).err, unix.ETIMEDOUT)
	})
}

// The poller refuses to wait: that must end the connection, not lose it.
func TestReaderCanNotPark(t *testing.T) {
	d, _ := pair(t, socketKinds()[0])
	d.send(1, true, 0, frame(1, nil))
	d.expect("written", 0)
	// A deadline of its own is the simplest way to throw the reader out.
	d.do(func(c *Conn) { expireReads(t, c) })
	if e := d.expect("failed", 0); e.err == nil {
		t.Error("failed without an error")
	}
}

// A Handler closes the connection while more could be read: no read follows,
// for the descriptor may be somebody else's by then.
func TestNoReadAfterHandlerClosed(t *testing.T) {
	var closed bool
	var after int
	d, p := pair(t, scripted(func(s *syscalls) {
		s.read = func(fd int, b []byte) (int, syscall.Errno) {
			if closed {
				after++
			}
			return sysRead(fd, b[:8])
		}
	}))
	d.do(func(c *Conn) {
		d.onResponse = func([]byte) error {
			closed = true
			c.Close(nil)
			return nil
		}
	})
	d.send(1, true, 0, frame(1, nil))
	d.expect("written", 0)
	p.readRequest()
	p.write(append(frame(1, nil), frame(2, nil)...))
	d.expect("response", 0)
	waitFor(t, "Done", d.conn.Done())
	d.do(func(*Conn) {
		if after != 0 {
			t.Errorf("%d reads after Close", after)
		}
	})
}

// While the socket is full, nobody is busy.
func TestBlockedWriteDoesNotSpin(t *testing.T) {
	writes := 0
	d, _ := pair(t, scripted(func(s *syscalls) {
		s.writev = func(fd int, iov []unix.Iovec) (int, syscall.Errno) {
			writes++
			return sysWritev(fd, iov)
		}
	}))
	d.send(1, true, 0, frame(1, make([]byte, 64<<20)))
	<-time.After(100 * time.Millisecond) // the time in which nothing should happen
	d.do(func(*Conn) {
		if writes > 200 {
			t.Errorf("%d writev calls for a socket that is full", writes)
		}
	})
}
