package accum

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring/slab"
	"github.com/kring-go/kring/wire"
)

// stressSender drains partitions as a broker does, one goroutine for all, and
// verifies order, completeness and bytes. With failEvery it sends every so many
// batches twice, so that retries are in the mix.
type stressSender struct {
	t         *testing.T
	lane      *Lane
	ready     readyChan
	env       Env
	next      [][]uint64 // next[partition][writer]
	seen      atomic.Int64
	failEvery int
	batches   int
}

func (s *stressSender) run(want int64) {
	progress := time.Now()
	for s.seen.Load() < want {
		select {
		case p := <-s.ready:
			p.Unmark()
			progress = time.Now()
			s.drain(p)
		case <-time.After(time.Second):
			if time.Since(progress) > time.Minute {
				s.t.Errorf("stalled: %d of %d records, next %v", s.seen.Load(), want, s.next)
				return
			}
		}
	}
}

// discard comes to batches whose only record was taken back after the last of
// the others had been seen.
func (s *stressSender) discard(parts []*Partition) {
	sealAll(parts)
	for _, p := range parts {
		s.drain(p)
	}
}

func (s *stressSender) drain(p *Partition) {
	for {
		s.env.Now++
		b, w := p.Next(&s.env)
		if w != Go {
			return
		}
		p.Take(b, &s.env)
		b.HoldSocket()
		s.batches++
		if s.failEvery > 0 && s.batches%s.failEvery == 0 {
			p.Requeue(b, s.env.Now)
			b.ReleaseSocket()
			continue
		}
		s.verify(p, b)
		p.Drop(b, true)
		n := int64(b.Records())
		b.Finish(Outcome{BaseOffset: 0, LogAppendTime: -1}, s.lane)
		b.ReleaseSocket()
		s.seen.Add(n)
	}
}

func (s *stressSender) verify(p *Partition, b *Batch) {
	if b.Partition() != p {
		s.t.Errorf("batch of partition %d in partition %d", b.Partition().Index, p.Index)
	}
	for _, v := range values(s.t, b) {
		writer, seq := parseNumbered(s.t, v)
		if want := s.next[p.Index][writer]; seq != want {
			s.t.Errorf("partition %d writer %d: got record %d, want %d", p.Index, writer, seq, want)
		}
		s.next[p.Index][writer] = seq + 1
	}
}

// stressBytes is what the writers of one case write at most, so that cases of
// large records take the race detector no longer than the others.
const stressBytes = 100 << 20

// TestAppendStress: many writers, few slots, every record exactly once, in the
// order of its writer, whole, one completion each; and every slot comes home.
func TestAppendStress(t *testing.T) {
	for _, tc := range []struct {
		name               string
		writers, parts     int
		batch, slots, size int
		linger             time.Duration
		failEvery          int
		packers            int // more than 0: compressed
	}{
		{"one partition", 4, 1, 1024, 8, 40, 0, 0, 0},
		{"two slots", 8, 2, 512, 2, 60, 0, 0, 0},
		{"linger under pressure", 8, 16, 1024, 12, 100, time.Hour, 0, 0},
		{"oversize", 4, 2, 512, 12, 900, 0, 0, 0},
		{"retries", 6, 3, 1024, 16, 50, 0, 7, 0},
		{"tiny batches", 6, 3, 1, 16, 20, 0, 0, 0},
		{"compressed", 6, 3, 1024, 300, 50, 0, 7, 2},
		{"compressed, two slots", 8, 2, 512, 2, 60, 0, 0, 1},
		{"compressed under pressure", 8, 16, 1024, 12, 100, time.Hour, 0, 2},
		{"compressed oversize", 4, 2, 512, 12, 2000, 0, 5, 2},
		{"small slots", 6, 40, 8192, 6, 100, time.Hour, 7, 0},
		{"small and whole slots", 6, 40, 8192, 6, 2500, time.Hour, 0, 0},
		{"small slots and oversize", 6, 20, 8192, 6, 20000, 0, 5, 0},
		{"compressed small slots", 6, 40, 8192, 6, 300, time.Hour, 7, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			per := min(20000, stressBytes/(tc.writers*tc.size))
			if testing.Short() {
				per = min(2000, per)
			}
			cfg := Config{
				BatchSize: tc.batch, Linger: tc.linger,
				BufferMemory: int64(tc.slots * max(tc.batch, minSlot)),
			}
			if tc.packers > 0 {
				cfg = compressed(t, cfg)
			}
			a, parts, ready := newTest(t, cfg, tc.parts)
			runPackers(t, a, tc.packers)
			for i := range a.batches { // near the wrap of gen
				a.batches[i].state.store(makeState(genMask-uint32(i%3), 0, 0, 0) | sealedBit)
			}
			a.small.gen = genMask - 2
			var completed atomic.Int64
			s := &stressSender{
				t: t, ready: ready, failEvery: tc.failEvery, env: Env{MaxInFlight: 1},
				lane: runLane(t, nil), next: make([][]uint64, tc.parts),
			}
			for i := range s.next {
				s.next[i] = make([]uint64, tc.writers)
			}
			done := Completion{Callback: func(d Delivery) {
				if d.Err != nil {
					t.Error(d.Err)
				}
				completed.Add(1)
			}}
			var wg sync.WaitGroup
			for w := range tc.writers {
				wg.Go(func() { writeNumbered(t, a, parts, w, per, tc.size, done) })
			}
			total := int64(tc.writers * per)
			go func() { wg.Wait(); sealAll(parts) }()
			s.run(total)
			wg.Wait()
			s.discard(parts)
			awaitHome(t, a, &completed, total)
			if strings.Contains(tc.name, "small") {
				joinsAgain(t, a)
			}
		})
	}
}

// writeNumbered appends per records, every third time some of them as a run.
// Every other writer has strands of its own.
func writeNumbered(t *testing.T, a *Accumulator, parts []*Partition, w, per, size int, done Completion) {
	rnd := rand.New(rand.NewPCG(uint64(w), 1))
	seqs := make([]uint64, len(parts))
	to := make([]*Strand, len(parts))
	for i, p := range parts {
		if to[i] = &p.Strand; w%2 == 1 {
			to[i] = p.NewStrand()
			defer p.GiveBack(to[i])
		}
	}
	for n := 0; n < per; n++ {
		i := rnd.IntN(len(parts))
		if rnd.IntN(3) == 0 {
			run := make([]Record, 0, MaxRun)
			for k := range min(1+rnd.IntN(MaxRun), per-n) {
				run = append(run, *record(numbered(uint64(w), seqs[i]+uint64(k), 16+rnd.IntN(size))))
				run[k].Done = done
			}
			k := to[i].AppendRun(run)
			seqs[i] += uint64(k)
			if n += k - 1; k > 0 {
				continue
			}
			n++ // this one goes by itself
		}
		r := record(numbered(uint64(w), seqs[i], 16+rnd.IntN(size)))
		r.Done = done
		if w%2 == 1 && rnd.IntN(3) == 0 {
			if k, ok := writeReserved(t, to[i], r, rnd); ok {
				seqs[i] += uint64(k)
				n += k - 1
				continue
			}
		}
		if _, err := to[i].Append(context.Background(), r, time.Minute); err != nil {
			t.Errorf("writer %d: %v (%d slots home, %d wait)", w, err, a.slab.Free(), a.slab.Waiting())
			return
		}
		seqs[i]++
		if rnd.IntN(64) == 0 {
			runtime.Gosched()
		}
	}
}

// writeReserved writes r through a reservation, or takes it back. k is how many
// records were accepted; ok is false where r does not fit a slot.
func writeReserved(t *testing.T, q *Strand, r *Record, rnd *rand.Rand) (k int, ok bool) {
	size := len(r.Value) + rnd.IntN(3)*rnd.IntN(200)
	own := *r
	own.Value, own.Payload = nil, wire.PayloadSizeAround(r.Key, size, r.Headers)
	var x Reserved
	err := q.Reserve(context.Background(), &own, size, time.Minute, &x)
	if errors.Is(err, slab.ErrTooLarge) {
		return 0, false
	}
	if err != nil {
		t.Error(err)
		return 0, false
	}
	copy(x.Value(size), r.Value)
	if rnd.IntN(8) == 0 {
		runtime.Gosched() // somebody seals the batch, maybe
	}
	if rnd.IntN(4) == 0 {
		x.Abort()
		return 0, true
	}
	x.Commit(&own, len(r.Value))
	return 1, true
}

func sealAll(parts []*Partition) {
	for _, p := range parts {
		p.SealOpen()
	}
}

func awaitHome(t *testing.T, a *Accumulator, completed *atomic.Int64, want int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := a.Flush(ctx); err != nil {
		t.Fatalf("flush: %v; %d batches live", err, a.Live())
	}
	if got := completed.Load(); got != want {
		t.Errorf("%d completions, want %d", got, want)
	}
	// Flush ends when the callbacks have run; the slots go home right after.
	for deadline := time.Now().Add(time.Minute); a.slab.Leaked() != 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d slots are not home", a.slab.Leaked())
		}
	}
	if n := a.Live(); n != 0 {
		t.Errorf("Live() = %d at rest", n)
	}
}

// TestHandOver is one record at a time with linger 0: the lone record must
// reach the sender although nothing follows it. A stream would hide a lost
// wake-up behind the next record.
func TestHandOver(t *testing.T) {
	for _, procs := range []int{1, 2, 4, 8} {
		t.Run(fmt.Sprintf("procs=%d", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			_, parts, ready := newTest(t, Config{BatchSize: 512, BufferMemory: 4 * 512}, 1)
			s := &stressSender{
				t: t, ready: ready, env: Env{MaxInFlight: 5},
				lane: runLane(t, nil), next: [][]uint64{make([]uint64, 2)},
			}
			n := 20000
			if testing.Short() {
				n = 2000
			}
			acked := make(chan struct{}, 1)
			done := Completion{Callback: func(Delivery) { acked <- struct{}{} }}
			go func() {
				for i := range n {
					r := record(numbered(0, uint64(i), 16))
					r.Done = done
					if _, err := parts[0].Append(context.Background(), r, time.Minute); err != nil {
						t.Error(err)
						return
					}
					<-acked
				}
			}()
			s.run(int64(n))
		})
	}
}
