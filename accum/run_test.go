package accum

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"
)

// TestAppendRun: as many as fit, in order, with their timestamps and callbacks.
func TestAppendRun(t *testing.T) {
	_, parts, _ := newTest(t, Config{BatchSize: 1024, BufferMemory: 1 << 16, Linger: time.Hour}, 1)
	p := parts[0]
	var tags []uint64
	var stamps []int64
	rs := make([]Record, MaxRun)
	for i := range rs {
		rs[i] = *record(fmt.Appendf(nil, "%02d%050d", i, i))
		rs[i].Done = Completion{Tag: uint64(i), Callback: func(d Delivery) {
			tags, stamps = append(tags, d.Tag), append(stamps, d.Timestamp)
		}}
		rs[i].HasTimestamp, rs[i].TimestampMs = true, 1000+int64(i%3)
	}
	if n := p.AppendRun(rs); n != 0 {
		t.Fatalf("%d records without a batch", n)
	}
	if _, err := p.Append(context.Background(), &rs[0], 0); err != nil {
		t.Fatal(err)
	}
	n := p.AppendRun(rs[1:])
	if n < 10 || n >= MaxRun-1 {
		t.Fatalf("%d records fit", n)
	}
	if p.AppendRun(rs[1+n:]) != 0 {
		t.Error("what does not fit was taken")
	}
	p.Seal(Ticket(p.open.load()))
	b := next(t, p)
	for i, v := range values(t, b) {
		if string(v) != string(rs[i].Value) {
			t.Errorf("record %d is %q", i, v)
		}
	}
	p.Drop(b, true)
	lane := NewLane(nil, nil)
	p.Finish(b, Outcome{BaseOffset: 7, LogAppendTime: -1}, lane)
	lane.complete(lane.pop())
	if len(tags) != n+1 {
		t.Fatalf("%d callbacks, want %d", len(tags), n+1)
	}
	for i := range tags {
		if tags[i] != uint64(i) || stamps[i] != 1000+int64(i%3) {
			t.Errorf("callback %d: tag %d, timestamp %d", i, tags[i], stamps[i])
		}
	}
	if p.AppendRun(rs) != 0 {
		t.Error("a run was appended to a batch that has left")
	}
}

// TestRunHandsOver: a batch is sealed while a run is being written to it. Nothing
// follows, so it is the run's commit that tells the sender.
func TestRunHandsOver(t *testing.T) {
	for _, procs := range []int{2, 4} {
		t.Run(fmt.Sprintf("procs=%d", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			_, parts, ready := newTest(t, Config{BatchSize: 16 << 10, BufferMemory: 1 << 20, Linger: time.Hour}, 1)
			p := parts[0]
			rounds := 5000
			if testing.Short() {
				rounds = 1000
			}
			rs := make([]Record, MaxRun)
			for i := range rs {
				rs[i] = *record(make([]byte, 400))
			}
			env := &Env{MaxInFlight: 1}
			for range rounds {
				if _, err := p.Append(context.Background(), &rs[0], 0); err != nil {
					t.Fatal(err)
				}
				ticket := Ticket(p.open.load())
				ran := make(chan int)
				go func() { ran <- p.AppendRun(rs) }()
				for p.Head().state.load().count() < 2 { // the run is being written, or was a moment ago
					runtime.Gosched()
				}
				p.Seal(ticket)
				want := 1 + <-ran
				select {
				case <-ready:
					p.Unmark()
				case <-time.After(10 * time.Second):
					t.Fatal("nobody told the sender")
				}
				b, w := p.Next(env)
				if w != Go || b.Records() != want {
					t.Fatalf("Next: %v, want %d records", w, want)
				}
				p.Take(b, env)
				p.Drop(b, true)
				b.Finish(Outcome{}, nil)
			}
		})
	}
}

func BenchmarkAppendRun(b *testing.B) {
	for _, n := range []int{1, 4, 32} {
		b.Run(fmt.Sprintf("run=%d", n), func(b *testing.B) {
			a, parts, ready := newTest(b, Config{BatchSize: 16 << 10, BufferMemory: 32 << 20, Linger: time.Hour}, 1)
			p := parts[0]
			lane := NewLane(nil, nil)
			env := &Env{MaxInFlight: 1}
			rs := make([]Record, n)
			for i := range rs {
				rs[i] = *record(make([]byte, 100))
			}
			b.ReportAllocs()
			for i := 0; i < b.N; {
				k := 0
				if n > 1 {
					k = p.AppendRun(rs)
				}
				if k == 0 {
					if _, err := p.Append(context.Background(), &rs[0], 0); err != nil {
						b.Fatal(err)
					}
					k = 1
				}
				i += k
				for len(ready) > 0 {
					(<-ready).Unmark()
					for batch, w := p.Next(env); w == Go; batch, w = p.Next(env) {
						p.Take(batch, env)
						p.Drop(batch, true)
						batch.Finish(Outcome{}, lane)
					}
				}
			}
			_ = a
		})
	}
}
