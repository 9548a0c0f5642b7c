package netio

import "encoding/binary"

const (
	// inboxSize holds some hundred produce responses of twelve partitions; one
	// read empties the socket in nearly every case.
	inboxSize = 64 << 10
	// inboxKeep is the largest grown buffer that is kept for the next large
	// response. Beyond it, one odd response must not pin its memory.
	inboxKeep = 1 << 20
	// inboxCalm is the number of responses in a row that would have fitted the
	// first buffer, after which a grown one is let go.
	inboxCalm = 256

	lengthSize      = 4 // the int32 before every frame
	minResponseSize = 4 // the correlation id, which every response has
)

// inbox collects bytes until they are frames. Its memory follows the bytes
// that were received, never the length that a frame claims: the buffer doubles
// when it is full of one unfinished frame. An unfinished frame always starts
// at the front of the buffer.
//
// Only the role's holder touches it.
type inbox struct {
	first []byte // the buffer of inboxSize, kept for good
	buf   []byte // first, or a grown one
	size  int    // bytes received and not yet dispatched: buf[:size]
	limit int    // largest frame that the connection accepts
	calm  int    // responses since the last large one
}

func newInbox(limit int) inbox {
	first := make([]byte, inboxSize)
	return inbox{first: first, buf: first, limit: limit}
}

// room returns where the next bytes go; it is never empty.
func (in *inbox) room() []byte {
	if in.size == len(in.buf) {
		in.grow()
	}
	return in.buf[in.size:]
}

// grow doubles a buffer that one unfinished frame has filled. frame has
// accepted the frame's length before, so the buffer stops at limit.
func (in *inbox) grow() {
	whole := lengthSize + int(binary.BigEndian.Uint32(in.buf))
	grown := make([]byte, min(2*len(in.buf), whole))
	copy(grown, in.buf)
	in.buf = grown
}

// frame returns the frame that starts at offset from, without its length. A
// nil frame asks for more bytes, unless bad says that size, the claimed length,
// is one that no response has.
func (in *inbox) frame(from int) (frame []byte, size int32, bad bool) {
	rest := in.buf[from:in.size]
	if len(rest) < lengthSize {
		return nil, 0, false
	}
	size = int32(binary.BigEndian.Uint32(rest))
	if size < minResponseSize || int(size) > in.limit {
		return nil, size, true
	}
	if len(rest)-lengthSize < int(size) {
		return nil, size, false
	}
	end := lengthSize + int(size)
	return rest[lengthSize:end:end], size, false
}

// consumed drops the first n bytes, which have been dispatched, and moves what
// is left to the front.
func (in *inbox) consumed(n int) {
	in.size = copy(in.buf, in.buf[n:in.size])
	if in.size == 0 && len(in.buf) > inboxSize && (len(in.buf) > inboxKeep || in.calm >= inboxCalm) {
		in.buf, in.calm = in.first, 0
	}
}

// dispatched counts towards letting a grown buffer go.
func (in *inbox) dispatched(frame int) {
	if frame+lengthSize > inboxSize {
		in.calm = 0
	} else if in.calm < inboxCalm {
		in.calm++
	}
}
