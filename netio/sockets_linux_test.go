package netio

import (
	"errors"
	"net"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func socketKinds() []socketKind {
	return []socketKind{
		{name: "raw", open: func(nc *net.TCPConn) (socket, error) { return newRawSocket(nc) }},
		{name: "net", open: func(nc *net.TCPConn) (socket, error) { return newNetSocket(nc), nil }},
	}
}

// awaitInput waits until a read would return something, and reads nothing.
func awaitInput(t *testing.T, c *Conn) {
	t.Helper()
	var b [1]byte
	for deadline := time.Now().Add(stall); time.Now().Before(deadline); runtime.Gosched() {
		switch s := c.sock.(type) {
		case *rawSocket:
			if n, _, err := unix.Recvfrom(s.fd, b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT); err == nil && n > 0 {
				return
			}
		case *netSocket:
			if len(s.in.unread()) > 0 {
				return
			}
		}
	}
	t.Fatal("nothing arrived")
}

// withSyscalls changes the system calls of a raw socket before it is used.
func withSyscalls(open func(*net.TCPConn) (socket, error), change func(*syscalls)) func(*net.TCPConn) (socket, error) {
	return func(nc *net.TCPConn) (socket, error) {
		s, err := open(nc)
		if err == nil {
			change(&s.(*rawSocket).calls)
		}
		return s, err
	}
}

func wantErrno(t *testing.T, err error, want unix.Errno) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("err = %v, want %v", err, want)
	}
}

// expireReads throws the parked reader out of the poller.
func expireReads(t *testing.T, c *Conn) {
	t.Helper()
	if err := c.sock.(*rawSocket).tcp.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatalf("set deadline: %v", err)
	}
}

func nanosleep(d time.Duration) {
	ts := unix.NsecToTimespec(d.Nanoseconds())
	_ = unix.Nanosleep(&ts, nil) // a signal may cut it short; nobody minds
}
