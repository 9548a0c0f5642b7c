//go:build kafka

package kafka_test

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kring-go/kring/tests/kafka/txnbook"
)

var (
	kills    = flag.Int("kills", 3, "kills of TestTransactionsEndure; 100 is the full size")
	txnLevel = flag.Int("txn-level", 2, "transaction.version of TestTransactionsEndure")
)

const endureProducers = 2

// TestTransactionsEndure kills -9, again and again, a producer's process, the
// broker that coordinates a producer, the leader of a partition, or a producer
// together with its coordinator, while all producers commit and abort. One
// reader of committed records follows all the time, another one reads everything
// at the end. Of each transaction they see all records once or none: all if its
// commit was reported, none if it was aborted or never tried.
func TestTransactionsEndure(t *testing.T) {
	c := need(t, 3)
	if !c.ours {
		t.Skip("the nodes are not the rig's, so they can not be killed")
	}
	t.Cleanup(func() { c.setTransactionVersion(t, 2) })
	c.setTransactionVersion(t, int16(*txnLevel))
	e := &endurance{txnRig: &txnRig{cluster: c, topic: c.topic(t, txnPartitions)}, book: txnbook.New(endureRecords), dice: endureDice(t)}
	live := e.follow(t, e.book)
	for i := range endureProducers {
		p := &endureProducer{e: e, id: fmt.Sprintf("%s-p%d", e.topic, i)}
		e.producers = append(e.producers, p)
		p.start(t)
		t.Cleanup(p.kill)
	}
	e.progress(t, "at the start")
	begin := time.Now()
	for n := range *kills {
		// The verdict wants its time before go test -timeout.
		if end, ok := t.Deadline(); ok && time.Until(end) < 4*time.Minute {
			t.Logf("no time for more than %d of %d kills", n, *kills)
			break
		}
		what := e.killSomething(t)
		e.progress(t, what)
		t.Logf("%6.1f s: kill %d of %d: %s; %d transactions committed", time.Since(begin).Seconds(), n+1, *kills, what, e.book.Said(txnbook.Committed))
	}
	for _, p := range e.producers {
		p.kill()
	}
	e.settleOpen(t)
	if err := live(); err != nil {
		t.Fatal(err)
	}
	sum, err := e.book.Verdict()
	t.Logf("the reader that followed: %v", sum)
	if err != nil {
		t.Error(err)
	}
	e.readAgain(t)
	if t.Failed() {
		folder, err := c.rig.Keep(e.topic, e.topic, "__transaction_state")
		t.Logf("the logs are kept in %s (%v)", folder, err)
	}
}

func endureDice(t *testing.T) *rand.Rand {
	run := *seed
	if run == 0 {
		run = rand.Uint64() | 1
	}
	t.Logf("-seed %d", run)
	return rand.New(rand.NewPCG(run, 0))
}

// endurance is one run.
type endurance struct {
	*txnRig
	book      *txnbook.Book
	dice      *rand.Rand
	producers []*endureProducer

	mu    sync.Mutex
	lines []string // for the second reader's book
}

// endureProducer is a producer process, and its successors.
type endureProducer struct {
	e         *endurance
	id        string
	runs      int
	process   *exec.Cmd
	done      chan struct{} // closed when everything that it said has been read
	killed    atomic.Bool
	committed atomic.Int32
}

// start starts a process with the producer's id.
func (p *endureProducer) start(t *testing.T) {
	t.Helper()
	p.runs++
	p.killed.Store(false)
	p.process = exec.Command(os.Args[0])
	p.process.Env = append(os.Environ(), childBootstrap+"="+strings.Join(p.e.bootstrap, ","),
		childTopic+"="+p.e.topic, childID+"="+p.id, fmt.Sprintf("%s=%d", childRun, p.runs))
	var stderr bytes.Buffer
	p.process.Stderr = &stderr
	out, err := p.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	// It ends when this is closed, by the death of the test if need be.
	if _, err := p.process.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.process.Start(); err != nil {
		t.Fatal(err)
	}
	p.done = make(chan struct{})
	process := p.process
	go func() {
		defer close(p.done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.note(t, lines.Text())
		}
		if err := process.Wait(); !p.killed.Load() {
			t.Errorf("%s ended by itself: %v: %s", p.id, err, bytes.TrimSpace(stderr.Bytes()))
		}
	}()
}

func (p *endureProducer) note(t *testing.T, line string) {
	if err := p.e.book.Note(line); err != nil {
		t.Error(err)
		return
	}
	p.e.mu.Lock()
	defer p.e.mu.Unlock()
	p.e.lines = append(p.e.lines, line)
	if strings.HasPrefix(line, txnbook.Committed+" ") {
		p.committed.Add(1)
	}
}

// kill is kill -9, and waits until all that the process has said is noted.
func (p *endureProducer) kill() {
	p.killed.Store(true)
	_ = p.process.Process.Kill() // an error means that it is gone
	<-p.done
}

// progress waits until every producer has committed some more transactions.
func (e *endurance) progress(t *testing.T, after string) {
	t.Helper()
	limit := time.Now().Add(4 * time.Minute)
	for _, p := range e.producers {
		for want := p.committed.Load() + 3; p.committed.Load() < want; time.Sleep(10 * time.Millisecond) {
			select {
			case <-p.done:
				t.Fatalf("%s, %s has ended", after, p.id)
			default:
			}
			if time.Now().After(limit) {
				t.Fatalf("%s, %s has committed nothing for minutes", after, p.id)
			}
		}
	}
}

// killSomething rolls the dice, kills, and starts again what it has killed.
func (e *endurance) killSomething(t *testing.T) string {
	t.Helper()
	e.pause(time.Second) // so that every moment of a transaction comes up
	p := e.producers[e.dice.IntN(len(e.producers))]
	switch kind := e.dice.IntN(4); kind {
	case 0:
		p.kill()
		p.start(t)
		return "a producer"
	case 1:
		return fmt.Sprintf("node %d, a leader", e.killNode(t, e.leader(t), nil))
	case 2:
		return fmt.Sprintf("node %d, a coordinator", e.killNode(t, e.coordinator(t, p.id), nil))
	default:
		return fmt.Sprintf("node %d, a coordinator, and its producer", e.killNode(t, e.coordinator(t, p.id), p))
	}
}

func (e *endurance) pause(most time.Duration) {
	time.Sleep(time.Duration(e.dice.Int64N(int64(most))))
}

// killNode kills a node, perhaps a producer with it, and starts both again.
func (e *endurance) killNode(t *testing.T, node int, p *endureProducer) int {
	t.Helper()
	if err := e.rig.Kill(node); err != nil {
		t.Fatal(err)
	}
	if p != nil {
		p.kill()
		p.start(t)
	}
	e.pause(6 * time.Second) // the node's session ends after three
	if err := e.rig.Start(node); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for _, topic := range []struct {
		name       string
		partitions int
	}{{e.topic, txnPartitions}, {"__transaction_state", 50}} {
		if err := e.admin.WaitInSync(ctx, topic.name, topic.partitions); err != nil {
			t.Fatal(err)
		}
	}
	return node
}

// leader is the leader of some partition.
func (e *endurance) leader(t *testing.T) int {
	t.Helper()
	topic, _, err := e.admin.Describe(inAMinute(t), e.topic)
	if err != nil {
		t.Fatal(err)
	}
	return int(topic.Partitions[e.dice.IntN(len(topic.Partitions))].Leader)
}

// coordinator is the node that coordinates a transactional id.
func (e *endurance) coordinator(t *testing.T, id string) int {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(e.bootstrap...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	request := kmsg.NewPtrFindCoordinatorRequest()
	request.CoordinatorType, request.CoordinatorKey, request.CoordinatorKeys = 1, id, []string{id}
	answer, err := request.RequestWith(inAMinute(t), client)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Coordinators) != 1 || answer.Coordinators[0].ErrorCode != 0 {
		t.Fatalf("no coordinator of %s: %+v", id, answer)
	}
	return int(answer.Coordinators[0].NodeID)
}
