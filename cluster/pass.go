package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// answer wraps an error that a broker gave as its answer: the broker is fine,
// and asking another one would not help.
type answer struct{ error }

func (a answer) Unwrap() error { return a.error }

// pass is one try over all brokers.
type pass struct {
	began    time.Time
	attempts []Attempt
	tried    map[string]bool
	// succeeded: another cluster was taken for the successor of the client's.
	succeeded bool
}

func (p *pass) failed(address string, err error) {
	p.tried[address] = true
	p.attempts = append(p.attempts, Attempt{Address: address, Err: err})
}

// pass calls ask with a link to one broker after the other, under the turn,
// until one does not fail. It tries every address once at most, plus the
// bootstrap list's once more if a broker demands it, and once if all of them
// belong to another cluster, so it ends.
func (c *Client) pass(ctx context.Context, ask func(context.Context, *Link) error) error {
	ctx, release := c.join(ctx)
	defer release()
	p := &pass{began: c.cfg.Now(), tried: make(map[string]bool)}
	for {
		if c.lock(ctx) != nil {
			return c.interrupted(ctx, p, nil)
		}
		n, delay := c.nextLocked(p)
		if n != nil && delay > 0 && errors.As(n.err, new(*AuthError)) {
			// Waiting would not help: the caller is told what is known.
			p.failed(n.address, n.err)
			c.unlock()
			continue
		}
		var err, before error
		if n != nil {
			before = n.err
		}
		if n != nil && delay <= 0 {
			err = c.tryLocked(ctx, p, n, ask)
		}
		c.unlock()
		fatal := answer{}
		switch {
		case n == nil:
			return &UnreachableError{Attempts: p.attempts}
		case delay > 0:
			if c.cfg.Wait(ctx, delay) != nil {
				return c.interrupted(ctx, p, &Attempt{Address: n.address, Err: before})
			}
		case err == nil:
			return nil
		case errors.As(err, &fatal):
			return fatal.error
		case ctx.Err() != nil:
			return c.interrupted(ctx, p, nil)
		}
	}
}

// interrupted says why the call ended and what had gone wrong by then: a
// deadline alone would hide that the broker refuses connections. earlier is the
// failure, if any, whose backoff was being waited out.
func (c *Client) interrupted(ctx context.Context, p *pass, earlier *Attempt) error {
	err := c.endOf(ctx)
	switch {
	case errors.Is(err, ErrClosed):
		return ErrClosed
	case len(p.attempts) > 0:
		return fmt.Errorf("%w: %w", err, &UnreachableError{Attempts: p.attempts})
	case earlier != nil && earlier.Err != nil:
		return fmt.Errorf("%w: %w", err, &UnreachableError{Attempts: []Attempt{*earlier}})
	}
	return err
}

// nextLocked returns the node to try and how long its backoff still lasts. It
// returns nil when the pass is over.
func (c *Client) nextLocked(p *pass) (*node, time.Duration) {
	now := c.cfg.Now()
	if c.overdueLocked(now) {
		c.rebootstrapLocked("no metadata for " + c.cfg.RebootstrapTrigger.String())
	}
	c.shareLocked(p)
	if c.link != nil && !p.tried[c.link.Address] {
		if n := c.nodes.at(c.link.Address); !n.notBefore.After(now) {
			return n, 0
		}
	}
	best := c.nodes.best(now, p.tried)
	if best == nil && c.mayRebootstrapLocked() {
		c.rebootstrapLocked("no known broker answers")
		c.shareLocked(p)
		best = c.nodes.best(now, p.tried)
	}
	if best == nil && c.succeededLocked(p) { // rebootstrapped is set already
		best = c.nodes.best(now, p.tried)
	}
	if best == nil {
		return nil, 0
	}
	return best, best.notBefore.Sub(now)
}

// shareLocked takes over what passes of other goroutines found out meanwhile.
// Without it, two passes that wait out the backoff of one dead broker would
// take turns, and the one that comes second each time would never end.
func (c *Client) shareLocked(p *pass) {
	for _, n := range c.nodes.current {
		if !p.tried[n.address] && n.failedAt.After(p.began) {
			p.failed(n.address, n.err)
		}
	}
}

// mayRebootstrapLocked is false when that has been done and not helped yet, so
// a pass goes back to the bootstrap list once at most.
func (c *Client) mayRebootstrapLocked() bool {
	return !c.cfg.NoRebootstrap && !c.nodes.initial
}

// overdueLocked reports that metadata has failed for too long with the brokers
// that are known.
func (c *Client) overdueLocked(now time.Time) bool {
	return c.mayRebootstrapLocked() && !c.failingSince.IsZero() &&
		now.Sub(c.failingSince) >= c.cfg.RebootstrapTrigger
}

// tryLocked asks n once, over the control link if that is to n. A link that
// turns out to have been closed by the broker while it was idle is replaced
// without counting as a failure.
func (c *Client) tryLocked(ctx context.Context, p *pass, n *node, ask func(context.Context, *Link) error) error {
	reused := c.link != nil && c.link.Address == n.address && !c.link.outlived()
	err := reusing(ctx, reused, func() error { return c.dialLocked(ctx, n) }, func() error {
		err := ask(ctx, c.link)
		if !reused {
			err = c.unasked(err)
		}
		return err
	})
	if err == nil || errors.As(err, new(answer)) {
		n.worked()
		c.failingSince = time.Time{}
		return err
	}
	c.dropLocked()
	c.failedLocked(ctx, p, n, err)
	return err
}

// unasked explains the end of a connection at the first request proper. Brokers
// with SASL answer ApiVersions to anybody, and hang up at what follows.
func (c *Client) unasked(err error) error {
	if c.cfg.SASL == nil && errors.Is(err, io.EOF) {
		return fmt.Errorf("%w; does this listener want a SASL login?", err)
	}
	return err
}

// failedLocked notes a failure, unless it is the caller who gave up. A deadline
// is no such case: a broker that used it up must not be asked first again.
func (c *Client) failedLocked(ctx context.Context, p *pass, n *node, err error) {
	if ctx.Err() != nil && !errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return
	}
	now := c.cfg.Now()
	p.failed(n.address, err)
	backoff := Backoff(c.cfg.ReconnectBackoff, c.cfg.ReconnectBackoffMax, n.failures+1, c.cfg.Rand)
	if errors.As(err, new(*AuthError)) {
		backoff = c.AuthBackoff(n.failures + 1)
	}
	n.failed(err, now, backoff)
	c.cfg.Logger.Debug("broker failed", "broker", n.address, "failures", n.failures, "error", err)
	if c.failingSince.IsZero() {
		c.failingSince = now
	}
	code := (*CodeError)(nil)
	if errors.As(err, &code) && code.Code == codeRebootstrapRequired && c.mayRebootstrapLocked() {
		c.rebootstrapLocked("broker " + n.address + " demands it")
		p.began = now
		delete(p.tried, n.address) // By way of the list it may be another broker.
	}
}

// wentStale reports the end of a connection, as opposed to a broker that is
// silent or sends nonsense.
func wentStale(err error) bool {
	for _, end := range []error{
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed,
		syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED,
	} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}
