package accum

import (
	"runtime"
	"sync/atomic"
	"testing"
)

// BenchmarkLane is what it costs, per batch of one record, to call back on the
// lane's goroutine instead of the sender's; docs/adr/0005 has the figures.
//
//	go test ./accum -run XXX -bench Lane -count 10
func BenchmarkLane(b *testing.B) {
	for _, way := range []struct {
		name string
		run  func(b *testing.B, batches []*Batch, called *atomic.Int64, all Callback)
	}{
		{"inline", callInline},
		{"lane", callOnLane},
	} {
		b.Run("on="+way.name, func(b *testing.B) {
			a, parts, _ := newTest(b, Config{BatchSize: 1 << 10, BufferMemory: 1 << 20, AlwaysComplete: true}, 1)
			batches := make([]*Batch, 512)
			r := record(make([]byte, 600)) // a batch has room for one
			for i := range batches {
				if _, err := parts[0].Append(b.Context(), r, 0); err != nil {
					b.Fatal(err)
				}
				parts[0].SealOpen()
				batches[i] = parts[0].Head()
				parts[0].advance(batches[i])
			}
			var called atomic.Int64
			way.run(b, batches, &called, func(Delivery) { called.Add(1) })
			if got := called.Load(); got != int64(b.N) {
				b.Fatalf("%d callbacks, want %d", got, b.N)
			}
			if a.Live() != int64(len(batches)) {
				b.Fatalf("%d live batches, want %d", a.Live(), len(batches))
			}
		})
	}
}

func callInline(b *testing.B, batches []*Batch, _ *atomic.Int64, all Callback) {
	l := NewLane(all, nil)
	b.ResetTimer()
	for i := range b.N {
		l.now, l.next = batches[i%len(batches)], 0
		l.deliver(l.now)
	}
}

// callOnLane pushes as a sender would; a batch is used again only after its
// callback has run.
func callOnLane(b *testing.B, batches []*Batch, called *atomic.Int64, all Callback) {
	l := NewLane(all, nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; n < b.N; {
			batch := l.pop()
			if batch == nil {
				if l.letGo() {
					<-l.token
				}
				continue
			}
			l.now, l.next = batch, 0
			l.deliver(batch)
			n++
		}
	}()
	b.ResetTimer()
	for i := range b.N {
		for int64(i)-called.Load() >= int64(len(batches)) {
			runtime.Gosched()
		}
		l.push(batches[i%len(batches)])
	}
	<-done
}
