package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Link is a connection to one broker whose request versions are known.
type Link struct {
	// Conn is the connection. Only the owner of the link may use it, and
	// only after Detach.
	Conn net.Conn
	// Versions are what this broker speaks on this connection.
	Versions Versions
	// Address is the host:port that was asked for.
	Address string
	// RenewAt is when the owner should begin to replace the connection, and
	// SessionEnd when the broker starts to refuse it (KIP-368). Both are zero
	// if the login does not expire.
	RenewAt, SessionEnd time.Time

	formatter *kmsg.RequestFormatter
	timeout   time.Duration
	maxFrame  int

	vouched bool // the broker is of the client's cluster; of its owner, see Client.vouch

	turn chan struct{} // holds one token: the right to use Conn
	gone atomic.Bool   // closed or detached; set once

	correlationID int32 // owned by the holder of turn
}

// timeoutError says in the user's words which limit ended a wait.
type timeoutError struct {
	what  string
	after time.Duration
}

func (e *timeoutError) Error() string   { return fmt.Sprintf("%s within %v", e.what, e.after) }
func (e *timeoutError) Unwrap() error   { return os.ErrDeadlineExceeded }
func (e *timeoutError) Timeout() bool   { return true }
func (e *timeoutError) Temporary() bool { return true }

func newLink(conn net.Conn, cfg *Config, address string) *Link {
	l := &Link{
		Conn:      conn,
		Address:   address,
		formatter: kmsg.NewRequestFormatter(kmsg.FormatterClientID(cfg.ClientID)),
		timeout:   cfg.RequestTimeout,
		maxFrame:  cfg.MaxFrame,
		turn:      make(chan struct{}, 1),
	}
	l.turn <- struct{}{}
	return l
}

// Request sends req, whose version is set, and returns the response to it. It
// ends with ctx or after Config.RequestTimeout. An error after the request took
// its turn closes the link.
func (l *Link) Request(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
	response, _, err := l.request(ctx, req)
	return response, err
}

// request is Request, and returns how long the broker wants to be left alone.
func (l *Link) request(ctx context.Context, req kmsg.Request) (kmsg.Response, time.Duration, error) {
	if _, ok := shapeOf(req.Key()); !ok {
		return nil, 0, fmt.Errorf("cluster: no shape for responses of key %d: add it to shapes.go", req.Key())
	}
	select {
	case <-l.turn:
		defer func() { l.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, 0, context.Cause(ctx)
	}
	switch {
	case l.gone.Load():
		return nil, 0, ErrClosed
	case ctx.Err() != nil: // The select may have taken either.
		return nil, 0, context.Cause(ctx)
	}
	var response kmsg.Response
	err := bounded(ctx, l.Conn, l.timeout, func() (err error) {
		response, err = l.exchange(req)
		return err
	})
	if err == nil {
		return response, throttleOf(response), nil
	}
	closed := l.gone.Load()
	l.Close()
	switch {
	case ctx.Err() != nil:
		return nil, 0, context.Cause(ctx)
	case closed:
		return nil, 0, ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, 0, &timeoutError{what: "no answer", after: l.timeout}
	}
	return nil, 0, err
}

// exchange writes one request and reads one frame.
func (l *Link) exchange(req kmsg.Request) (kmsg.Response, error) {
	l.correlationID++
	if _, err := l.Conn.Write(l.formatter.AppendRequest(nil, req, l.correlationID)); err != nil {
		return nil, err
	}
	frame, err := readFrame(l.Conn, l.maxFrame)
	if err != nil {
		if fault := (frameFault{}); errors.As(err, &fault) {
			return nil, &ProtocolError{Address: l.Address, Reason: fault.Error()}
		}
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("the broker closed the connection instead of an answer: %w", err)
		}
		return nil, err
	}
	response := req.ResponseKind()
	if err := decode(response, frame, l.correlationID); err != nil {
		return nil, &ProtocolError{Address: l.Address, Reason: err.Error()}
	}
	return response, nil
}

// bounded runs use, which uses conn, until ctx ends or the time is up.
func bounded(ctx context.Context, conn net.Conn, limit time.Duration, use func() error) error {
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	poked := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(poked)
		_ = conn.SetDeadline(time.Unix(1, 0)) // Fails only on a closed conn, which ends use as well.
	})
	err := use()
	if !stop() {
		// The deadline in the past must not land in the middle of what
		// the conn is used for next.
		<-poked
	}
	return err
}

// throttleOf returns how long the broker will ignore this connection. Before
// KIP-219 it had already waited when it answered.
func throttleOf(response kmsg.Response) time.Duration {
	throttled, ok := response.(kmsg.ThrottleResponse)
	if !ok {
		return 0
	}
	ms, after := throttled.Throttle()
	if !after {
		return 0
	}
	return ClampThrottle(ms)
}

// Detach ends the link and hands its connection, without deadlines and without
// a byte read ahead, to the caller, who must close it. It fails with ErrClosed
// if the link has been closed, and must not run concurrently with Request.
func (l *Link) Detach() (net.Conn, error) {
	if !l.gone.CompareAndSwap(false, true) {
		return nil, ErrClosed
	}
	if err := l.Conn.SetDeadline(time.Time{}); err != nil {
		_ = l.Conn.Close()
		return nil, err
	}
	return l.Conn, nil
}

// Close closes the connection unless it was detached. It may be called at any
// time, more than once, and ends a Request under way.
func (l *Link) Close() {
	if l.gone.CompareAndSwap(false, true) {
		_ = l.Conn.Close() // Nobody waits for the bytes of a link given up.
	}
}
