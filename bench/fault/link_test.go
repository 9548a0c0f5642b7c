package fault

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	var p pace
	now := time.Unix(0, 0)
	const rate = 1_000_000 // a burst of 10,000
	granted := 0
	for range 100_000 {
		n, wait := p.take(now, 64<<10, rate)
		if (n > 0) == (wait > 0) {
			t.Fatalf("%d bytes and a wait of %v", n, wait)
		}
		granted += n
		now = now.Add(wait)
		if now.Sub(time.Unix(0, 0)) >= time.Second {
			break
		}
	}
	if granted < rate*98/100 || granted > rate*102/100 {
		t.Errorf("%d bytes in a second, want %d", granted, rate)
	}
	// A pause gives a burst and no more, and small pieces need not wait for it.
	now = now.Add(time.Hour)
	if n, _ := p.take(now, 64<<10, rate); n != 10_000 {
		t.Errorf("%d bytes after a pause, want a burst of 10000", n)
	}
	if n, wait := p.take(now, 10, rate); n != 0 || wait < 10*time.Microsecond || wait > 11*time.Microsecond {
		t.Errorf("10 bytes of an empty bucket: %d and %v, want a wait of 10 µs", n, wait)
	}
	if n, wait := p.take(now, 10, 1); n != 0 || wait < time.Second {
		t.Errorf("at 1 byte per second: %d bytes and %v", n, wait)
	}
}
