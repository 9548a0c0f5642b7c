package netio

import (
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
