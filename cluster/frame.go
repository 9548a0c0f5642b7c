package cluster

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// firstRead is what a frame gets before a byte of it has come. Control
// responses rarely exceed it.
const firstRead = 16 << 10

// readFrame reads one frame and returns it without its length. Its memory grows
// with the bytes that arrive, at most twice as fast, never with the length that
// is claimed. It reads nothing beyond the frame.
func readFrame(r io.Reader, limit int) ([]byte, error) {
	var prefix [4]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return nil, err
	}
	size := int64(int32(binary.BigEndian.Uint32(prefix[:])))
	if size < 4 || size > int64(limit) {
		return nil, frameFault{prefix: prefix}
	}
	frame := make([]byte, 0, min(size, firstRead))
	for int64(len(frame)) < size {
		if len(frame) == cap(frame) {
			frame = slices.Grow(frame, int(min(size-int64(len(frame)), int64(len(frame)))))
		}
		chunk := frame[len(frame):min(int64(cap(frame)), size)]
		n, err := io.ReadFull(r, chunk)
		frame = frame[:len(frame)+n]
		if err != nil {
			return nil, fmt.Errorf("the connection ended %d bytes into a response of %d: %w",
				len(frame), size, noEOF(err))
		}
	}
	return frame, nil
}

// noEOF turns the plain end of a stream into an unexpected one.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// frameFault is a frame length that no broker sends. Its bytes often tell what
// the peer is instead.
type frameFault struct{ prefix [4]byte }

func (f frameFault) Error() string {
	switch p := f.prefix; {
	case string(p[:]) == "HTTP" || string(p[:]) == "<htm" || string(p[:]) == "<!DO":
		return "it speaks HTTP; is this the port of a broker?"
	case (p[0] == 0x15 || p[0] == 0x16) && p[1] == 0x03:
		return "it speaks TLS; this listener is not PLAINTEXT"
	case string(p[:]) == "SSH-":
		return "it speaks SSH; is this the port of a broker?"
	}
	return fmt.Sprintf("it claims a response of %d bytes", int32(binary.BigEndian.Uint32(f.prefix[:])))
}
