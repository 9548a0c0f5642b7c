package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// leastDialTime is what an address gets of the setup timeout even if the host
// has many; one round trip with a lost SYN takes a second.
const leastDialTime = 2 * time.Second

// target is one address of a host.
type target struct {
	host, ip, port string
}

// targets returns what to dial for address, best first.
func targets(ctx context.Context, cfg *Config, address string) ([]target, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%q is not host:port", address)
	}
	if cfg.Resolver == nil {
		return []target{{host: host, ip: host, port: port}}, nil
	}
	ips, err := cfg.Resolver.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	all := make([]target, len(ips))
	for i, ip := range ips {
		all[i] = target{host: host, ip: ip, port: port}
	}
	return all, nil
}

// note tells the resolver how t did.
func (t target) note(cfg *Config, err error) {
	switch {
	case cfg.Resolver == nil:
	case err != nil:
		cfg.Resolver.failed(t.host, t.ip)
	default:
		cfg.Resolver.worked(t.host, t.ip)
	}
}

// dialOne opens TCP to t. It gets an equal share of the time left for it and
// the addresses after it, so that a dead first address leaves time for others.
func dialOne(ctx context.Context, cfg *Config, t target, left int) (net.Conn, error) {
	deadline, _ := ctx.Deadline() // Connect has set one.
	share := max(time.Until(deadline)/time.Duration(left), leastDialTime)
	ctx, cancel := context.WithTimeout(ctx, share)
	defer cancel()
	conn, err := guest(ctx, "the dialler", func() (net.Conn, error) {
		conn, err := cfg.Dial(ctx, "tcp", net.JoinHostPort(t.ip, t.port))
		if err == nil && conn == nil {
			err = errNoConn
		}
		return conn, err
	}, func(late net.Conn) { _ = late.Close() })
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, &timeoutError{what: "no connection", after: share.Round(time.Millisecond)}
		}
		return nil, err
	}
	tune(conn, cfg)
	return conn, nil
}

// tune sets what a dialer of the user's may have left unset. None of it is
// worth failing for: a connection without it works, only slower.
func tune(conn net.Conn, cfg *Config) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	_ = tcp.SetNoDelay(true)
	_ = tcp.SetKeepAlive(true)
	if cfg.SendBuffer > 0 {
		_ = tcp.SetWriteBuffer(cfg.SendBuffer)
	}
	if cfg.ReceiveBuffer > 0 {
		_ = tcp.SetReadBuffer(cfg.ReceiveBuffer)
	}
}
