package netio

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

const (
	// netInSize and netOutSize bound what a netSocket holds: a read of the
	// inbox, and a few batches on their way out.
	netInSize  = 64 << 10
	netOutSize = 256 << 10
	// netFlushLimit is how long close lets bytes go that were taken but have
	// not left: acks=0 has reported them as written. The kernel does the same
	// for a rawSocket.
	netFlushLimit = time.Second
)

// netSocket makes any net.Conn a socket: where there is no epoll, and where
// the connection is not plain TCP. A goroutine reads into one bounded pipe and
// another writes from a second one, so the role's holder never waits, at the
// price of a copy each way.
//
//	net.Conn ──► reader ──► in  ──► tryRead
//	net.Conn ◄── writer ◄── out ◄── tryWritev
//
// The side that finds its pipe full or empty sleeps on a token: the other side
// changes the pipe first and leaves a token after, and the sleeper looks once
// more whenever it takes one, so no change goes unseen.
type netSocket struct {
	conn    net.Conn
	notify  func()
	in, out *bytePipe

	inRoom   chan struct{} // token for the reader: in has room
	outBytes chan struct{} // token for the writer: out has bytes
	wantRoom atomic.Bool   // tryWritev found out full; taken by the writer
	readErr  atomic.Pointer[error]
	writeErr atomic.Pointer[error]

	closing    chan struct{}
	readerDone chan struct{}
	writerDone chan struct{}
	ended      chan struct{}
}

func newNetSocket(nc net.Conn) *netSocket {
	// The handshake may have left a deadline behind. A connection that knows
	// no deadlines (a channel of an SSH tunnel) reports an error and has none.
	_ = nc.SetDeadline(time.Time{})
	return &netSocket{
		conn:       nc,
		in:         newBytePipe(netInSize),
		out:        newBytePipe(netOutSize),
		inRoom:     make(chan struct{}, 1),
		outBytes:   make(chan struct{}, 1),
		closing:    make(chan struct{}),
		readerDone: make(chan struct{}),
		writerDone: make(chan struct{}),
		ended:      make(chan struct{}),
	}
}

func (s *netSocket) start(notify, _ func()) { // its reader reads, and must go on
	s.notify = notify
	go s.read()
	go s.write()
}

func (s *netSocket) tryRead(p []byte) (int, error) {
	// The reader stores its error after its last bytes, so: error first.
	err := s.readErr.Load()
	if n := copy(p, s.in.unread()); n > 0 {
		s.in.consumed(n)
		leaveToken(s.inRoom)
		return n, nil
	}
	if err == nil {
		err = s.writeErr.Load() // nothing may be left to write that reports it
	}
	if err != nil {
		return 0, *err
	}
	return 0, errWouldBlock
}

func (s *netSocket) tryWritev(bufs [][]byte) (int, error) {
	if err := s.writeErr.Load(); err != nil {
		return 0, *err
	}
	n := s.copyOut(bufs)
	if n == 0 {
		// The writer may have emptied the pipe, and gone to sleep, between our
		// look and this store; so look again. It takes wantRoom after it has
		// made room: either it sees the store, or we see the room.
		s.wantRoom.Store(true)
		if n = s.copyOut(bufs); n == 0 {
			return 0, errWouldBlock
		}
	}
	leaveToken(s.outBytes)
	return n, nil
}

// copyOut copies as much of bufs as there is room for.
func (s *netSocket) copyOut(bufs [][]byte) (total int) {
	for _, b := range bufs {
		for len(b) > 0 {
			n := copy(s.out.free(), b)
			if n == 0 {
				return total
			}
			s.out.appended(n)
			total += n
			b = b[n:]
		}
	}
	return total
}

// close gives the writer a moment for what it holds, in a goroutine: closing a
// net.Conn may wait (TLS says goodbye to its peer).
func (s *netSocket) close() {
	close(s.closing)
	go func() {
		defer close(s.ended)
		limit := time.NewTimer(netFlushLimit)
		defer limit.Stop()
		select {
		case <-s.writerDone:
		case <-limit.C:
		}
		_ = s.conn.Close() // its bytes have left or are given up
		<-s.writerDone
		<-s.readerDone
	}()
}

func (s *netSocket) done() <-chan struct{} { return s.ended }

// read fills the inbound pipe.
func (s *netSocket) read() {
	defer close(s.readerDone)
	for {
		room := s.in.free()
		if len(room) == 0 {
			select {
			case <-s.inRoom:
				continue
			case <-s.closing:
				return
			}
		}
		n, err := s.conn.Read(room)
		if n > 0 {
			s.in.appended(n)
		}
		if err != nil {
			fail(&s.readErr, err)
		}
		if n > 0 || err != nil {
			s.notify()
		}
		if err != nil {
			return
		}
	}
}

// write empties the outbound pipe; after close, what is left of it.
func (s *netSocket) write() {
	defer close(s.writerDone)
	for {
		bytes := s.out.unread()
		if len(bytes) == 0 {
			select {
			case <-s.outBytes:
				continue
			case <-s.closing:
				if len(s.out.unread()) == 0 {
					return
				}
				continue
			}
		}
		n, err := s.conn.Write(bytes)
		if n < len(bytes) && err == nil {
			err = io.ErrShortWrite
		}
		s.out.consumed(n)
		if err != nil {
			fail(&s.writeErr, err)
			s.notify()
			return
		}
		if s.wantRoom.Swap(false) {
			s.notify()
		}
	}
}

// leaveToken wakes the goroutine that sleeps on c, or will.
func leaveToken(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// fail is a function of its own because err moves to the heap here.
func fail(cell *atomic.Pointer[error], err error) { cell.Store(&err) }
