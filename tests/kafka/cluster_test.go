//go:build kafka

// Package kafka_test runs producers against Apache Kafka and lets foreign
// readers say what is in the log. It needs a JDK, and Maven once.
//
// KRING_KAFKA names a running cluster. Without it the tests start their own, or
// use the one that make kafka-up has started.
package kafka_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kring-go/kring/tests/kafka/readback"
	"github.com/kring-go/kring/tests/kafka/rig"
	"github.com/kring-go/kring/tests/kafka/senders"
	"github.com/kring-go/kring/tests/ledger"
)

var (
	records = flag.Int("records", 500_000, "records of each bulk test; 5000000 is the full size")
	client  = flag.String("client", "kring", fmt.Sprintf("producer under test, one of %v", senders.Names()))
	seed    = flag.Uint64("seed", 0, "seed of the records; 0 takes a new one")

	// started is the cluster that these tests have started and must stop.
	started atomic.Pointer[rig.Rig]
	// startedKDC is the KDC that they have started.
	startedKDC atomic.Pointer[rig.KDC]
	// special says that it has a configuration of its own.
	special bool
)

func TestMain(m *testing.M) {
	if os.Getenv(childTopic) != "" {
		os.Exit(endureChild())
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { shutDown(1) })
	shutDown(m.Run())
}

// shutDown stops the nodes that the tests have started. An interrupted run comes
// here as well, from another goroutine.
func shutDown(code int) {
	if k := startedKDC.Load(); k != nil {
		if err := k.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if r := started.Load(); r != nil {
		if err := r.Down(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// cluster is what a test runs against.
type cluster struct {
	bootstrap []string
	nodes     int
	admin     *rig.Admin
	rig       *rig.Rig
	ours      bool // the nodes belong to the rig: they can be killed and their files read
}

// need returns a cluster of n nodes. Without Java it skips, in CI it fails.
func need(t *testing.T, n int, configs ...string) *cluster {
	t.Helper()
	r, err := rig.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Missing(); err != nil {
		unavailable(t, err.Error())
	}
	if err := r.Jars(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := &cluster{rig: r, nodes: n}
	if list := os.Getenv("KRING_KAFKA"); list != "" {
		c.bootstrap = strings.Split(list, ",")
		c.ours = len(r.Running()) > 0 && slices.Equal(c.bootstrap, r.Bootstrap())
		if len(configs) > 0 {
			t.Skipf("needs a cluster with %v", configs)
		}
	} else {
		c.start(t, configs)
	}
	c.admin, err = rig.NewAdmin(c.bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.admin.Close)
	if live, err := c.admin.Brokers(t.Context()); err != nil {
		t.Fatalf("KRING_KAFKA=%s: %v", os.Getenv("KRING_KAFKA"), err)
	} else if live != n {
		t.Skipf("needs %d nodes, the cluster has %d", n, live)
	}
	return c
}

func unavailable(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// start starts nodes, or takes those that run. A cluster that these tests have
// started makes room for one of another size; somebody else's does not.
func (c *cluster) start(t *testing.T, configs []string) {
	t.Helper()
	running := c.rig.Running()
	fits := len(running) == c.nodes && c.rig.Nodes() == c.nodes && len(configs) == 0 && !special
	switch {
	case len(running) > 0 && started.Load() == nil && !fits:
		t.Skipf("needs %d nodes %v, and %d run already: make kafka-down lets the test start its own", c.nodes, configs, len(running))
	case len(running) > 0 && !fits:
		if err := started.Load().Down(); err != nil {
			t.Fatal(err)
		}
	}
	c.rig.Configure(configs...)
	if len(running) == 0 || !fits {
		started.Store(c.rig)
		special = len(configs) > 0
	}
	if err := c.rig.Up(t.Context(), c.nodes); err != nil {
		t.Fatal(err)
	}
	c.bootstrap, c.ours = c.rig.Bootstrap(), true
}

// topic creates a topic for one test and deletes it if the test passes.
func (c *cluster) topic(t *testing.T, partitions int) string {
	t.Helper()
	name := topicName(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := c.admin.CreateTopic(ctx, name, partitions, c.nodes,
		"retention.bytes=-1", "retention.ms=-1", fmt.Sprintf("min.insync.replicas=%d", (c.nodes+1)/2))
	if err != nil {
		t.Fatal(err)
	}
	c.forget(t, name)
	return name
}

func topicName(t *testing.T) string {
	clean := strings.NewReplacer("/", "-", "=", "-", " ", "-").Replace(t.Name())
	return fmt.Sprintf("%s-%x", clean, time.Now().UnixNano())
}

// forget deletes the topic at the end, but keeps the evidence of a failure.
func (c *cluster) forget(t *testing.T, topic string) {
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := c.admin.DeleteTopic(ctx, topic); err != nil {
			t.Errorf("deleting the topic: %v", err)
		}
	})
}

// newPlan seeds a plan of mixed records.
func newPlan(t *testing.T, topic string, partitions int32, n int) ledger.Plan {
	t.Helper()
	run := *seed
	if run == 0 {
		run = rand.Uint64() | 1
	}
	t.Logf("-seed %d", run)
	return ledger.Plan{
		Run: run, Topic: topic, Partitions: partitions, Goroutines: 8, Records: n,
		Sizes: ledger.MixedSizes(), Explicit: 60, Keyed: 20, KeyPartition: senders.KeyPartition,
		BaseTime: time.Now().UnixMilli(),
	}
}

// drive sends a plan with the client under test and returns its book.
func drive(t *testing.T, c *cluster, name string, plan ledger.Plan, pace ledger.Pace, o senders.Options) *ledger.Book {
	t.Helper()
	book := ledger.NewBook(plan, pace)
	sender, err := senders.Open(name, c.bootstrap, plan.Topic, o, book.Complete)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	stop := watch(t, book)
	if err := ledger.Drive(t.Context(), book, sender); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	stop()
	took := time.Since(begin)
	t.Logf("%s: %d records in %v, %.0f/s; %v", name, book.Finished(), took.Round(time.Millisecond),
		float64(book.Finished())/took.Seconds(), book.Outcomes())
	return book
}

// watch logs the progress of a long run, and fails the test with every stack if
// there is none: a producer that hangs must say where.
func watch(t *testing.T, book *ledger.Book) (stop func()) {
	t.Helper()
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(10 * time.Second)
		defer tick.Stop()
		for last, idle := 0, 0; ; {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			now := book.Finished()
			t.Logf("%d of %d records are done, %d/s", now, book.Plan().Records, (now-last)/10)
			if idle++; now > last {
				idle = 0
			}
			if last = now; idle == 18 {
				panic("no completion for three minutes: delivery.timeout.ms is two")
			}
		}
	}()
	return func() {
		close(quit)
		<-done
	}
}

// verify reads the log with both foreign clients, holds it to the book, and
// lets Kafka's own tool look at the files.
func verify(t *testing.T, c *cluster, book *ledger.Book, rules ledger.Rules) {
	t.Helper()
	topic := book.Plan().Topic
	read := func(name string, read func(add func(*ledger.Entry)) (int, error)) int {
		begin := time.Now()
		checker := ledger.NewChecker(book, rules)
		n, err := read(checker.Add)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		report := checker.Finish()
		if err := report.Err(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%s, in %v: %v", name, time.Since(begin).Round(time.Millisecond), report)
		return n
	}
	n := read("franz-go reads", func(add func(*ledger.Entry)) (int, error) {
		return readback.Franz(t.Context(), c.bootstrap, topic, add)
	})
	read("Java reads", func(add func(*ledger.Entry)) (int, error) {
		return readback.JVM(t.Context(), c.rig, c.bootstrap, topic, add)
	})
	if !c.ours {
		t.Log("the nodes are not the rig's: their files are not checked")
		return
	}
	dumped, err := c.rig.Dump(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	if len(dumped) != c.nodes {
		t.Errorf("%d nodes have segments, want %d", len(dumped), c.nodes)
	}
	for _, d := range dumped {
		t.Log(d)
		if d.Records != n {
			t.Errorf("node %d has %d records on disk, the readers saw %d", d.Node, d.Records, n)
		}
	}
}
