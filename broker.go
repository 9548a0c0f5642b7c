package kring

import (
	"log/slog"
	"sync/atomic"

	"github.com/kring-go/kring/accum"
	"github.com/kring-go/kring/internal/depth"
	"github.com/kring-go/kring/netio"
	"github.com/kring-go/kring/ring"
	"github.com/kring-go/kring/wire"
)

// broker is the sender's half of one connection to a broker, its only one unless
// ConnectionsPerBroker says otherwise: that connection and the sender side of
// every partition whose home it is. It is an actor without a thread:
// everything below "owned by the role" is touched only by the holder of role,
// which is whoever had news last (see kick).
//
//	caller: batch full ─┐
//	timer: linger, tick ─┼─► ready ring ─► kick ─► turn: poll, dispatch, drain, one writev
//	reader: readable    ─┘
type broker struct {
	p      *Producer
	id     int32
	addr   atomic.Pointer[string] // host:port; changed by metadata
	node   *node                  // it, and the other connections to it
	stripe int                    // which of the node's connections; 0 is the only one by default
	first  bool                   // the first of the node's that was made
	log    *slog.Logger           // names the connection, if there may be several

	role      netio.Role
	ready     *ring.Ring[*partition]
	readyLost atomic.Bool // ready was full once: look at all partitions
	ticked    atomic.Bool // the timer wants deadlines looked at
	backstop  chan struct{}
	dialed    atomic.Pointer[dialResult] // left by the dialler for the role
	gone      atomic.Bool                // metadata no longer lists the broker
	outdated  atomic.Bool                // conn leads to an address of the past
	stopping  atomic.Bool                // the producer is closing: fail everything
	stopDone  chan struct{}              // closed by the first turn that stops
	connected atomic.Bool                // for Stats
	depthNow  atomic.Int32               // for Stats: depth.Depth()
	waiting   atomic.Int64               // see noteWaiting
	trouble   atomic.Pointer[error]      // why there is no connection
	errands   atomic.Pointer[errand]     // what others want done under the role
	meters    meters                     // written under the role
	share     *accum.Share               // of the memory; nil: no limit

	// Owned by the role.
	conn      *netio.Conn
	session   session // of conn
	version   int16   // Produce version of conn
	dialing   bool
	failures  int   // connection attempts since the last success
	dialAt    int64 // not before
	throttled int64 // nothing is sent before
	lastSend  int64
	correl    int32
	pend      queue        // partitions that may have something to send
	slow      []*partition // partitions that wait for time or a producer id
	reqs      [maxRequests]request
	chosen    []*accum.Batch
	owners    []*partition
	segments  [][]byte
	response  wire.ProduceResponse
	passed    int // requests that left before bulk records that waited
	env       accum.Env
	stopSeen  bool
	depth     depth.Controller // how many requests may be in flight
	backlog   bool             // complete batches were left behind by the last drain
}

// dialResult is what a dialler found: a connection that is ready for Produce,
// or why there is none.
type dialResult struct {
	conn    *netio.Conn
	version int16
	session session
	addr    *string // that was dialled
	err     error
}

// readyCapacity is the number of partitions that may stand in a ready ring.
// More is no error: the ring's overflow makes the sender look at all.
const readyCapacity = 1 << 12

// turnsPerCaller bounds how long a producing goroutine drives a broker that
// always has more to do.
const turnsPerCaller = 16

func newBroker(p *Producer, id int32, addr string) *broker {
	b := &broker{
		p: p, id: id,
		ready:    ring.New[*partition](readyCapacity),
		backstop: make(chan struct{}, 1),
		stopDone: make(chan struct{}),
		node:     &node{id: id, addr: addr}, // addStripe knows better
		first:    true,
		log:      p.log,
	}
	b.addr.Store(&addr)
	if id >= 0 {
		b.share = p.acc.NewShare(p.cfg.brokerMemory)
	}
	b.env = accum.Env{
		Idempotent:  p.cfg.idempotence,
		MaxInFlight: p.cfg.maxInFlight,
	}
	return b
}

// enqueue puts a partition that is marked into the ready ring.
func (b *broker) enqueue(q *partition) {
	if b.ready.TryPush(q) {
		return
	}
	q.Unmark()
	b.readyLost.Store(true)
	// A move that found q marked has relied on it (a later one marks q itself),
	// and b looks at its own partitions only.
	if home := q.home.Load(); home != b {
		home.readyLost.Store(true)
		home.kick()
	}
}

// kick makes sure that a turn begins after this call began: by taking it, or
// by telling whoever holds the role. It never waits.
func (b *broker) kick() {
	if b.role.Enter() {
		b.drive(turnsPerCaller)
		b.p.afterTurn()
	}
}

// drive takes turns until there is nothing to do, at most limit of them. Then
// it lets the role go whatever was asked, and the backstop asks again: any
// goroutine with news may take the role before it is scheduled.
func (b *broker) drive(limit int) {
	for range limit {
		if b.turn() {
			continue
		}
		if b.role.Leave() {
			return
		}
	}
	for !b.role.Leave() { // Leave is the work
	}
	if b.stopping.Load() {
		// The runner has ended, maybe, and what was just let go may be the
		// turn that Close waits for. A turn that stops leaves no more to do.
		b.kick()
		return
	}
	select {
	case b.backstop <- struct{}{}:
	default:
	}
}

// runner is the broker's own goroutine: the backstop of drive. It sleeps while
// callers do the work.
func (b *broker) runner() {
	for {
		select {
		case <-b.backstop:
			b.kick()
		case <-b.p.ctx.Done():
			return
		}
	}
}

// turn is one round of work. It reports whether another one would find
// something to do at once.
func (b *broker) turn() (more bool) {
	b.env.Now = b.p.clock.Now()
	b.adopt()
	if b.conn != nil {
		if _, err := b.conn.Poll(); err != nil {
			b.disconnect(err)
		}
	}
	b.renew()
	if b.collect() {
		// A mark that was taken may be the timer's: a linger has ended since
		// the turn began. Judged by the older time it had not, and nobody
		// would mark the partition again.
		b.env.Now = b.p.clock.Now()
	}
	if b.errands.Load() != nil {
		b.runErrands()
	}
	if b.stopping.Load() {
		b.stop()
		return false
	}
	if b.ticked.Load() {
		b.ticked.Store(false)
		b.tick()
	}
	if b.maySend() {
		more = b.send()
	}
	b.noteWaiting()
	return more
}

// maySend says that there may be something to send, and nothing forbids it.
func (b *broker) maySend() bool { return b.pend.len() > 0 && !b.p.gate.shut() }

// noteWaiting keeps since when partitions wait for a request that does not
// leave, on the monotonic clock; 0: none do. It is for
// partitioner.availability.timeout.ms.
func (b *broker) noteWaiting() {
	if b.p.cfg.availabilityTimeout == 0 {
		return
	}
	switch waits := b.maySend(); {
	case !waits && b.waiting.Load() != 0, waits && b.lastSend == b.env.Now:
		b.waiting.Store(0)
	case waits && b.waiting.Load() == 0:
		b.waiting.Store(b.env.Now)
	}
}

// unavailable says that b has had something to send for too long.
func (b *broker) unavailable(now int64) bool {
	timeout := int64(b.p.cfg.availabilityTimeout)
	since := b.waiting.Load()
	return timeout > 0 && since != 0 && now-since > timeout
}

// collect moves the ready ring into pend and reports whether there was anything.
func (b *broker) collect() (news bool) {
	for {
		q, ok := b.ready.TryPop()
		if !ok {
			break
		}
		news = true
		q.Unmark()
		b.add(q)
		b.noteBehind(q)
	}
	if b.readyLost.Load() && b.readyLost.CompareAndSwap(true, false) {
		news = true
		for _, a := range b.p.acc.Partitions() {
			if q, ok := a.Sink().(*partition); ok && q.home.Load() == b {
				b.add(q)
			}
		}
	}
	return news
}

// add puts q into pend, or sends it on if it has moved away.
func (b *broker) add(q *partition) {
	if home := q.home.Load(); home != b {
		if q.Mark() {
			home.enqueue(q)
		}
		home.kick()
		return
	}
	if !q.pending {
		q.pending = true
		b.pend.push(q)
		q.topic.use()
	}
}

// move gives q to the broker that leads it now. Nothing of q is in flight
// here, and q stands in none of b's lists. After the store of home the other
// broker may touch q, so it comes last.
func (b *broker) move(q *partition, to *broker) {
	q.NewLeader()
	q.home.Store(to)
	if q.Mark() {
		to.enqueue(q)
	}
	to.kick()
}
