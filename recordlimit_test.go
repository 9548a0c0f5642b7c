package kring_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// wantPlaces checks that nobody holds a place that is nobody's record.
func wantPlaces(t *testing.T, p *kring.Producer, want int64) {
	t.Helper()
	if left, waiting := p.RecordsLeft(); left != want || waiting != 0 {
		t.Errorf("%d places are left and %d callers wait, want %d and none", left, waiting, want)
	}
}

// TestMaxBufferedRecords: at the bound TryProduce refuses, Produce waits as it
// does for memory, and goes on with the first outcome.
func TestMaxBufferedRecords(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	hold := make(chan struct{})
	b.SetHook(func(*broker.ProduceInfo) broker.Action { return broker.Action{Stall: hold} })
	p := caseProducer(t, b.Addrs(), kring.MaxBufferedRecords(3), kring.Linger(time.Hour), kring.DeliveryTimeout(2*time.Hour))
	if err := p.Warmup(patient(t), "t"); err != nil {
		t.Fatal(err)
	}
	got := newOutcomes()
	produceTags(t, p, 0, 0, 3, got)
	wantPlaces(t, p, 0)
	one := kring.Record{Topic: "t", Partition: kring.On(0), Value: []byte("3"), Tag: 3}
	if err := p.TryProduce(one, got.take); !errors.Is(err, kring.ErrBufferFull) {
		t.Fatalf("TryProduce at the bound: %v", err)
	} else {
		checkText(t, err, kring.ErrBufferFull, "3 records have no outcome yet", "MaxBufferedRecords")
	}
	gone, cancel := context.WithCancel(patient(t))
	time.AfterFunc(10*time.Millisecond, cancel)
	if err := p.Produce(gone, one, got.take); !errors.Is(err, context.Canceled) {
		t.Fatalf("Produce with a context that ends: %v", err)
	}
	one.Deadline = time.Now().Add(20 * time.Millisecond)
	if err := p.Produce(patient(t), one, got.take); !errors.Is(err, kring.ErrRecordDeadline) {
		t.Fatalf("Produce of a record whose deadline comes first: %v", err)
	}
	wantPlaces(t, p, 0)
	one.Deadline = time.Time{}
	waited := make(chan error)
	go func() { waited <- p.Produce(patient(t), one, got.take) }()
	until(t, "the record waits", func() bool { _, n := p.RecordsLeft(); return n == 1 })
	close(hold) // Those who waited have made the batch ready, whose linger is an hour.
	if err := <-waited; err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	for i, d := range got.wait(t, 4) {
		if d.Err != nil || d.Tag != uint64(i) {
			t.Errorf("delivery %d: %+v", i, d)
		}
	}
	wantPlaces(t, p, 3)
	if n := p.Stats().BlockedCalls; n != 3 {
		t.Errorf("%d calls were blocked, want 3", n)
	}
}

// TestMaxBlockBoundsRecords: the error says which bound it was.
func TestMaxBlockBoundsRecords(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	hold := make(chan struct{})
	b.SetHook(func(*broker.ProduceInfo) broker.Action { return broker.Action{Stall: hold} })
	p := caseProducer(t, b.Addrs(), kring.MaxBufferedRecords(1), kring.MaxBlock(300*time.Millisecond))
	if err := p.Warmup(patient(t), "t"); err != nil {
		t.Fatal(err)
	}
	got := newOutcomes()
	produceTags(t, p, 0, 0, 1, got)
	err := p.Produce(patient(t), kring.Record{Topic: "t"}, got.take)
	checkText(t, err, kring.ErrMaxBlock, "MaxBufferedRecords, 1", `topic "t"`)
	close(hold)
	got.wait(t, 1)
	wantPlaces(t, p, 1)
}

// TestRecordsGiveTheirPlacesBack: also those that were never accepted, aborted,
// too late, or that fail.
func TestRecordsGiveTheirPlacesBack(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	var refuse atomic.Bool
	b.SetHook(func(*broker.ProduceInfo) broker.Action {
		if refuse.Load() {
			return broker.Action{Errors: []broker.PartitionError{{Topic: "t", Partition: 0, Code: int16(kring.PolicyViolation)}}}
		}
		return broker.Action{}
	})
	p := caseProducer(t, b.Addrs(), kring.MaxBufferedRecords(4), kring.MaxBlock(time.Second))
	syncAll(t, p, 5)
	wantPlaces(t, p, 4)
	for range 5 {
		if err := p.TryProduce(kring.Record{Topic: "t", Partition: kring.On(99)}, nil); err == nil {
			t.Error("partition 99 was accepted")
		}
	}
	wantPlaces(t, p, 4)
	w := p.Topic("t").NewWriter()
	defer w.Close()
	for i := range 9 {
		x, err := w.Reserve(patient(t), kring.Record{Key: []byte("k")}, 10)
		if err != nil {
			t.Fatal(err)
		}
		if left, _ := p.RecordsLeft(); left == 4 {
			t.Error("a reservation has no place")
		}
		switch i % 3 {
		case 0:
			x.Abort()
		case 1:
			if err := x.Commit(11, nil); err == nil {
				t.Error("11 bytes of 10 were committed")
			}
		default:
			if err := x.Commit(5, nil); err != nil {
				t.Error(err)
			}
		}
	}
	refuse.Store(true)
	for range 6 {
		if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Partition: kring.On(0)}); err == nil {
			t.Error("a refused record has no error")
		}
	}
	n, err := p.Topic("t").ProduceMany(patient(t), make([]kring.Record, 10), nil)
	if n != 10 || err != nil {
		t.Errorf("ProduceMany beyond the bound: %d, %v", n, err)
	}
	if err := p.Flush(patient(t)); err != nil {
		t.Error(err)
	}
	wantPlaces(t, p, 4)
}

// TestManyWaitForPlaces: callers that give up among callers that do not, with a
// linger that never ends by itself. Everybody gets on, and all places come home.
func TestManyWaitForPlaces(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs(), kring.MaxBufferedRecords(3), kring.Linger(time.Hour), kring.DeliveryTimeout(2*time.Hour))
	var all sync.WaitGroup
	var outcomes, accepted atomic.Int64
	for g := range 8 {
		all.Go(func() {
			for i := range 200 {
				ctx, cancel := patient(t), context.CancelFunc(func() {})
				if (g+i)%5 == 0 {
					ctx, cancel = context.WithTimeout(ctx, time.Duration(i)*time.Microsecond)
				}
				err := p.Produce(ctx, kring.Record{Topic: "t"}, func(kring.Delivery) { outcomes.Add(1) })
				cancel()
				switch {
				case err == nil:
					accepted.Add(1)
				case !errors.Is(err, context.DeadlineExceeded):
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	if outcomes.Load() != accepted.Load() || accepted.Load() < 8*150 {
		t.Errorf("%d outcomes of %d records", outcomes.Load(), accepted.Load())
	}
	wantPlaces(t, p, 3)
}

// TestCloseEndsWaitForPlaces: whoever waits is told, and a callback does not wait.
func TestCloseEndsWaitForPlaces(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	hold := make(chan struct{})
	b.SetHook(func(*broker.ProduceInfo) broker.Action { return broker.Action{Stall: hold} })
	p, err := kring.New(quick(b.Addrs(), kring.MaxBufferedRecords(1))...)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Warmup(patient(t), "t"); err != nil {
		t.Fatal(err)
	}
	inside := make(chan error, 1)
	if err := p.Produce(patient(t), kring.Record{Topic: "t"}, func(kring.Delivery) {
		inside <- p.Produce(context.Background(), kring.Record{Topic: "t"}, func(kring.Delivery) {})
	}); err != nil {
		t.Fatal(err)
	}
	waited := make(chan error)
	go func() { waited <- p.Produce(patient(t), kring.Record{Topic: "t"}, nil) }()
	until(t, "the record waits", func() bool { _, n := p.RecordsLeft(); return n == 1 })
	closed := make(chan error)
	go func() { closed <- p.Close(patient(t)) }()
	if err := <-waited; !errors.Is(err, kring.ErrClosed) {
		t.Errorf("who waited got %v", err)
	}
	close(hold)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := <-inside; !errors.Is(err, kring.ErrClosed) {
		t.Errorf("a callback during Close got %v", err)
	}
	wantPlaces(t, p, 1)
}

// TestPlacesComeBackInBetween: the two moments in which a place and a caller
// could miss each other.
func TestPlacesComeBackInBetween(t *testing.T) {
	p := caseProducer(t, caseBroker(t, broker.Config{}).Addrs(), kring.MaxBufferedRecords(1), kring.MaxBlock(5*time.Second))
	if left := p.GivesUpTooLate(); left != 2 {
		t.Errorf("%d places are left when somebody gives up who had one, want 2", left)
	}
	if err := p.EntersBesideAPlace(patient(t)); err != nil {
		t.Errorf("there is a place: %v", err)
	}
}

// TestWaitersKeepPressing: what is produced while others wait does not linger,
// though the memory is free.
func TestWaitersKeepPressing(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	hold := make(chan struct{})
	b.SetHook(func(*broker.ProduceInfo) broker.Action { return broker.Action{Stall: hold} })
	p := caseProducer(t, b.Addrs(), kring.MaxBufferedRecords(1), kring.Linger(time.Hour), kring.DeliveryTimeout(2*time.Hour))
	if err := p.Warmup(patient(t), "t"); err != nil {
		t.Fatal(err)
	}
	got := newOutcomes()
	produceTags(t, p, 0, 0, 1, got)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if err := p.Produce(patient(t), kring.Record{Topic: "t"}, got.take); err != nil {
				t.Error(err)
			}
		})
	}
	until(t, "three wait", func() bool { _, n := p.RecordsLeft(); return n == 3 })
	if n := p.Stats().BufferWaiting; n != 3 {
		t.Errorf("%d calls wait for the statistics, want 3", n)
	}
	if e, err := p.Explain("t", 0); err != nil || e.Waiting != 3 {
		t.Errorf("%d calls wait for Explain, want 3: %v, %v", e.Waiting, e, err)
	}
	p.TickMemory()
	close(hold)
	all.Wait()
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	got.wait(t, 4)
	wantPlaces(t, p, 1)
}

// TestUnknownTopicTakesNoPlace: who waits for a topic that does not exist, or for
// a partition that it does not have, holds no place, and nobody back.
func TestUnknownTopicTakesNoPlace(t *testing.T) {
	b := caseBroker(t, broker.Config{NoAutoCreate: true})
	if err := b.CreateTopic("t", 1); err != nil {
		t.Fatal(err)
	}
	p := caseProducer(t, b.Addrs(), kring.MaxBufferedRecords(1), kring.MaxBlock(time.Hour))
	ctx, cancel := context.WithCancel(patient(t))
	var all sync.WaitGroup
	for _, r := range []kring.Record{{Topic: "never"}, {Topic: "never", Partition: kring.On(0)}, {Topic: "t", Partition: kring.On(7)}} {
		all.Go(func() {
			if err := p.Produce(ctx, r, nil); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", r.Topic, err)
			}
		})
	}
	before := p.Stats().Metadata
	until(t, "they have heard that there is none", func() bool { return p.Stats().Metadata > before+2 })
	wantPlaces(t, p, 1)
	syncAll(t, p, 2)
	cancel()
	all.Wait()
	wantPlaces(t, p, 1)
}

// rude is a Partitioner that ends its goroutine, or panics when it is told of a
// refused record.
type rude struct{ leaves bool }

func (r rude) Partition(kring.Record, kring.Partitions) int32 {
	if r.leaves {
		runtime.Goexit()
	}
	return 0
}

func (rude) Refused(int32) { panic("not my fault") }

// TestRudePartitionerTakesNoPlace: places come home also from a partitioner that
// does not return, and Produce returns what it would have.
func TestRudePartitionerTakesNoPlace(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	hold := make(chan struct{})
	b.SetHook(func(*broker.ProduceInfo) broker.Action { return broker.Action{Stall: hold} })
	p := caseProducer(t, b.Addrs(), kring.MaxBufferedRecords(100), kring.BatchSize(1000), kring.BufferMemory(4000),
		kring.PartitionTopicBy("t", rude{}), kring.PartitionTopicBy("u", rude{leaves: true}))
	if err := p.Warmup(patient(t), "t", "u"); err != nil {
		t.Fatal(err)
	}
	within(t, "a goroutine that ends in Produce", func() {
		var one sync.WaitGroup
		one.Go(func() { _ = p.TryProduce(kring.Record{Topic: "u"}, nil) })
		one.Wait()
	})
	wantPlaces(t, p, 100)
	accepted, err := int64(0), error(nil)
	for ; err == nil; accepted++ {
		err = p.TryProduce(kring.Record{Topic: "t", Value: make([]byte, 800)}, nil)
	}
	if !errors.Is(err, kring.ErrBufferFull) {
		t.Errorf("without memory: %v", err)
	}
	wantPlaces(t, p, 100-(accepted-1))
	close(hold)
	if err := p.Flush(patient(t)); err != nil {
		t.Error(err)
	}
	wantPlaces(t, p, 100)
}
