package kring

import (
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kring-go/kring/cluster"
)

// metadata is what is known of the cluster. Its mutex is for the metadata
// goroutine, for callers that meet a topic for the first time and for leader
// hints; a record to a known topic does not come here.
type metadata struct {
	mu    sync.Mutex
	nodes map[int32]*node // those that lead a partition of ours, or did
	// addrs is where the listed brokers are. A node is made when it first
	// leads a partition of ours: a large cluster has thousands that never do.
	addrs  map[int32]string
	racks  map[int32]string // broker.rack of the listed brokers that have one
	topics []*Topic         // every topic that was ever asked for, by order
	wake   chan struct{}
	asked  atomic.Bool // somebody wants a refresh
	// lastErr is why the last attempt failed, nil if it succeeded.
	lastErr atomic.Pointer[error]
}

// topicState is the part of a Topic that is under metadata.mu.
type topicState struct {
	changed chan struct{} // closed by the next answer about the topic
	err     error         // what that answer was, if there are no partitions
	fresh   bool          // not answered yet: do not wait for the backoff

	// spread is how the partitions are spread over the connections to each
	// node; nil if there is one connection to each.
	spread map[*node]*counts
}

// tell makes every caller that waits for the topic look again.
func (s *topicState) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (m *metadata) init() {
	m.nodes = make(map[int32]*node)
	m.wake = make(chan struct{}, 1)
}

// refresh asks for new metadata soon. It is cheap and never waits.
func (m *metadata) refresh() {
	if m.asked.Load() {
		return
	}
	m.rouse()
}

// rouse makes the metadata goroutine look, also if it sits out a backoff.
func (m *metadata) rouse() {
	m.asked.Store(true)
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// addTopic makes the state of a topic on its first use.
func (p *Producer) addTopic(name string) *Topic {
	by := p.partitionerOf(name) // user code: under no mutex
	m := &p.meta
	m.mu.Lock()
	defer m.mu.Unlock()
	old := *p.topics.Load()
	if t, ok := old[name]; ok {
		return t
	}
	t := &Topic{p: p, name: name, order: len(m.topics), by: by}
	t.id.Store(new([16]byte))
	t.state.changed = make(chan struct{})
	if checkTopic(name) != nil {
		return t // never known to the producer: Produce reports it
	}
	m.topics = append(m.topics, t)
	all := make(map[string]*Topic, len(old)+1)
	for k, v := range old {
		all[k] = v
	}
	all[name] = t
	p.topics.Store(&all)
	return t
}

// want registers interest in t and returns a channel that the next answer
// about it closes.
func (m *metadata) want(t *Topic) <-chan struct{} {
	m.mu.Lock()
	fresh := !t.wanted.Load()
	if fresh {
		t.wanted.Store(true)
		t.state.fresh = true
	}
	ch := t.state.changed
	m.mu.Unlock()
	if fresh {
		m.rouse()
	} else {
		m.refresh()
	}
	return ch
}

// names lists the topics to ask for, and forgets those that nobody has used
// for metadata.max.idle.ms.
func (p *Producer) wantedTopics(idleBefore int64) (names []string, fresh bool) {
	m := &p.meta
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.topics {
		if !t.wanted.Load() {
			continue
		}
		if t.lastUsed.Load() < t.forgetBefore(idleBefore) && !t.busy() {
			t.wanted.Store(false)
			continue
		}
		names = append(names, t.name)
		fresh = fresh || t.state.fresh
		t.state.fresh = false
	}
	return names, fresh
}

// use keeps t among the topics that metadata is asked for while anything of it
// is sent, and asks for it again if it was forgotten: its leaders may have
// moved since. It is called for batches, not for records.
func (t *Topic) use() {
	if now := t.p.clock.CoarseMs(); now-t.lastUsed.Load() >= useEvery {
		t.lastUsed.Store(now)
	}
	if !t.wanted.Load() {
		t.p.meta.want(t)
	}
}

// useEvery keeps the brokers of a busy topic from writing one word all the
// time. It is far below the least metadata.max.idle.ms.
const useEvery = 1000 // ms

// forgetBefore is idleBefore, or earlier if the topic is not known yet: a call
// may still be waiting for it that noted its use when it began.
func (t *Topic) forgetBefore(idleBefore int64) int64 {
	if t.parts.Load() != nil {
		return idleBefore
	}
	return idleBefore - t.p.cfg.maxBlock.Milliseconds()
}

// busy says that records of the topic are on their way, or may be.
func (t *Topic) busy() bool {
	parts := t.parts.Load()
	if parts == nil {
		return false
	}
	for _, q := range *parts {
		if !q.Idle() {
			return true
		}
	}
	return false
}

// apply takes over one answer. It returns whether something is still missing,
// so that another request should follow soon.
func (p *Producer) apply(md *cluster.Metadata) (incomplete bool) {
	m := &p.meta
	var moved []*partition
	m.mu.Lock()
	p.applyBrokers(md)
	for i := range md.Topics {
		t, ok := (*p.topics.Load())[md.Topics[i].Name]
		if !ok {
			continue
		}
		more := p.applyTopic(t, &md.Topics[i], &moved)
		incomplete = incomplete || more
		t.state.tell()
	}
	m.mu.Unlock()
	// After the unlock: a mark may run a turn on this goroutine.
	for _, q := range moved {
		q.MarkReady()
	}
	return incomplete
}

func (p *Producer) applyBrokers(md *cluster.Metadata) {
	m := &p.meta
	if len(md.Brokers) == 0 {
		return // a broker that starts up; keep what is known
	}
	m.addrs = make(map[int32]string, len(md.Brokers))
	m.racks = make(map[int32]string)
	for i := range md.Brokers {
		b := &md.Brokers[i]
		m.addrs[b.ID] = net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
		if b.Rack != "" {
			m.racks[b.ID] = b.Rack
		}
	}
	for id, n := range m.nodes {
		addr, listed := m.addrs[id]
		n.gone = !listed
		if listed {
			n.moveTo(addr)
		}
		for _, b := range n.stripes {
			if b == nil {
				continue
			}
			b.gone.Store(!listed)
			if md.Rebootstrapped {
				b.outdated.Store(true)
			}
		}
	}
}

// leader finds the connection to the node with that id that q belongs to; nil if
// no answer has named the node.
func (m *metadata) leader(q *partition, id int32) *broker {
	n := m.nodes[id]
	if n == nil {
		addr, listed := m.addrs[id]
		if !listed {
			return nil
		}
		n = m.node(id, addr)
	}
	return n.stripeFor(q)
}

// node finds or makes the node with that id and gives it its address.
func (m *metadata) node(id int32, addr string) *node {
	n := m.nodes[id]
	if n == nil {
		n = &node{id: id}
		m.nodes[id] = n
	}
	n.moveTo(addr)
	return n
}

// moveTo gives b the address of the newest answer.
func (b *broker) moveTo(addr string) {
	if *b.addr.Load() != addr {
		b.addr.Store(&addr)
		b.outdated.Store(true)
	}
}

// metadataAge is how long the metadata goroutine sleeps without being asked.
func (p *Producer) metadataAge() time.Duration { return p.cfg.metadataMaxAge }
