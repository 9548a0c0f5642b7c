package kring_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestLoneRecordLeavesAfterItsLinger: the timer marks a partition while the
// broker's role is in the middle of a turn for others. The turn must not judge
// the linger by a time that it read before the mark.
func TestLoneRecordLeavesAfterItsLinger(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 8})
	p := caseProducer(t, b.Addrs(), kring.Linger(2*time.Millisecond), kring.BatchSize(300),
		kring.BufferMemory(16<<20)) // never short of memory, which would end every linger
	ctx := patient(t)
	var stop atomic.Bool
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop.Store(true)
	for w := range 2 {
		wg.Go(func() {
			room := make(chan struct{}, 500)
			for !stop.Load() {
				room <- struct{}{}
				r := kring.Record{Topic: "t", Partition: kring.On(int32(1 + w)), Value: make([]byte, 100)}
				if err := p.Produce(ctx, r, func(kring.Delivery) { <-room }); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	n := 400
	if testing.Short() {
		n = 100
	}
	for i := range n {
		done := make(chan kring.Delivery, 1)
		err := p.Produce(ctx, kring.Record{Topic: "t", Partition: kring.On(0), Value: []byte("lone")}, func(d kring.Delivery) { done <- d })
		if err != nil {
			t.Fatal(err)
		}
		select {
		case d := <-done:
			if d.Err != nil {
				t.Fatal(d.Err)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("record %d does not leave\n%s", i, p.DebugState())
		}
	}
}

// TestExpiredWithoutAcksFinishesOnce: a batch expires while its last bytes wait
// for room in the socket, and then they leave after all.
func TestExpiredWithoutAcksFinishesOnce(t *testing.T) {
	release := make(chan struct{})
	var once sync.Once
	free := func() { once.Do(func() { close(release) }) }
	b := newWireBroker(t, func(b *wireBroker) {
		b.produce = func(*wireConn, *wireRequest) { <-release }
	})
	defer free()
	var mu sync.Mutex
	seen := make(map[uint64]int)
	var expired atomic.Int64
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		select {
		case <-time.After(700 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	p := caseProducer(t, []string{b.addr()}, kring.RequireAcks(kring.AcksNone), kring.WithDialer(dial),
		kring.RequestTimeout(time.Second), kring.DeliveryTimeout(time.Second), kring.BatchSize(1<<20),
		kring.BufferMemory(64<<20), kring.MaxRequestSize(8<<20), kring.SendBuffer(64<<10),
		kring.OnDelivery(func(d kring.Delivery) {
			mu.Lock()
			seen[d.Tag]++
			mu.Unlock()
			if errors.Is(d.Err, kring.ErrDeliveryTimeout) {
				expired.Add(1)
			}
		}))
	const n = 40
	for i := range n {
		r := kring.Record{Topic: "t", Partition: kring.On(int32(i % 2)), Value: make([]byte, 900<<10), Tag: uint64(i)}
		if err := p.Produce(patient(t), r, nil); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "a batch expires", func() bool { return expired.Load() > 0 })
	free()
	if err := p.Flush(patient(t)); err != nil {
		t.Error(err)
	}
	until(t, "all memory is home", func() bool { s := p.Stats(); return s.BufferFree == s.BufferTotal })
	mu.Lock()
	defer mu.Unlock()
	for i := range uint64(n) {
		if seen[i] != 1 {
			t.Errorf("record %d has %d completions", i, seen[i])
		}
	}
	t.Logf("%d expired", expired.Load())
}

// TestCloseWaitsForLateRecord: a caller that raced Close opens a batch, which is
// in flight when Close looks at the open ones.
func TestCloseWaitsForLateRecord(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 2})
	p, err := kring.New(quick(b.Addrs())...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range int32(2) { // both partitions are known, and proven
		if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Partition: kring.On(i), Value: []byte("first")}); err != nil {
			t.Fatal(err)
		}
	}
	gates := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
	var stalled [2]atomic.Bool
	b.SetHook(func(info *broker.ProduceInfo) broker.Action {
		k := info.Partitions[0].Partition
		stalled[k].Store(true)
		return broker.Action{Stall: gates[k]}
	})
	o := newOutcomes()
	if err := p.Produce(patient(t), kring.Record{Topic: "t", Partition: kring.On(0), Value: []byte("early")}, o.take); err != nil {
		t.Fatal(err)
	}
	until(t, "the early record is at the broker", stalled[0].Load)
	closed := make(chan error, 1)
	go func() { closed <- p.Close(patient(t)) }()
	until(t, "Close has begun", p.Closing)
	time.Sleep(20 * time.Millisecond) // Close has no hook; it flushes by now
	lateErr := p.LateAppend("t", 1, []byte("late"), o.take)
	close(gates[0])
	until(t, "the late record is at the broker", func() bool { return stalled[1].Load() || lateErr != nil })
	time.Sleep(50 * time.Millisecond) // the first Flush has ended by now
	close(gates[1])
	if err := <-closed; err != nil {
		t.Error(err)
	}
	want := 2
	if lateErr != nil {
		want = 1
	}
	for _, d := range o.wait(t, want) {
		if d.Err != nil {
			t.Errorf("accepted, and Close had time: %v", d.Err)
		}
	}
}

// TestTopicWithoutPartitions: a broker may say so.
func TestTopicWithoutPartitions(t *testing.T) {
	var empty atomic.Bool
	empty.Store(true)
	b := newWireBroker(t, func(b *wireBroker) {
		b.metadata = func(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
			if empty.Load() {
				for i := range resp.Topics {
					resp.Topics[i].Partitions = nil
				}
			}
		}
	})
	p := caseProducer(t, []string{b.addr()}, kring.MaxBlock(300*time.Millisecond), kring.MetadataMaxAge(20*time.Millisecond))
	ctx := patient(t)
	for _, r := range []kring.Record{{Topic: "t", Value: []byte("x")}, {Topic: "t", Key: []byte("k")}, {Topic: "t", Partition: kring.On(0)}} {
		for range 2 {
			if err := p.Produce(ctx, r, nil); !errors.Is(err, kring.ErrMaxBlock) {
				t.Errorf("got %v, want ErrMaxBlock", err)
			}
		}
	}
	empty.Store(false)
	if _, err := p.ProduceSync(ctx, kring.Record{Topic: "t", Key: []byte("k")}); err != nil {
		t.Errorf("the topic has partitions now: %v", err)
	}
}

// TestStopIsHeard: the turn that is asked for by Close must not be the one that
// a bounded driver leaves to a runner which has ended.
func TestStopIsHeard(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs())
	n := 30000
	if testing.Short() {
		n = 3000
	}
	for i := range n {
		if !p.StopsUnderKicks(2, 40) {
			t.Fatalf("try %d: the broker was told to stop and did not", i)
		}
	}
}

// TestCloseGivesUpLateRecords: callers that raced a Close without time left go
// on until they are refused. What was accepted has its completion when Close
// returns.
func TestCloseGivesUpLateRecords(t *testing.T) {
	n := 60
	if testing.Short() {
		n = 15
	}
	b := caseBroker(t, broker.Config{Partitions: 4})
	for range n {
		p, err := kring.New(quick(b.Addrs(), kring.Linger(time.Millisecond))...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Value: []byte("first")}); err != nil {
			t.Fatal(err)
		}
		var accepted, done atomic.Int64
		var wg sync.WaitGroup
		for w := range int32(8) {
			wg.Go(func() {
				for {
					err := p.LateAppend("t", w%4, []byte("late"), func(kring.Delivery) { done.Add(1) })
					if errors.Is(err, kring.ErrClosed) {
						return
					}
					if err == nil {
						accepted.Add(1)
					}
				}
			})
		}
		until(t, "records are on their way", func() bool { return accepted.Load() > 100 })
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		var closed error
		within(t, "Close", func() { closed = p.Close(ctx) })
		atEnd := done.Load()
		wg.Wait()
		if closed != nil && strings.Contains(closed.Error(), "is left behind") {
			// The completion goroutine had no processor for a second, which Close
			// can not tell from a callback that does not return.
			until(t, "the last completions", func() bool { return done.Load() == accepted.Load() })
			continue
		}
		if accepted.Load() != atEnd {
			t.Fatalf("%d records were accepted, %d had a completion when Close returned", accepted.Load(), atEnd)
		}
	}
}

// TestExpiredRequestsGiveMemoryBack: every record has its outcome, and the
// requests that carried them are still out. Their time is looked at too.
func TestExpiredRequestsGiveMemoryBack(t *testing.T) {
	b := newWireBroker(t, func(b *wireBroker) {
		b.produce = func(*wireConn, *wireRequest) {} // never answers
	})
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	p := caseProducer(t, []string{b.addr()}, kring.WithDialer(dial), kring.RequireAcks(kring.AcksLeader),
		kring.RequestTimeout(1500*time.Millisecond), kring.DeliveryTimeout(1500*time.Millisecond))
	o := newOutcomes()
	if err := p.Produce(patient(t), kring.Record{Topic: "t", Value: []byte("x")}, o.take); err != nil {
		t.Fatal(err)
	}
	o.wait(t, 1)
	watch := startStopwatch(t)
	until(t, "memory is home", func() bool { s := p.Stats(); return s.BufferFree == s.BufferTotal })
	if d := watch.took(); d > 12*time.Second {
		t.Errorf("memory came home %v after the outcome; RequestTimeout is 1.5 s", d)
	}
}

// TestMarkSurvivesAMove: a mark that finds the ready ring full is not lost when
// the partition has moved to another broker meanwhile: the old one, which then
// looks at all of its partitions, does not look at this one any more.
func TestMarkSurvivesAMove(t *testing.T) {
	p := caseProducer(t, []string{"127.0.0.1:1"})
	if !p.MarkedAcrossAMove() {
		t.Error("the mark is lost")
	}
}
