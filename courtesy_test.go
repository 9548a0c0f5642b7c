package kring

import (
	"runtime"
	"testing"
	"time"

	"github.com/kring-go/kring/accum"
	embedded "github.com/kring-go/kring/bench/broker"
)

// TestCourtesyDue: who gives way, and for how long.
func TestCourtesyDue(t *testing.T) {
	const start = int64(time.Hour)
	us := func(n int64) int64 { return start + n*int64(time.Microsecond) }
	var c courtesy
	for _, step := range []struct {
		name  string
		asked uint64
		now   int64
		due   bool
	}{
		{"just told", 1, us(0), false},
		{"told 99 µs ago", 1, us(99), false},
		{"told again meanwhile", 3, us(120), false},
		{"told 100 µs ago", 3, us(220), true},
		{"starved: just told", 5, us(300), true},
		{"starved: the end of it", 7, us(100_219), true},
		{"no longer: just told", 9, us(100_220), false},
		{"no longer: told 99 µs ago", 9, us(100_319), false},
		{"starved again", 9, us(100_320), true},
	} {
		if due := c.due(step.asked, step.now); due != step.due {
			t.Errorf("%s: %t, want %t", step.name, due, step.due)
		}
	}
}

// TestCourtesyGivesWay: with one processor, a goroutine that never blocks lets
// the completion goroutine run when that is starved.
func TestCourtesyGivesWay(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	lane := accum.NewLane(nil, nil)
	done := make(chan struct{})
	go func() { lane.Run(1); close(done) }()
	p := &Producer{clock: accum.NewClock()}
	p.lanes.all = []*accum.Lane{lane}
	for lane.Claim() == false { // until Run sleeps
		runtime.Gosched()
	}
	lane.Release()
	p.courtesy.seen.Store(99)
	p.afterTurn()
	if p.courtesy.seen.Load() != 99 {
		t.Error("nobody was told, and yet somebody counts as told")
	}
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
	<-done
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
	for began := time.Now(); p.courtesy.seen.Load() == 0; {
		if time.Since(began) > 30*time.Second {
			t.Fatal("no turn of a caller has looked")
		}
		if err := p.Produce(t.Context(), Record{Topic: "t", Value: []byte("v")}, nil); err != nil {
			t.Fatal(err)
		}
	}
}
