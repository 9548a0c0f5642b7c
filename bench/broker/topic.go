package broker

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"sync"
)

// topic never changes after it was published; its partitions do.
type topic struct {
	name       string
	id         [16]byte
	partitions []partition
}

// partition is one log: who leads it, where it ends, who wrote to it.
type partition struct {
	mu          sync.Mutex // guards everything below
	leader      int32      // node id, -1 for none
	leaderEpoch int32
	next        int64 // offset of the next record
	lastRequest uint64
	// producers knows every producer id that wrote here. newest is the one
	// that wrote last, which saves the lookup nearly always.
	producers map[int64]*producerState
	newestID  int64
	newest    *producerState
	kept      keptLog
}

// maxProducers bounds the producer ids that one partition remembers; some other
// is forgotten then, and may start anywhere again.
const maxProducers = 1 << 14

// producer returns the state of a producer id, nil for an unknown one. The
// caller holds the lock.
func (p *partition) producer(id int64) *producerState {
	if p.newest != nil && p.newestID == id {
		return p.newest
	}
	s := p.producers[id]
	if s != nil {
		p.newestID, p.newest = id, s
	}
	return s
}

// addProducer starts to remember a producer id. The caller holds the lock.
func (p *partition) addProducer(id int64, epoch int16) *producerState {
	if p.producers == nil {
		p.producers = make(map[int64]*producerState, 1)
	}
	if len(p.producers) >= maxProducers {
		for other := range p.producers {
			delete(p.producers, other)
			break
		}
	}
	s := &producerState{epoch: epoch}
	p.producers[id] = s
	p.newestID, p.newest = id, s
	return s
}

// topics is an immutable snapshot: readers load it, writers replace it.
type topics struct {
	byName map[string]*topic
	byID   map[[16]byte]*topic
}

// CreateTopic creates a topic, whose leaders are spread round robin over the
// nodes. Its id depends on its name only, so it survives a restart.
func (b *Broker) CreateTopic(name string, partitions int) error {
	if partitions < 1 || partitions > maxPartitions {
		return fmt.Errorf("kring: broker: topic %q with %d partitions, want 1 to %d",
			name, partitions, maxPartitions)
	}
	if !validTopicName(name) {
		return fmt.Errorf("kring: broker: %q is no name for a topic", name)
	}
	b.topicsMu.Lock()
	defer b.topicsMu.Unlock()
	if b.topics.Load().byName[name] != nil {
		return fmt.Errorf("kring: broker: topic %q exists", name)
	}
	b.addTopic(name, partitions)
	return nil
}

// ensureTopic returns the topic, creating it if Metadata may do so, or the
// error code of its absence.
func (b *Broker) ensureTopic(name string, mayCreate bool) (*topic, int16) {
	if t := b.topics.Load().byName[name]; t != nil {
		return t, errNone
	}
	if !validTopicName(name) {
		return nil, errInvalidTopic
	}
	if !mayCreate || b.cfg.NoAutoCreate {
		return nil, errUnknownTopicOrPartition
	}
	b.topicsMu.Lock()
	defer b.topicsMu.Unlock()
	current := b.topics.Load()
	if t := current.byName[name]; t != nil {
		return t, errNone
	}
	if len(current.byName) >= maxTopics {
		return nil, errPolicyViolation
	}
	return b.addTopic(name, b.cfg.Partitions), errNone
}

// addTopic publishes a new snapshot. The caller holds topicsMu.
func (b *Broker) addTopic(name string, partitions int) *topic {
	t := &topic{name: name, partitions: make([]partition, partitions)}
	digest := sha256.Sum256([]byte("kring topic " + name))
	copy(t.id[:], digest[:])
	for i := range t.partitions {
		t.partitions[i].leader = b.nodes[i%len(b.nodes)].id
	}
	current := b.topics.Load()
	next := &topics{byName: maps.Clone(current.byName), byID: maps.Clone(current.byID)}
	next.byName[name] = t
	next.byID[t.id] = t
	b.topics.Store(next)
	return t
}

// partition finds one for the calls of the API.
func (b *Broker) partition(name string, index int32) (*partition, error) {
	t := b.topics.Load().byName[name]
	if t == nil || index < 0 || int(index) >= len(t.partitions) {
		return nil, fmt.Errorf("kring: broker: no partition %d of topic %q", index, name)
	}
	return &t.partitions[index], nil
}

// SetLeader moves the leadership of a partition to a node, or to none with -1,
// and raises the leader epoch. The log and the producers' sequences go along.
func (b *Broker) SetLeader(topic string, index, node int32) error {
	if node != -1 && b.node(node) == nil {
		return fmt.Errorf("kring: broker: no node %d", node)
	}
	p, err := b.partition(topic, index)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leader = node
	p.leaderEpoch++
	return nil
}

// validTopicName is Kafka's rule.
func validTopicName(name string) bool {
	if name == "" || name == "." || name == ".." || len(name) > 249 {
		return false
	}
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
