package accum

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestDeadlineStress: writers, packers and a sender at once, with deadlines that
// pass all the time. Every record has one outcome, in the order of its writer;
// it says delivered where the record was sent, and late where it was not.
func TestDeadlineStress(t *testing.T) {
	for _, tc := range []struct {
		name    string
		packers int
		linger  time.Duration
	}{{"plain", 0, 0}, {"linger", 0, time.Millisecond}, {"compressed", 2, 0}} {
		t.Run(tc.name, func(t *testing.T) { stressDeadlines(t, tc.packers, tc.linger) })
	}
}

const stressWriters = 4

func stressDeadlines(t *testing.T, packers int, linger time.Duration) {
	per := 20000
	if testing.Short() {
		per = 3000
	}
	cfg := Config{BatchSize: 1024, BufferMemory: 16 << 10, Linger: linger}
	if packers > 0 {
		cfg = compressed(t, cfg)
	}
	a, parts, _ := newTest(t, cfg, 1)
	p := parts[0]
	runPackers(t, a, packers)
	for i := range a.batches { // near the wrap of gen
		a.batches[i].state.store(makeState(genMask-uint32(i%3), 0, 0, 0) | sealedBit)
	}
	lane := runLane(t, nil)
	var sent [stressWriters][]atomic.Bool
	var next [stressWriters]uint64 // the lane's
	var told, late atomic.Int64
	var wg sync.WaitGroup
	for w := range stressWriters {
		sent[w] = make([]atomic.Bool, per)
		to := &p.Strand
		if w%2 == 1 {
			to = p.NewStrand()
		}
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 3))
			for n := range uint64(per) {
				r := record(numbered(uint64(w), n, 16+rnd.IntN(60)))
				if rnd.IntN(4) > 0 {
					r.Deadline = a.cfg.Clock.Now() + int64(rnd.IntN(400))*int64(time.Microsecond)
				}
				r.Done.Callback = func(d Delivery) {
					if next[w] != n {
						t.Errorf("writer %d: callback of record %d, want %d", w, n, next[w])
					}
					next[w] = n + 1
					if was := sent[w][n].Load(); was != (d.Err == nil) {
						t.Errorf("writer %d: record %d was sent %t, its outcome is %v", w, n, was, d.Err)
					}
					if d.Err != nil {
						late.Add(1)
					}
					told.Add(1)
				}
				if _, err := to.Append(context.Background(), r, time.Minute); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var ended atomic.Bool
	go func() { wg.Wait(); ended.Store(true) }()
	env := &Env{MaxInFlight: 1}
	give := time.Now().Add(time.Minute)
	for total := int64(stressWriters * per); told.Load() < total; {
		if time.Now().After(give) {
			t.Fatalf("stalled: %d of %d, %s", told.Load(), total, p.Debug())
		}
		if ended.Load() {
			p.SealOpen()
		}
		stressTurn(t, p, env, lane, sent[:])
	}
	wg.Wait()
	for a.Live() > 0 { // the last callback has run, its batch is on its way home
		stressTurn(t, p, env, lane, sent[:])
	}
	if late.Load() == 0 || late.Load() == told.Load() {
		t.Logf("%d of %d were late: this machine tests too little", late.Load(), told.Load())
	}
}

// stressTurn is a turn of the sender.
func stressTurn(t *testing.T, p *Partition, env *Env, lane *Lane, sent [][]atomic.Bool) {
	env.Now = p.acc.cfg.Clock.Now()
	late := Outcome{BaseOffset: -1, LogAppendTime: -1, Err: errLate}
	b, w := p.Next(env)
	sending := w == WaitDeadline
	for x := p.Cull(env.Now, sending); x != nil; x = p.Cull(env.Now, sending) {
		if b == x {
			t.Error("what was to be sent is taken out")
		}
		p.Finish(x, late, lane)
	}
	if sending {
		b, w = p.Next(env)
	}
	if w != Go {
		return
	}
	p.Take(b, env)
	b.HoldSocket()
	for _, v := range values(t, b) {
		writer, n := parseNumbered(t, v)
		if sent[writer][n].Swap(true) {
			t.Errorf("writer %d: record %d is sent twice", writer, n)
		}
	}
	p.Drop(b, true)
	p.Finish(b, Outcome{BaseOffset: 0, LogAppendTime: -1}, lane)
	b.ReleaseSocket()
}
