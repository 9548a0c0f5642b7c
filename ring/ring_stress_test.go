package ring

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// stallLimit is how long a stress test may make no progress before it fails.
// It is far above what a busy machine needs.
const stallLimit = 60 * time.Second

// item betrays a torn read (check) and its place in its producer's order.
type item struct {
	producer, seq uint64
	check         uint64
}

func makeItem(producer, seq uint64) item {
	return item{producer: producer, seq: seq, check: (producer<<40 ^ seq) * 0x9e3779b97f4a7c15}
}

// stress runs producers against the calling goroutine, and verifies that every
// item arrives exactly once, whole, and in the order of its producer.
func stress(t *testing.T, r *Ring[item], producers, perProducer int) {
	t.Helper()
	var stop atomic.Bool
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop.Store(true)
	for p := range producers {
		wg.Go(func() {
			for i := 0; i < perProducer && !stop.Load(); {
				if r.TryPush(makeItem(uint64(p), uint64(i))) {
					i++
				} else {
					runtime.Gosched()
				}
			}
		})
	}
	var badLen atomic.Int64
	wg.Go(func() {
		for !stop.Load() {
			if n := r.Len(); n < 0 || n > r.Cap() {
				badLen.Store(int64(n))
				return
			}
			runtime.Gosched()
		}
	})
	next := make([]uint64, producers)
	progress, idle := time.Now(), 0
	for left := producers * perProducer; left > 0; {
		v, ok := r.TryPop()
		if !ok {
			// The clock is read rarely: it costs more than a pop.
			if idle++; idle%1024 == 0 && time.Since(progress) > stallLimit {
				t.Fatalf("stalled with %d items left; next = %v; %s", left, next, r.state())
			}
			runtime.Gosched()
			continue
		}
		if v.producer >= uint64(producers) || v != makeItem(v.producer, v.seq) {
			t.Fatalf("torn item %+v; %s", v, r.state())
		}
		if v.seq != next[v.producer] {
			t.Fatalf("producer %d: got item %d, want %d; %s", v.producer, v.seq, next[v.producer], r.state())
		}
		next[v.producer]++
		left--
		if idle >= 1024 {
			progress, idle = time.Now(), 0
		}
	}
	if v, ok := r.TryPop(); ok {
		t.Errorf("item %+v left over", v)
	}
	if n := badLen.Load(); n != 0 {
		t.Errorf("Len() = %d under load, want 0 to %d", n, r.Cap())
	}
}

func TestStress(t *testing.T) {
	total := 4_000_000
	if testing.Short() {
		total = 160_000
	}
	for _, capacity := range []int{1, 2, 3, 8, 1000, 1 << 16} {
		for _, producers := range []int{1, 3, 16} {
			start := starts[(capacity+producers)%len(starts)]
			name := fmt.Sprintf("capacity=%d/producers=%d/start=%s", capacity, producers, start.name)
			t.Run(name, func(t *testing.T) {
				r := newAt[item](capacity, start.pos-uint64(capacity))
				stress(t, r, producers, total/18/producers)
			})
		}
	}
}

// One goroutine pushes and pops in turn, so Len is 0 or 1 at every moment. Two
// loads that do not belong together would show something else.
func TestLenBesideOtherWork(t *testing.T) {
	rounds := 2_000_000
	if testing.Short() {
		rounds = 200_000
	}
	r := newAt[int](8, starts[3].pos)
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for !stop.Load() {
			r.TryPush(1)
			r.TryPop()
		}
	})
	for range rounds {
		if n := r.Len(); n < 0 || n > 1 {
			t.Errorf("Len() = %d, want 0 or 1; %s", n, r.state())
			break
		}
	}
	stop.Store(true)
	wg.Wait()
}

// The consumer role moves from goroutine to goroutine, as the sender's does;
// what passes it on is the only thing that orders the two.
func TestStressConsumerRoleMoves(t *testing.T) {
	const consumers, producers = 4, 3
	perProducer := 100_000
	if testing.Short() {
		perProducer = 10_000
	}
	r := newAt[item](8, starts[3].pos)
	var role sync.Mutex
	next := make([]uint64, producers) // guarded by role
	left := producers * perProducer   // guarded by role
	var failure string                // guarded by role
	var stop atomic.Bool
	var wg, feeders sync.WaitGroup
	for p := range producers {
		feeders.Go(func() {
			for i := 0; i < perProducer && !stop.Load(); {
				if r.TryPush(makeItem(uint64(p), uint64(i))) {
					i++
				} else {
					runtime.Gosched()
				}
			}
		})
	}
	for range consumers {
		wg.Go(func() {
			for deadline := time.Now().Add(stallLimit); !stop.Load(); runtime.Gosched() {
				role.Lock()
				v, ok := r.TryPop()
				switch {
				case ok && (v.producer >= producers || v != makeItem(v.producer, v.seq) || v.seq != next[v.producer]):
					failure = fmt.Sprintf("got %+v, next = %v; %s", v, next, r.state())
				case ok:
					next[v.producer]++
					left--
				case time.Now().After(deadline):
					failure = fmt.Sprintf("stalled with %d items left; %s", left, r.state())
				}
				if failure != "" || left == 0 {
					stop.Store(true)
				}
				role.Unlock()
			}
		})
	}
	wg.Wait()
	feeders.Wait()
	if failure != "" || left != 0 {
		t.Fatalf("%d items left; %s", left, failure)
	}
}

// With one processor and without asynchronous preemption, a loop that waits
// for another goroutine and never yields would hang for ever, and so would a
// garbage collection that asks it to stop.
func TestProgressWithoutPreemption(t *testing.T) {
	const key = "KRING_RING_NO_PREEMPTION"
	if os.Getenv(key) != "" {
		var stop atomic.Bool
		var wg sync.WaitGroup
		wg.Go(func() {
			for !stop.Load() {
				runtime.GC()
				runtime.Gosched()
			}
		})
		stress(t, newAt[item](2, starts[3].pos), 4, 2000)
		stop.Store(true)
		wg.Wait()
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProgressWithoutPreemption$")
	cmd.Env = append(os.Environ(), key+"=1", "GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("child without preemption: %v\n%s", err, out)
	}
}
