package accum

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// dates is what the model knows of deadlines: those of the records, which of them
// were in a request, and whose callbacks have run. A nil *dates has none.
type dates struct {
	due  map[uint64]int64 // 0: none
	sent map[uint64]bool
	told uint64 // records whose callbacks have run: all below it
	out  int    // records that were taken out
	part int    // of those, with others of their batch left
}

// outcomeText is an outcome of the model as an error.
type outcomeText string

func (o outcomeText) Error() string { return string(o) }

const expired = "not persisted" // for the log's sake, the same

// date gives the next record a callback and, maybe, a deadline.
func (d *dates) date(m *model, r *Record) {
	if d == nil {
		return
	}
	v := m.next
	if m.rnd.IntN(3) > 0 {
		r.Deadline = m.env.Now + 1 + int64(m.rnd.IntN(40))
		d.due[v] = r.Deadline
	}
	if m.rnd.IntN(5) == 0 {
		r.HasTimestamp, r.TimestampMs = true, 1000+int64(v)
	}
	r.Done = Completion{Tag: v, Callback: func(got Delivery) {
		switch want := m.state[v]; {
		case got.Tag != v || d.told != v:
			m.t.Fatalf("callback of record %d (tag %d) where that of %d is next", v, got.Tag, d.told)
		case want == "" || got.Err != outcomeText(want):
			m.t.Fatalf("record %d: callback says %v, the model %q", v, got.Err, want)
		case r.HasTimestamp && got.Timestamp != 1000+int64(v):
			m.t.Fatalf("record %d: timestamp %d, of %d", v, got.Timestamp, r.TimestampMs)
		}
		d.told++
	}}
}

// taken checks what is put into a request.
func (d *dates) taken(m *model, b *Batch) {
	if d == nil {
		return
	}
	for _, v := range m.values(b) {
		if due := d.due[v]; b.Sender.Attempts == 1 && due != 0 && due <= m.env.Now {
			m.t.Fatalf("record %d is sent at %d, its deadline was %d", v, m.env.Now, due)
		}
		d.sent[v] = true
	}
}

// ask is Next, with what Next asks for.
func (m *model) ask() (*Batch, Wait) {
	for {
		b, w := m.p.Next(&m.env)
		switch w {
		case WaitDeadline:
			if m.cull(true) == 0 {
				m.t.Fatal("there is nothing to cull")
			}
		case WaitPacking:
			x := <-m.p.acc.packing.waiting
			if m.rnd.IntN(2) == 0 { // it takes longer
				m.p.acc.packing.waiting <- x
				return nil, w
			}
			x.compress()
		default:
			return b, w
		}
	}
}

// cull fails what is late, and says how many batches that were.
func (m *model) cull(sending bool) (n int) {
	for b := m.p.Cull(m.env.Now, sending); b != nil; b = m.p.Cull(m.env.Now, sending) {
		var vals []uint64
		err := b.Salvage(func(_ int, r *Salvaged) {
			_, v := parseNumbered(m.t, r.Value)
			vals = append(vals, v)
			if due := m.dates.due[v]; due == 0 || due > m.env.Now || m.dates.sent[v] || r.Tag != v {
				m.t.Fatalf("record %d (tag %d) is taken out at %d: deadline %d, sent %t", v, r.Tag, m.env.Now, due, m.dates.sent[v])
			}
		})
		if err != nil {
			m.t.Fatal(err)
		}
		m.dates.out += len(vals)
		if b.lent {
			m.dates.part += len(vals)
		}
		m.p.Drop(b, false)
		m.finish(b, vals, expired)
		n++
	}
	return n
}

// TestDeadlineModel: with deadlines, under every order of faults that the seeds
// reach, each record has one outcome; none is first sent after its deadline, and
// none taken out that was sent or is not late; callbacks keep the order of
// acceptance; and what is sent has sequences without a gap.
func TestDeadlineModel(t *testing.T) {
	seeds := 3000
	if testing.Short() || raceEnabled { // one goroutine: nothing to race with
		seeds = 300
	}
	out, part := 0, 0
	for seed := range seeds {
		if !t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			d := runDated(t, uint64(seed))
			out, part = out+d.out, part+d.part
		}) {
			return
		}
	}
	t.Logf("%d taken out, %d of them from among others", out, part)
	if out < seeds || part < seeds {
		t.Errorf("%d records were taken out, %d of them from among others: this tests too little", out, part)
	}
}

func runDated(t *testing.T, seed uint64) *dates {
	cfg := Config{BatchSize: 300, BufferMemory: 64 * minSlot}
	if seed%3 == 0 {
		cfg = compressed(t, cfg)
	}
	a, parts, _ := newTest(t, cfg, 1)
	m := &model{
		t: t, rnd: rand.New(rand.NewPCG(seed, 1)), p: parts[0], id: Identity{ID: 7},
		broker: modelBroker{id: NoIdentity()},
		env:    Env{Idempotent: true, MaxInFlight: 5},
		state:  make(map[uint64]string),
		lane:   NewLane(nil, func(_ string, _ int32, v any) { t.Error(v) }),
		dates:  &dates{due: make(map[uint64]int64), sent: make(map[uint64]bool)},
	}
	if seed%2 == 1 {
		m.p.sender.seq = sequences{id: m.id, next: 1<<31 - 3}
		for i := range a.batches { // near the wrap of the lives, too
			a.batches[i].state.store(makeState(genMask-uint32(i%4), 0, 0, 0) | sealedBit)
		}
	}
	for range 400 {
		switch n := m.rnd.IntN(44); {
		case n < 14:
			m.produce()
		case n < 22:
			m.send()
		case n < 28:
			m.serve()
		case n < 34:
			m.answer()
		case n == 34:
			m.reset()
		case n < 37:
			m.late()
		case n == 37:
			m.expire()
		default:
			m.env.Now += 3
			m.cull(false)
		}
	}
	m.rnd = rand.New(quiet{})
	for i := 0; a.Live() > 0; i++ {
		if i > 10000 {
			t.Fatalf("no end: %d live, %d in flight, retry %v", a.Live(), m.p.InFlight(), m.p.Retrying())
		}
		m.p.SealOpen()
		m.send()
		m.serve()
		m.answer()
	}
	m.check()
	if m.dates.told != m.next {
		t.Fatalf("%d callbacks for %d records", m.dates.told, m.next)
	}
	if n := a.slab.Leaked(); n != 0 {
		t.Fatalf("%d slots are not home", n)
	}
	return m.dates
}
