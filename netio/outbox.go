package netio

// outbox is the one request that is being built or written. Kafka allows no
// interleaving within a connection, so one is enough: the next request begins
// when this one has left.
//
// Only the role's holder touches it. The buffers belong to the caller, who
// leaves them unchanged until Handler.Written or Handler.Failed.
type outbox struct {
	bufs [][]byte // reused: no allocation once it has grown to its size
	next int      // bufs[next:] has not left; bufs[next] may be cut already
	slot int      // the request's in-flight entry, -1 when there is none
}

func newOutbox() outbox { return outbox{bufs: make([][]byte, 0, 64), slot: -1} }

// append adds a buffer. Empty ones are dropped: they would only cost an iovec.
func (o *outbox) append(b []byte) {
	if len(b) > 0 {
		o.bufs = append(o.bufs, b)
	}
}

// rest returns what has not left yet.
func (o *outbox) rest() [][]byte { return o.bufs[o.next:] }

// left takes note that n more bytes have left, and forgets their buffers.
func (o *outbox) left(n int) {
	for n > 0 {
		b := o.bufs[o.next]
		if n < len(b) {
			o.bufs[o.next] = b[n:]
			return
		}
		n -= len(b)
		o.bufs[o.next] = nil
		o.next++
	}
}

// done reports whether everything has left.
func (o *outbox) done() bool { return o.next == len(o.bufs) }

// reset makes the outbox ready for the next request.
func (o *outbox) reset() {
	clear(o.bufs[o.next:])
	o.bufs, o.next, o.slot = o.bufs[:0], 0, -1
}
