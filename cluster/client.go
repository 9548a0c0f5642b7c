package cluster

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Client asks the brokers of one cluster. It keeps one link to a broker that
// answers and moves to another when that one fails.
type Client struct {
	cfg  Config
	ctx  context.Context // ends with Close
	stop context.CancelCauseFunc

	// turn holds one token. Who has it owns all fields below, the link's
	// use included. Close keeps it.
	turn chan struct{}

	identity identity // see there; its changes have a mutex

	nodes nodes
	link  *Link // nil if there is none
	// failingSince is when the first broker failed since one answered.
	failingSince time.Time
	// rebootstrapped is set until the next metadata tells about it.
	rebootstrapped bool

	telemetry atomic.Bool // see OffersTelemetry

	coordinatorsMu sync.Mutex
	coordinators   []*Coordinator // to be closed
}

// NewClient returns a client that starts from cfg.Bootstrap. It dials nothing
// yet.
func NewClient(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	bootstrap, err := ParseBootstrap(cfg.Bootstrap)
	if err != nil {
		return nil, err
	}
	cfg.Rand = serialised(cfg.Rand)
	c := &Client{cfg: cfg, turn: make(chan struct{}, 1), nodes: newNodes(bootstrap, cfg.Rand)}
	c.identity.init(&c.cfg)
	c.ctx, c.stop = context.WithCancelCause(context.Background())
	c.turn <- struct{}{}
	return c, nil
}

// serialised makes a source of random numbers safe for concurrent use.
func serialised(random func() float64) func() float64 {
	var mu sync.Mutex
	return func() float64 {
		mu.Lock()
		defer mu.Unlock()
		return random()
	}
}

// Connect opens a link of the caller's own to a broker, with the client's
// Config and resolver, and makes sure that it is one of the client's cluster.
// Close ends it while it is connecting, not afterwards.
func (c *Client) Connect(ctx context.Context, address string) (*Link, error) {
	ctx, release := c.join(ctx)
	defer release()
	link, err := connect(ctx, &c.cfg, address)
	if err != nil {
		return nil, err
	}
	if err := c.vouch(ctx, link); err != nil {
		link.Close()
		return nil, err
	}
	return link, nil
}

// Close ends every call under way, a dial included, closes the control link and
// waits until nothing uses it any more. Calls after it fail with ErrClosed. It
// may be called more than once.
func (c *Client) Close() {
	if c.ctx.Err() != nil {
		return
	}
	c.stop(ErrClosed)
	<-c.turn // Never given back: from here on every call sees the context.
	c.dropLocked()
	c.closeCoordinators()
}

// join returns a context that ends with ctx or the client, whichever is first.
func (c *Client) join(ctx context.Context) (context.Context, context.CancelFunc) {
	joined, cancel := context.WithCancelCause(ctx)
	if c.ctx.Err() != nil {
		cancel(ErrClosed) // AfterFunc would do it, but some time later.
	}
	stop := context.AfterFunc(c.ctx, func() { cancel(ErrClosed) })
	return joined, func() {
		stop()
		cancel(nil)
	}
}

// endOf returns why a call has to end.
func (c *Client) endOf(ctx context.Context) error {
	if c.ctx.Err() != nil {
		return ErrClosed
	}
	return context.Cause(ctx)
}

// wait sleeps until d is over or the call has to end.
func (c *Client) wait(ctx context.Context, d time.Duration) error {
	ctx, release := c.join(ctx)
	defer release()
	return c.cfg.Wait(ctx, d)
}

// lock takes the turn.
func (c *Client) lock(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err() // Select would pick at random.
	}
	select {
	case <-c.turn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Client) unlock() { c.turn <- struct{}{} }

// send is one request over the control link. A throttle is noted with the
// broker, so that others are preferred until it is over.
func (c *Client) send(ctx context.Context, l *Link, req kmsg.Request) (kmsg.Response, error) {
	response, throttle, err := l.request(ctx, req)
	if err != nil {
		return nil, err
	}
	c.nodes.at(l.Address).notBefore = c.cfg.Now().Add(throttle)
	return response, nil
}

// learnLocked takes over the brokers of a good answer.
func (c *Client) learnLocked(m *Metadata) {
	c.nodes.replace(addressesOf(m.Brokers), c.cfg.Rand)
	m.Rebootstrapped = c.rebootstrapped
	c.rebootstrapped = false
}

// rebootstrapLocked gives up the known brokers for the bootstrap list.
func (c *Client) rebootstrapLocked(why string) {
	c.cfg.Logger.Warn("going back to the bootstrap list", "because", why)
	c.dropLocked()
	c.nodes.reset(c.cfg.Rand)
	c.rebootstrapped = true
	c.failingSince = time.Time{} // The trigger counts anew for the new set.
}

func (c *Client) dropLocked() {
	if c.link != nil {
		c.link.Close()
		c.link = nil
	}
}

// dialLocked replaces the control link by one to n.
func (c *Client) dialLocked(ctx context.Context, n *node) error {
	c.dropLocked()
	cfg := c.cfg
	cfg.SetupTimeout = Backoff(c.cfg.SetupTimeout, c.cfg.SetupTimeoutMax, n.failures+1, c.cfg.Rand)
	link, err := connect(ctx, &cfg, n.address)
	if err != nil {
		return fmt.Errorf("connecting to %s: %w", n.address, err)
	}
	c.link = link
	c.telemetry.Store(link.Versions.offersTelemetry())
	c.cfg.Logger.Debug("control link up", "broker", n.address)
	return nil
}
