package cluster

import (
	"net"
	"strconv"
	"time"
)

// node is what the client remembers of one address.
type node struct {
	address   string
	failures  int       // in a row
	failedAt  time.Time // zero if it has not failed since its last success
	notBefore time.Time // backoff or throttle ends then
	err       error     // of the last failure
}

// nodes are the addresses that a client tries: the brokers it knows, or the
// bootstrap list while it knows none. Everything here belongs to the holder of
// the client's turn.
type nodes struct {
	bootstrap []string
	current   []*node // in random order, so that clients spread over brokers
	byAddress map[string]*node
	// initial is set while current is the bootstrap list.
	initial bool
}

func newNodes(bootstrap []string, random func() float64) nodes {
	n := nodes{bootstrap: bootstrap}
	n.reset(random)
	return n
}

// reset goes back to the bootstrap list.
func (n *nodes) reset(random func() float64) {
	n.replace(n.bootstrap, random)
	n.initial = true
}

// replace makes addresses the current set. The state of an address outlives the
// change if it is still current or in the bootstrap list: a change of the set
// must not end anybody's backoff.
func (n *nodes) replace(addresses []string, random func() float64) {
	before := n.byAddress
	n.byAddress = make(map[string]*node, len(addresses))
	n.current = n.current[:0:0]
	n.initial = false
	for _, address := range n.bootstrap {
		if known := before[address]; known != nil {
			n.byAddress[address] = known
		}
	}
	listed := make(map[string]bool, len(addresses))
	for _, address := range addresses {
		if listed[address] {
			continue
		}
		listed[address] = true
		if known := before[address]; known != nil {
			n.byAddress[address] = known
		}
		n.current = append(n.current, n.at(address))
	}
	for i := len(n.current) - 1; i > 0; i-- {
		j := min(int(random()*float64(i+1)), i)
		n.current[i], n.current[j] = n.current[j], n.current[i]
	}
}

// at returns the node of an address, which need not be current: the control
// link can be to an alias of a broker.
func (n *nodes) at(address string) *node {
	known := n.byAddress[address]
	if known == nil {
		known = &node{address: address}
		n.byAddress[address] = known
	}
	return known
}

// best returns the node to try next among those that have not been tried: of
// those whose backoff is over, the one whose failure is longest ago, otherwise
// the one whose backoff ends first. It returns nil if all have been tried.
func (n *nodes) best(now time.Time, tried map[string]bool) *node {
	var best *node
	for _, candidate := range n.current {
		if tried[candidate.address] {
			continue
		}
		if best == nil || candidate.before(best, now) {
			best = candidate
		}
	}
	return best
}

// before reports whether n is to be tried before other.
func (n *node) before(other *node, now time.Time) bool {
	ready, otherReady := !n.notBefore.After(now), !other.notBefore.After(now)
	switch {
	case ready != otherReady:
		return ready
	case ready:
		return n.failedAt.Before(other.failedAt)
	default:
		return n.notBefore.Before(other.notBefore)
	}
}

func (n *node) failed(err error, now time.Time, backoff time.Duration) {
	n.failures++
	n.failedAt = now
	n.notBefore = now.Add(backoff)
	n.err = err
}

// worked forgets the failures. That comes with the first answer, not with the
// connection: a broker that accepts and then fails must be backed off from, too.
// notBefore stays: it may be a throttle.
func (n *node) worked() { n.failures, n.failedAt, n.err = 0, time.Time{}, nil }

// addressesOf returns where the brokers of metadata listen.
func addressesOf(brokers []Broker) []string {
	addresses := make([]string, len(brokers))
	for i, broker := range brokers {
		addresses[i] = net.JoinHostPort(broker.Host, strconv.Itoa(int(broker.Port)))
	}
	return addresses
}
