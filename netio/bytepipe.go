package netio

import "sync/atomic"

// bytePipe is a bounded ring of bytes between two goroutines: one side
// appends at tail, the other reads at head. Positions only grow; a position's
// index is position & mask.
//
//	[head, tail)           written, owned by the reading side
//	[tail, head+capacity)  free, owned by the appending side
//
// tail publishes bytes to the reading side (B1, observed by B2); head gives
// room back to the appending side (B3, observed by B4). Which of the two sides
// is the role's holder differs: it reads from the inbound pipe and appends to
// the outbound one.
type bytePipe struct {
	buf  []byte
	head atomic.Uint64
	tail atomic.Uint64
}

func newBytePipe(capacity int) *bytePipe {
	if capacity <= 0 || capacity&(capacity-1) != 0 {
		panic("netio: the capacity of a bytePipe must be a power of two")
	}
	return &bytePipe{buf: make([]byte, capacity)}
}

// free returns the room up to the end of buf or the oldest unread byte;
// appending side only. It is empty when the pipe is full.
func (b *bytePipe) free() []byte {
	tail := b.tail.Load()
	room := uint64(len(b.buf)) - (tail - b.head.Load()) // B4
	at := tail & uint64(len(b.buf)-1)
	return b.buf[at:min(at+room, uint64(len(b.buf)))]
}

// appended publishes the first n bytes of free.
func (b *bytePipe) appended(n int) { b.tail.Store(b.tail.Load() + uint64(n)) } // B1

// unread returns what can be read in one piece; reading side only.
func (b *bytePipe) unread() []byte {
	head := b.head.Load()
	size := b.tail.Load() - head // B2
	at := head & uint64(len(b.buf)-1)
	return b.buf[at:min(at+size, uint64(len(b.buf)))]
}

// consumed gives the first n bytes of unread back.
func (b *bytePipe) consumed(n int) { b.head.Store(b.head.Load() + uint64(n)) } // B3
