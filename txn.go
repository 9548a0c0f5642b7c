package kring

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kring-go/kring/accum"
	"github.com/kring-go/kring/cluster"
)

// transactions is the transactional half of a producer; it exists only with a
// TransactionalID.
//
//	InitTransactions ─► ready ─Begin─► active ─Commit: flush─► ending ─EndTxn─► ready
//	                                    │  ▲ records                 │
//	              a record or call fails│                            │ no answer
//	                                    ▼                            ▼
//	                ready ◄─Abort─── abortable                    unknown ─again─► ready
//	any ─fenced, not authorised─► fatal
//
// Produce passes the gate, which is open only while the transaction is active.
// The sender asks admit before it takes a partition's first batch, and looks at
// dropping before anything else.
type transactions struct {
	p           *Producer
	coordinator *cluster.Coordinator
	calls       chan struct{} // one token: the right to change the transaction's fate

	gate     gate
	number   atomic.Uint64         // of the present transaction, from 1
	implicit atomic.Bool           // brokers add partitions by themselves (KIP-890)
	dropping atomic.Pointer[error] // why nothing is sent any more; nil: it is
	over     atomic.Bool           // Close has ended what was open; nothing begins any more

	mu    sync.Mutex
	state txnState
	err   error // why the state is abortable, unknown or fatal
	// commit is what is being done while the state is ending or unknown.
	commit bool
	// begun says that the coordinator may know of the transaction.
	begun bool
	// renew says that the next transaction needs a new epoch from the
	// coordinator.
	renew   bool
	waiting []*partition // to be added to the transaction
	adding  *adder       // nil: there is none

	groups map[string]*cluster.Coordinator // by group; owned by the holder of calls
}

type txnState uint8

const (
	txnNew txnState = iota // before InitTransactions
	txnReady
	txnActive
	txnAbortable
	txnEnding // to be flushed or dropped, and then ended; commit says how
	txnUnknown
	txnFatal
)

func newTransactions(p *Producer) *transactions {
	x := &transactions{
		p:           p,
		coordinator: p.client.Coordinator(cluster.TransactionCoordinator, p.cfg.transactionalID),
		calls:       make(chan struct{}, 1),
		groups:      make(map[string]*cluster.Coordinator),
	}
	x.calls <- struct{}{}
	x.gate.init()
	return x
}

// InitTransactions makes the producer the only one with its transactional id:
// all before it are fenced, and what they have left unfinished is aborted, or
// committed if that had begun. It comes before the first transaction, and after
// ErrTransactionUnknown it may be called to begin anew. It ends with ctx or
// after MaxBlock; then it may be called again.
func (p *Producer) InitTransactions(ctx context.Context) error {
	const op = "InitTransactions"
	x, done, err := p.transactionCall(&ctx, op)
	if err != nil {
		return err
	}
	defer done()
	state, cause := x.look()
	present := x.producer()
	switch state {
	case txnNew:
		present = cluster.ProducerID{ID: -1, Epoch: -1}
	case txnUnknown:
	case txnFatal:
		return fatal(op, cause)
	default:
		return misplaced(op, "it has been called before")
	}
	ctx, cancel := x.bounded(ctx)
	defer cancel()
	if err := x.reinit(ctx, op, present); err != nil {
		return err
	}
	x.settle()
	return nil
}

// BeginTransaction begins a transaction: from here on Produce accepts records.
// It sends nothing, unless a new epoch is needed after a failure: then it waits
// up to MaxBlock.
func (p *Producer) BeginTransaction() error {
	const op = "BeginTransaction"
	ctx := context.Background()
	x, done, err := p.transactionCall(&ctx, op)
	if err != nil {
		return err
	}
	defer done()
	if err := x.refuseUnless(op, txnReady); err != nil {
		return err
	}
	if x.renewing() {
		ctx, cancel := x.bounded(ctx)
		defer cancel()
		if err := x.reinit(ctx, op, x.producer()); err != nil {
			return err
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.number.Add(1)
	x.implicit.Store(x.coordinator.TransactionVersion() >= firstImplicit)
	x.state, x.err, x.begun = txnActive, nil, false
	x.gate.open()
	return nil
}

// firstImplicit is the first transaction.version with which brokers add
// partitions by themselves.
const firstImplicit = 2

// transactionCall begins a public call: it takes the turn, which done gives
// back. A nil ctx is a forgiven mistake.
func (p *Producer) transactionCall(ctx *context.Context, op string) (x *transactions, done func(), err error) {
	x = p.txn
	switch {
	case x == nil:
		return nil, nil, misplaced(op, "the producer has no transactional id: give TransactionalID or transactional.id")
	case p.inCallback():
		return nil, nil, ErrInCallback
	case p.closing.Load():
		return nil, nil, ErrClosed
	}
	*ctx = orBackground(*ctx)
	select {
	case <-x.calls:
		if x.over.Load() { // Close was faster
			x.calls <- struct{}{}
			return nil, nil, ErrClosed
		}
		return x, func() { x.calls <- struct{}{} }, nil
	case <-(*ctx).Done():
		return nil, nil, fmt.Errorf("kring: %s: another call is at work: %w", op, (*ctx).Err())
	}
}

// bounded limits what a call waits for the coordinator.
func (x *transactions) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := x.p.cfg.maxBlock
	return context.WithTimeoutCause(ctx, limit, andAlso{
		fmt.Errorf("%w of %v", ErrMaxBlock, limit.Round(time.Millisecond)), context.DeadlineExceeded,
	})
}

// producer is the present producer id and epoch.
func (x *transactions) producer() cluster.ProducerID {
	i := x.p.identity.Load()
	return cluster.ProducerID{ID: i.ID, Epoch: i.Epoch}
}

// reinit gets a new epoch from the coordinator.
func (x *transactions) reinit(ctx context.Context, op string, present cluster.ProducerID) error {
	id, err := x.coordinator.InitProducerID(ctx, &cluster.Call{}, x.p.cfg.transactionTimeout, present)
	if err != nil {
		v := judge(err)
		if v.fatal {
			x.fail(v)
			return fatal(op, v.err)
		}
		return fmt.Errorf("kring: %s: %w", op, v.err)
	}
	x.adopt(id)
	x.p.log.Debug("kring: transactional producer id", "id", id.ID, "epoch", id.Epoch,
		"transactional.id", x.p.cfg.transactionalID)
	return nil
}

// adopt makes id the identity of what is sent from now on.
func (x *transactions) adopt(id cluster.ProducerID) {
	if id != x.producer() {
		x.p.identity.Store(&accum.Identity{ID: id.ID, Epoch: id.Epoch})
	}
	x.mu.Lock()
	x.renew = false
	x.mu.Unlock()
}

// settle is the end of a transaction, whatever its outcome.
func (x *transactions) settle() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.state, x.err, x.begun = txnReady, nil, false
	x.dropping.Store(nil)
}
