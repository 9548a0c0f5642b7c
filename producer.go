package kring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync/atomic"

	"github.com/kring-go/kring/accum"
	"github.com/kring-go/kring/cluster"
)

// Producer sends records to a Kafka cluster. It is safe for use by any number
// of goroutines; make one per application, not one per request. It must be
// closed. New makes it; a nil or zero Producer can not be used: its Close, Drain
// and Flush return ErrClosed, most other methods panic.
type Producer struct {
	cfg      config
	log      *slog.Logger
	clock    *accum.Clock
	acc      *accum.Accumulator
	lanes    lanes
	courtesy courtesy
	visits   visits
	lingers  *accum.Lingers
	client   *cluster.Client

	interceptors *interceptors // nil: none
	hooks        *hooks        // nil: none
	records      *recordLimit  // nil: none
	gate         sendGate
	purging      atomic.Int32  // calls of Purge that run
	txn          *transactions // nil: not transactional

	topics    atomic.Pointer[map[string]*Topic] // immutable map; replaced under meta.mu
	identity  atomic.Pointer[accum.Identity]
	brokers   atomic.Pointer[[]*broker] // immutable slice; replaced under meta.mu
	nowhere   *broker                   // home of partitions without a leader
	meta      metadata
	timer     timer
	ids       producerIDs
	live      live
	stats     counters
	telemetry telemetry

	closing      atomic.Bool
	abandoned    atomic.Bool // Close has given up on what does not end
	closeBegun   atomic.Bool
	closeStarted chan struct{} // closed when Close begins
	closed       chan struct{} // closed when Close is done
	closeErr     error
	harvest      atomic.Pointer[harvest] // of Drain; nil: nobody drains
	conns        endings
	ctx          context.Context // ends when background work must end
	cancel       context.CancelCauseFunc
	workers      workers // every goroutine of the producer
}

// New makes a producer. It connects in the background: a broker that can not
// be reached shows in the errors of Produce and in the log, not here. It fails
// if an option is invalid; the error names every problem.
func New(opts ...Option) (*Producer, error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	p := &Producer{cfg: *cfg, log: cfg.logger, clock: accum.NewClock()}
	p.interceptors = newInterceptors(cfg)
	p.hooks = newHooks(p)
	p.records = newRecordLimit(p)
	p.gate.manual = cfg.manualFlush
	p.closeStarted, p.closed = make(chan struct{}), make(chan struct{})
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	p.telemetry.init(p)
	p.client, err = cluster.NewClient(p.clusterConfig())
	if err != nil {
		p.cancel(err)
		return nil, fmt.Errorf("kring: %w", err)
	}
	compressor, err := cfg.compressor()
	topics, problem := cfg.accumTopics()
	if err = errors.Join(err, problem); err != nil {
		p.cancel(err)
		p.client.Close()
		return nil, err
	}
	accumulator := accum.Config{
		BatchSize:       cfg.batchSize,
		BufferMemory:    cfg.bufferMemory,
		Linger:          cfg.linger,
		ExactTimestamps: cfg.exactTimestamps,
		AlwaysComplete:  cfg.onDelivery != nil,
		Clock:           p.clock,
		LingerStarted:   func(q *accum.Strand) { p.lingers.Start(q) },
		Awake:           p.timer.awake,
		CompressFailed:  p.compressFailed,
		Topics:          topics,
		CountBatches:    cfg.leastBackedUp,
	}
	if compressor != nil {
		accumulator.Compressor, accumulator.Codec = compressor, int16(cfg.codec)
	}
	accumulator.Transactional = cfg.transactional()
	p.acc = accum.New(accumulator)
	p.lingers = accum.NewLingers(p.acc)
	p.makeLanes()
	p.topics.Store(&map[string]*Topic{})
	p.brokers.Store(new([]*broker))
	none := accum.NoIdentity()
	p.identity.Store(&none)
	p.nowhere = newBroker(p, -1, "")
	if cfg.transactional() {
		p.txn = newTransactions(p)
	}
	p.meta.init()
	p.timer.init(p)
	p.start()
	return p, nil
}

func (p *Producer) start() {
	for i, lane := range p.lanes.all {
		p.workers.run(p.as("completion", func() { p.runLane(lane) }, labelLane, strconv.Itoa(i)))
	}
	if p.hooks != nil { // not of the workers: Close does not wait for a hook for ever
		go p.as("hooks", p.hooks.run)()
	}
	p.workers.run(p.as("timer", p.timer.run))
	p.workers.run(p.as("metadata", p.refreshMetadata))
	p.workers.run(p.nowhere.as("broker", p.nowhere.runner))
	if p.cfg.compresses() {
		p.startPackers()
	}
}

func (p *Producer) clusterConfig() cluster.Config {
	c := p.cfg.cluster()
	c.Dial = p.telemetry.counting(p.cfg.dial)
	return c
}

// cluster is how the cluster is reached, and for how long.
func (c *config) cluster() cluster.Config {
	return cluster.Config{
		Bootstrap:           c.brokers,
		ClientID:            c.clientID,
		SoftwareVersion:     Version,
		Dial:                cluster.Dialer(c.dial),
		Handshake:           c.security.handshake,
		SASL:                c.security.mechanism,
		SendBuffer:          c.sendBuffer,
		ReceiveBuffer:       c.receiveBuffer,
		SetupTimeout:        c.connSetupTimeout,
		SetupTimeoutMax:     c.connSetupTimeoutMax,
		RequestTimeout:      c.requestTimeout,
		RetryBackoff:        c.retryBackoff,
		RetryBackoffMax:     c.retryBackoffMax,
		ReconnectBackoff:    c.reconnectBackoff,
		ReconnectBackoffMax: c.reconnectBackoffMax,
		NoRebootstrap:       !c.rebootstrap,
		RebootstrapTrigger:  c.rebootstrapTrigger,
		ClusterID:           c.clusterID,
		NoClusterCheck:      !c.clusterCheck,
		Logger:              c.logger,
		Rand:                rand.Float64,
	}
}

// Version is the version of this library, as brokers see it.
const Version = "0.1.0"

func (p *Producer) callbackPanicked(topic string, partition int32, value any) {
	p.stats.callbackPanics.Add(1)
	p.log.Error("kring: a delivery callback panicked; the record's outcome is not affected",
		"topic", topic, "partition", partition, "panic", value)
}

// Produce hands one record to the producer and returns without waiting for the
// broker: cb, if not nil, learns the outcome later, exactly once. An error
// means that the record was not accepted; cb is then never called.
//
// Produce waits for the topic's metadata the first time and for memory when
// the buffer is full, together up to MaxBlock (max.block.ms) or until ctx
// ends. Records of one goroutine to one partition are stored in the order in
// which Produce returned. The record's slices may be reused at once.
func (p *Producer) Produce(ctx context.Context, r Record, cb Callback) error {
	return p.topic(r.Topic).ProduceRecord(ctx, &r, cb)
}

// ProduceRecord is Produce without a copy of the Record, for loops in which every
// nanosecond counts: a Record has 152 bytes, and to copy what has just been
// written costs a tenth of all that a small record costs (ADR 0014). *r is only
// read, and only until ProduceRecord returns; use it again for the next one. nil
// is ErrInvalidRecord.
func (p *Producer) ProduceRecord(ctx context.Context, r *Record, cb Callback) error {
	if r == nil {
		return errNilRecord()
	}
	return p.topic(r.Topic).ProduceRecord(ctx, r, cb)
}

// TryProduce is Produce that never waits. ErrBufferFull: no memory is free, or
// others wait for it already. ErrMetadataPending: the topic is not known yet;
// a request for it is under way. Nothing was accepted in both cases.
func (p *Producer) TryProduce(r Record, cb Callback) error {
	t := p.topic(r.Topic)
	_, _, err := t.produce(context.Background(), &r, cb, call{})
	return err
}

// ProduceSync produces one record without waiting for its linger and returns
// its outcome. The error is that of Produce, or the Delivery's.
//
// If ctx ends first, ProduceSync returns ctx's error and the record's outcome
// is lost; it may be stored all the same.
func (p *Producer) ProduceSync(ctx context.Context, r Record) (Delivery, error) {
	return p.topic(r.Topic).ProduceSync(ctx, r)
}

// Flush makes every record that was accepted before the call ready to be sent,
// without waiting for its linger, and waits until each has its outcome and its
// callback has run, or ctx ends. Records that are accepted during the call are
// not waited for. In a callback it returns ErrInCallback.
func (p *Producer) Flush(ctx context.Context) error {
	if !p.made() {
		return errNotMade()
	}
	if p.inCallback() {
		return ErrInCallback
	}
	ctx = orBackground(ctx)
	defer p.release()()
	if err := p.acc.Flush(ctx); err != nil {
		return fmt.Errorf("kring: flush is not complete: %w", err)
	}
	return nil
}

// topic finds or makes the state of a topic. The fast path is one atomic load
// and one map look-up.
func (p *Producer) topic(name string) *Topic {
	if t, ok := (*p.topics.Load())[name]; ok {
		return t
	}
	return p.addTopic(name)
}

// Topic returns a handle that produces to one topic and skips the look-up by
// name. It does not connect; see Produce for the first record's wait.
func (p *Producer) Topic(name string) *Topic { return p.topic(name) }

// errStopped is why background work ends.
var errStopped = errors.New("kring: the producer is closed")
