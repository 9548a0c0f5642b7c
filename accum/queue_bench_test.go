package accum

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/kring-go/kring/ring"
	"github.com/kring-go/kring/wire"
)

// The queue of a partition's batches could be a bounded ring of batch indices
// instead of the chain; docs/adr/0001 says why it is not. This benchmark
// measures what either costs: a batch that was rolled over to, and later taken
// out at the other end. Both move the open word, as both designs must.
//
//	go test ./accum -run XXX -bench BatchQueue -count 10

// benchBatches is buffer.memory over batch.size by default: every queue must
// be able to hold all of them, or a partition could not have all the memory.
const benchBatches = 32 << 20 / (16 << 10)

// batchQueue is what the benchmark drives. push is called by one goroutine at a
// time, pop by one at a time.
type batchQueue interface {
	push(index uint32)
	pop() (index uint32, ok bool)
}

// chainQueue is the queue as it is.
type chainQueue struct {
	p    *Partition
	open word // what push left
	gen  uint32
}

func (q *chainQueue) push(index uint32) {
	b := &q.p.acc.batches[index]
	q.gen = (b.state.load().gen() + 1) & genMask
	b.link.store(emptyLink(q.gen))
	b.state.store(makeState(q.gen, wire.BatchHeaderSize, 1, 0) | sealedBit)
	self := makeWord(q.gen, index)
	for !q.p.install(q.open, self) {
		q.open = noBatch // the last batch was taken, so its link is closed
		for w := q.p.open.load(); !w.empty(); w = q.p.open.load() {
			q.p.help(w)
		}
	}
	q.open = self
}

func (q *chainQueue) pop() (uint32, bool) {
	b := q.p.Head()
	if b == nil {
		return 0, false
	}
	q.p.advance(b)
	return b.index, true
}

// ringQueue is the alternative: the open word names the batch that callers
// append to, and the ring holds all in order.
type ringQueue struct {
	batches []Batch
	open    wordCell
	ring    *ring.Ring[uint32]
}

func (q *ringQueue) push(index uint32) {
	b := &q.batches[index]
	gen := (b.state.load().gen() + 1) & genMask
	b.state.store(makeState(gen, wire.BatchHeaderSize, 1, 0) | sealedBit)
	q.open.cas(q.open.load(), makeWord(gen, index))
	if !q.ring.TryPush(index) {
		panic("ring: full, though it has room for every batch")
	}
}

func (q *ringQueue) pop() (uint32, bool) { return q.ring.TryPop() }

func newChainQueue(tb testing.TB) batchQueue {
	a, parts, _ := newTest(tb, Config{BatchSize: 16 << 10, BufferMemory: 32 << 20}, 1)
	if len(a.batches) != benchBatches {
		tb.Fatalf("%d batches, want %d", len(a.batches), benchBatches)
	}
	return &chainQueue{p: parts[0]}
}

func newRingQueue(tb testing.TB) batchQueue {
	a, _, _ := newTest(tb, Config{BatchSize: 16 << 10, BufferMemory: 32 << 20}, 1)
	return &ringQueue{batches: a.batches, ring: ring.New[uint32](len(a.batches))}
}

func BenchmarkBatchQueue(b *testing.B) {
	for _, impl := range []struct {
		name  string
		make  func(testing.TB) batchQueue
		bytes float64 // of one partition, for its queue
	}{
		{"chain", newChainQueue, chainBytes()},
		{"ring", newRingQueue, ringBytes()},
	} {
		for _, depth := range []int{1, 8} {
			b.Run(fmt.Sprintf("impl=%s/depth=%d", impl.name, depth), func(b *testing.B) {
				benchQueueAlone(b, impl.make(b), depth)
				b.ReportMetric(impl.bytes, "B/partition")
			})
		}
		b.Run(fmt.Sprintf("impl=%s/cores=2", impl.name), func(b *testing.B) {
			benchQueueAcross(b, impl.make(b))
			b.ReportMetric(impl.bytes, "B/partition")
		})
	}
}

// chainBytes is the chain's part of a Partition without padding: first and the
// sender's head. The links lie in the batches, 8 bytes each, however many
// partitions there are.
func chainBytes() float64 {
	return float64(unsafe.Sizeof(Partition{}.first) + unsafe.Sizeof(Partition{}.head))
}

// ringBytes is what a ring for all batches allocates.
func ringBytes() float64 {
	const n = 64
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	rings := make([]*ring.Ring[uint32], n)
	for i := range rings {
		rings[i] = ring.New[uint32](benchBatches)
	}
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(rings)
	return float64(after.TotalAlloc-before.TotalAlloc) / n
}

// benchQueueAlone keeps depth batches queued: one goes in, one comes out.
func benchQueueAlone(b *testing.B, q batchQueue, depth int) {
	for i := range depth - 1 {
		q.push(uint32(i))
	}
	next := uint32(depth - 1)
	for b.Loop() {
		q.push(next)
		next = (next + 1) % benchBatches
		if _, ok := q.pop(); !ok {
			b.Fatal("the queue is empty after a push")
		}
	}
}

// benchQueueAcross pushes on one goroutine and pops on another, up to half of
// the batches apart.
func benchQueueAcross(b *testing.B, q batchQueue) {
	var taken atomic.Int64
	total := int64(b.N)
	done := make(chan error, 1)
	go func() {
		for n := int64(0); n < total; {
			i, ok := q.pop()
			if !ok {
				runtime.Gosched()
				continue
			}
			if want := uint32(n % benchBatches); i != want {
				done <- fmt.Errorf("batch %d came out, want %d", i, want)
				return
			}
			n++
			taken.Store(n)
		}
		done <- nil
	}()
	for n := range total {
		for n-taken.Load() >= benchBatches/2 {
			if len(done) > 0 {
				b.Fatal(<-done)
			}
			runtime.Gosched()
		}
		q.push(uint32(n % benchBatches))
	}
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

// TestBatchQueues runs the benchmark's queues far enough to see that they work.
func TestBatchQueues(t *testing.T) {
	for _, tc := range []struct {
		name string
		make func(testing.TB) batchQueue
	}{{"chain", newChainQueue}, {"ring", newRingQueue}} {
		t.Run(tc.name, func(t *testing.T) {
			q := tc.make(t)
			next, want := uint32(0), uint32(0)
			for round := range 3 * benchBatches {
				for range 1 + round%5 {
					if next-want < benchBatches {
						q.push(next % benchBatches)
						next++
					}
				}
				for range 1 + round%7 {
					i, ok := q.pop()
					if !ok {
						if next != want {
							t.Fatalf("empty with %d batches inside", next-want)
						}
						break
					}
					if i != want%benchBatches {
						t.Fatalf("batch %d came out, want %d", i, want%benchBatches)
					}
					want++
				}
			}
		})
	}
}
