package kring

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/kring-go/kring/accum"
	embedded "github.com/kring-go/kring/bench/broker"
)

// TestCourtesyDue: who gives way, and for how long.
func TestCourtesyDue(t *testing.T) {
	const start = int64(time.Hour)
	us := func(n int64) int64 { return start + n*int64(time.Microsecond) }
	c := courtesy{lanes: make([]laneAsked, 2)}
	for _, step := range []struct {
		name  string
		lane  int
		asked uint64
		now   int64
		due   bool
	}{
		{"just told", 0, 1, us(0), false},
		{"told 99 µs ago", 0, 1, us(99), false},
		{"told again meanwhile", 0, 3, us(120), false},
		{"told 100 µs ago", 0, 3, us(220), true},
		{"starved: just told", 0, 5, us(300), true},
		{"starved: the end of it", 0, 7, us(100_219), true},
		{"no longer: just told", 0, 9, us(100_220), false},
		{"no longer: told 99 µs ago", 0, 9, us(100_319), false},
		{"another lane, of the same number", 1, 9, us(100_320), false},
		{"starved again", 0, 9, us(100_320), true},
		{"the other lane, just told", 1, 11, us(100_321), true},
	} {
		if due := c.due(step.lane, step.asked, step.now); due != step.due {
			t.Errorf("%s: %t, want %t", step.name, due, step.due)
		}
	}
}

// TestCourtesyGivesWay: with one processor, a goroutine that never blocks lets
// the completion goroutines run when they are starved, however many lanes there
// are and whichever of them has something to do.
func TestCourtesyGivesWay(t *testing.T) {
	for _, tc := range []struct{ lanes, told int }{
		{1, 0}, {2, 1}, {courtesyLook, courtesyLook - 1}, {courtesyLook + 1, courtesyLook}, {maxLanes, 77},
	} {
		t.Run(fmt.Sprintf("%d lanes, number %d", tc.lanes, tc.told), func(t *testing.T) {
			// The scheduler may be faster, now and then.
			for range 100 {
				if courtesyGivesWay(t, tc.lanes, tc.told) {
					return
				}
			}
			t.Error("the completion goroutine has run each time, and not because somebody gave way")
		})
	}
}

func courtesyGivesWay(t *testing.T, lanes, told int) bool {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	p := &Producer{clock: accum.NewClock(), cfg: config{lanes: lanes}}
	p.makeLanes()
	var done sync.WaitGroup
	for i, lane := range p.lanes.all {
		done.Go(func() { lane.Run(uint64(i + 1)) })
	}
	for _, lane := range p.lanes.all {
		for !lane.Claim() { // until Run sleeps
			runtime.Gosched()
		}
		lane.Release()
	}
	p.courtesy.lanes[told].seen.Store(99)
	for range p.lanes.all {
		p.afterTurn()
	}
	if p.courtesy.lanes[told].seen.Load() != 99 {
		t.Error("nobody was told, and yet somebody counts as told")
	}
	lane := p.lanes.all[told]
	lane.Stop() // tells the completion goroutine
	if lane.Asked()%2 == 0 {
		t.Fatal("the completion goroutine was not told, or runs already")
	}
	// This goroutine goes on without ever blocking. Once the other counts as
	// starved, few more turns may pass before it has run; the 10 ms that the
	// scheduler would let this one have are a hundred thousand.
	for turns := 0; lane.Asked()%2 != 0; p.afterTurn() {
		if p.courtesy.starved.Load() == 0 {
			continue
		}
		if turns++; turns > 1000 {
			t.Fatal("nobody gave way")
		}
	}
	p.lanes.stop()
	done.Wait()
	return p.courtesy.starved.Load() != 0
}

// TestCallersAreCourteous: those who have taken a turn look whether the
// completion goroutine waits for their processor.
func TestCallersAreCourteous(t *testing.T) {
	b, err := embedded.Start(embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p, err := New(Brokers(b.Addrs()...), Linger(0), OnDelivery(func(Delivery) {}))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(t.Context())
	for began := time.Now(); p.courtesy.lanes[0].seen.Load() == 0; {
		if time.Since(began) > 30*time.Second {
			t.Fatal("no turn of a caller has looked")
		}
		if err := p.Produce(t.Context(), Record{Topic: "t", Value: []byte("v")}, nil); err != nil {
			t.Fatal(err)
		}
	}
}
