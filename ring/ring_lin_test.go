package ring

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

const linMaxCapacity = 4

// linOp is one call: a push of value, or a pop.
type linOp struct {
	pop   bool
	value int
	// strict marks a pop that found nothing although no push overlapped it.
	// Only such a pop has to see an empty queue: doc.go allows a pop to find
	// nothing while a producer stands between claim and publish.
	strict bool
}

// linResult is ok with the popped value, or false for full or empty.
type linResult struct {
	ok    bool
	value int
}

// linState is a queue that can be compared with ==.
type linState struct {
	n      int
	values [linMaxCapacity]int
}

// fifo is the specification: full is never spurious, empty is spurious only
// beside a push.
func fifo(capacity int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return linState{} },
		Step: func(state, input, output any) (bool, any) {
			s, op, res := state.(linState), input.(linOp), output.(linResult)
			switch {
			case !op.pop && !res.ok:
				return s.n == capacity, s
			case !op.pop:
				if s.n == capacity {
					return false, s
				}
				s.values[s.n] = op.value
				s.n++
				return true, s
			case !res.ok:
				return !op.strict || s.n == 0, s
			case s.n == 0 || s.values[0] != res.value:
				return false, s
			}
			copy(s.values[:], s.values[1:])
			s.n--
			s.values[s.n] = 0
			return true, s
		},
		DescribeOperation: func(input, output any) string {
			return fmt.Sprintf("%+v -> %+v", input, output)
		},
	}
}

// record runs producers and one consumer on r and returns what they saw.
func record(r *Ring[int], rnd *rand.Rand, producers, opsEach int) []porcupine.Operation {
	var clock atomic.Int64
	var ready atomic.Int32
	var wg sync.WaitGroup
	histories := make([][]porcupine.Operation, producers+1)
	for client := range histories {
		seed := rnd.Uint64()
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, 1))
			history := make([]porcupine.Operation, 0, opsEach)
			ready.Add(1)
			for ready.Load() < int32(len(histories)) {
				runtime.Gosched()
			}
			for i := range opsEach {
				op := linOp{pop: client == producers, value: client*opsEach + i + 1}
				var res linResult
				call := clock.Add(1)
				if op.pop {
					op.value = 0
					res.value, res.ok = r.TryPop()
				} else {
					res.ok = r.TryPush(op.value)
				}
				history = append(history, porcupine.Operation{
					ClientId: client, Input: op, Call: call, Output: res, Return: clock.Add(1),
				})
				if rnd.IntN(4) == 0 {
					runtime.Gosched()
				}
			}
			histories[client] = history
		})
	}
	wg.Wait()
	var all []porcupine.Operation
	for _, h := range histories {
		all = append(all, h...)
	}
	return markStrict(all)
}

// markStrict marks the pops that found nothing and overlap no push.
func markStrict(history []porcupine.Operation) []porcupine.Operation {
	for i := range history {
		op := history[i].Input.(linOp)
		if !op.pop || history[i].Output.(linResult).ok {
			continue
		}
		op.strict = true
		for _, other := range history {
			if !other.Input.(linOp).pop && other.Call < history[i].Return && history[i].Call < other.Return {
				op.strict = false
			}
		}
		history[i].Input = op
	}
	return history
}

func TestLinearizable(t *testing.T) {
	rnd := newRand(t)
	histories := 20_000
	if testing.Short() {
		histories = 1_000
	}
	strict := 0
	for _, capacity := range []int{1, 2, 3, 4} {
		t.Run(fmt.Sprintf("capacity=%d", capacity), func(t *testing.T) {
			spec := fifo(capacity)
			for n := range histories / 4 {
				start := starts[n%len(starts)].pos - uint64(rnd.IntN(8))
				history := record(newAt[int](capacity, start), rnd, 3, 10)
				for _, op := range history {
					if op.Input.(linOp).strict {
						strict++
					}
				}
				// Unknown, the checker's time-out, counts as a failure.
				if got := porcupine.CheckOperationsTimeout(spec, history, 30*time.Second); got != porcupine.Ok {
					t.Fatalf("history %d from position %d: %s\n%s", n, start, got, describe(history))
				}
			}
		})
	}
	if strict == 0 {
		t.Errorf("no history has a pop that must see an empty ring: the test is too weak")
	}
}

// The specification itself must refuse what it is there to refuse.
func TestSpecificationRefuses(t *testing.T) {
	push := func(v int, ok bool, call int64) porcupine.Operation {
		return porcupine.Operation{Input: linOp{value: v}, Output: linResult{ok: ok}, Call: call, Return: call + 1}
	}
	pop := func(v int, ok bool, call int64) porcupine.Operation {
		return porcupine.Operation{Input: linOp{pop: true}, Output: linResult{ok: ok, value: v}, Call: call, Return: call + 1}
	}
	for _, tc := range []struct {
		name    string
		history []porcupine.Operation
		want    bool
	}{
		{"in order", []porcupine.Operation{push(1, true, 1), push(2, true, 3), pop(1, true, 5), pop(2, true, 7)}, true},
		{"out of order", []porcupine.Operation{push(1, true, 1), push(2, true, 3), pop(2, true, 5)}, false},
		{"twice", []porcupine.Operation{push(1, true, 1), pop(1, true, 3), pop(1, true, 5)}, false},
		{"lost", []porcupine.Operation{push(1, true, 1), pop(0, false, 3)}, false},
		{"spurious full", []porcupine.Operation{push(1, true, 1), push(2, false, 3)}, false},
		{"too many", []porcupine.Operation{push(1, true, 1), push(2, true, 3), push(3, true, 5)}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := porcupine.CheckOperations(fifo(2), markStrict(tc.history)); got != tc.want {
				t.Errorf("linearizable = %t, want %t", got, tc.want)
			}
		})
	}
}

func describe(history []porcupine.Operation) string {
	s := ""
	for _, op := range history {
		s += fmt.Sprintf("client %d [%d,%d] %+v -> %+v\n", op.ClientId, op.Call, op.Return, op.Input, op.Output)
	}
	return s
}
