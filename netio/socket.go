package netio

import "errors"

// errWouldBlock is a socket's answer when it can not go on now. The socket
// calls notify when it can.
var errWouldBlock = errors.New("netio: would block")

// socket is what a Conn needs of a connection. The role's holder calls every
// method; none of them waits.
type socket interface {
	// start makes the socket call notify, from goroutines of its own, whenever
	// reading or writing may go on after errWouldBlock, and when the
	// connection has ended. Spurious calls are allowed, lost ones are not. A
	// goroutine that does nothing but wait calls readable in its place.
	start(notify, readable func())
	// tryRead reads what is there: n > 0, or errWouldBlock, io.EOF, an error.
	tryRead(p []byte) (n int, err error)
	// tryWritev takes bytes from the front of bufs: n > 0, or errWouldBlock, or
	// an error. The socket is done with the bytes that it has taken.
	tryWritev(bufs [][]byte) (n int, err error)
	// close ends the connection. Neither tryRead nor tryWritev may follow.
	close()
	// done is closed when the goroutines have ended and the descriptor is
	// given back.
	done() <-chan struct{}
}
