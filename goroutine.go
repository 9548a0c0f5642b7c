package kring

import "runtime"

// goroutineID reads the number of the calling goroutine from its stack trace.
// It costs about a microsecond and is used only where a call is about to wait:
// to refuse a wait that would wait for itself.
func goroutineID() uint64 {
	var buf [32]byte // "goroutine 18446744073709551615 ["
	var id uint64
	for _, c := range buf[len("goroutine "):runtime.Stack(buf[:], false)] {
		if c < '0' || c > '9' {
			break
		}
		id = id*10 + uint64(c-'0')
	}
	return id
}

// inCallback says that the caller is the completion goroutine. While that one
// runs no callback, nobody is in one, and the dear look is spared.
func (p *Producer) inCallback() bool {
	return p.lane.Busy() && goroutineID() == p.laneID.Load()
}
