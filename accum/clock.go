package accum

import (
	"sync/atomic"
	"time"
)

// Clock gives the two times that the pipeline needs: monotonic nanoseconds for
// deadlines and Unix milliseconds for record timestamps. Reading the operating
// system's clock costs more than appending a record (about 50 ns against 35),
// so records of a busy batch take the coarse time: what the last exact reading
// left behind. A batch that opens, a turn of a sender and the timer's tick all
// read exactly, so the coarse time is at most one tick old while records are
// being accepted (TickInterval).
type Clock struct {
	start  time.Time
	_      [128]byte
	unixMs atomic.Int64 // last exact reading; written by anyone, changes 1000 times a second at most
	_      [120]byte
}

// TickInterval bounds the age of a coarse timestamp.
const TickInterval = 10 * time.Millisecond

// NewClock starts a clock; its monotonic time begins at 1.
func NewClock() *Clock {
	c := &Clock{start: time.Now().Add(-1)}
	c.Read()
	return c
}

// Read reads the operating system's clock once and refreshes the coarse time.
func (c *Clock) Read() (monotonic, unixMs int64) {
	t := time.Now()
	ms := t.UnixMilli()
	if c.unixMs.Load() != ms {
		c.unixMs.Store(ms)
	}
	return int64(t.Sub(c.start)), ms
}

// Now is the monotonic time in nanoseconds.
func (c *Clock) Now() int64 { return int64(time.Since(c.start)) }

// CoarseMs is the Unix time in milliseconds of the last exact reading.
func (c *Clock) CoarseMs() int64 { return c.unixMs.Load() }
