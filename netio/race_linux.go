//go:build race

package netio

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The race detector does not see what the kernel reads and writes. A buffer
// that is filled again while writev reads it is the worst bug that this
// package could help to make (another batch reaches the broker under this
// one's topic), so the detector is told.

func noteRead(iov []unix.Iovec) {
	for i := range iov {
		runtime.RaceReadRange(unsafe.Pointer(iov[i].Base), int(iov[i].Len))
	}
}

func noteWrite(p []byte) {
	if len(p) > 0 {
		runtime.RaceWriteRange(unsafe.Pointer(&p[0]), len(p))
	}
}
