//go:build !linux

package netio

import (
	"net"
	"runtime"
	"testing"
	"time"
)

func socketKinds() []socketKind {
	return []socketKind{
		{name: "net", open: func(nc *net.TCPConn) (socket, error) { return newNetSocket(nc), nil }},
	}
}

// awaitInput waits until a read would return something, and reads nothing.
func awaitInput(t *testing.T, c *Conn) {
	t.Helper()
	for deadline := time.Now().Add(stall); time.Now().Before(deadline); runtime.Gosched() {
		if len(c.sock.(*netSocket).in.unread()) > 0 {
			return
		}
	}
	t.Fatal("nothing arrived")
}

func nanosleep(d time.Duration) { time.Sleep(d) }
