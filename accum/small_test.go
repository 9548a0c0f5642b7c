package accum

import (
	"context"
	"testing"
	"time"

	"github.com/kring-go/kring/wire"
)

// joinsAgain is for the end of a test that has used small slots.
func joinsAgain(t *testing.T, a *Accumulator) {
	t.Helper()
	lives := 0
	a.everyBatch(len(a.batches), func(b *Batch) bool {
		lives += int((b.state.load().gen() - a.small.gen) & genMask)
		return true
	})
	if lives == 0 {
		t.Error("no small slot was used")
	}
	all := make([]uint32, a.slab.Slots())
	if !a.slab.Try(all) {
		t.Fatal("at rest, not every slot is whole")
	}
	for _, i := range all {
		a.slab.ReleaseRecord(i)
	}
}

// openIn appends a record of n bytes to q, which opens a batch, and returns it.
func openIn(t *testing.T, q *Strand, n int) *Batch {
	t.Helper()
	ticket, err := q.Append(context.Background(), record(make([]byte, n)), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return q.acc.batch(word(ticket).index())
}

// TestSmallSlotsWhereMemoryIsScarce follows one strand after the other: slots are
// whole as long as half of the memory is free, and then small for those whose
// last batch was, until one of them fills batch after batch.
func TestSmallSlotsWhereMemoryIsScarce(t *testing.T) {
	const slots, small = 12, 1024
	a, parts, _ := newTest(t, Config{BatchSize: small * perSlot, BufferMemory: slots * small * perSlot, Linger: time.Hour}, 20)
	for i, p := range parts {
		b := openIn(t, &p.Strand, 10)
		if want := i > slots/2; (len(b.buf) == small) != want {
			t.Errorf("partition %d, with %d bytes free: a slot of %d bytes", i, a.slab.FreeBytes(), len(b.buf))
		}
	}
	busy := &parts[19].Strand
	lane := runLane(t, nil)
	env := Env{MaxInFlight: 100}
	for n := range fullsToGrow + 2 {
		b := openIn(t, busy, small-80) // does not fit beside the last one
		if want := n < fullsToGrow; (len(b.buf) == small) != want {
			t.Errorf("batch %d in a row that was full: a slot of %d bytes; %d whole ones free, fulls %d", n+1, len(b.buf), a.slab.Free(), busy.fill.fulls.Load())
		}
	}
	// Many records fit a whole slot, fewer a small one.
	if b := openIn(t, &parts[18].Strand, small+1); len(b.buf) != small*perSlot {
		t.Errorf("a record of %d bytes in a slot of %d", small+1, len(b.buf))
	}
	for _, p := range parts {
		for now := int64(time.Hour); ; {
			b, w := p.Next(&Env{MaxInFlight: env.MaxInFlight, Now: now + a.cfg.Clock.Now()})
			if w == WaitInFlight { // the first one goes alone
				t.Fatal("in flight")
			}
			if b == nil {
				break
			}
			if n, most := b.Size(), len(b.buf); n > most {
				t.Errorf("a batch of %d bytes in a slot of %d", n, most)
			}
			p.Take(b, &env)
			p.Drop(b, true)
			b.Finish(Outcome{}, lane)
		}
	}
	joinsAgain(t, a)
}

// TestLeftover: a strand with large batches takes a small slot that is home
// rather than to wait for a whole one.
func TestLeftover(t *testing.T) {
	const small = 1024
	a, parts, _ := newTest(t, Config{BatchSize: small * perSlot, BufferMemory: 3 * small * perSlot, Linger: time.Hour}, 5)
	for _, p := range parts[:2] {
		if b := openIn(t, &p.Strand, 10); len(b.buf) == small {
			t.Fatal("a small slot, and half of the memory is free")
		}
	}
	if b := openIn(t, &parts[2].Strand, 10); len(b.buf) != small {
		t.Fatal("a whole slot, and more than half of the memory is in use")
	}
	parts[3].fill.last.Store(small + 1) // its batches are large
	if b := openIn(t, &parts[3].Strand, 10); len(b.buf) != small {
		t.Fatal("no small slot, and no whole one is left")
	}
	r := record(make([]byte, 2*small))
	if _, err := parts[4].Append(context.Background(), r, 0); err == nil {
		t.Error("a record of two small slots was accepted, and no whole one is left")
	}
	if _, total := wire.RecordSize(r.Payload, 0, 0); total <= small {
		t.Fatalf("%d bytes", total)
	}
	if a.slab.Leaked() != 4 {
		t.Errorf("%d slots are out, want 4", a.slab.Leaked())
	}
}

// TestFlushSeesSmallBatches: a Flush waits for what lies in small slots.
func TestFlushSeesSmallBatches(t *testing.T) {
	const small = 1024
	a, parts, _ := newTest(t, Config{BatchSize: small * perSlot, BufferMemory: 3 * small * perSlot, Linger: time.Hour}, 3)
	openIn(t, &parts[0].Strand, 10)
	openIn(t, &parts[1].Strand, 10)
	if b := openIn(t, &parts[2].Strand, 10); len(b.buf) != small {
		t.Fatal("the third batch is not small")
	}
	lane, env := runLane(t, nil), Env{MaxInFlight: 5}
	end := func(p *Partition) {
		p.SealOpen()
		b, w := p.Next(&env)
		if b == nil {
			t.Fatal(w)
		}
		p.Take(b, &env)
		p.Drop(b, true)
		b.Finish(Outcome{}, lane)
	}
	end(parts[0])
	end(parts[1])
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Flush(ctx); err == nil {
		t.Error("Flush did not wait for the batch in a small slot")
	}
	end(parts[2])
	if err := a.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	joinsAgain(t, a)
}

// TestLargeBatchesStayWhole: what a strand's last batch held decides, also when
// it has been taken; and a batch in a small slot holds as many records as fit.
func TestLargeBatchesStayWhole(t *testing.T) {
	const small = 1024
	a, parts, _ := newTest(t, Config{BatchSize: small * perSlot, BufferMemory: 6 * small * perSlot, Linger: time.Hour}, 6)
	lane, env := runLane(t, nil), Env{MaxInFlight: 5}
	openIn(t, &parts[0].Strand, 3*small)
	parts[0].SealOpen()
	b, w := parts[0].Next(&env)
	if b == nil {
		t.Fatal(w)
	}
	parts[0].Take(b, &env)
	for _, p := range parts[1:4] {
		openIn(t, &p.Strand, 3*small)
	}
	if b := openIn(t, &parts[0].Strand, 10); len(b.buf) == small {
		t.Error("a small slot behind a large batch")
	}
	parts[0].Drop(b, true)
	b.Finish(Outcome{}, lane)

	empty := record(nil)
	called := 0
	empty.Done = Completion{Callback: func(Delivery) { called++ }}
	q, n := &parts[5].Strand, 0
	for {
		ticket, err := q.Append(t.Context(), empty, 0)
		if err != nil {
			t.Fatal(err)
		}
		if b == nil || n == 0 {
			b = a.batch(word(ticket).index())
		}
		if b != a.batch(word(ticket).index()) {
			break
		}
		n++
	}
	_, least := wire.RecordSize(empty.Payload, 0, 0)
	if most := (small - wire.BatchHeaderSize) / least; len(b.buf) != small || n < most*3/4 || n > most {
		t.Errorf("%d empty records in a slot of %d bytes, want about %d", n, len(b.buf), most)
	}
	own := NewLane(nil, nil)
	own.Inline()
	parts[5].SealOpen()
	for total := 0; total <= n; {
		b, w := parts[5].Next(&env)
		if b == nil {
			t.Fatal(w)
		}
		parts[5].Take(b, &env)
		parts[5].Drop(b, true)
		total += b.Records()
		b.Finish(Outcome{}, own)
		if called != total {
			t.Fatalf("%d callbacks for %d records", called, total)
		}
	}
}

// TestFewStrandsHaveWholeSlots: where there are slots for all, none is cut,
// however short memory is.
func TestFewStrandsHaveWholeSlots(t *testing.T) {
	const small, slots = 1024, 8
	for _, tc := range []struct {
		parts, writers int
		cut            bool
	}{{slots / crowd, 0, false}, {slots/crowd + 1, 0, true}, {1, slots/crowd - 1, false}, {1, slots / crowd, true}} {
		_, parts, _ := newTest(t, Config{BatchSize: small * perSlot, BufferMemory: slots * small * perSlot, Linger: time.Hour}, tc.parts)
		for range tc.writers {
			parts[0].NewStrand()
		}
		for range slots/2 + 1 {
			openIn(t, &parts[0].Strand, 5*small) // each needs a batch of its own
		}
		last := &parts[len(parts)-1].Strand
		if tc.writers > 0 {
			last = parts[0].ownStrands()[0]
		}
		if last == &parts[0].Strand {
			t.Fatal("a strand that is in use")
		}
		if b := openIn(t, last, 10); (len(b.buf) == small) != tc.cut {
			t.Errorf("%d partitions and %d more strands for %d slots, a slot of %d bytes", tc.parts, tc.writers, slots, len(b.buf))
		}
	}
}
