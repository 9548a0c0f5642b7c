package netio

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"
)

// stall is how long a test waits for something that must happen. It only
// bounds a broken run, so it is generous: the machine may be busy.
const stall = 30 * time.Second

// peer is the other end of a connection: a broker that does exactly what the
// test says. It knows frames and correlation ids, nothing of Kafka.
type peer struct {
	t    testing.TB
	conn *net.TCPConn
	in   *bufio.Reader
}

// tcpPair returns both ends of a loopback connection.
func tcpPair(t testing.TB) (*net.TCPConn, *peer) {
	t.Helper()
	ln := listen(t)
	accepted := make(chan *net.TCPConn, 1)
	go func() {
		defer close(accepted)
		if c, err := ln.Accept(); err == nil {
			accepted <- c.(*net.TCPConn)
		}
	}()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	theirs, ok := <-accepted
	if !ok {
		t.Fatal("accept failed")
	}
	return nc.(*net.TCPConn), newPeer(t, theirs)
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

func newPeer(t testing.TB, conn *net.TCPConn) *peer {
	p := &peer{t: t, conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(stall)); err != nil {
		t.Fatalf("set deadline: %v", err)
	}
	return p
}

// readN reads exactly n bytes.
func (p *peer) readN(n int) []byte {
	p.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(p.in, b); err != nil {
		p.t.Fatalf("peer: reading %d bytes: %v", n, err)
	}
	return b
}

// readRequest reads one frame and returns its correlation id and payload.
func (p *peer) readRequest() (correlationID int32, payload []byte) {
	p.t.Helper()
	b := p.readN(int(binary.BigEndian.Uint32(p.readN(4))))
	return int32(binary.BigEndian.Uint32(b)), b[4:]
}

// write sends bytes as they are.
func (p *peer) write(b []byte) {
	p.t.Helper()
	if _, err := p.conn.Write(b); err != nil {
		p.t.Fatalf("peer: writing %d bytes: %v", len(b), err)
	}
}

// reset ends the connection with RST.
func (p *peer) reset() {
	p.t.Helper()
	if err := p.conn.SetLinger(0); err != nil {
		p.t.Fatalf("peer: linger: %v", err)
	}
	p.conn.Close()
}

// frame builds a request or a response: length, correlation id, payload.
func frame(correlationID int32, payload []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(4+len(payload)))
	b = binary.BigEndian.AppendUint32(b, uint32(correlationID))
	return append(b, payload...)
}

// echo answers every request with its own payload until the connection ends.
func echo(conn net.Conn) { serve(conn, func() {}) }

// serve is echo with something to do before each answer.
func serve(conn net.Conn, before func()) {
	in := bufio.NewReaderSize(conn, 64<<10)
	buf := make([]byte, 4, 64<<10)
	for {
		if _, err := io.ReadFull(in, buf[:4]); err != nil {
			return
		}
		size := int(binary.BigEndian.Uint32(buf[:4]))
		if cap(buf) < 4+size {
			buf = append(make([]byte, 0, 4+size), buf[:4]...)
		}
		whole := buf[:4+size]
		if _, err := io.ReadFull(in, whole[4:]); err != nil {
			return
		}
		before()
		if _, err := conn.Write(whole); err != nil {
			return
		}
	}
}

// think is a broker's work on a request. Only the peer's own process calls it:
// a sleeping thread, unlike a Go timer, wakes up within microseconds.
func think(d time.Duration) {
	if d > 0 {
		nanosleep(d)
	}
}
