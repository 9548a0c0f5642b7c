package netio

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// rawSocket drives a TCP connection by read and writev of our own, under the
// role. The net.TCPConn stays the owner of the descriptor: its goroutines,
// parked in the runtime's poller, say when to try again (parked_linux.go), and
// one of them closes it, after which nobody uses fd: tryRead and tryWritev are
// called under the role, and so is close, which comes last.
type rawSocket struct {
	tcp   *net.TCPConn
	raw   syscall.RawConn
	fd    int
	calls syscalls
	iov   []unix.Iovec // reused by every tryWritev; role holder only

	notify   func()
	readable func()                // notify of the parked reader, who may be held up in it
	closed   atomic.Bool           // written by close; read by the parked goroutines
	blocked  atomic.Bool           // the last writev found the socket full; written under the role
	parkErr  atomic.Pointer[error] // why the reader can not park any more
	wantRoom chan struct{}         // one token: the parked writer is needed; nil until the first
	closing  chan struct{}         // closed by close
	writers  sync.WaitGroup        // the parked writer, if it was started
	ended    chan struct{}
}

// newSocket picks the socket for nc.
func newSocket(nc net.Conn) (socket, error) {
	if tcp, ok := nc.(*net.TCPConn); ok {
		return newRawSocket(tcp)
	}
	return newNetSocket(nc), nil
}

func newRawSocket(tcp *net.TCPConn) (*rawSocket, error) {
	// The handshake may have left a deadline behind.
	if err := tcp.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &rawSocket{
		tcp:     tcp,
		raw:     raw,
		calls:   realSyscalls(),
		iov:     make([]unix.Iovec, 0, 64),
		closing: make(chan struct{}),
		ended:   make(chan struct{}),
	}
	// The net package sets O_NONBLOCK, but a dialer may have taken it away (by
	// File and Fd), and a blocking read would hold a P for good.
	var flagErr error
	err = raw.Control(func(fd uintptr) {
		s.fd = int(fd)
		flagErr = unix.SetNonblock(s.fd, true)
	})
	if err != nil {
		return nil, err
	}
	if flagErr != nil {
		return nil, os.NewSyscallError("fcntl", flagErr)
	}
	return s, nil
}

func (s *rawSocket) tryRead(p []byte) (int, error) {
	for {
		n, errno := s.calls.read(s.fd, p)
		switch {
		case n > 0:
			return n, nil
		case errno == unix.EINTR:
			continue
		case errno == unix.EAGAIN: // W3
			if err := s.parkErr.Load(); err != nil {
				return 0, *err // nobody would tell us about more
			}
			return 0, errWouldBlock
		case errno != 0:
			return 0, os.NewSyscallError("read", errno)
		default:
			return 0, io.EOF
		}
	}
}

func (s *rawSocket) tryWritev(bufs [][]byte) (int, error) {
	s.iov = s.iov[:0]
	for _, b := range bufs[:min(len(bufs), maxIovecs)] {
		v := unix.Iovec{Base: &b[0]}
		v.SetLen(len(b))
		s.iov = append(s.iov, v)
	}
	// The kernel has copied what it took, so nothing stays referenced.
	defer clear(s.iov)
	for {
		n, errno := s.calls.writev(s.fd, s.iov)
		switch {
		case n > 0:
			s.blocked.Store(false)
			return n, nil
		case errno == unix.EINTR:
			continue
		case errno == unix.EAGAIN:
			s.awaitRoom()
			return 0, errWouldBlock
		default:
			return 0, os.NewSyscallError("writev", errno)
		}
	}
}

// close evicts the parked goroutines by a deadline in the past. It does not
// close the descriptor itself: TCPConn.Close waits until nobody is inside
// RawConn.Read, and the caller may be just there, called by notify.
func (s *rawSocket) close() {
	s.closed.Store(true)
	close(s.closing)
	// An error means that the descriptor is closed, so nobody is parked.
	_ = s.tcp.SetDeadline(time.Unix(1, 0))
}

func (s *rawSocket) done() <-chan struct{} { return s.ended }
