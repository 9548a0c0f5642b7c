package cluster

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"
)

// Connect opens a connection to the broker at address (host:port): it resolves
// the host and tries its addresses in turn until one has shaken hands and told
// its request versions. The caller owns the Link.
func Connect(ctx context.Context, cfg Config, address string) (*Link, error) {
	cfg = cfg.withDefaults()
	return connect(ctx, &cfg, address)
}

// connect is Connect for a Config with defaults.
func connect(ctx context.Context, cfg *Config, address string) (*Link, error) {
	deadline := time.Now().Add(cfg.SetupTimeout)
	lookup, cancel := context.WithDeadline(ctx, deadline)
	all, err := targets(lookup, cfg, address)
	cancel()
	if err != nil {
		return nil, ended(ctx, err)
	}
	var faults addressFaults
	for i, t := range all {
		if i > 0 && !time.Now().Before(deadline) {
			break
		}
		link, err := open(ctx, cfg, t, address, len(all)-i, &deadline)
		if ctx.Err() != nil {
			if link != nil {
				link.Close()
			}
			return nil, context.Cause(ctx)
		}
		t.note(cfg, err)
		if err == nil {
			return link, nil
		}
		if len(all) > 1 {
			err = fmt.Errorf("%s: %w", t.ip, err)
		}
		faults = append(faults, err)
	}
	if len(faults) == 1 {
		return nil, faults[0]
	}
	return nil, faults
}

// addressFaults are the errors of all addresses of a host, on one line.
type addressFaults []error

func (f addressFaults) Error() string {
	parts := make([]string, len(f))
	for i, err := range f {
		parts[i] = err.Error()
	}
	return strings.Join(parts, "; ")
}

func (f addressFaults) Unwrap() []error { return f }

// open takes one address from nothing to a link. left counts the addresses that
// share the time until deadline, which is moved by what open spends after TCP
// is up: that has a limit of its own.
func open(ctx context.Context, cfg *Config, t target, address string, left int, deadline *time.Time) (*Link, error) {
	setup, cancel := context.WithDeadline(ctx, *deadline)
	conn, err := dialOne(setup, cfg, t, left)
	cancel()
	if err != nil {
		return nil, err
	}
	up := time.Now()
	defer func() { *deadline = deadline.Add(time.Since(up)) }()
	conn, err = shakeHands(ctx, cfg, conn, t.host, address)
	if err != nil {
		return nil, err
	}
	link := newLink(conn, cfg, address)
	if link.Versions, err = negotiate(ctx, link, cfg); err != nil {
		link.Close()
		return nil, lateAlert(err, address)
	}
	if err = authenticate(ctx, link, cfg, t.host); err != nil {
		link.Close()
		return nil, err
	}
	return link, nil
}

// shakeHands runs the Handshake of the Config and closes conn if it fails.
func shakeHands(ctx context.Context, cfg *Config, conn net.Conn, host, address string) (net.Conn, error) {
	if cfg.Handshake == nil {
		return conn, nil
	}
	secured := conn
	err := bounded(ctx, conn, cfg.RequestTimeout, func() error {
		return calmly("a callback of the handshake", func() (err error) {
			secured, err = cfg.Handshake(ctx, conn, host)
			return err
		})
	})
	if err != nil {
		_ = conn.Close() // The handshake's error is the one that matters.
		return nil, handshakeFault(err, address, cfg.RequestTimeout)
	}
	return secured, nil
}

// ended returns why ctx ended if it has, and err otherwise.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
