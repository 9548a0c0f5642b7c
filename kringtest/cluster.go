package kringtest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
	"github.com/kring-go/kring/internal/expand"
)

// patience is how long the end of a test waits for what it stops. It is only
// met by a test that hangs.
const patience = 30 * time.Second

// Cluster is a Kafka cluster in this process, on the loopback interface. It
// keeps every record in memory, checks every batch as Kafka does, sequences
// included, and forgets all when the test ends. Its methods may be called from
// any goroutine.
//
// It speaks what a producer needs, and Fetch and ListOffsets for reading back:
// no consumer groups, no transactions, no TLS and no SASL.
type Cluster struct {
	tb     testing.TB
	broker *broker.Broker

	mu      sync.Mutex // guards scripts, what is in them, and down
	scripts []*Script
	down    []int32

	// newsMu is taken with a partition locked, so nothing is locked under it.
	newsMu sync.Mutex
	news   chan struct{} // closed at the next record, then replaced
}

// Option changes one default of a Cluster.
type Option func(*settings)

type settings struct {
	config broker.Config
	topics []namedTopic
}

type namedTopic struct {
	name       string
	partitions int
}

// Nodes is how many brokers the cluster has, with ids from 1. The default is 1.
func Nodes(n int) Option { return func(s *settings) { s.config.Brokers = n } }

// Partitions is how many partitions a topic gets that is created because a
// producer asked for it. The default is 1.
func Partitions(n int) Option { return func(s *settings) { s.config.Partitions = n } }

// Topic creates a topic before the test begins.
func Topic(name string, partitions int) Option {
	return func(s *settings) { s.topics = append(s.topics, namedTopic{name, partitions}) }
}

// NoAutoCreate has only the topics of Topic. Producing to others ends with
// kring.ErrUnknownTopic. The default creates what is asked for, as Kafka does.
func NoAutoCreate() Option { return func(s *settings) { s.config.NoAutoCreate = true } }

// RoundTrip is the network's: every answer comes that much later, requests
// that are under way together wait together. The default is none.
func RoundTrip(d time.Duration) Option { return func(s *settings) { s.config.Delay = d } }

// MaxMessageBytes is the largest batch that the cluster takes, Kafka's
// message.max.bytes; a larger one is answered MESSAGE_TOO_LARGE. The default is
// 1048588.
func MaxMessageBytes(n int) Option { return func(s *settings) { s.config.MaxBatchBytes = n } }

// ClusterID is the id that the cluster tells. The default is "kring-broker".
func ClusterID(id string) Option { return func(s *settings) { s.config.ClusterID = id } }

// NewCluster starts a cluster that lives until tb ends. It ends the test if
// that fails, so it must be called from the test's own goroutine.
func NewCluster(tb testing.TB, opts ...Option) *Cluster {
	tb.Helper()
	c := &Cluster{tb: tb, news: make(chan struct{})}
	s := settings{config: broker.Config{Verify: broker.VerifyFull, Hook: c.hook, Decompress: expand.Expand}}
	s.config.OnRecord = func(*broker.Record) { c.announce() }
	for _, o := range opts {
		o(&s)
	}
	b, err := broker.Start(s.config)
	if err != nil {
		tb.Fatalf("kringtest: the cluster does not start: %v", err)
	}
	c.broker = b
	tb.Cleanup(func() {
		c.lift()
		if err := b.Close(); err != nil {
			tb.Errorf("kringtest: the cluster does not stop: %v", err)
		}
	})
	for _, t := range s.topics {
		if err := b.CreateTopic(t.name, t.partitions); err != nil {
			tb.Fatalf("kringtest: topic %q of %d partitions: %v", t.name, t.partitions, err)
		}
	}
	return c
}

// Addrs lists the address of every node, in the order of their ids: what
// kring.Brokers wants.
func (c *Cluster) Addrs() []string { return c.broker.Addrs() }

// NewProducer makes a producer of this cluster whose pauses are short enough
// for a test: no linger, retries and reconnects after 1 to 20 ms, and 4 MiB of
// memory. opts win over that. It is closed when the test ends; the test may
// close it before.
func (c *Cluster) NewProducer(opts ...kring.Option) *kring.Producer {
	c.tb.Helper()
	short := []kring.Option{
		kring.Brokers(c.Addrs()...), kring.Linger(0), kring.BufferMemory(4 << 20),
		kring.RetryBackoff(time.Millisecond, 20*time.Millisecond),
		kring.ReconnectBackoff(time.Millisecond, 20*time.Millisecond),
	}
	p, err := kring.New(append(short, opts...)...)
	if err != nil {
		c.tb.Fatalf("kringtest: no producer: %v", err)
	}
	c.tb.Cleanup(func() {
		c.lift()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		// The result of a Close by the test itself is the test's affair.
		if err := p.Close(ctx); ctx.Err() != nil {
			c.tb.Errorf("kringtest: the producer does not close: %v", err)
		}
	})
	return p
}

// Kill stops a node: its connections end, and nobody can connect to it. Where
// other nodes run, they take over its partitions with their logs, as if every
// one of them was in sync; where none is left, the partitions wait for Restart.
func (c *Cluster) Kill(node int) {
	c.tb.Helper()
	id := c.id(node)
	if id < 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.down, id) {
		c.tb.Errorf("kringtest: Kill(%d): the node is down already", node)
		return
	}
	c.must(c.broker.StopNode(id))
	c.down = append(c.down, id)
	if len(c.down) < len(c.broker.Addrs()) {
		c.must(c.broker.FailOver(id))
	}
}

// Restart starts a killed node again, on its old address and with all logs. It
// leads the partitions that no running node leads, and no others: MoveLeader
// gives it more.
func (c *Cluster) Restart(node int) {
	c.tb.Helper()
	id := c.id(node)
	if id < 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.down, id)
	if i < 0 {
		c.tb.Errorf("kringtest: Restart(%d): the node runs", node)
		return
	}
	c.must(c.broker.StartNode(id))
	c.down = slices.Delete(c.down, i, i+1)
	for _, other := range c.down {
		c.must(c.broker.FailOver(other))
	}
}

// MoveLeader makes a node the leader of a partition. Producers that do not know
// it yet are answered NOT_LEADER_OR_FOLLOWER.
func (c *Cluster) MoveLeader(topic string, partition int32, node int) {
	c.tb.Helper()
	if id := c.id(node); id >= 0 {
		c.must(c.broker.SetLeader(topic, partition, id))
	}
}

// id checks the number of a node; -1 is none, and the test has failed.
func (c *Cluster) id(node int) int32 {
	c.tb.Helper()
	if n := len(c.broker.Addrs()); node < 1 || node > n {
		c.tb.Errorf("kringtest: there is no node %d: the ids are 1 to %d", node, n)
		return -1
	}
	return int32(node)
}

func (c *Cluster) must(err error) {
	c.tb.Helper()
	if err != nil {
		c.tb.Errorf("kringtest: %v", err)
	}
}
