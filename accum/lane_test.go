package accum

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring/wire"
)

// laneRig pushes batches of one record through a lane and checks its promise:
// one goroutine at a time, the order of the pushes, nothing twice or never.
type laneRig struct {
	t      *testing.T
	lane   *Lane
	acc    *Accumulator
	parent Batch
	part   Partition
	inside atomic.Int32
	called atomic.Int64
}

func newLaneRig(t *testing.T) *laneRig { return makeLaneRig(t, runLane(t, nil)) }

func makeLaneRig(t *testing.T, l *Lane) *laneRig {
	r := &laneRig{t: t, lane: l, part: Partition{Topic: "t"}}
	r.parent.pieces.Store(1 << 30) // never released
	r.acc, _, _ = newTest(t, Config{BatchSize: minSlot, BufferMemory: minSlot}, 0)
	return r
}

func (r *laneRig) batch() *Batch {
	return &Batch{
		acc: r.acc, parent: &r.parent, part: &r.part, records: 1, moved: make([]Completion, 1),
		heapSize: wire.BatchHeaderSize, buf: make([]byte, wire.BatchHeaderSize),
	}
}

// pusher sends n batches in bursts of 1 to 3 and waits for each burst: a lone
// batch whose wake-up was lost is hidden by none behind it.
func (r *laneRig) pusher(id, n int) {
	acks := make(chan uint64, 3)
	batches := []*Batch{r.batch(), r.batch(), r.batch()}
	callback := func(d Delivery) {
		if r.inside.Add(1) != 1 {
			r.t.Error("two goroutines call back at once")
		}
		r.called.Add(1)
		r.inside.Add(-1)
		acks <- d.Tag
	}
	for next := 0; next < n; {
		burst := min(1+next%3, n-next)
		for i := range burst {
			batches[i].moved[0] = Completion{Callback: callback, Tag: uint64(next + i)}
			r.lane.push(batches[i])
		}
		for range burst {
			select {
			case tag := <-acks:
				if tag != uint64(next) {
					r.t.Errorf("pusher %d: callback %d, want %d", id, tag, next)
				}
			case <-time.After(time.Minute):
				r.t.Errorf("pusher %d: no callback for batch %d", id, next)
				return
			}
			next++
		}
	}
}

// visitor takes the lane whenever it can: to look and let go, or to call back.
func (r *laneRig) visitor(id uint64, stop *atomic.Bool) {
	for n := 0; !stop.Load(); n++ {
		if r.lane.Claim() {
			if n%3 == 0 {
				r.lane.Release()
			} else {
				r.lane.Visit(id)
			}
		}
		if n%8 == 0 {
			runtime.Gosched()
		}
	}
}

// TestLaneOwners: Run and visitors take turns, and no push is left behind.
func TestLaneOwners(t *testing.T) {
	n := 30000
	if testing.Short() {
		n = 3000
	}
	for _, procs := range []int{1, 2, 4} {
		for _, visitors := range []int{0, 1, 2} {
			t.Run(fmt.Sprintf("procs=%d/visitors=%d", procs, visitors), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				r := newLaneRig(t)
				var pushers, others sync.WaitGroup
				var stop atomic.Bool
				for i := range visitors {
					others.Go(func() { r.visitor(uint64(10+i), &stop) })
				}
				for i := range 2 {
					pushers.Go(func() { r.pusher(i, n) })
				}
				pushers.Wait()
				stop.Store(true)
				others.Wait()
				if got := r.called.Load(); got != int64(2*n) {
					t.Errorf("%d callbacks, want %d", got, 2*n)
				}
			})
		}
	}
}

// TestLaneGoexit: a callback that ends a visitor's goroutine leaves the lane to
// Run, which goes on with the next record.
func TestLaneGoexit(t *testing.T) {
	r := newLaneRig(t)
	for !r.lane.Claim() { // Run has yet to begin
		runtime.Gosched()
	}
	var said atomic.Int32
	r.lane.onPanic = func(string, int32, any) { said.Add(1) }
	called := make(chan uint64, 3)
	b := r.batch()
	b.records, b.moved = 3, make([]Completion, 3)
	for i := range b.moved {
		b.moved[i] = Completion{Tag: uint64(i), Callback: func(d Delivery) {
			called <- d.Tag
			if d.Tag == 1 {
				runtime.Goexit()
			}
		}}
	}
	r.lane.push(b)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		r.lane.Visit(7)
		t.Error("Goexit in a callback came back")
	}()
	<-gone
	for want := range uint64(3) {
		select {
		case tag := <-called:
			if tag != want {
				t.Errorf("callback %d, want %d", tag, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("no callback for record %d", want)
		}
	}
	if said.Load() != 1 {
		t.Errorf("%d reports of an ended goroutine, want 1", said.Load())
	}
	r.pusher(0, 10)
}

// TestLaneStopsBehindVisitor: Stop while a visitor is in a callback. Run ends
// when the visitor has let go, and what was pushed before has been called.
func TestLaneStopsBehindVisitor(t *testing.T) {
	l := NewLane(nil, nil)
	done := make(chan struct{})
	go func() { l.Run(1); close(done) }()
	for !l.Claim() {
		runtime.Gosched()
	}
	r := makeLaneRig(t, l)
	in, out := make(chan struct{}), make(chan struct{})
	var after atomic.Bool
	first, second := r.batch(), r.batch()
	first.moved[0].Callback = func(Delivery) { close(in); <-out }
	second.moved[0].Callback = func(Delivery) { after.Store(true) }
	l.push(first)
	go l.Visit(7)
	<-in
	l.push(second)
	l.Stop()
	select {
	case <-done:
		t.Error("Run ended while a visitor owned the lane")
	default:
	}
	close(out)
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("Run does not end")
	}
	if !after.Load() {
		t.Error("the second batch got no callback")
	}
}
