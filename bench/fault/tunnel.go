package fault

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// upChunk is what is read from the client at once.
	upChunk = 64 << 10
	// downChunk and lineChunks bound the answers that a connection has under way
	// while they are delayed: 1 MiB, or thousands of Produce answers.
	downChunk  = 4 << 10
	lineChunks = 256
)

// tunnel is one connection through the proxy.
type tunnel struct {
	link      *link
	near, far *net.TCPConn // towards the client, and towards the broker
	line      chan chunk   // answers under way, in order
	free      chan []byte  // their buffers, to be used again
	ended     chan struct{}
	once      sync.Once
}

// chunk is a piece of an answer, and when it came.
type chunk struct {
	bytes []byte
	came  time.Time
	err   error // the stream's end, behind the bytes
}

func newTunnel(l *link, near, far *net.TCPConn) *tunnel {
	return &tunnel{
		link: l, near: near, far: far, ended: make(chan struct{}),
		line: make(chan chunk, lineChunks), free: make(chan []byte, lineChunks),
	}
}

// end closes both connections, by a reset or as a program that ends does. Later
// calls do nothing.
func (t *tunnel) end(reset bool) {
	t.once.Do(func() {
		if reset {
			_ = t.near.SetLinger(0) // A connection that is gone already is as good.
			_ = t.far.SetLinger(0)
		}
		_ = t.near.Close()
		_ = t.far.Close()
		close(t.ended)
	})
}

// up carries what the client sends. It reads no further than it could write, so
// that back-pressure reaches the client.
func (t *tunnel) up() {
	for buf := make([]byte, upChunk); ; {
		n, err := t.near.Read(buf)
		c := chunk{buf[:n], time.Now(), err}
		if !t.deliver(t.far, &c, ticket{pace: &t.link.up}) {
			return
		}
	}
}

// down puts what the broker sends in line.
func (t *tunnel) down() {
	for made := 0; ; {
		var buf []byte
		select {
		case buf = <-t.free:
		default:
			if made < lineChunks {
				made++
				buf = make([]byte, downChunk)
				break
			}
			select {
			case buf = <-t.free:
			case <-t.ended:
				return
			}
		}
		n, err := t.far.Read(buf)
		t.line <- chunk{buf[:n], time.Now(), err} // There is room for every buffer.
		if err != nil {
			return
		}
	}
}

// answers carries on what stands in line.
func (t *tunnel) answers() {
	for {
		select {
		case c := <-t.line:
			if !t.deliver(t.near, &c, ticket{pace: &t.link.down, answer: true}) {
				return
			}
			t.free <- c.bytes[:cap(c.bytes)]
		case <-t.ended:
			return
		}
	}
}

// deliver writes a chunk when it may pass, and after it the end of the stream,
// which a fault holds up like everything else. False: nothing comes after it.
func (t *tunnel) deliver(to *net.TCPConn, c *chunk, as ticket) bool {
	as.came, as.ended = c.came, t.ended
	for rest := c.bytes; len(rest) > 0; {
		as.size = len(rest)
		n, ok := t.link.pass(as)
		if !ok {
			return false
		}
		if _, err := to.Write(rest[:n]); err != nil {
			t.end(true)
			return false
		}
		rest = rest[n:]
	}
	if c.err == nil {
		return true
	}
	as.size = 0
	if _, ok := t.link.pass(as); !ok {
		return false
	}
	if !errors.Is(c.err, io.EOF) || to.CloseWrite() != nil {
		t.end(true)
	}
	return false
}
