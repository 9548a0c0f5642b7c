package broker

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Broker is a running cluster. All its methods may be called from any
// goroutine, except from OnRecord.
type Broker struct {
	cfg     Config
	started time.Time
	nodes   []*node // fixed after Start; node ids are index+1

	topicsMu sync.Mutex // serialises writers of topics
	topics   atomic.Pointer[topics]

	hook           atomic.Pointer[Hook]
	stats          counters
	lastProducerID atomic.Int64
	lastConn       atomic.Uint64
	keptBytes      atomic.Int64
	appends        signal // wakes Fetch requests that wait for records

	done      chan struct{} // closed by Close
	closeOnce sync.Once
	goroutine sync.WaitGroup
}

// Start listens and serves until Close.
func Start(cfg Config) (*Broker, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	b := &Broker{cfg: cfg, started: time.Now(), done: make(chan struct{})}
	b.topics.Store(&topics{byName: map[string]*topic{}, byID: map[[16]byte]*topic{}})
	b.lastProducerID.Store(999)
	b.SetHook(cfg.Hook)
	addrs, err := cfg.addrs()
	if err != nil {
		return nil, err
	}
	for i, addr := range addrs {
		n := &node{b: b, id: int32(i + 1), addr: addr, conns: map[*conn]struct{}{}}
		b.nodes = append(b.nodes, n)
	}
	for _, n := range b.nodes {
		if err := n.start(); err != nil {
			return nil, errors.Join(err, b.Close())
		}
	}
	return b, nil
}

// listenError says what is wrong with an address in one line.
func listenError(addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("kring: broker: cannot listen on %s: the port is taken: %w",
			addr, syscall.EADDRINUSE)
	}
	return fmt.Errorf("kring: broker: cannot listen on %s: %w", addr, err)
}

// Addrs lists the address of every node, in the order of their ids.
func (b *Broker) Addrs() []string {
	addrs := make([]string, len(b.nodes))
	for i, n := range b.nodes {
		addrs[i] = n.address()
	}
	return addrs
}

// Close ends every connection and returns when no goroutine is left. What was
// kept can still be read with Log.
func (b *Broker) Close() error {
	b.closeOnce.Do(func() {
		close(b.done)
		for _, n := range b.nodes {
			n.stop(true)
		}
	})
	b.goroutine.Wait()
	return nil
}

// StopNode kills a node: its listener and its connections close, and Metadata
// goes on naming it, as Kafka does until it has noticed. See FailOver.
func (b *Broker) StopNode(id int32) error {
	n := b.node(id)
	if n == nil {
		return fmt.Errorf("kring: broker: no node %d", id)
	}
	n.stop(false)
	return nil
}

// StartNode starts a stopped node again, on the port that it had.
func (b *Broker) StartNode(id int32) error {
	n := b.node(id)
	if n == nil {
		return fmt.Errorf("kring: broker: no node %d", id)
	}
	return n.start()
}

// FailOver is what a controller does about a stopped node: Metadata no longer
// names it, and its partitions get leaders among the nodes that run.
func (b *Broker) FailOver(id int32) error {
	gone := b.node(id)
	if gone == nil {
		return fmt.Errorf("kring: broker: no node %d", id)
	}
	gone.fenced.Store(true)
	var live []int32
	for _, n := range b.nodes {
		if !n.fenced.Load() {
			live = append(live, n.id)
		}
	}
	moved := 0
	for _, t := range b.topics.Load().byName {
		for i := range t.partitions {
			p := &t.partitions[i]
			p.mu.Lock()
			if p.leader == id {
				p.leader = -1
				if len(live) > 0 {
					p.leader = live[moved%len(live)]
				}
				p.leaderEpoch++
				moved++
			}
			p.mu.Unlock()
		}
	}
	return nil
}

// node returns the node of an id, nil for none.
func (b *Broker) node(id int32) *node {
	if id < 1 || int(id) > len(b.nodes) {
		return nil
	}
	return b.nodes[id-1]
}
