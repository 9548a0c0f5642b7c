//go:build kafka

package kafka_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/tests/kafka/readback"
	"github.com/kring-go/kring/tests/ledger"
)

const (
	deadlineRecords    = 40_000
	deadlineGoroutines = 4
	deadlinePartitions = 12
	deadlineInterval   = 300 * time.Microsecond // between two records, of all goroutines
)

// dated is what was said of one record.
type dated struct {
	deadline  bool
	told      int
	err       error
	partition int32
	offset    int64
	seen      int
}

// TestDeadlinesWhileLeadersDie: half of the records have deadlines of 5 to
// 1000 ms, and the leader of most partitions is killed twice. What has passed its
// deadline is not in the log, all else is there once, where its delivery said,
// and in the order of its goroutine.
func TestDeadlinesWhileLeadersDie(t *testing.T) {
	c := need(t, 3)
	if !c.ours {
		t.Skip("the nodes are not the rig's, so they can not be killed")
	}
	topic := c.topic(t, deadlinePartitions)
	t.Cleanup(func() { c.restore(t, topic) })
	book := make([]dated, deadlineRecords)
	var mu sync.Mutex // of book
	p, err := kring.New(kring.Brokers(c.bootstrap...), kring.Linger(0), kring.OnDelivery(func(d kring.Delivery) {
		mu.Lock()
		defer mu.Unlock()
		r := &book[d.Tag]
		r.told++
		r.err, r.partition, r.offset = d.Err, d.Partition, d.Offset
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close(context.Background()) }()
	if err := p.Warmup(inAMinute(t), topic); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	kills := make(chan struct{})
	go func() {
		defer close(kills)
		for _, at := range []time.Duration{2 * time.Second, 8 * time.Second} {
			c.killFor(t, topic, begin.Add(at), 2*time.Second)
		}
	}()
	var wg sync.WaitGroup
	for g := range deadlineGoroutines {
		wg.Go(func() {
			dice := rand.New(rand.NewPCG(uint64(begin.UnixNano()), uint64(g)))
			for i := g; i < deadlineRecords; i += deadlineGoroutines {
				time.Sleep(time.Until(begin.Add(time.Duration(i) * deadlineInterval)))
				r := kring.Record{Topic: topic, Partition: kring.On(int32(dice.IntN(deadlinePartitions))), Tag: uint64(i), Value: make([]byte, 100)}
				binary.BigEndian.PutUint64(r.Value, uint64(i))
				if i/deadlineGoroutines%2 == 0 {
					r.Deadline = time.Now().Add(time.Duration(5+dice.IntN(996)) * time.Millisecond)
				}
				err := p.Produce(t.Context(), r, nil)
				mu.Lock()
				book[i].deadline = !r.Deadline.IsZero()
				if err != nil {
					book[i].told++
					book[i].err = err
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	<-kills
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if err := p.Close(ctx); err != nil {
		t.Fatal(err)
	}
	c.restore(t, topic)
	mu.Lock()
	defer mu.Unlock()
	c.verifyDated(t, topic, book)
}

// killFor kills the leader of most partitions at a time, and starts it again
// after a while.
func (c *cluster) killFor(t *testing.T, topic string, at time.Time, down time.Duration) {
	sleepUntil(t.Context(), at)
	node, err := c.admin.BusiestLeader(t.Context(), topic)
	if err == nil {
		err = c.rig.Kill(node)
	}
	if err == nil {
		sleepUntil(t.Context(), at.Add(down))
		err = c.rig.Start(node)
	}
	if err != nil {
		t.Error(err)
	}
}

// verifyDated compares what was said with what a foreign reader finds.
func (c *cluster) verifyDated(t *testing.T, topic string, book []dated) {
	t.Helper()
	var last [deadlinePartitions][deadlineGoroutines]uint64
	_, err := readback.Franz(t.Context(), c.bootstrap, topic, func(e *ledger.Entry) {
		i := binary.BigEndian.Uint64(e.Prefix[:])
		if i >= deadlineRecords {
			t.Errorf("%s[%d]@%d is no record of ours", topic, e.Partition, e.Offset)
			return
		}
		r := &book[i]
		r.seen++
		if r.err == nil && (r.partition != e.Partition || r.offset != e.Offset && r.offset >= 0) {
			t.Errorf("record %d is at %d@%d, its delivery said %d@%d", i, e.Partition, e.Offset, r.partition, r.offset)
		}
		before := &last[e.Partition][i%deadlineGoroutines]
		if *before > i {
			t.Errorf("record %d comes behind %d in partition %d", i, *before, e.Partition)
		}
		*before = i
	})
	if err != nil {
		t.Fatal(err)
	}
	late, sent := 0, 0
	for i := range book {
		r := &book[i]
		var pe *kring.ProduceError
		switch {
		case r.told != 1:
			t.Errorf("record %d: %d outcomes", i, r.told)
		case r.err == nil:
			if r.seen != 1 {
				t.Errorf("record %d was delivered, and is %d times in the log", i, r.seen)
			}
			if r.deadline {
				sent++
			}
		case !r.deadline || !errors.Is(r.err, kring.ErrRecordDeadline):
			t.Errorf("record %d: %v", i, r.err)
		case errors.As(r.err, &pe) && pe.Certainty != kring.NotPersisted:
			t.Errorf("record %d: %v, and it should be certain that it is not in the log", i, pe.Certainty)
		case r.seen != 0:
			t.Errorf("record %d missed its deadline, and is %d times in the log", i, r.seen)
		default:
			late++
		}
	}
	t.Logf("of %d records with deadlines %d were delivered, %d came too late", sent+late, sent, late)
	if late == 0 || sent == 0 {
		t.Error("the test has shown nothing: there have to be both")
	}
}
