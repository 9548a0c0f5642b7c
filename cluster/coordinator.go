package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// CoordinatorType is what a coordinator coordinates.
type CoordinatorType int8

// The types of coordinators that a producer asks, with the numbers that
// FindCoordinator has for them.
const (
	GroupCoordinator       CoordinatorType = 0
	TransactionCoordinator CoordinatorType = 1
)

// Coordinator asks the broker that is in charge of one transactional id or one
// group, whichever broker that is at the moment. Requests go out one at a time,
// in the order of the calls. It is safe for use by any number of goroutines.
//
//	call ─► link up? ─no─► FindCoordinator (over the client's passes) ─► dial
//	  ▲        │ yes
//	  │        ▼
//	  └─ backoff ◄─ connection lost, NOT_COORDINATOR, LOADING, CONCURRENT_TRANSACTIONS
type Coordinator struct {
	c   *Client
	typ CoordinatorType
	key string

	// turn holds one token. Who has it owns the link. Close keeps it.
	turn chan struct{}
	own  ownLink

	feature atomic.Int32 // see TransactionVersion
}

// Coordinator makes the means to ask the coordinator of key. It does not
// connect. The client's Close closes it too.
func (c *Client) Coordinator(typ CoordinatorType, key string) *Coordinator {
	k := &Coordinator{c: c, typ: typ, key: key, turn: make(chan struct{}, 1)}
	k.own = ownLink{c: c, open: k.connect}
	k.turn <- struct{}{}
	c.coordinatorsMu.Lock()
	defer c.coordinatorsMu.Unlock()
	c.coordinators = append(c.coordinators, k)
	return k
}

// closeCoordinators waits until no call is under way, which the end of the
// client's context ends, and closes the links.
func (c *Client) closeCoordinators() {
	c.coordinatorsMu.Lock()
	all := c.coordinators
	c.coordinators = nil
	c.coordinatorsMu.Unlock()
	for _, k := range all {
		<-k.turn // Never given back, as with the client's.
		k.own.hangUp()
	}
}

// Call is what became of one call of a coordinator.
type Call struct {
	// Ambiguous says that a request left and its connection ended without an
	// answer to it. A copy may be acted upon later, even after the answer to
	// the one that was sent again.
	Ambiguous bool
}

// quickRetry is the pause after CONCURRENT_TRANSACTIONS: the markers of the
// transaction before are being written, which takes milliseconds.
const quickRetry = 20 * time.Millisecond

// request sends what build makes until an answer comes that trying again would
// not change, or ctx ends. build gets the versions of the connection. code
// returns the code that decides about trying again.
func (k *Coordinator) request(ctx context.Context, call *Call,
	build func(*Versions) (kmsg.Request, error), code func(kmsg.Response) int16,
) (kmsg.Response, error) {
	ctx, release := k.c.join(ctx)
	defer release()
	select {
	case <-k.turn:
		defer func() { k.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, k.c.endOf(ctx)
	}
	final := answer{}
	for failures := 1; ; failures++ {
		response, err := k.try(ctx, call, build)
		pause := Backoff(k.c.cfg.RetryBackoff, k.c.cfg.RetryBackoffMax, failures, k.c.cfg.Rand)
		switch {
		case err == nil:
			answered := code(response)
			if !k.again(answered) {
				return response, nil
			}
			if answered == codeConcurrentTxns {
				pause = min(pause, quickRetry)
			}
			err = &CodeError{Code: answered, Context: kmsg.NameForKey(response.Key()) + " of " + k.String()}
		case errors.As(err, &final):
			return nil, final.error
		}
		if k.c.endOf(ctx) == nil && k.c.cfg.Wait(ctx, pause) == nil {
			continue
		}
		if end := k.c.endOf(ctx); !errors.Is(err, end) {
			err = fmt.Errorf("%w (last: %w)", end, err)
		}
		return nil, err
	}
}

// again reports whether an answer asks to try again, and lets go of a broker
// that is not the coordinator.
func (k *Coordinator) again(code int16) bool {
	if code == codeNotCoordinator || code == codeCoordinatorMissing {
		k.own.hangUp()
	}
	return worthAsking(code)
}

// worthAsking reports whether a coordinator's answer may change by itself.
func worthAsking(code int16) bool {
	switch code {
	case codeNotCoordinator, codeCoordinatorMissing, codeCoordinatorLoading, codeConcurrentTxns,
		codeRequestTimedOut, codeNetworkException, codeUnknownTopic, codeThrottlingQuota:
		return true
	}
	return false
}

// try is one attempt.
func (k *Coordinator) try(ctx context.Context, call *Call, build func(*Versions) (kmsg.Request, error)) (kmsg.Response, error) {
	response, lost, err := k.own.request(ctx, func(v *Versions) (kmsg.Request, error) {
		req, err := build(v)
		if err != nil {
			err = answer{err}
		}
		return req, err
	})
	call.Ambiguous = call.Ambiguous || lost
	if errors.As(err, new(*lostError)) {
		err = fmt.Errorf("%s: %w", k, err)
	}
	return response, err
}

// connect finds the coordinator and opens a link to it.
func (k *Coordinator) connect(ctx context.Context) (*Link, error) {
	address, err := k.find(ctx)
	if err != nil {
		return nil, err
	}
	link, err := k.c.Connect(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s at %s: %w", k, address, err)
	}
	k.feature.Store(int32(link.Versions.transactions))
	k.c.cfg.Logger.Debug("coordinator link up", "coordinator", k.String(), "broker", address)
	return link, nil
}

// TransactionVersion is the finalized transaction.version (KIP-890) that the
// coordinator told on the last connection, or 0: from 2 on brokers add
// partitions to a transaction by themselves.
func (k *Coordinator) TransactionVersion() int16 { return int16(k.feature.Load()) }

// String names the coordinator in errors and logs.
func (k *Coordinator) String() string {
	if k.typ == GroupCoordinator {
		return fmt.Sprintf("the coordinator of group %q", k.key)
	}
	return fmt.Sprintf("the coordinator of transactional id %q", k.key)
}
