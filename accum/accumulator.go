package accum

import (
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
	// LingerStarted is called when a strand without a running linger
	// opens a batch (never for Linger 0). It is called in a shortage too.
	LingerStarted func(q *Strand)
	// Awake is called when a batch is opened; it must be cheap.
	Awake func()
	// Compressor compresses batches, whose attributes are then Codec; nil: none
	// does. CompressFailed hears of its errors, on any goroutine; the batch is
	// sent as it is.
	Compressor     Compressor
	Codec          int16
	CompressFailed func(error)
	// Topics is what is different for some topics, by name.
	Topics map[string]TopicConfig
	// CountBatches has Partition.Incomplete count.
	CountBatches bool
	// Transactional marks every batch as part of a transaction.
	Transactional bool
}

// minSlot keeps a tiny batch.size from cutting the arena into crumbs: the
// batch's limit stays batch.size, only its slot is larger.
const minSlot = 512

// Accumulator holds every record that was accepted and has no outcome yet.
type Accumulator struct {
	cfg        Config
	slab       *slab.Slab
	batches    []Batch // of whole slots
	small      smallBatches
	maxRecords int
	packing    packing
	stages     *Stages

	// These change only when a setting does, see live.go.
	linger atomic.Int64 // ns
	limit  atomic.Int64 // bytes at which a batch that holds a record is full

	_        [128]byte
	epoch    atomic.Uint64 // flush epoch: incremented by every Flush
	pressure atomic.Bool   // memory is short: every batch is ready
	pressing atomic.Int32  // who waits for something else than memory, see Press
	closed   atomic.Bool
	_        [128]byte
	live     atomic.Int64 // batches that hold accepted records
	strands  atomic.Int64 // of all partitions, in use or not

	mu         sync.Mutex // partitions are added rarely
	partitions atomic.Pointer[[]*Partition]
	topics     map[string]*topic // by name; guarded by mu
	refused    chan struct{}     // closed by Refuse

	flushers atomic.Int32
	flushMu  sync.Mutex
	flushes  map[*flush]struct{}
}

// New makes an accumulator. BatchSize must be at most MaxBatchBytes and
// BufferMemory at least one batch.
func New(cfg Config) *Accumulator {
	slot := cfg.slotSize()
	a := &Accumulator{
		cfg:        cfg,
		slab:       slab.New(cfg.BufferMemory, slot),
		maxRecords: min(maxCount, max(slot/8, 1)),
		flushes:    make(map[*flush]struct{}),
		topics:     make(map[string]*topic),
		refused:    make(chan struct{}),
		stages:     new(Stages),
	}
	a.cutSlots()
	a.batches = make([]Batch, a.slab.Slots())
	a.initBatches(a.batches, 0, a.maxRecords, 0)
	a.linger.Store(int64(cfg.Linger))
	a.limit.Store(int64(min(max(cfg.BatchSize, 1), MaxBatchBytes)))
	a.packing.waiting, a.packing.stop = make(chan *Batch, a.mostBatches()), make(chan struct{})
	a.packing.failed = cfg.CompressFailed
	if cfg.Compressor != nil {
		a.packing.method.Store(&method{cfg.Compressor, cfg.Codec})
	}
	a.partitions.Store(new([]*Partition))
	a.slab.OnWait(a.relieve)
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
	p.topic = a.topicOf(topic)
	p.limit.Store(int64(p.limitNow()))
	p.Strand.p, p.Strand.acc = p, a
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
	a.strands.Add(1)
}
