package goroutine

import "runtime"

// ID reads the number of the calling goroutine from its stack trace. It costs
// about a microsecond, so it is for calls that are about to wait.
func ID() uint64 {
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
