package fault

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// DialFunc opens a connection, as net.Dialer.DialContext does.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Proxy opens connections that lead through it, and disturbs them. Its methods
// may be called by any goroutine.
type Proxy struct {
	dial DialFunc
	// waiting, when set, is called each time that something has to wait: tests
	// know then that it does.
	waiting func()

	mu      sync.Mutex
	faults  []Fault // those that hold now
	links   map[string]*link
	closed  bool
	running sync.WaitGroup // tunnels
}

// New makes a proxy that reaches the brokers by dial; nil is net.Dialer.
func New(dial DialFunc) *Proxy {
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return &Proxy{dial: dial, links: map[string]*link{}}
}

var errClosed = errors.New("fault: the proxy is closed")

// Dial opens a connection to the broker at address. What comes back is a
// *net.TCPConn to this process.
func (p *Proxy) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	l := p.link(address)
	// An attempt is a question too, and its answer takes its time.
	if _, ok := l.pass(ticket{came: time.Now(), answer: true, ended: ctx.Done()}); !ok {
		return nil, context.Cause(ctx)
	}
	w := l.weather.Load()
	switch {
	case w.stopped:
		return nil, refused(network, address)
	case w.reset:
		near, client, err := pair(ctx)
		if err != nil {
			return nil, err
		}
		_ = near.SetLinger(0) // It was accepted this moment.
		_ = near.Close()
		return client, nil
	}
	conn, err := p.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	far, ok := conn.(*net.TCPConn)
	if !ok {
		conn.Close()
		return nil, fmt.Errorf("fault: the connection to %s is a %T, want TCP", address, conn)
	}
	near, client, err := pair(ctx)
	if err != nil {
		_ = far.Close()
		return nil, err
	}
	if err := p.start(newTunnel(l, near, far)); err != nil {
		_ = client.Close()
		return nil, err
	}
	return client, nil
}

// refused is what a host says that is there, and on whose port nobody listens.
func refused(network, address string) error {
	return &net.OpError{Op: "dial", Net: network, Err: fmt.Errorf("%s: %w", address, os.NewSyscallError("connect", syscall.ECONNREFUSED))}
}

// nearBuffer bounds what waits in the proxy's socket where a real network would
// not hold it: behind a narrow link it would be seconds of delay.
const nearBuffer = 256 << 10

// pair is a connection over loopback, both ends of it.
func pair(ctx context.Context) (near, client *net.TCPConn, err error) {
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = listener.Close() }()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", listener.Addr().String())
	if err != nil {
		return nil, nil, err
	}
	client = conn.(*net.TCPConn)
	for {
		// The connection is in the queue already; a stranger may be before it.
		if near, err = listener.AcceptTCP(); err != nil {
			_ = client.Close()
			return nil, nil, err
		}
		if near.RemoteAddr().String() == client.LocalAddr().String() {
			_ = near.SetReadBuffer(nearBuffer) // A system that refuses it has its own bound.
			return near, client, nil
		}
		_ = near.Close()
	}
}

// link finds or makes the way to a broker.
func (p *Proxy) link(address string) *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.links[address]
	if l == nil {
		l = &link{address: address, tunnels: map[*tunnel]struct{}{}, waiting: p.waiting}
		l.weather.Store(weatherOf(p.faults, address))
		p.links[address] = l
	}
	return l
}

// start sets a tunnel to work. A fault that began while it was made gets it too.
func (p *Proxy) start(t *tunnel) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		t.end(false)
		return errClosed
	}
	if w := t.link.weather.Load(); w.reset || w.stopped {
		t.end(w.reset)
		return nil
	}
	t.link.tunnels[t] = struct{}{}
	p.running.Go(func() {
		var parts sync.WaitGroup
		parts.Go(t.up)
		parts.Go(t.down)
		t.answers()
		parts.Wait()
		t.end(false)
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(t.link.tunnels, t)
	})
	return nil
}

// Begin starts a fault, and returns how many connections it ended.
func (p *Proxy) Begin(f Fault) (cut int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, f)
	p.change()
	for _, l := range p.links {
		if !f.cuts() || !f.at(l.address) {
			continue
		}
		for t := range l.tunnels {
			t.end(f.Kind == Reset)
			cut++
		}
		clear(l.tunnels) // They are counted once, and gone when their goroutines see it.
	}
	return cut
}

// End ends a fault that Begin started.
func (p *Proxy) End(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.faults, f); i >= 0 {
		p.faults = slices.Delete(p.faults, i, i+1)
	}
	p.change()
}

// change gives every link the weather of now.
func (p *Proxy) change() {
	for _, l := range p.links {
		old := l.weather.Swap(weatherOf(p.faults, l.address))
		close(old.changed)
	}
}

// closePatience is for what closed clients have left in their connections.
const closePatience = 2 * time.Second

// Close ends all faults, lets connections end that the client has closed, and
// then ends the others.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed, p.faults = true, nil
	p.change()
	p.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		p.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return
	case <-time.After(closePatience):
	}
	p.mu.Lock()
	for _, l := range p.links {
		for t := range l.tunnels {
			t.end(false)
		}
	}
	p.mu.Unlock()
	<-ended
}
