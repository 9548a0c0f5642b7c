package bench

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// newPacer makes a pacer of a method that resolvePacer returned.
func newPacer(method string) (pacer, error) {
	switch method {
	case PacerNanosleep:
		return &nanosleepPacer{}, nil
	case PacerTimerfd:
		return newTimerfdPacer()
	}
	return newSleepPacer(), nil
}

const (
	// timerSlackNs lets the kernel be this much late in order to share an
	// interrupt. Measured at 20 k/s: the default of 50 µs costs 19–23 µs of CPU
	// per wake-up at lag p50 57 µs; 1 ns costs 37–40 µs at 33 µs.
	timerSlackNs = 25_000
	// maxNap bounds one sleep, so that stop is noticed.
	maxNap = int64(50 * time.Millisecond)
)

// nanosleepPacer sleeps in clock_nanosleep. The thread is locked only during
// the sleep: timer slack is a property of the thread, and a client that hands
// records over channels would pay for a locked thread at every hand-over.
type nanosleepPacer struct{ stopped atomic.Bool }

func (p *nanosleepPacer) wait(d int64) {
	if p.stopped.Load() || d <= 0 {
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Raw calls: prctl of the slack returns at once, whatever it is asked.
	_, _, _ = unix.RawSyscall(unix.SYS_PRCTL, unix.PR_SET_TIMERSLACK, timerSlackNs, 0)
	ts := unix.NsecToTimespec(min(d, maxNap))
	// EINTR means that the wait was short; the caller looks at the clock.
	_, _, _ = unix.Syscall6(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, 0, uintptr(unsafe.Pointer(&ts)), 0, 0, 0)
	// Zero restores the thread's default: the runtime's own sleeps on this
	// thread are the client's, and are not ours to sharpen.
	_, _, _ = unix.RawSyscall(unix.SYS_PRCTL, unix.PR_SET_TIMERSLACK, 0, 0)
}

func (p *nanosleepPacer) stop()  { p.stopped.Store(true) }
func (p *nanosleepPacer) close() {}

// timerfdPacer parks the goroutine on a timer that is a file: the runtime's
// poller wakes it with the precision of the kernel's timers, and no processor
// is held meanwhile.
type timerfdPacer struct {
	file *os.File
	fd   int
	buf  [8]byte
}

func newTimerfdPacer() (*timerfdPacer, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("kbench: timerfd_create: %w", err)
	}
	return &timerfdPacer{file: os.NewFile(uintptr(fd), "timerfd"), fd: fd}, nil
}

func (p *timerfdPacer) wait(d int64) {
	if d <= 0 {
		return
	}
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(d)}
	if unix.TimerfdSettime(p.fd, 0, &spec, nil) != nil {
		return // Closed by stop's deadline handling, or not: the caller checks.
	}
	// A deadline in the past, set by stop, ends the read with an error.
	_, _ = p.file.Read(p.buf[:])
}

func (p *timerfdPacer) stop()  { _ = p.file.SetReadDeadline(time.Unix(1, 0)) }
func (p *timerfdPacer) close() { _ = p.file.Close() }
