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

// handOver is one record at a time between goroutines: in every round one of
// them publishes a single piece of news while the others take the role for no
// reason, and nobody goes on before the news has been seen. A stream of news
// would hide a lost wake-up, because the next kick finds what the last one
// left behind.
type handOver struct {
	role   Role
	round  atomic.Uint64 // the round that runs
	news   atomic.Uint64 // published in this round
	seen   atomic.Uint64 // taken by a turn
	ready  atomic.Int64  // goroutines that have finished the round
	failed atomic.Bool
	over   atomic.Bool // time is up: the last round has been opened

	turns   int // role holder only: the race detector guards mutual exclusion
	counted atomic.Int64
}

// turn is what the holder does: look for news. The yield after the look is
// where a wake-up would be lost.
func (h *handOver) turn(rng *rand.Rand) {
	h.turns++
	h.counted.Add(1)
	if n := h.news.Load(); n > h.seen.Load() {
		h.seen.Store(n)
	}
	dawdle(rng)
}

func (h *handOver) kick(rng *rand.Rand) {
	if !h.role.Enter() {
		return
	}
	for !h.failed.Load() {
		h.turn(rng)
		if h.role.Leave() {
			return
		}
	}
}

// dawdle shifts the goroutines against each other.
func dawdle(rng *rand.Rand) {
	switch n := rng.IntN(8); {
	case n == 0:
		runtime.Gosched()
	case n < 6:
		for range rng.IntN(40) {
			_ = n
		}
	}
}

// run plays rounds until the time is up. With more threads than cores a round
// may take as long as the kernel lets a spinning thread run, so their number
// is not fixed.
func (h *handOver) run(me, players uint64, until time.Time) {
	rng := rand.New(rand.NewPCG(me, players))
	for round := uint64(1); ; round++ {
		if !h.await(func() bool { return h.round.Load() >= round }) {
			return
		}
		if h.over.Load() {
			return
		}
		dawdle(rng)
		if round%players == me {
			h.news.Store(round)
		}
		h.kick(rng)
		if !h.await(func() bool { return h.seen.Load() >= round }) {
			return
		}
		if h.ready.Add(1) == int64(players) { // the last one opens the next round
			h.ready.Store(0)
			h.over.Store(time.Now().After(until))
			h.round.Store(round + 1)
		}
	}
}

// await spins, because a parked goroutine would hide the race, and gives up
// when nothing happens.
func (h *handOver) await(cond func() bool) bool {
	var deadline time.Time
	for spins := 1; !cond(); spins++ {
		if h.failed.Load() {
			return false
		}
		if spins%64 == 0 {
			runtime.Gosched()
		}
		if spins%(1<<12) != 0 {
			continue
		}
		switch now := time.Now(); {
		case deadline.IsZero():
			deadline = now.Add(stall / 3)
		case now.After(deadline):
			h.failed.Store(true)
		}
	}
	return true
}

func TestRoleHandOver(t *testing.T) {
	lasts := 400 * time.Millisecond
	if testing.Short() {
		lasts = 50 * time.Millisecond
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 2, 3, 4, 8} {
		for _, players := range []uint64{2, 3} {
			t.Run(fmt.Sprintf("procs=%d/players=%d", procs, players), func(t *testing.T) {
				runtime.GOMAXPROCS(procs)
				var h handOver
				h.round.Store(1)
				until := time.Now().Add(lasts)
				var wg sync.WaitGroup
				for me := range players {
					wg.Go(func() { h.run(me, players, until) })
				}
				wg.Wait()
				if h.failed.Load() {
					t.Fatalf("wake-up lost in round %d: seen %d, role state %d", h.news.Load(), h.seen.Load(), h.role.state.Load())
				}
				if got := h.counted.Load(); int64(h.turns) != got {
					t.Errorf("%d turns, but the holders counted %d: two held the role at once", got, h.turns)
				}
				t.Logf("%d rounds, %d turns", h.round.Load()-1, h.turns)
				if s := h.role.state.Load(); s != roleIdle {
					t.Errorf("state %d at rest, want idle", s)
				}
			})
		}
	}
}
