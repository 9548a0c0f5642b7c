//go:build kafka

package kafka_test

import (
	"context"
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring/tests/kafka/senders"
	"github.com/kring-go/kring/tests/ledger"
)

var (
	killRate    = flag.Int("kill-rate", 20_000, "records per second of the kill tests")
	killTime    = flag.Duration("kill-time", 45*time.Second, "length of each kill test, with three kills")
	killClients = flag.String("kill-clients", "", `clients of the kill test, e.g. "kring,java,franz-go"; empty is -client`)
)

const killGoroutines = 8

// TestLeaderKilled kills the leader of most partitions three times under load.
// Nothing may be lost, doubled or out of order. With Java among the clients
// kring's p99 must not be above Java's in the same conditions.
func TestLeaderKilled(t *testing.T) {
	c := need(t, 3)
	if !c.ours {
		t.Skip("the nodes are not the rig's, so they can not be killed")
	}
	names := strings.Split(*killClients, ",")
	if *killClients == "" {
		names = []string{*client}
	}
	warm(t, c)
	measured := map[string]ledger.Latency{}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			topic := c.topic(t, 12)
			t.Cleanup(func() { c.restore(t, topic) })
			if name == "java" {
				measured[name] = killJava(t, c, topic)
			} else {
				measured[name] = killGo(t, c, name, topic)
			}
			t.Logf("%s, response time of %v", name, measured[name])
		})
	}
	ours, java := measured["kring"], measured["java"]
	if ours.Count > 0 && java.Count > 0 && ours.P99 > java.P99 {
		t.Errorf("p99 of kring is %v, Java's %v: want no more than that", ours.P99, java.P99)
	}
}

// warm sends some load first: a cold broker costs several times more, and the
// first client would pay for all.
func warm(t *testing.T, c *cluster) {
	t.Helper()
	plan := killPlan(c.topic(t, 12), *killRate*8)
	drive(t, c, "franz-go", plan, ledger.Pace{Start: time.Now(), Interval: time.Second / time.Duration(*killRate)}, senders.Options{})
}

func killPlan(topic string, n int) ledger.Plan {
	return ledger.Plan{
		Run: uint64(time.Now().UnixNano()), Topic: topic, Partitions: 12, Goroutines: killGoroutines, Records: n,
		Sizes: ledger.FixedSize(100), Explicit: 100, Bare: true,
	}
}

func killGo(t *testing.T, c *cluster, name, topic string) ledger.Latency {
	interval := time.Second / time.Duration(*killRate)
	plan := killPlan(topic, int(*killTime/interval))
	// The producer meets the topic before the clock starts, as Java's does.
	pace := ledger.Pace{Start: time.Now().Add(time.Second), Interval: interval}
	stop := c.killLeaders(t, topic)
	book := drive(t, c, name, plan, pace, senders.Options{})
	stop()
	c.restore(t, topic)
	if got := book.Outcomes()["acked"]; got != plan.Records {
		t.Errorf("%d of %d records were acknowledged: three kills must not cost any within delivery.timeout.ms", got, plan.Records)
	}
	// Reported timestamps are not compared here: when a broker recognises a
	// batch that it had already appended, it answers with the batch's last
	// timestamp as if it were a log append time.
	verify(t, c, book, ledger.Rules{})
	return book.Latency()
}

// killLeaders kills the busiest leader at the beginning of each third of the
// run, after a lead-in, and starts it again a fifth of a third later: 3 s of
// 45 s, when its session has just ended. The result waits for the end of that.
func (c *cluster) killLeaders(t *testing.T, topic string) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	third := *killTime / 3
	go func() {
		defer close(done)
		begin := time.Now()
		for i := range 3 {
			at := begin.Add(third*time.Duration(i) + third/3)
			if !sleepUntil(ctx, at) {
				t.Errorf("the run ended before kill %d", i+1)
				return
			}
			// A node that is not back in sync by now makes this kill stop all
			// writes (min.insync.replicas): the machine is too slow to compare.
			inSync, err := c.admin.InSync(ctx, topic)
			if err != nil {
				t.Logf("kill %d: %v", i+1, err)
			}
			node, err := c.admin.BusiestLeader(ctx, topic)
			if err == nil {
				err = c.rig.Kill(node)
			}
			if err != nil {
				t.Errorf("kill %d: %v", i+1, err)
				return
			}
			t.Logf("%5.1f s: node %d killed; %d of 12 partitions were fully in sync", time.Since(begin).Seconds(), node, inSync)
			sleepUntil(ctx, at.Add(third/5))
			if err := c.rig.Start(node); err != nil {
				t.Errorf("kill %d: %v", i+1, err)
				return
			}
		}
	}()
	return func() {
		select {
		case <-done:
		case <-time.After(time.Second):
		}
		cancel()
		<-done
	}
}

func sleepUntil(ctx context.Context, at time.Time) bool {
	select {
	case <-time.After(time.Until(at)):
		return true
	case <-ctx.Done():
		return false
	}
}

// restore starts what is down and waits until every replica is in sync, so that
// the next client finds the conditions that this one had.
func (c *cluster) restore(t *testing.T, topic string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for node := 1; node <= c.nodes; node++ {
		_ = c.rig.Start(node) // an error means that it runs
	}
	if err := c.rig.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.admin.WaitInSync(ctx, topic, 12); err != nil {
		t.Fatal(err)
	}
}
