package accum

import (
	"testing"
	"time"
)

// TestEndLinger: a batch that nobody may wait for is due, and open until the
// sender comes; the life of the batch after it lingers again. The lives are
// those around the wrap of gen.
func TestEndLinger(t *testing.T) {
	a, parts, ready := newTest(t, Config{BatchSize: 4096, BufferMemory: 4096, Linger: time.Hour}, 1)
	p := parts[0]
	if n := len(a.batches); n != 1 {
		t.Fatalf("%d batches, want 1: every life must be of the same", n)
	}
	b := &a.batches[0]
	b.state.store(makeState(genMask-2, 0, 0, 0) | sealedBit)
	lane := runLane(t, nil)
	env := &Env{Now: a.cfg.Clock.Now(), MaxInFlight: 1}
	append1 := func() Ticket {
		t.Helper()
		ticket, err := p.Append(t.Context(), record([]byte("v")), 0)
		if err != nil {
			t.Fatal(err)
		}
		return ticket
	}
	var old Ticket
	for life := range 6 {
		ticket := append1()
		if life > 0 {
			p.EndLinger(old) // by a goroutine that stalled
		}
		if got, why := p.Next(env); got != nil || why != WaitLinger {
			t.Fatalf("life %d: a batch %t, %v: want none, and linger", life, got != nil, why)
		}
		for len(ready) > 0 {
			<-ready
		}
		p.Unmark()
		p.EndLinger(ticket)
		if len(ready) != 1 {
			t.Fatalf("life %d: the sender was not told", life)
		}
		append1()
		got, why := p.Next(env)
		if got != b {
			t.Fatalf("life %d: %v: want the batch", life, why)
		}
		if n := got.Records(); n != 2 {
			t.Errorf("life %d: %d records, want 2: it was open until the sender came", life, n)
		}
		p.Take(got, env)
		p.Drop(got, true)
		got.Finish(Outcome{}, lane)
		old = ticket
	}
	if gen := b.state.load().gen(); gen > 10 {
		t.Errorf("the last life is %d: not behind the wrap", gen)
	}
}
