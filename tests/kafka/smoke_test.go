//go:build kafka

package kafka_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/kring-go/kring/tests/kafka/readback"
	"github.com/kring-go/kring/tests/kafka/senders"
	"github.com/kring-go/kring/tests/ledger"
)

// TestAcks sends a small mixed load with each level of acknowledgement.
func TestAcks(t *testing.T) {
	for _, acks := range []string{"all", "1", "0"} {
		t.Run("acks="+acks, func(t *testing.T) {
			c := need(t, 1)
			book := drive(t, c, *client, newPlan(t, c.topic(t, 12), 12, 20_000), ledger.Pace{}, senders.Options{Acks: acks})
			if acks == "0" {
				c.settle(t, book)
			}
			// Without idempotence a retry may double and reorder records, and with
			// acks=0 a refusal loses them. Nothing fails on a topic that is served,
			// so every promise holds.
			verify(t, c, book, ledger.Rules{})
		})
	}
}

// settle waits until the broker has appended what nobody acknowledged: with
// acks=0 Close only means that the bytes are written.
func (c *cluster) settle(t *testing.T, book *ledger.Book) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		n, err := readback.Franz(t.Context(), c.bootstrap, book.Plan().Topic, func(*ledger.Entry) {})
		if err != nil {
			t.Fatal(err)
		}
		if n >= book.Outcomes()["acked"] || time.Now().After(deadline) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// TestAutoCreatedTopic produces to a topic that the broker creates because
// somebody asks for it. The rig's brokers give it 12 partitions.
func TestAutoCreatedTopic(t *testing.T) {
	c := need(t, 1)
	name := topicName(t)
	c.forget(t, name)
	verify(t, c, drive(t, c, *client, newPlan(t, name, 12, 5000), ledger.Pace{}, senders.Options{}), ledger.Rules{})
}

// TestFreshTopic produces at once to topics that were created a moment ago. The
// first requests meet a leader that does not know the partition yet, and what
// was pipelined behind them meets one that does: a broker takes any first
// sequence of a producer that it does not know, so order is ours to keep.
func TestFreshTopic(t *testing.T) {
	c := need(t, 1)
	for range 10 {
		name := fmt.Sprintf("%s-%x", t.Name(), time.Now().UnixNano())
		if err := c.admin.RequestTopic(t.Context(), name, 12, 1); err != nil {
			t.Fatal(err)
		}
		c.forget(t, name)
		book := drive(t, c, *client, newPlan(t, name, 12, 3000), ledger.Pace{}, senders.Options{Linger: -1})
		checker := ledger.NewChecker(book, ledger.Rules{})
		if _, err := readback.Franz(t.Context(), c.bootstrap, name, checker.Add); err != nil {
			t.Fatal(err)
		}
		if err := checker.Finish().Err(); err != nil {
			t.Error(err)
		}
	}
}

// TestBigRecords sends values of up to 900 KB only, several times the buffer.
func TestBigRecords(t *testing.T) {
	c := need(t, 1)
	plan := newPlan(t, c.topic(t, 12), 12, 400)
	plan.Sizes = []ledger.SizeClass{
		{Weight: 1, Min: 10_000, Max: 20_000}, // around batch.size
		{Weight: 1, Min: 100_000, Max: 900 << 10},
		{Weight: 1, Min: 900 << 10, Max: 900 << 10},
	}
	verify(t, c, drive(t, c, *client, plan, ledger.Pace{}, senders.Options{}), ledger.Rules{})
}

// TestLateTopic starts producing two seconds before the topic exists, on a
// broker that creates no topic by itself.
func TestLateTopic(t *testing.T) {
	c := need(t, 1, "auto.create.topics.enable=false")
	name := topicName(t)
	c.forget(t, name)
	created := make(chan error, 1)
	timer := time.AfterFunc(2*time.Second, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		created <- c.admin.CreateTopic(ctx, name, 12, 1)
	})
	defer timer.Stop()
	begin := time.Now()
	book := drive(t, c, *client, newPlan(t, name, 12, 5000), ledger.Pace{}, senders.Options{})
	if err := <-created; err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took < 2*time.Second {
		t.Errorf("5000 records were done after %v, before the topic existed", took)
	}
	if got := book.Outcomes()["acked"]; got != 5000 {
		t.Errorf("%d of 5000 records were acknowledged", got)
	}
	verify(t, c, book, ledger.Rules{})
}

// TestPartitionsGrow doubles the partitions under load: nothing is lost, and
// the new ones are used within metadata.max.age.ms.
func TestPartitionsGrow(t *testing.T) {
	c := need(t, 1)
	plan := newPlan(t, c.topic(t, 12), 12, 60_000)
	plan.Explicit, plan.Keyed, plan.KeyPartition = 20, 40, nil
	grown := make(chan error, 1)
	timer := time.AfterFunc(time.Second, func() {
		grown <- c.admin.Grow(context.Background(), plan.Topic, 24)
	})
	defer timer.Stop()
	pace := ledger.Pace{Start: time.Now(), Interval: 100 * time.Microsecond}
	book := drive(t, c, *client, plan, pace, senders.Options{MetadataMaxAge: time.Second})
	if err := <-grown; err != nil {
		t.Fatal(err)
	}
	verify(t, c, book, ledger.Rules{})
	used := map[int32]bool{}
	if _, err := readback.Franz(t.Context(), c.bootstrap, plan.Topic, func(e *ledger.Entry) { used[e.Partition] = true }); err != nil {
		t.Fatal(err)
	}
	if len(used) != 24 {
		t.Errorf("%d partitions were used, want all 24", len(used))
	}
}
