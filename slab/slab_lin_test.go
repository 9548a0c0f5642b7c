package slab

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// linOp is one call: Try for n slots, or, if n is 0, the release of slot.
type linOp struct {
	n    int
	slot uint32
}

// linResult is what Try returned, as a set of bits.
type linResult struct {
	ok    bool
	slots uint64
}

// setOfSlots is the specification: the state is the set of the slots that are
// home. Try fails only if there are too few; it never hands out a slot that is
// not home.
func setOfSlots(slots int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return uint64(1)<<slots - 1 },
		Step: func(state, input, output any) (bool, any) {
			home, op, res := state.(uint64), input.(linOp), output.(linResult)
			switch {
			case op.n == 0:
				bit := uint64(1) << op.slot
				return home&bit == 0, home | bit
			case !res.ok:
				return bits.OnesCount64(home) < op.n, home
			}
			whole := bits.OnesCount64(res.slots) == op.n && home&res.slots == res.slots
			return whole, home &^ res.slots
		},
	}
}

// record runs clients on s and returns what they saw.
func record(s *Slab, rnd *rand.Rand, clients, opsEach int) []porcupine.Operation {
	var clock atomic.Int64
	var ready atomic.Int32
	var wg sync.WaitGroup
	histories := make([][]porcupine.Operation, clients)
	for client := range histories {
		seed := rnd.Uint64()
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, 1))
			var held []uint32
			ready.Add(1)
			for ready.Load() < int32(clients) {
				runtime.Gosched()
			}
			for n := 0; n < opsEach || len(held) > 0; n++ {
				var op linOp
				var res linResult
				call := clock.Add(1)
				if n >= opsEach || len(held) > 0 && rnd.IntN(2) == 0 {
					op.slot = held[len(held)-1]
					held = held[:len(held)-1]
					s.ReleaseRecord(op.slot)
				} else {
					op.n = 1 + rnd.IntN(3)
					dst := make([]uint32, op.n)
					if res.ok = s.Try(dst); res.ok {
						held = append(held, dst...)
						for _, i := range dst {
							res.slots |= 1 << i
						}
					}
				}
				histories[client] = append(histories[client], porcupine.Operation{
					ClientId: client, Input: op, Call: call, Output: res, Return: clock.Add(1),
				})
				if rnd.IntN(4) == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	wg.Wait()
	var all []porcupine.Operation
	for _, h := range histories {
		all = append(all, h...)
	}
	return all
}

func TestLinearizable(t *testing.T) {
	rnd := newRand(t)
	histories := 12_000
	if testing.Short() {
		histories = 600
	}
	for _, slots := range []int{2, 3, 4} {
		t.Run(fmt.Sprintf("slots=%d", slots), func(t *testing.T) {
			spec := setOfSlots(slots)
			for n := range histories / 3 {
				s := newAt(int64(slots)*8, 8, math.MaxUint32-uint32(rnd.IntN(10)))
				history := record(s, rnd, 4, 8)
				// Unknown, the checker's time-out, counts as a failure.
				if got := porcupine.CheckOperationsTimeout(spec, history, 30*time.Second); got != porcupine.Ok {
					for _, op := range history {
						t.Logf("client %d [%d,%d] %+v -> %+v", op.ClientId, op.Call, op.Return, op.Input, op.Output)
					}
					t.Fatalf("history %d: %s; %s", n, got, s.state())
				}
				checkHome(t, s)
			}
		})
	}
}

// The specification itself must refuse what it is there to refuse.
func TestSpecificationRefuses(t *testing.T) {
	try := func(n int, slots uint64, call int64) porcupine.Operation {
		return porcupine.Operation{Input: linOp{n: n}, Output: linResult{ok: slots != 0, slots: slots}, Call: call, Return: call + 1}
	}
	release := func(slot uint32, call int64) porcupine.Operation {
		return porcupine.Operation{Input: linOp{slot: slot}, Output: linResult{}, Call: call, Return: call + 1}
	}
	for _, tc := range []struct {
		name    string
		history []porcupine.Operation
		want    bool
	}{
		{"take and release", []porcupine.Operation{try(2, 0b11, 1), release(0, 3), try(1, 0b01, 5)}, true},
		{"slot in two hands", []porcupine.Operation{try(1, 0b01, 1), try(1, 0b01, 3)}, false},
		{"short chain", []porcupine.Operation{try(2, 0b01, 1)}, false},
		{"spurious failure", []porcupine.Operation{try(1, 0b01, 1), try(1, 0, 3)}, false},
		{"slot home twice", []porcupine.Operation{try(1, 0b01, 1), release(0, 3), release(0, 5)}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := porcupine.CheckOperations(setOfSlots(2), tc.history); got != tc.want {
				t.Errorf("linearizable = %t, want %t", got, tc.want)
			}
		})
	}
}
