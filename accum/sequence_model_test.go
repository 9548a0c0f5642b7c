package accum

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
)

// modelBroker is one partition of a Kafka broker as far as idempotence goes:
// it follows the checks of the real one (epoch, the last five batches, the next
// sequence), keeps the log, and never makes a mistake.
type modelBroker struct {
	id     Identity
	last   int64 // last sequence appended under id
	recent []modelBatch
	log    []uint64
}

type modelBatch struct {
	id    Identity
	first int64
	vals  []uint64
	at    int64
	b     *Batch
}

type modelAnswer uint8

const (
	ansOK modelAnswer = iota
	ansDuplicate
	ansOutOfOrder
	ansRetriable // refused for now
	ansAmbiguous // appended, or not: the answer does not say
	ansFatal
	ansTooLarge
)

func (m *modelBroker) append(x modelBatch) modelAnswer {
	for _, r := range m.recent {
		if r.id == x.id && r.first == x.first && len(r.vals) == len(x.vals) {
			return ansDuplicate
		}
	}
	switch {
	case m.id == NoIdentity(): // an unknown producer may begin anywhere
	case x.id.Epoch < m.id.Epoch:
		return ansOutOfOrder
	case x.id != m.id && x.first != 0:
		return ansOutOfOrder
	case x.id == m.id && x.first != m.last+1:
		return ansOutOfOrder
	}
	m.id, m.last = x.id, x.first+int64(len(x.vals))-1
	x.at = int64(len(m.log))
	m.log = append(m.log, x.vals...)
	m.recent = append(m.recent, x)
	if len(m.recent) > 5 {
		m.recent = m.recent[1:]
	}
	return ansOK
}

// model drives the sender side of one partition against a modelBroker with
// every fault that a connection and a broker can have, from one goroutine, so
// that a seed replays exactly.
type model struct {
	t      *testing.T
	rnd    *rand.Rand
	p      *Partition
	broker modelBroker
	id     Identity
	env    Env
	wire   []modelBatch   // sent, not looked at by the broker
	orphan [][]modelBatch // in the sockets of connections that have ended
	back   []modelBatch   // answers on their way
	backAs []modelAnswer
	lane   *Lane // run by the model itself
	next   uint64
	state  map[uint64]string // record: acked, not persisted, possibly persisted
	dates  *dates            // nil: no record has a deadline
}

func (m *model) finish(b *Batch, vals []uint64, as string) {
	for _, v := range vals {
		if old := m.state[v]; old != "" {
			m.t.Fatalf("record %d has two outcomes: %s, %s", v, old, as)
		}
		m.state[v] = as
	}
	if m.dates != nil {
		m.p.Finish(b, Outcome{BaseOffset: -1, LogAppendTime: -1, Err: outcomeText(as)}, m.lane)
	} else {
		b.Finish(Outcome{BaseOffset: -1, LogAppendTime: -1}, m.lane)
	}
	for b := m.lane.pop(); b != nil; b = m.lane.pop() {
		m.lane.complete(b)
	}
}

func (m *model) values(b *Batch) (out []uint64) {
	for _, v := range values(m.t, b) {
		_, seq := parseNumbered(m.t, v)
		out = append(out, seq)
	}
	return out
}

func (m *model) send() {
	m.env.Now++
	m.env.Identity = m.id
	b, w := m.ask()
	if w == WaitBump {
		m.id.Epoch++
		m.env.Identity = m.id
		b, w = m.ask()
	}
	if w != Go {
		return
	}
	m.p.Take(b, &m.env)
	m.dates.taken(m, b)
	b.HoldSocket()
	m.wire = append(m.wire, modelBatch{
		id:    Identity{b.Sender.ProducerID, b.Sender.ProducerEpoch},
		first: b.Sender.Sequence, vals: m.values(b), b: b,
	})
}

// serve lets the broker look at the oldest request.
func (m *model) serve() {
	if len(m.wire) == 0 {
		return
	}
	x := m.wire[0]
	m.wire = m.wire[1:]
	as := ansRetriable
	switch m.rnd.IntN(20) {
	case 0: // refused for now
	case 1:
		as = ansAmbiguous
		m.broker.append(x)
	case 2:
		as = ansAmbiguous
	case 3:
		as = ansFatal
	case 4:
		as = ansTooLarge
	default:
		as = m.broker.append(x)
	}
	m.back, m.backAs = append(m.back, x), append(m.backAs, as)
}

// answer lets the oldest answer arrive.
func (m *model) answer() {
	if len(m.back) == 0 {
		return
	}
	x, as := m.back[0], m.backAs[0]
	m.back, m.backAs = m.back[1:], m.backAs[1:]
	b := x.b
	defer b.ReleaseSocket()
	if b.Sender.Finished {
		m.p.Drop(b, as == ansOK || as == ansDuplicate)
		return
	}
	switch as {
	case ansOK, ansDuplicate:
		m.p.Proven(b)
		m.p.Drop(b, true)
		m.finish(b, x.vals, "acked")
	case ansOutOfOrder:
		if m.p.MustNotRestart(b) {
			m.fail(b, x.vals)
			return
		}
		m.p.SequenceRefused(b, m.env.Now)
	case ansRetriable:
		m.p.Requeue(b, m.env.Now)
	case ansAmbiguous:
		b.Sender.Ambiguous = true
		m.p.Requeue(b, m.env.Now)
	case ansTooLarge:
		if b.Records() > 1 && !b.Sender.Ambiguous {
			if err := m.p.Split(b); err != nil {
				m.t.Fatal(err)
			}
			return
		}
		fallthrough
	case ansFatal:
		m.fail(b, x.vals)
	}
}

func (m *model) fail(b *Batch, vals []uint64) {
	as := "not persisted"
	if b.Sender.Ambiguous {
		as = "possibly persisted"
	}
	m.p.Drop(b, false)
	m.finish(b, vals, as)
}

// reset ends the connection: the broker may have seen some of what was on the
// wire, and none of the answers arrive.
func (m *model) reset() {
	seen := 0
	if len(m.wire) > 0 {
		seen = m.rnd.IntN(len(m.wire) + 1)
	}
	for _, x := range m.wire[:seen] {
		m.broker.append(x)
	}
	m.orphan = append(m.orphan, m.wire[seen:])
	for _, x := range append(m.back, m.wire...) {
		if x.b.Sender.Finished {
			m.p.Drop(x.b, false)
		} else {
			x.b.Sender.Ambiguous, x.b.Sender.Orphaned = true, true
			m.p.Requeue(x.b, m.env.Now)
		}
		x.b.ReleaseSocket()
	}
	m.wire, m.back, m.backAs = nil, nil, nil
}

// late lets the broker look at what lies in an old socket; nobody hears of it.
func (m *model) late() {
	if len(m.orphan) == 0 {
		return
	}
	if c := &m.orphan[m.rnd.IntN(len(m.orphan))]; len(*c) > 0 {
		m.broker.append((*c)[0])
		*c = (*c)[1:]
	}
}

// expire lets the delivery timeout pass for one batch: in flight, waiting for a
// retry, or never sent.
func (m *model) expire() {
	switch all := append(m.back, m.wire...); {
	case len(all) > 0 && m.rnd.IntN(2) == 0:
		if x := all[0]; !x.b.Sender.Finished {
			x.b.Sender.Ambiguous = true
			m.finish(x.b, x.vals, "possibly persisted")
		}
	case m.p.Retrying() != nil:
		b := m.p.Retrying()
		m.fail(b, m.values(b))
	default:
		if b := m.p.Expired(1 << 62); b != nil {
			m.fail(b, m.values(b))
		}
	}
}

func (m *model) produce() {
	for range 1 + m.rnd.IntN(4) {
		r := record(numbered(0, m.next, 16))
		m.dates.date(m, r)
		if _, err := m.p.Append(context.Background(), r, 0); err != nil {
			return // memory is full: the sender must go on first
		}
		m.state[m.next] = ""
		m.next++
	}
}

func (m *model) check() {
	var prev int64 = -1
	seen := make(map[uint64]int)
	for _, v := range m.broker.log {
		seen[v]++
		if int64(v) <= prev {
			m.t.Fatalf("order: %d after %d", v, prev)
		}
		prev = int64(v)
	}
	for v, as := range m.state {
		switch n := seen[v]; {
		case as == "":
			m.t.Fatalf("record %d has no outcome", v)
		case n > 1:
			m.t.Fatalf("record %d is in the log %d times", v, n)
		case as == "acked" && n != 1:
			m.t.Fatalf("record %d was acked and is not in the log", v)
		case as == "not persisted" && n != 0:
			m.t.Fatalf("record %d was reported as not persisted and is in the log", v)
		}
	}
}

// TestSequenceModel is P1, P2, P3, P4 and P5 for one partition under every
// order of faults that the seeds reach.
func TestSequenceModel(t *testing.T) {
	seeds := 4000
	if testing.Short() || raceEnabled { // one goroutine: nothing to race with
		seeds = 400
	}
	for seed := range seeds {
		if !t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { runModel(t, uint64(seed)) }) {
			return
		}
	}
}

func runModel(t *testing.T, seed uint64) {
	a, parts, ready := newTest(t, Config{BatchSize: 130, BufferMemory: 64 * minSlot}, 1)
	m := &model{
		t: t, rnd: rand.New(rand.NewPCG(seed, 0)), p: parts[0], id: Identity{ID: 7},
		broker: modelBroker{id: NoIdentity()},
		env:    Env{Idempotent: true, MaxInFlight: 5},
		state:  make(map[uint64]string),
		lane:   NewLane(nil, nil),
	}
	if seed%2 == 1 { // near the wrap of the 31-bit sequence
		m.p.sender.seq = sequences{id: m.id, next: 1<<31 - 3}
	}
	for range 300 {
		switch n := m.rnd.IntN(42); {
		case n < 12:
			m.produce()
		case n < 24:
			m.send()
		case n < 31:
			m.serve()
		case n < 38:
			m.answer()
		case n == 38:
			m.reset()
		case n > 39:
			m.late()
		default:
			m.expire()
		}
	}
	m.rnd = rand.New(quiet{}) // no more faults: everything must come to an end
	for i := 0; a.Live() > 0; i++ {
		if i > 10000 {
			t.Fatalf("no end: %d live, %d in flight, retry %v, seq %+v", a.Live(), m.p.InFlight(), m.p.Retrying(), m.p.sender.seq)
		}
		m.p.SealOpen()
		m.send()
		m.serve()
		m.answer()
	}
	for len(ready) > 0 {
		<-ready
	}
	m.check()
	if n := a.slab.Leaked(); n != 0 {
		t.Fatalf("%d slots are not home", n)
	}
}

// quiet is a source of random numbers that are all large: the fault-free branch.
type quiet struct{}

func (quiet) Uint64() uint64 { return 1<<64 - 1 }
