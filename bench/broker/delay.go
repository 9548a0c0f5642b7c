package broker

import "time"

// delayLine writes the answers of a connection some time after their requests
// came. It has a goroutine of its own, so that the connection goes on to the
// next request meanwhile: what is delayed is the wire, not the broker.
//
//	conn ──put──► queue ──run──► sleep until due ──► write
//	  ▲                                                │
//	  └───────────────── free ◄────────────────────────┘
type delayLine struct {
	c     *conn
	queue chan delayed
	free  chan []byte // buffers that were written
}

type delayed struct {
	frame []byte
	due   time.Time
}

// delayDepth is how many answers may be on their way; more stall the reader.
const delayDepth = 256

func newDelayLine(c *conn) *delayLine {
	return &delayLine{
		c:     c,
		queue: make(chan delayed, delayDepth),
		free:  make(chan []byte, delayDepth),
	}
}

// put hands over an answer and returns an empty buffer for the next one, or nil
// if the connection is over.
func (l *delayLine) put(frame []byte, due time.Time) []byte {
	select {
	case l.queue <- delayed{frame: frame, due: due}:
	case <-l.c.done:
		return nil
	}
	select {
	case buffer := <-l.free:
		return buffer[:0]
	default:
		return make([]byte, 0, max(len(frame), 512))
	}
}

// run writes until the connection ends.
func (l *delayLine) run() {
	defer l.c.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var d delayed
		select {
		case d = <-l.queue:
		case <-l.c.done:
			return
		}
		timer.Reset(time.Until(d.due))
		select {
		case <-timer.C:
		case <-l.c.done:
			return
		}
		if _, err := l.c.nc.Write(d.frame); err != nil {
			return
		}
		select {
		case l.free <- d.frame:
		default:
		}
	}
}
