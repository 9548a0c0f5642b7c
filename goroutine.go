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

// inCallback says that the caller is in a delivery callback. While none runs
// the dear look is spared.
func (p *Producer) inCallback() bool {
	id, busy := p.lane.Busy()
	return busy && goroutineID() == id
}
