package netio

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxIovecs is the kernel's UIO_MAXIOV.
const maxIovecs = 1024

// syscalls is the seam between rawSocket and the kernel: tests cut writes,
// and inject EINTR and errors here. A call returns n > 0, or an errno, or, for
// a read at the end of the stream, neither.
type syscalls struct {
	read   func(fd int, p []byte) (int, syscall.Errno)
	writev func(fd int, iov []unix.Iovec) (int, syscall.Errno)
}

func realSyscalls() syscalls { return syscalls{read: sysRead, writev: sysWritev} }

// sysRead never blocks, because the socket does not, so the scheduler need not
// be told: a raw system call saves 30 of 260 ns when the socket is empty, which
// is what a caller that polls pays most of the time (BenchmarkRead).
func sysRead(fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	noteWrite(p[:n])
	return int(n), 0
}

// sysWritev tells the scheduler: over loopback the kernel runs the receiver's
// half of TCP inside the call, tens of microseconds for a large request.
func sysWritev(fd int, iov []unix.Iovec) (int, syscall.Errno) {
	noteRead(iov)
	n, _, errno := unix.Syscall(unix.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&iov[0])), uintptr(len(iov)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
