package netio

import (
	"net"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// The ways to wait for a socket that were considered. ADR 0003 says which one
// won; the others stay here so that the choice can be measured again.
//
//	parked     a goroutine in RawConn.Read, parked in the runtime's poller
//	nested     a goroutine in RawConn.Read of an epoll descriptor of our own,
//	           which holds the socket: one goroutine would do for all brokers
//	epollwait  a goroutine in a blocking EpollWait, on whatever thread it gets
//	thread     the same on a locked thread; an eventfd stops it
//	threadsend the same, and the thread sends too: callers hand it the request
//	           through the eventfd
type waitWay struct {
	name       string
	park       func(t testing.TB, fd int, notify func()) (wake, stop func())
	handsToIt  bool // sends go through wake
	usesParked bool
}

func waitWays() []waitWay {
	return []waitWay{
		{name: "parked", usesParked: true},
		{name: "nested", park: parkNested},
		{name: "epollwait", park: func(t testing.TB, fd int, notify func()) (func(), func()) {
			return parkInEpollWait(t, fd, notify, func() {})
		}},
		{name: "thread", park: func(t testing.TB, fd int, notify func()) (func(), func()) {
			return parkInEpollWait(t, fd, notify, runtime.LockOSThread)
		}},
		{name: "threadsend", handsToIt: true, park: func(t testing.TB, fd int, notify func()) (func(), func()) {
			return parkInEpollWait(t, fd, notify, runtime.LockOSThread)
		}},
	}
}

// waitSocket is a rawSocket with another way to wait.
type waitSocket struct {
	*rawSocket
	t          testing.TB
	way        waitWay
	wake, stop func()
}

func (s *waitSocket) start(notify, readable func()) {
	if s.way.usesParked {
		s.rawSocket.start(notify, readable)
		return
	}
	s.wake, s.stop = s.way.park(s.t, s.fd, notify)
}

func (s *waitSocket) close() {
	if s.way.usesParked {
		s.rawSocket.close()
		return
	}
	s.stop()
	s.tcp.Close()
	close(s.ended)
}

// kind makes the way a socket that a pinger can open.
func (way waitWay) kind(t testing.TB, opened **waitSocket) socketKind {
	return socketKind{name: way.name, open: func(nc *net.TCPConn) (socket, error) {
		raw, err := newRawSocket(nc)
		if err != nil {
			return nil, err
		}
		*opened = &waitSocket{rawSocket: raw, t: t, way: way}
		return *opened, nil
	}}
}

// newEpoll returns an epoll descriptor that watches fds, edge triggered.
func newEpoll(t testing.TB, fds ...int) int {
	t.Helper()
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatalf("epoll_create1: %v", err)
	}
	for _, fd := range fds {
		ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(fd)}
		if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
			t.Fatalf("epoll_ctl: %v", err)
		}
	}
	return ep
}

func parkNested(t testing.TB, fd int, notify func()) (wake, stop func()) {
	ep := newEpoll(t, fd)
	if err := unix.SetNonblock(ep, true); err != nil {
		t.Fatalf("fcntl: %v", err)
	}
	file := os.NewFile(uintptr(ep), "epoll")
	raw, err := file.SyscallConn()
	if err != nil {
		t.Fatalf("SyscallConn: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		events := make([]unix.EpollEvent, 8)
		_ = raw.Read(func(uintptr) bool { // ends when the file is closed
			if n, _ := unix.EpollWait(ep, events, 0); n > 0 {
				notify()
			}
			return false
		})
	}()
	return nil, func() {
		file.Close()
		<-ended
	}
}

func parkInEpollWait(t testing.TB, fd int, notify, lock func()) (wake, stop func()) {
	event, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatalf("eventfd: %v", err)
	}
	ep := newEpoll(t, fd, event)
	stopping, ended := make(chan struct{}), make(chan struct{})
	go func() {
		lock()
		defer close(ended)
		events, drain := make([]unix.EpollEvent, 8), make([]byte, 8)
		for {
			if _, err := unix.EpollWait(ep, events, -1); err == unix.EINTR {
				continue
			}
			unix.Read(event, drain)
			select {
			case <-stopping:
				return
			default:
				notify()
			}
		}
	}()
	wake = func() { unix.Write(event, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }
	return wake, func() {
		close(stopping)
		wake()
		<-ended
		unix.Close(ep)
		unix.Close(event)
	}
}
