package slab

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var opsFlag = flag.Int("ops", 400_000, "operations of a stress test that is not short")

// stallLimit is how long a stress test may take before it fails. It is far
// above what a busy machine needs.
const stallLimit = 120 * time.Second

func stressOps() int {
	if testing.Short() {
		return *opsFlag / 20
	}
	return *opsFlag
}

// join waits for the goroutines of a test, and prints the slab if they hang.
func join(t *testing.T, s *Slab, wg *sync.WaitGroup) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(stallLimit):
		t.Fatalf("stalled; %s", s.state())
	}
}

// witness is the test's own book of who has which slot. hands is 1 while the
// slot is out; sides is how many of its sides are yet to let go.
type witness struct {
	hands, sides atomic.Int32
}

// world is a slab under stress with its witnesses.
type world struct {
	s      *Slab
	w      []witness
	stamps atomic.Uint64
	socket chan loan // slots whose socket side is held, on their way to the socket goroutine
	failed atomic.Pointer[string]
}

// loan is a slot with the stamp that its bytes must carry until it is home.
type loan struct {
	slot  uint32
	stamp uint64
}

func (w *world) fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.failed.CompareAndSwap(nil, &text)
}

// acquired enters a slot in the book, and writes a stamp at both its ends.
func (w *world) acquired(i uint32, socket bool) loan {
	if n := w.w[i].hands.Add(1); n != 1 {
		w.fail("slot %d is in %d hands", i, n)
	}
	w.w[i].sides.Store(1)
	l := loan{slot: i, stamp: w.stamps.Add(1)}
	b := w.s.Bytes(i)
	binary.LittleEndian.PutUint64(b, l.stamp)
	binary.LittleEndian.PutUint64(b[len(b)-8:], l.stamp)
	if socket {
		w.w[i].sides.Add(1)
		w.s.HoldSocket(i)
		w.socket <- l
	}
	return l
}

// letGo checks the stamp and releases one side.
func (w *world) letGo(l loan, release func(uint32)) {
	b := w.s.Bytes(l.slot)
	first, last := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[len(b)-8:])
	if first != l.stamp || last != l.stamp {
		w.fail("slot %d has stamps %d, %d, want %d: written by another owner", l.slot, first, last, l.stamp)
	}
	if w.w[l.slot].sides.Add(-1) == 0 {
		w.w[l.slot].hands.Add(-1)
	}
	release(l.slot)
}

// client does ops random operations; one in ten calls is doomed to fail.
func (w *world) client(rnd *rand.Rand, ops int) {
	for n := 0; n < ops && w.failed.Load() == nil; n++ {
		dst := make([]uint32, 1+rnd.IntN(min(3, w.s.Slots())))
		ok := false
		switch p := rnd.IntN(100); {
		case p < 5: // The time is up at once, or while others are served.
			ok = w.s.Get(context.Background(), time.Duration(rnd.IntN(50_000)), dst) == nil
		case p < 10: // Cancelled while it waits, or before.
			ctx, cancel := context.WithCancel(context.Background())
			go cancel()
			ok = w.s.Get(ctx, stallLimit, dst) == nil
			cancel()
		case p < 40:
			ok = w.s.Try(dst)
		default:
			if err := w.s.Get(context.Background(), stallLimit, dst); err != nil {
				w.fail("Get of %d slots: %v; %s", len(dst), err, w.s.state())
				return
			}
			ok = true
		}
		if !ok {
			continue
		}
		loans := make([]loan, len(dst))
		for k, i := range dst {
			loans[k] = w.acquired(i, rnd.IntN(3) == 0)
		}
		if rnd.IntN(4) == 0 {
			runtime.Gosched()
		}
		for _, l := range loans {
			w.letGo(l, w.s.ReleaseRecord)
		}
	}
}

// stress runs clients against a socket goroutine, and verifies that no slot is
// ever in two hands and that in the end all are home.
func stress(t *testing.T, s *Slab, clients, ops int) {
	t.Helper()
	rnd := newRand(t)
	w := &world{s: s, w: make([]witness, s.Slots()), socket: make(chan loan, s.Slots())}
	var wg, socket sync.WaitGroup
	socket.Go(func() {
		for l := range w.socket {
			w.letGo(l, s.ReleaseSocket)
		}
	})
	for range clients {
		own := rand.New(rand.NewPCG(rnd.Uint64(), 1))
		wg.Go(func() { w.client(own, ops/clients) })
	}
	join(t, s, &wg)
	close(w.socket)
	join(t, s, &socket)
	if text := w.failed.Load(); text != nil {
		t.Fatalf("%s; %s", *text, s.state())
	}
	checkHome(t, s)
}

func TestStress(t *testing.T) {
	for _, slots := range []int{1, 2, 3, 5, 64} {
		for _, clients := range []int{2, 8, 32} {
			t.Run(fmt.Sprintf("slots=%d/clients=%d", slots, clients), func(t *testing.T) {
				stress(t, newAt(int64(slots)*24, 24, math.MaxUint32-100), clients, stressOps()/15)
			})
		}
	}
}

// Try alone, without the queue: the free list under as much contention as there
// is. A slot in two hands is what a missing tag leads to.
func TestStressFreeList(t *testing.T) {
	for _, slots := range []int{2, 3} {
		t.Run(fmt.Sprintf("slots=%d", slots), func(t *testing.T) {
			rnd := newRand(t)
			s := newAt(int64(slots)*8, 8, math.MaxUint32-100)
			hands := make([]atomic.Int32, slots)
			var bad atomic.Int64
			var wg sync.WaitGroup
			for range 8 {
				own := rand.New(rand.NewPCG(rnd.Uint64(), 1))
				wg.Go(func() {
					dst := make([]uint32, slots)
					for range stressOps() / 8 {
						got := dst[:1+own.IntN(slots)]
						if !s.Try(got) {
							runtime.Gosched()
							continue
						}
						for _, i := range got {
							if hands[i].Add(1) != 1 {
								bad.Add(1)
							}
						}
						for _, i := range got {
							hands[i].Add(-1)
							s.ReleaseRecord(i)
						}
					}
				})
			}
			join(t, s, &wg)
			if n := bad.Load(); n != 0 {
				t.Errorf("%d times a slot was in two hands; %s", n, s.state())
			}
			checkHome(t, s)
		})
	}
}

// With one processor and without asynchronous preemption, a loop that waits
// for another goroutine and never yields would hang for ever, and so would a
// garbage collection that asks it to stop.
func TestProgressWithoutPreemption(t *testing.T) {
	const key = "KRING_SLAB_NO_PREEMPTION"
	if os.Getenv(key) != "" {
		var stop atomic.Bool
		var wg sync.WaitGroup
		wg.Go(func() {
			for !stop.Load() {
				runtime.GC()
				runtime.Gosched()
			}
		})
		stress(t, newAt(2*24, 24, math.MaxUint32), 4, 4000)
		stop.Store(true)
		join(t, New(1, 1), &wg)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProgressWithoutPreemption$")
	cmd.Env = append(os.Environ(), key+"=1", "GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("child without preemption: %v\n%s", err, out)
	}
}
