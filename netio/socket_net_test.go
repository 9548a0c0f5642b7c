package netio

import (
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

func netKind() socketKind {
	return socketKind{name: "net", open: func(nc *net.TCPConn) (socket, error) { return newNetSocket(nc), nil }}
}

// eventually polls cond; stall only bounds a broken run.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(stall); !cond(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", stall, what)
		}
	}
}

// A response and the end of the stream lie ready before anybody polls.
func TestNetSocketBytesBeforeError(t *testing.T) {
	d, p := pair(t, netKind(), manual())
	d.send(1, true, 0, frame(1, nil))
	d.expect("written", 0)
	p.readRequest()
	p.write(frame(1, nil))
	p.conn.Close()
	s := d.conn.sock.(*netSocket)
	eventually(t, "the end of the stream", func() bool { return s.readErr.Load() != nil })
	var err error
	d.do(func(c *Conn) { _, err = c.Poll() })
	d.expect("response", 0)
	if err == nil {
		d.do(func(c *Conn) { _, err = c.Poll() })
	}
	if err == nil {
		t.Error("Poll does not report the end of the stream")
	}
}

// The reader sleeps because nobody polls, and goes on when somebody does.
func TestNetSocketReaderSleepsWhenFull(t *testing.T) {
	d, p := pair(t, netKind(), manual())
	d.send(1, true, 0, frame(1, nil))
	d.expect("written", 0)
	p.readRequest()
	go p.write(frame(1, make([]byte, 5*netInSize)))
	s := d.conn.sock.(*netSocket)
	eventually(t, "a full pipe", func() bool { return len(s.in.free()) == 0 })
	eventually(t, "the response", func() bool {
		d.do(func(c *Conn) {
			if _, err := c.Poll(); err != nil {
				t.Errorf("Poll: %v", err)
			}
		})
		return len(d.events) > 0
	})
	if got := d.expect("response", 0).frame; len(got) != 4+5*netInSize {
		t.Errorf("response of %d bytes, want %d", len(got), 4+5*netInSize)
	}
}

// sink is a net.Conn that takes everything at once and sends nothing.
type sink struct {
	net.Conn
	taken  atomic.Int64
	closed chan struct{}
}

func (s *sink) SetDeadline(time.Time) error { return nil }

func (s *sink) Read([]byte) (int, error) {
	<-s.closed
	return 0, io.EOF
}

func (s *sink) Write(p []byte) (int, error) {
	s.taken.Add(int64(len(p)))
	return len(p), nil
}

func (s *sink) Close() error {
	close(s.closed)
	return nil
}

// The pipe is tiny, so it is full all the time, and the writer empties it
// while tryWritev makes up its mind: no room may go unnoticed.
func TestNetSocketNoRoomLost(t *testing.T) {
	lasts := 300 * time.Millisecond
	if testing.Short() {
		lasts = 100 * time.Millisecond
	}
	conn := &sink{closed: make(chan struct{})}
	s := newNetSocket(conn)
	s.out = newBytePipe(4)
	room := make(chan struct{}, 1)
	s.start(func() { leaveToken(room) }, nil)
	total := int64(0)
	bufs := [][]byte{{1, 2, 3, 4}}
	for until := time.Now().Add(lasts); time.Now().Before(until); {
		n, err := s.tryWritev(bufs)
		if err == errWouldBlock {
			waitFor(t, "room in the pipe", room)
			continue
		}
		if err != nil {
			t.Fatalf("tryWritev: %v", err)
		}
		total += int64(n)
	}
	s.close()
	waitFor(t, "the end", s.done())
	if got := conn.taken.Load(); got != total {
		t.Errorf("%d bytes left, %d were taken", got, total)
	}
}

func TestBytePipeWraps(t *testing.T) {
	const start = 1<<64 - 5 // positions pass zero within the test
	p := newBytePipe(8)
	p.head.Store(start)
	p.tail.Store(start)
	next, want := byte(0), byte(0)
	for i := range 100 {
		for range i%8 + 1 {
			if room := p.free(); len(room) > 0 {
				room[0] = next
				next++
				p.appended(1)
			}
		}
		if size := p.tail.Load() - p.head.Load(); size > 8 {
			t.Fatalf("%d bytes in a pipe of 8", size)
		}
		for range i%5 + 1 {
			if b := p.unread(); len(b) > 0 {
				if b[0] != want {
					t.Fatalf("read %d, want %d", b[0], want)
				}
				want++
				p.consumed(1)
			}
		}
	}
	if want == 0 {
		t.Error("nothing went through")
	}
}
