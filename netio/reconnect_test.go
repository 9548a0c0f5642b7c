package netio

import (
	"encoding/binary"
	"net"
	"os"
	"runtime"
	"testing"
)

// Many connections one after another, each closed with an answer still on its
// way, so that the descriptor's number is used again at once: no answer may
// reach the next connection, and nothing may be left behind.
func TestReconnects(t *testing.T) {
	count := 10_000
	if testing.Short() {
		count = 500
	}
	eachSocket(t, func(t *testing.T, kind socketKind) {
		verifyNoLeaks(t)
		ln := listen(t)
		go serveEcho(ln)
		descriptors, goroutines := openDescriptors(t), runtime.NumGoroutine()
		for i := range count {
			nc, err := net.Dial("tcp", ln.Addr().String())
			if err != nil {
				t.Fatalf("connection %d: %v", i, err)
			}
			// No TIME_WAIT, or the ports run out.
			if err := nc.(*net.TCPConn).SetLinger(0); err != nil {
				t.Fatalf("linger: %v", err)
			}
			oneConnection(t, kind, nc.(*net.TCPConn), i)
		}
		// The peer's ends close a little later than ours.
		if now := openDescriptors(t); now > descriptors+50 {
			t.Errorf("%d descriptors after %d connections, %d before", now, count, descriptors)
		}
		if now := runtime.NumGoroutine(); now > goroutines+50 {
			t.Errorf("%d goroutines after %d connections, %d before", now, count, goroutines)
		}
		ln.Close()
	})
}

// oneConnection asks twice, waits for one answer and closes.
func oneConnection(t *testing.T, kind socketKind, nc *net.TCPConn, number int) {
	t.Helper()
	sock, err := kind.open(nc)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	d := &driver{t: t, events: make(chan event, 8)}
	d.role.Enter()
	d.conn = newConn(sock, "peer", Config{Handler: d, Notify: d.kick, MaxInFlight: 5, MaxFrame: 1 << 20})
	d.turns()
	tag := binary.BigEndian.AppendUint32(nil, uint32(number))
	d.send(1, true, 0, frame(1, tag))
	d.expect("written", 0)
	if got := d.expect("response", 0).frame[4:]; binary.BigEndian.Uint32(got) != uint32(number) {
		t.Fatalf("connection %d got the answer of %d", number, binary.BigEndian.Uint32(got))
	}
	d.do(func(c *Conn) {
		c.Begin()
		c.Append(frame(1, tag))
		if c.Send(1, true, 0) == nil {
			c.Close(nil)
		}
	})
	waitFor(t, "Done", d.conn.Done())
}

// serveEcho answers every connection until the listener closes.
func serveEcho(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			echo(conn)
		}()
	}
}

// openDescriptors counts this process's descriptors, 0 where /proc is missing.
func openDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}
