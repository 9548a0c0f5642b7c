package netio

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrClosed is the error of a connection that was closed without a reason.
var ErrClosed = errors.New("connection closed")

// ConnError is a connection that failed. Err is the cause: io.EOF when the
// broker closed an idle connection, io.ErrUnexpectedEOF when it closed in the
// middle of a response, or what the operating system said.
type ConnError struct {
	Addr   string // the broker's
	Op     string // "read" or "write"
	Detail string // what was under way, may be empty
	Err    error
}

func (e *ConnError) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("broker %s: %s: %v", e.Addr, e.Op, e.Err)
	}
	return fmt.Sprintf("broker %s: %s: %v (%s)", e.Addr, e.Op, e.Err, e.Detail)
}

func (e *ConnError) Unwrap() error { return e.Err }

// FrameError is a response whose length is impossible, which nearly always
// means that the other side is no Kafka broker.
type FrameError struct {
	Addr string
	Size int32  // as claimed
	Max  int    // as configured
	Hint string // what the peer looks like, may be empty
}

func (e *FrameError) Error() string {
	msg := fmt.Sprintf("broker %s: response length %d is outside %d..%d", e.Addr, e.Size, minResponseSize, e.Max)
	if e.Hint != "" {
		msg += ": " + e.Hint
	}
	return msg
}

// ResponseError is a response that answers no request, or not the oldest one.
type ResponseError struct {
	Addr     string
	Got      int32 // the correlation id that arrived
	Want     int32 // the oldest one in flight, if InFlight > 0
	InFlight int
	Early    bool // the right id, but the request has not left completely
}

func (e *ResponseError) Error() string {
	switch {
	case e.InFlight == 0:
		return fmt.Sprintf("broker %s: response %d, but no request waits for one", e.Addr, e.Got)
	case e.Early:
		return fmt.Sprintf("broker %s: response %d before its request was sent completely", e.Addr, e.Got)
	default:
		return fmt.Sprintf("broker %s: response %d, want %d (%d in flight)", e.Addr, e.Got, e.Want, e.InFlight)
	}
}

// frameHint recognises what else listens on ports. The four bytes of the
// length are the first four that such a peer sends.
func frameHint(size int32) string {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(size))
	switch {
	case string(b[:]) == "HTTP":
		return "looks like an HTTP server"
	case string(b[:]) == "SSH-":
		return "looks like an SSH server"
	case b[0] == 0x15 && b[1] == 0x03: // an alert: it refuses our plaintext
		return "looks like a TLS listener, but this connection is plaintext"
	case b[0] == 0x16 && b[1] == 0x03: // a handshake message
		return "looks like a TLS peer, but this connection is plaintext"
	}
	return ""
}
