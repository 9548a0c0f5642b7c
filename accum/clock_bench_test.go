package accum

import "testing"

// BenchmarkTimestamp is what a record's timestamp costs, and an append with
// it; docs/adr/0007 has the figures.
//
//	go test ./accum -run XXX -bench Timestamp -count 10
func BenchmarkTimestamp(b *testing.B) {
	c := NewClock()
	var sum int64
	b.Run("clock=exact", func(b *testing.B) {
		for b.Loop() {
			_, ms := c.Read()
			sum += ms
		}
	})
	b.Run("clock=coarse", func(b *testing.B) {
		for b.Loop() {
			sum += c.CoarseMs()
		}
	})
	for _, way := range []struct {
		name  string
		exact bool
	}{{"exact", true}, {"coarse", false}} {
		b.Run("append="+way.name, func(b *testing.B) { benchAppend(b, way.exact) })
	}
	if sum == 0 {
		b.Fatal("the clock stands at 1970")
	}
}

// benchAppend appends 100-byte records; a full batch is taken and sent home at
// once, which the 150 records of a batch share.
func benchAppend(b *testing.B, exact bool) {
	_, parts, _ := newTest(b, Config{BatchSize: 16 << 10, BufferMemory: 1 << 20, Linger: 1 << 40, ExactTimestamps: exact}, 1)
	p, r := parts[0], record(make([]byte, 100))
	lane := NewLane(nil, nil)
	env := Env{MaxInFlight: 5}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, _ := p.AppendOpen(r); ok {
			continue
		}
		if _, err := p.Append(b.Context(), r, 0); err != nil {
			b.Fatal(err)
		}
		if batch, wait := p.Next(&env); wait == Go {
			p.Take(batch, &env)
			p.Drop(batch, true)
			batch.Finish(Outcome{BaseOffset: -1, LogAppendTime: -1}, lane)
		}
	}
}
