package broker

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// node is one broker of the cluster: a listener and its connections.
type node struct {
	b  *Broker
	id int32
	// fenced nodes are not named by Metadata. Set by FailOver, cleared by start.
	fenced atomic.Bool
	// idle is when the work that was given to the node so far is done.
	idle atomic.Int64

	mu       sync.Mutex // guards everything below
	addr     string     // with the port that the first start got
	host     string
	port     int32
	listener net.Listener // nil while stopped
	closed   bool         // stopped for good
	conns    map[*conn]struct{}
}

// start listens, on the same port as the last time.
func (n *node) start() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return fmt.Errorf("kring: broker: node %d is closed", n.id)
	}
	if n.listener != nil {
		return fmt.Errorf("kring: broker: node %d already runs", n.id)
	}
	l, err := net.Listen("tcp", n.addr)
	if err != nil {
		return listenError(n.addr, err)
	}
	n.listener = l
	n.addr = l.Addr().String()
	host, port, err := net.SplitHostPort(n.addr)
	if err != nil {
		return err
	}
	// Every interface is not an address that a client can connect to.
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	number, err := strconv.ParseInt(port, 10, 32)
	if err != nil {
		return err
	}
	n.host, n.port = host, int32(number)
	n.fenced.Store(false)
	n.b.goroutine.Go(func() { n.accept(l) })
	return nil
}

// accept serves every connection until the listener closes.
func (n *node) accept(l net.Listener) {
	for {
		nc, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			n.serve(nc)
			continue
		}
		// No descriptors left, or the peer is gone already. The first would
		// come back at once, so let a little time pass.
		select {
		case <-time.After(10 * time.Millisecond):
		case <-n.b.done:
			return
		}
	}
}

// serve runs a connection in a goroutine of its own, unless the node stopped
// after the connection was accepted.
func (n *node) serve(nc net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listener == nil {
		nc.Close()
		return
	}
	c := newConn(n, nc)
	n.conns[c] = struct{}{}
	n.b.stats.connections.Add(1)
	n.b.stats.openConnections.Add(1)
	n.b.goroutine.Go(func() {
		c.serve()
		n.mu.Lock()
		delete(n.conns, c)
		n.mu.Unlock()
		n.b.stats.openConnections.Add(-1)
	})
}

// stop closes the listener and all connections.
func (n *node) stop(forGood bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = n.closed || forGood
	if n.listener != nil {
		n.listener.Close()
		n.listener = nil
	}
	for c := range n.conns {
		c.close()
	}
}

// address is where the node listens, or listened.
func (n *node) address() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return net.JoinHostPort(n.host, strconv.Itoa(int(n.port)))
}

// endpoint is what Metadata says of the node.
func (n *node) endpoint() (host string, port int32) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.host, n.port
}
