package netio

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Every edge counts: one request at a time, answered by a peer in its own
// time, while other goroutines poll too, as callers do. Half of the answers
// are taken by them under the parked reader's nose. If one wake-up is lost,
// nobody sends the next request.
func TestNoEdgeLost(t *testing.T) {
	lasts := 600 * time.Millisecond
	if testing.Short() {
		lasts = 100 * time.Millisecond
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 2, 4, 8} {
		runtime.GOMAXPROCS(procs)
		for _, pollers := range []int{0, 1, 3} {
			t.Run(fmt.Sprintf("procs=%d/pollers=%d", procs, pollers), func(t *testing.T) {
				eachSocket(t, func(t *testing.T, kind socketKind) {
					d, p := pair(t, kind)
					go echo(p.conn)
					var stop atomic.Bool
					var wg sync.WaitGroup
					for seed := range pollers {
						wg.Go(func() {
							rng := rand.New(rand.NewPCG(uint64(seed), 1))
							for !stop.Load() {
								dawdle(rng)
								d.kick()
								runtime.Gosched()
							}
						})
					}
					trips := 0
					for until := time.Now().Add(lasts / 8); time.Now().Before(until); trips++ {
						d.send(int32(trips), true, 0, frame(int32(trips), nil))
						d.expect("written", trips%5)
						d.expect("response", trips%5)
					}
					stop.Store(true)
					wg.Wait()
					if trips == 0 {
						t.Error("not one round trip")
					}
				})
			})
		}
	}
}

// A response, a timeout and a disconnect race for the same requests. Whoever
// wins, every request ends exactly once and the gate is empty afterwards.
func TestEveryRequestEndsOnce(t *testing.T) {
	rounds := 150
	if testing.Short() {
		rounds = 30
	}
	eachSocket(t, func(t *testing.T, kind socketKind) {
		verifyNoLeaks(t)
		for round := range rounds {
			raceForRequests(t, kind, rand.New(rand.NewPCG(uint64(round), 3)))
		}
	})
}

func raceForRequests(t *testing.T, kind socketKind, rng *rand.Rand) {
	t.Helper()
	nc, p := tcpPair(t)
	d := newDriver(t, kind, nc)
	sent := 1 + rng.IntN(5)
	for i := range sent {
		d.send(int32(i), true, int64(i+1), frame(int32(i), make([]byte, rng.IntN(2000))))
	}
	start := make(chan struct{})
	var wg sync.WaitGroup
	contender := func(f func()) {
		delay := rng.IntN(200)
		wg.Go(func() {
			<-start
			for range delay {
				runtime.Gosched()
			}
			f()
		})
	}
	contender(func() { // the broker answers, then it is gone
		for i := range sent {
			if _, err := p.conn.Write(frame(int32(i), nil)); err != nil {
				return
			}
		}
		p.conn.Close()
	})
	contender(func() { // the timer
		d.do(func(c *Conn) {
			if c.Expired(int64(sent)) {
				c.Close(ErrClosed)
			}
		})
	})
	contender(func() { d.do(func(c *Conn) { c.Close(ErrClosed) }) })
	contender(d.kick)
	close(start)
	wg.Wait()
	waitFor(t, "Done", d.conn.Done())
	ends := make([]int, 5)
	d.do(func(c *Conn) {
		if n := c.InFlight(); n != 0 {
			t.Errorf("%d requests in flight after the end", n)
		}
	})
	for len(d.events) > 0 {
		if e := <-d.events; e.kind != "written" {
			ends[e.slot]++
		}
	}
	for slot, n := range ends {
		if want := min(1, max(0, sent-slot)); n != want {
			t.Errorf("slot %d ended %d times, want %d", slot, n, want)
		}
	}
}
