package broker

import (
	"encoding/binary"
	"net"
	"sync"
	"time"
)

// readBuffer is the first size of a connection's read buffer: a request of a
// dozen 16 KiB batches arrives with one read, and it stays in the L2 cache.
const readBuffer = 256 << 10

// readAhead is how much is read at once, unless requests are larger.
const readAhead = 64 << 10

// keepBuffer is the largest read buffer that an idle connection holds on to.
const keepBuffer = 4 << 20

// conn is one connection. Everything in it belongs to its goroutine, except
// close and what close touches.
type conn struct {
	b  *Broker
	n  *node
	nc net.Conn
	id uint64

	in         []byte // unread bytes are in[start:end]
	start, end int
	expect     int    // how many bytes to read at once; see readFrame
	out        []byte // the answer under construction
	arrived    time.Time
	late       *delayLine // nil without Config.Delay
	timer      *time.Timer

	requests uint64 // Produce requests so far
	produce  produceRequest
	counts   produceCounts

	closeOnce sync.Once
	done      chan struct{} // closed by close; ends every wait
}

func newConn(n *node, nc net.Conn) *conn {
	c := &conn{
		b: n.b, n: n, nc: nc, id: n.b.lastConn.Add(1),
		in: make([]byte, readBuffer), expect: readAhead, done: make(chan struct{}),
	}
	if n.b.cfg.Delay > 0 {
		c.late = newDelayLine(c)
		n.b.goroutine.Go(c.late.run)
	}
	return c
}

// close ends the connection from any goroutine.
func (c *conn) close() {
	c.closeOnce.Do(func() {
		close(c.done)
		c.nc.Close()
	})
}

// serve answers requests one after another, as Kafka does: the next request of
// a connection is not looked at before this one is answered.
func (c *conn) serve() {
	defer c.close()
	for {
		frame, ok := c.readFrame()
		if !ok || !c.handle(frame) {
			return
		}
	}
}

// readFrame returns the next request without its length; it is valid until
// the next call. A length that Kafka would refuse ends the connection.
//
// Where large requests queue in the socket, a read takes only as much as the
// last request had: the beginning of the one behind it would have to be moved.
func (c *conn) readFrame() ([]byte, bool) {
	for {
		need := 4
		if c.end-c.start >= 4 {
			size := int32(binary.BigEndian.Uint32(c.in[c.start:]))
			if size < 8 || size > maxFrame {
				c.b.stats.malformed.Add(1)
				return nil, false
			}
			need += int(size)
			if c.end-c.start >= need {
				frame := c.in[c.start+4 : c.start+need]
				c.start += need
				c.expect = max(need, readAhead)
				return frame, true
			}
		}
		c.makeRoom(need)
		limit := min(c.start+max(need, c.expect), len(c.in))
		n, err := c.nc.Read(c.in[c.end:max(limit, c.end+1)])
		if err != nil {
			return nil, false
		}
		c.end += n
	}
}

// makeRoom leaves room for reading towards a frame of need bytes. The buffer
// doubles only when it is full, so that memory follows the bytes that came and
// not the length that a peer claimed.
func (c *conn) makeRoom(need int) {
	switch {
	case c.start == c.end:
		c.start, c.end = 0, 0
		if len(c.in) > keepBuffer && need <= readBuffer {
			c.in = make([]byte, readBuffer)
		}
	case len(c.in)-c.start < need:
		c.end = copy(c.in, c.in[c.start:c.end])
		c.start = 0
	}
	if c.end == len(c.in) {
		grown := make([]byte, 2*len(c.in))
		copy(grown, c.in)
		c.in = grown
	}
}

// requestHeader is the part that all requests share.
type requestHeader struct {
	key, version int16
	correlation  int32
	clientID     []byte
}

// handle answers one request; false ends the connection.
func (c *conn) handle(frame []byte) bool {
	cur := cursor{p: frame}
	h := requestHeader{key: cur.int16(), version: cur.int16(), correlation: cur.int32()}
	c.b.stats.requests.Add(1)
	if c.late != nil {
		c.arrived = time.Now()
	}
	if h.key != keyProduce {
		if len(frame) > maxControlFrame {
			return c.malformed()
		}
		return c.handleControl(&h, &cur)
	}
	h.clientID = cur.nullableString(false)
	cur.tags(h.version >= flexibleProduce)
	if cur.bad {
		return c.malformed()
	}
	return c.handleProduce(&h, cur.p)
}

// malformed counts a request that can not be answered. It returns false, which
// ends the connection.
func (c *conn) malformed() bool {
	c.b.stats.malformed.Add(1)
	return false
}

// begin starts an answer in c.out. Flexible answers have tags in their header,
// except ApiVersions, which a client must read before it knows the version.
func (c *conn) begin(correlation int32, flexible bool) {
	c.out = append(c.out[:0], 0, 0, 0, 0)
	c.out = binary.BigEndian.AppendUint32(c.out, uint32(correlation))
	if flexible {
		c.out = append(c.out, 0)
	}
}

// send completes the frame in c.out and writes it, or leaves it to the delay
// line. False means that the connection is over.
func (c *conn) send() bool {
	binary.BigEndian.PutUint32(c.out, uint32(len(c.out)-4))
	if c.late != nil {
		c.out = c.late.put(c.out, c.arrived.Add(c.b.cfg.Delay))
		return c.out != nil
	}
	_, err := c.nc.Write(c.out)
	return err == nil
}

// pause waits unless the connection ends first.
func (c *conn) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	if c.timer == nil {
		c.timer = time.NewTimer(d)
	} else {
		c.timer.Reset(d)
	}
	select {
	case <-c.timer.C:
		return true
	case <-c.done:
		c.timer.Stop()
		return false
	}
}
