package kring

import (
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/kring-go/kring/accum"
)

// maxStripes bounds ConnectionsPerBroker. Each stripe is a connection, two
// goroutines, and an array of requests.
const maxStripes = 8

// ConnectionsPerBroker has the producer open up to n connections to each broker,
// 1 to 8; the default is 1. A partition is on one of them for as long as its
// leader stays, and the partitions that a broker leads are spread evenly, so
// what is promised of order and of duplicates holds as it does with one. Each
// connection has its own MaxInFlight. Several raise the rate where one is held
// back by what TCP lets it have under way, as over a round trip of milliseconds
// with the default SendBuffer: raise that first. Elsewhere they only make
// requests smaller. More than there are partitions of a broker are not opened. A
// broker that limits connections counts them all (max.connections.per.ip).
// docs/adr/0012 has the figures. It is kring's own: kring.connections.per.broker.
func ConnectionsPerBroker(n int) Option {
	return option(func(c *config) {
		c.stripes = n
		if n < 1 || n > maxStripes {
			c.problem("ConnectionsPerBroker(%d): want 1 to %d", n, maxStripes)
		}
	})
}

// stripesProperty is kring's own: Java has nothing like ConnectionsPerBroker.
const stripesProperty = "kring.connections.per.broker"

func setStripesProperty(c *config, p property, value string) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > maxStripes {
		p.malformed(c, value, fmt.Sprintf("a whole number from 1 to %d", maxStripes))
		return
	}
	c.stripes = n
}

// node is one broker of the cluster, as metadata numbers them. Its stripes are
// what sends to it: a broker object each, with a connection and a role of its
// own, and with its share of the partitions that the node leads.
//
//	partition ─ leader ─► broker (stripe 0) ─┐
//	partition ─ leader ─► broker (stripe 1) ─┼─► node 3
//	partition ─ leader ─► broker (stripe 1) ─┘
type node struct {
	id int32

	// Under metadata.mu.
	addr    string // of the newest answer
	gone    bool   // metadata no longer lists it
	stripes [maxStripes]*broker
	led     counts       // partitions of all topics
	share   *accum.Share // of the memory; nil: no limit

	open      atomic.Int32 // connections
	throttled atomic.Int64 // when the log was told last; 0: never
	failures  atomic.Int32 // attempts to connect that the log was told of
}

// counts is how many partitions are on each stripe.
type counts [maxStripes]int32

// addStripe makes the sender's half of one connection to n. It runs under
// metadata.mu.
func (p *Producer) addStripe(n *node, number int) *broker {
	b := newBroker(p, n.id, n.addr)
	b.node, b.stripe, b.first = n, number, true
	for _, other := range n.stripes {
		b.first = b.first && other == nil
	}
	if p.cfg.stripes > 1 {
		b.log = p.log.With("connection", number)
	}
	if n.share == nil {
		n.share = b.share
	}
	b.share = n.share // of the memory: the node's, however many connections there are
	b.gone.Store(n.gone)
	n.stripes[number] = b
	old := *p.brokers.Load()
	all := append(make([]*broker, 0, len(old)+1), old...)
	p.brokers.Store(new(append(all, b)))
	p.workers.run(b.as("broker", b.runner))
	return b
}

// stripeFor is where q is led if n leads it. A partition keeps its stripe for as
// long as its leader stays. It runs under metadata.mu.
func (n *node) stripeFor(q *partition) *broker {
	if b := q.leader.Load(); b.node == n {
		return b
	}
	p := q.topic.p
	number := 0
	if p.cfg.stripes > 1 {
		number = n.choose(q.topic.state.spread[n], p.cfg.stripes)
	}
	if b := n.stripes[number]; b != nil {
		return b
	}
	return p.addStripe(n, number)
}

// choose is the stripe with the fewest partitions of the topic; among those, the
// one with the fewest of all topics, so that topics of one partition spread too.
//
// A hash of the index would do without counts, and badly: Kafka deals partitions
// out to brokers in turn, so that with three brokers and three stripes, index
// modulo 3 would put all that one broker leads on the same stripe.
func (n *node) choose(topic *counts, stripes int) (best int) {
	if topic == nil {
		topic = &counts{}
	}
	for i := 1; i < stripes; i++ {
		if topic[i] < topic[best] || topic[i] == topic[best] && n.led[i] < n.led[best] {
			best = i
		}
	}
	return best
}

// follow makes b the leader of q. It runs under metadata.mu.
func (q *partition) follow(b *broker) {
	if q.topic.p.cfg.stripes > 1 {
		q.leader.Load().count(q.topic, -1)
		b.count(q.topic, 1)
	}
	q.leader.Store(b)
	q.SetBrokerShare(b.share)
}

// count notes that b leads so many more partitions of t.
func (b *broker) count(t *Topic, change int32) {
	if b.id < 0 {
		return
	}
	if t.state.spread == nil {
		t.state.spread = make(map[*node]*counts)
	}
	s := t.state.spread[b.node]
	if s == nil {
		s = &counts{}
		t.state.spread[b.node] = s
	}
	s[b.stripe] += change
	b.node.led[b.stripe] += change
}

// moveTo gives every connection to n the address of the newest answer.
func (n *node) moveTo(addr string) {
	n.addr = addr
	for _, b := range n.stripes {
		if b != nil {
			b.moveTo(addr)
		}
	}
}

// setConnected is for the holder of the role.
func (b *broker) setConnected(yes bool) {
	if b.connected.Swap(yes) == yes {
		return
	}
	if yes {
		b.node.open.Add(1)
		b.node.failures.Store(0)
	} else {
		b.node.open.Add(-1)
	}
}

// String names the broker in errors, and which connection to it if there may be
// several.
func (b *broker) String() string {
	if b.p.cfg.stripes > 1 && b.id >= 0 {
		return fmt.Sprintf("broker %d (connection %d)", b.id, b.stripe)
	}
	return fmt.Sprintf("broker %d", b.id)
}
