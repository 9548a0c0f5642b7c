package accum

import (
	"math"
	"sync/atomic"

	"github.com/kring-go/kring/wire"
)

// ratio is what is known about how well the records of a topic compress. It is
// an estimate that several goroutines improve at once; where two meet, one of
// the two observations is lost.
type ratio struct {
	bits   atomic.Uint64 // of the estimate, a float64
	misses atomic.Int32  // batches in a row that hardly became smaller
	skips  atomic.Int32  // batches that are sent as they are before another try
}

func newRatio() *ratio {
	r := new(ratio)
	r.reset()
	return r
}

// reset forgets what was learnt, as Java does when a batch has to be split.
func (r *ratio) reset() { r.bits.Store(math.Float64bits(1)) }

func (r *ratio) estimate() float64 { return math.Float64frombits(r.bits.Load()) }

const (
	// As Java's CompressionRatioEstimator: a worse batch counts at once, and at
	// least so much.
	worsen = 0.05
	// A better one counts for a quarter of the difference. (Java takes off 0.005
	// per batch, and fills small batches for the first hundred.)
	improve = 0.25

	// hardly is the ratio from which compressing does not pay.
	hardly = 0.97
	// missesAllowed is how many batches in a row may hardly become smaller. Then
	// the topic is left alone for firstSkip batches, and each time that this is
	// confirmed twice as long, up to firstSkip<<skipDoublings.
	missesAllowed = 4
	firstSkip     = 32
	skipDoublings = 5
)

// worthIt says whether the next batch should be compressed.
func (r *ratio) worthIt() bool {
	return r.skips.Load() <= 0 || r.skips.Add(-1) < 0
}

// observe learns that a batch became x times its size.
func (r *ratio) observe(x float64) {
	switch e := r.estimate(); {
	case x > e:
		r.bits.Store(math.Float64bits(min(max(x, e+worsen), 1)))
	case x < e:
		r.bits.Store(math.Float64bits(e - (e-x)*improve))
	}
	if x < hardly {
		if r.misses.Load() != 0 {
			r.misses.Store(0)
		}
		return
	}
	if n := r.misses.Add(1); n >= missesAllowed {
		r.skips.Store(firstSkip << min(n-missesAllowed, skipDoublings))
	}
}

// slotFactor is how many times batch.size a slot is when batches are compressed:
// records are written to it as they are, until they are expected to fill
// batch.size when compressed.
const slotFactor = 4

// slotsAtLeast is what is left when buffer.memory is small: the factor then
// shrinks, down to 1.
const slotsAtLeast = 64

// slotSize is the size of a slot, and so the most that a batch may hold before
// it is compressed.
func (c *Config) slotSize() int {
	size := c.BatchSize
	if c.compresses() && size > 1 {
		factor := min(max(c.BufferMemory/int64(size)/slotsAtLeast, 1), slotFactor)
		size = min(size*int(factor), MaxBatchBytes)
	}
	return max(size, minSlot)
}

// compresses says that batches of some topic are compressed.
func (c *Config) compresses() bool {
	for _, t := range c.Topics {
		if t.Compressor != nil {
			return true
		}
	}
	return c.Compressor != nil
}

// limitAt is how many bytes a batch may hold whose records become r times their
// size, so that it fills size bytes: Java's estimate, with its margin.
func (a *Accumulator) limitAt(size int, r float64) int {
	const margin = 1.05
	n := wire.BatchHeaderSize + float64(size-wire.BatchHeaderSize)/(r*margin)
	return min(max(int(n), 1), a.slab.SlotSize(), MaxBatchBytes)
}
