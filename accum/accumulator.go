package accum

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kring-go/kring/slab"
)

// Config is what an accumulator needs to know. The root package fills it from
// the producer's configuration.
type Config struct {
	BatchSize       int           // bytes of a batch, header included; 0: every record its own batch
	BufferMemory    int64         // bytes of all slots
	Linger          time.Duration // how long an open batch may wait for more records
	ExactTimestamps bool          // read the clock for every record without a timestamp
	AlwaysComplete  bool          // store a completion even for a record without a callback
	Clock           *Clock
	// LingerStarted is called when a partition without a running linger
	// opens a batch (never for Linger 0).
	LingerStarted func(p *Partition)
	// Awake is called when a batch is opened; it must be cheap.
	Awake func()
}

// minSlot keeps a tiny batch.size from cutting the arena into crumbs: the
// batch's limit stays batch.size, only its slot is larger.
const minSlot = 512

// Accumulator holds every record that was accepted and has no outcome yet.
type Accumulator struct {
	cfg        Config
	slab       *slab.Slab
	batches    []Batch
	limit      int // bytes at which a batch that holds a record is full
	maxRecords int
	linger     int64

	_        [128]byte
	epoch    atomic.Uint64 // flush epoch: incremented by every Flush
	pressure atomic.Bool   // memory ran out a moment ago: every batch is ready
	closed   atomic.Bool
	_        [128]byte
	live     atomic.Int64 // batches that hold accepted records

	mu         sync.Mutex // partitions are added rarely
	partitions atomic.Pointer[[]*Partition]

	flushers atomic.Int32
	flushMu  sync.Mutex
	flushes  map[*flush]struct{}
}

// New makes an accumulator. BatchSize must be at most MaxBatchBytes and
// BufferMemory at least one batch.
func New(cfg Config) *Accumulator {
	slot := max(cfg.BatchSize, minSlot)
	a := &Accumulator{
		cfg:        cfg,
		slab:       slab.New(cfg.BufferMemory, slot),
		limit:      min(max(cfg.BatchSize, 1), MaxBatchBytes),
		maxRecords: min(maxCount, max(slot/8, 1)),
		linger:     int64(cfg.Linger),
		flushes:    make(map[*flush]struct{}),
	}
	perBatch := (a.maxRecords + chunkSize - 1) / chunkSize
	a.batches = make([]Batch, a.slab.Slots())
	chunks := make([]atomic.Pointer[chunk], perBatch*len(a.batches))
	for i := range a.batches {
		b := &a.batches[i]
		b.index, b.acc = uint32(i), a
		b.buf = a.slab.Bytes(uint32(i))
		b.done.chunks = chunks[i*perBatch : (i+1)*perBatch : (i+1)*perBatch]
		b.state.store(sealedBit)
	}
	a.partitions.Store(new([]*Partition))
	return a
}

// Slab is the memory behind the batches, for gauges.
func (a *Accumulator) Slab() *slab.Slab { return a.slab }

// Live is the number of batches that hold accepted records without outcome.
func (a *Accumulator) Live() int64 { return a.live.Load() }

// Busy says that time matters: there are records without an outcome, or memory
// that a connection still holds after the outcome.
func (a *Accumulator) Busy() bool { return a.live.Load() > 0 || a.slab.Leaked() > 0 }

// Partitions is every partition that was ever added.
func (a *Accumulator) Partitions() []*Partition { return *a.partitions.Load() }

// Make makes a partition that nobody else knows yet. sink is told whenever the
// partition has something for the sender.
func (a *Accumulator) Make(topic string, index int32, sink ReadySink) *Partition {
	p := &Partition{acc: a, Topic: topic, Index: index, sink: sink}
	p.sender.init()
	return p
}

// Publish adds a partition to the list, where Flush and Close find it and
// anybody may find its sink: what sink needs of p is in place by now.
func (a *Accumulator) Publish(p *Partition) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed.Load() {
		p.open.store(closedIndex)
	}
	// Whoever holds the list has its own length: what is appended behind it is
	// nobody's yet.
	all := append(*a.partitions.Load(), p)
	a.partitions.Store(&all)
}

// acquire gets the slots for a batch of size bytes: the first one becomes the
// batch, the rest its chain. It blocks up to wait; 0 fails at once.
func (a *Accumulator) acquire(ctx context.Context, size int, wait time.Duration) (*Batch, error) {
	slot := a.slab.SlotSize()
	if size > slot {
		return a.acquireChain(ctx, (size+slot-1)/slot, wait)
	}
	var one [1]uint32
	if a.slab.Try(one[:]) {
		return a.single(one[0]), nil
	}
	if err := a.mayWait(1, wait); err != nil {
		return nil, err
	}
	if err := a.slab.Get(ctx, wait, one[:]); err != nil {
		return nil, err
	}
	return a.single(one[0]), nil
}

func (a *Accumulator) single(i uint32) *Batch {
	b := &a.batches[i]
	if b.chain != nil {
		b.chain = nil
	}
	return b
}

func (a *Accumulator) acquireChain(ctx context.Context, slots int, wait time.Duration) (*Batch, error) {
	dst := make([]uint32, slots)
	if !a.slab.Try(dst) {
		if err := a.mayWait(slots, wait); err != nil {
			return nil, err
		}
		if err := a.slab.Get(ctx, wait, dst); err != nil {
			return nil, err
		}
	}
	b := &a.batches[dst[0]]
	b.chain = dst[1:]
	return b, nil
}

// mayWait is called when memory is short: it makes room in the only way there
// is, by making every batch ready, and says why the caller must not wait.
func (a *Accumulator) mayWait(slots int, wait time.Duration) error {
	if a.closed.Load() {
		return slab.ErrClosed
	}
	if slots > a.slab.Slots() {
		return slab.ErrTooLarge
	}
	a.relieve()
	if wait <= 0 {
		return slab.ErrTimeout
	}
	return nil
}

// relieve makes every open batch ready because somebody needs its memory. The
// flag stays up until the timer sees memory again, so the scan runs once per
// shortage and not once per waiter.
//
// The race to win, waiter W against opener O:
//
//	[O] publishes batch N, loads pressure=false, so N lingers
//	[W] stores pressure=true, scans: must see N
//
// Go's atomics are sequentially consistent: if O loaded false, its publication
// came before W's store, and W's scan sees it. Otherwise O marks N itself.
func (a *Accumulator) relieve() {
	if a.pressure.Swap(true) {
		return
	}
	for _, p := range a.Partitions() {
		if !p.open.load().empty() {
			p.MarkReady()
		}
	}
}

// Tick ends a shortage when an eighth of the memory is free and nobody waits.
// Where somebody waits, there is one: a waiter called relieve before it was in
// the queue, and an earlier Tick may have ended the shortage in between.
func (a *Accumulator) Tick() {
	switch {
	case a.slab.Waiting() > 0:
		a.relieve()
	case a.pressure.Load() && a.slab.Free() > a.slab.Slots()/8:
		a.pressure.Store(false)
	}
}

// Pressed says that memory is short: every batch is ready, linger or not.
func (a *Accumulator) Pressed() bool { return a.pressure.Load() }

// putBack returns a batch that was acquired and never published.
func (a *Accumulator) putBack(b *Batch) {
	chain := b.chain
	b.chain = nil
	for _, i := range chain {
		a.slab.ReleaseRecord(i)
	}
	a.slab.ReleaseRecord(b.index)
}
