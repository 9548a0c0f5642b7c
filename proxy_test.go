package kring_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/kring-go/kring"
)

// proxy stands between a producer and its brokers and spoils connections. It
// reads the producer's stream frame by frame, so that a fault begins with the
// first Produce request: control connections and handshakes pass.
//
//	producer ─dial─► listener per broker ─► up ──► broker
//	                                     ◄─ down ─
type proxy struct {
	t    *testing.T
	plan func(n int) fault // n-th connection that carries Produce requests, from 1

	mu     sync.Mutex
	routes map[string]net.Listener // by the broker's address
	conns  map[net.Conn]struct{}
	n      int
	closed bool
	done   sync.WaitGroup
}

// end is how a connection ends.
type end uint8

const (
	endNever  end = iota
	endReset      // RST to both sides
	endFIN        // FIN to both sides
	endHalfUp     // FIN to the broker only; answers still pass
	endHole       // nothing passes any more, and nobody is told
)

// fault is what happens to one connection. The zero fault is none.
type fault struct {
	end       end
	afterUp   int // bytes of Produce requests that pass before the end; -1: no limit
	afterDown int // bytes of answers to them; -1: no limit
	chunk     int // write in pieces of so many bytes
	// stallUp is called before each read from the producer, delayDown before
	// each write to it; nil does not wait.
	stallUp   func()
	delayDown func() time.Duration
}

func honest() fault { return fault{afterUp: -1, afterDown: -1} }

// newProxy makes a proxy; its dialer replaces the producer's.
func newProxy(t *testing.T, plan func(n int) fault) *proxy {
	t.Helper()
	p := &proxy{t: t, plan: plan, routes: map[string]net.Listener{}, conns: map[net.Conn]struct{}{}}
	t.Cleanup(p.close)
	return p
}

func (p *proxy) dialer() kring.Option {
	return kring.WithDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
		ln, err := p.route(address)
		if err != nil {
			return nil, err
		}
		return (&net.Dialer{}).DialContext(ctx, network, ln.Addr().String())
	})
}

// route finds or makes the listener that leads to a broker.
func (p *proxy) route(target string) (net.Listener, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ln := p.routes[target]; ln != nil {
		return ln, nil
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p.routes[target] = ln
	p.done.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			p.done.Go(func() { p.serve(nc, target) })
		}
	})
	return ln, nil
}

func (p *proxy) close() {
	p.mu.Lock()
	p.closed = true
	for _, ln := range p.routes {
		_ = ln.Close()
	}
	for nc := range p.conns {
		_ = nc.Close()
	}
	p.mu.Unlock()
	p.done.Wait()
}

// keep remembers a connection for close.
func (p *proxy) keep(nc net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = nc.Close()
		return false
	}
	p.conns[nc] = struct{}{}
	return true
}

func (p *proxy) drop(nc net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, nc)
	_ = nc.Close()
}

// tunnel is one connection through the proxy.
type tunnel struct {
	p            *proxy
	client, node net.Conn
	fault        chan fault // the plan, once the first Produce request came
	ended        chan struct{}
	once         sync.Once
}

func (p *proxy) serve(client net.Conn, target string) {
	_ = client.(*net.TCPConn).SetReadBuffer(64 << 10) // a small window shows short writes
	node, err := net.Dial("tcp", target)
	if err != nil {
		_ = client.Close()
		return
	}
	t := &tunnel{p: p, client: client, node: node, fault: make(chan fault, 1), ended: make(chan struct{})}
	if !p.keep(client) || !p.keep(node) {
		_, _ = client.Close(), node.Close()
		return
	}
	p.done.Go(t.down)
	t.up()
	<-t.ended
	p.drop(client)
	p.drop(node)
}

// up carries what the producer sends.
func (t *tunnel) up() {
	var f *fault
	left := 0
	for {
		var head [6]byte
		if _, err := io.ReadFull(t.client, head[:]); err != nil {
			t.finish(endFIN)
			return
		}
		if key := binary.BigEndian.Uint16(head[4:]); key == 0 && f == nil {
			t.p.mu.Lock()
			t.p.n++
			n := t.p.n
			t.p.mu.Unlock()
			plan := t.p.plan(n)
			f, left = &plan, plan.afterUp
			t.fault <- plan
		}
		size := int(binary.BigEndian.Uint32(head[:])) - 2
		if !t.pass(f, &left, head[:]) {
			return
		}
		for buf := make([]byte, 4096); size > 0; {
			if f != nil && f.stallUp != nil {
				f.stallUp()
			}
			n, err := t.client.Read(buf[:min(size, len(buf))])
			if err != nil {
				t.finish(endFIN)
				return
			}
			size -= n
			if !t.pass(f, &left, buf[:n]) {
				return
			}
		}
	}
}

// pass hands bytes to the broker as the fault wants it. False: it is over.
func (t *tunnel) pass(f *fault, left *int, b []byte) bool {
	if f == nil {
		_, err := t.node.Write(b)
		return err == nil || t.finish(endFIN)
	}
	over := f.afterUp >= 0 && len(b) >= *left
	if over {
		b = b[:*left]
	}
	*left -= len(b)
	if !write(t.node, b, f.chunk) {
		return t.finish(endFIN)
	}
	if !over {
		return true
	}
	switch f.end {
	case endHalfUp:
		_ = t.node.(*net.TCPConn).CloseWrite()
		fallthrough
	case endHole: // until the producer has had enough
		_, _ = io.Copy(io.Discard, t.client)
		return t.finish(endFIN)
	}
	return t.finish(f.end)
}

// down carries the answers.
func (t *tunnel) down() {
	var f *fault
	left := 0
	for buf := make([]byte, 4096); ; {
		n, err := t.node.Read(buf)
		if f == nil {
			select {
			case plan := <-t.fault:
				f, left = &plan, plan.afterDown
			default:
			}
		}
		b, over := buf[:n], false
		if f != nil && f.afterDown >= 0 && n >= left {
			b, over = b[:left], n > 0
		}
		left -= len(b)
		chunk := 0
		if f != nil {
			chunk = f.chunk
			if f.delayDown != nil && n > 0 {
				timer := time.NewTimer(f.delayDown())
				select {
				case <-timer.C:
				case <-t.ended:
					timer.Stop()
				}
			}
		}
		if !write(t.client, b, chunk) || err != nil {
			t.finish(endFIN)
			return
		}
		if over && f.end == endHole {
			_, _ = io.Copy(io.Discard, t.node)
			return
		}
		if over {
			t.finish(f.end)
			return
		}
	}
}

func write(to net.Conn, b []byte, chunk int) bool {
	if chunk <= 0 {
		chunk = len(b)
	}
	for len(b) > 0 {
		n, err := to.Write(b[:min(chunk, len(b))])
		if err != nil {
			return false
		}
		b = b[n:]
	}
	return true
}

// finish ends the connection, once.
func (t *tunnel) finish(how end) bool {
	t.once.Do(func() {
		if how == endReset {
			_ = t.client.(*net.TCPConn).SetLinger(0)
			_ = t.node.(*net.TCPConn).SetLinger(0)
		}
		_, _ = t.client.Close(), t.node.Close()
		close(t.ended)
	})
	return false
}
