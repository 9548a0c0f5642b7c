package accum

import (
	"fmt"
	"time"
)

// This file changes an accumulator that is at work. What is being filled when a
// setting changes leaves at once, and whoever opens the next batch of a
// partition asks anew when it is full (prepare).

// method is what batches are compressed with, and the attributes of those that
// are.
type method struct {
	with  Compressor
	codec int16
}

// Linger is how long an open batch may wait for more records.
func (a *Accumulator) Linger() time.Duration { return time.Duration(a.linger.Load()) }

// Lingers are the shortest linger that there is, other than none, and the
// longest, of all topics; 0: none lingers.
func (a *Accumulator) Lingers() (shortest, longest time.Duration) {
	shortest, longest = a.Linger(), a.Linger()
	for _, t := range a.cfg.Topics {
		if !t.HasLinger || t.Linger == 0 {
			continue
		}
		if shortest == 0 || t.Linger < shortest {
			shortest = t.Linger
		}
		longest = max(longest, t.Linger)
	}
	return shortest, longest
}

// SetLinger changes Linger.
func (a *Accumulator) SetLinger(d time.Duration) {
	a.linger.Store(int64(d))
	a.sealAll()
}

// BatchSize is the bytes at which a batch is full, as it is sent.
func (a *Accumulator) BatchSize() int { return int(a.limit.Load()) }

// SetBatchSize changes BatchSize. Slots are not made anew, so it fails if a
// batch of n bytes would not fit one.
func (a *Accumulator) SetBatchSize(n int) error {
	if slot := a.slab.SlotSize(); n > slot {
		return fmt.Errorf("the memory of this producer was cut for batches of up to %d bytes, and %d are more", slot, n)
	}
	a.limit.Store(int64(max(n, 1)))
	a.sealAll()
	return nil
}

// SetCompressor changes what batches are compressed with that are complete from
// now on; nil ends it.
func (a *Accumulator) SetCompressor(with Compressor, codec int16) {
	if with == nil {
		a.packing.method.Store(nil)
	} else {
		a.packing.method.Store(&method{with, codec})
	}
	a.mu.Lock()
	for _, t := range a.topics {
		t.ratio.reset()
	}
	a.mu.Unlock()
	a.sealAll()
}

func (a *Accumulator) sealAll() {
	for _, p := range a.Partitions() {
		p.SealOpen()
	}
}
