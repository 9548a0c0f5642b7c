package cluster

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// ownLink is a link that its owner opens when it needs it, to the broker of its
// choice. It is for one goroutine at a time.
type ownLink struct {
	c         *Client
	open      func(context.Context) (*Link, error)
	link      *Link     // nil if there is none
	notBefore time.Time // the broker wants to be left alone until then
}

// lostError is the end of a connection on which a request had left.
type lostError struct {
	address string
	error
}

func (l *lostError) Unwrap() error { return l.error }

// request sends what build makes for the versions of the link. An error of
// the request itself is a *lostError. lost says that any request ended so, the
// one over a link that went stale included.
func (o *ownLink) request(ctx context.Context, build func(*Versions) (kmsg.Request, error)) (response kmsg.Response, lost bool, err error) {
	if o.link != nil && o.link.outlived() {
		o.hangUp()
	}
	err = reusing(ctx, o.link != nil, func() (err error) {
		o.link, err = o.open(ctx)
		o.notBefore = time.Time{}
		return err
	}, func() error {
		if o.c.cfg.Wait(ctx, o.notBefore.Sub(o.c.cfg.Now())) != nil {
			return o.c.endOf(ctx)
		}
		req, err := build(&o.link.Versions)
		if err != nil {
			return err
		}
		answered, throttle, err := o.link.request(ctx, req)
		if err != nil {
			lost, err = true, &lostError{o.link.Address, err}
			o.hangUp()
			return err
		}
		response, o.notBefore = answered, o.c.cfg.Now().Add(throttle)
		return nil
	})
	return response, lost, err
}

// hangUp closes the link if there is one.
func (o *ownLink) hangUp() {
	if o.link != nil {
		o.link.Close()
		o.link = nil
	}
}

// reusing runs ask over the link at hand if it is to be reused, and otherwise
// over one that open makes. A link that turns out to have been closed by the
// broker while it was idle is replaced at once, and ask runs again.
func reusing(ctx context.Context, reused bool, open, ask func() error) error {
	for ; ; reused = false {
		if !reused {
			if err := open(); err != nil {
				return err
			}
		}
		if err := ask(); !reused || ctx.Err() != nil || !wentStale(err) {
			return err
		}
	}
}
