package netio

// Two goroutines of a rawSocket may be parked in the runtime's poller: one
// until there may be something to read, and, only while a request could not be
// written completely, one until there may be room. Neither reads nor writes:
// they notify, and whoever then holds the role does the work. The reader may be
// kept by its notify (Config.Readable): nobody is told of an edge meanwhile.
//
// The poller is edge triggered: it remembers one readiness, and the goroutine
// that wakes up consumes it, whether or not anybody reads. So every wake-up
// must be followed by an attempt to read, or the bytes lie there unnoticed
// until the next edge. With the reader R, the holder of the role H:
//
//	[H] reads until EAGAIN
//	    bytes arrive: the edge
//	[R] wakes up, which consumes the edge
//	[R] notify: the role is held
//	[H] leaves; R parks; the bytes are stranded
//
// It can not happen: R's notify comes after the edge was consumed (W2 after
// W1), and Role makes sure that a turn begins after notify (that of H, told by
// "asked", or one of R's own). That turn reads until EAGAIN (W3), and what
// arrives after this EAGAIN is a new edge, which the poller keeps for R, who
// may not even have parked again yet.
//
// RawConn.Read and RawConn.Write forget an earlier readiness when they begin
// (W0), and then call the function once before they park. That call notifies
// too, so an edge that was forgotten is made good by the turn that follows.

// start begins the reader's vigil.
func (s *rawSocket) start(notify, readable func()) {
	s.notify, s.readable = notify, readable
	go s.parkReader()
}

// parkReader lives as long as the connection and closes the descriptor in the
// end, outside of RawConn.Read and outside of the role.
//
// If readable ends the goroutine, a successor takes its place: W0 and the call
// that follows it make good what was missed.
func (s *rawSocket) parkReader() {
	finished := false
	defer func() {
		if finished {
			close(s.ended)
		} else {
			go s.parkReader()
		}
	}()
	err := s.raw.Read(func(uintptr) bool { // W0, W1
		s.readable() // W2
		return s.closed.Load()
	})
	if !s.closed.Load() {
		// The poller refuses the descriptor: the kernel reported nothing but
		// an error. The next read returns that error or, failing that, this.
		s.parkErr.Store(&err)
		s.notify()
	}
	<-s.closing
	s.writers.Wait()
	_ = s.tcp.Close() // its bytes have been taken; nobody could act on an error
	finished = true
}

// awaitRoom asks the parked writer to notify when the socket may have room.
// Role holder only.
func (s *rawSocket) awaitRoom() {
	s.blocked.Store(true)
	if s.wantRoom == nil {
		s.wantRoom = make(chan struct{}, 1)
		s.writers.Add(1)
		go s.parkWriter(s.wantRoom)
	}
	select {
	case s.wantRoom <- struct{}{}:
	default: // it has a token that it has not yet taken
	}
}

// parkWriter parks while a write is blocked, and sleeps on wantRoom otherwise.
// A token that is left over costs a spurious notify.
func (s *rawSocket) parkWriter(wantRoom <-chan struct{}) {
	defer s.writers.Done()
	for {
		select {
		case <-wantRoom:
		case <-s.closing:
			return
		}
		// An error means that the connection is closed or has failed; the
		// reader, or the next writev, reports it.
		_ = s.raw.Write(func(uintptr) bool { // W0, W1
			s.notify() // W2
			return !s.blocked.Load() || s.closed.Load()
		})
	}
}
