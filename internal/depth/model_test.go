package depth_test

import (
	"math/rand/v2"
	"slices"

	"github.com/kring-go/kring/internal/depth"
)

// Times of the model are nanoseconds.
const (
	us = int64(1_000)
	ms = 1_000 * us
)

// link is the model of doc.go: a pipe and a broker behind it, which serves one
// request at a time.
type link struct {
	delay     int64   // there and back
	sway      float64 // how much of the delay comes and goes
	request   int64   // service time of a request
	record    int64   // and of each record in it
	jitter    float64
	outliers  float64 // share of requests that take twenty times as long
	spells    int64   // mean time between two spells, of a tenth of that, in which all take ten times as long
	capacity  int     // records that one request takes
	stallAt   int64
	stallFor  int64
	replacing []change
}

// change is a step: from at on the link is another one.
type change struct {
	at int64
	to link
}

// load is who sends: an open loop of rate records per second, or callers that
// each send their next record when the last one was answered.
type load struct {
	rate    int
	burst   int // records of the open loop that come at once; 0: one
	callers int
	thinks  int64 // how long a caller takes
}

// flight is one request of the model.
type flight struct {
	mark    depth.Mark
	answer  int64
	records []int64 // when they were produced
}

// bench runs the model with a controller, or with a fixed depth.
type bench struct {
	link    link
	load    load
	fixed   int // 0: the controller decides
	ceiling int
	ctl     depth.Controller
	rng     *rand.Rand

	now      int64
	arrivals []int64 // of callers, by time
	next     int64   // of the open loop
	waiting  []int64
	flying   []flight
	free     int64 // when the broker is
	spell    int64 // begin of the next or current spell

	latencies []int64
	acked     int
	depths    []int // after each answer
	mostOut   int
	probes    int // requests that were in flight beyond the depth
	idle      int // turns that had work and sent nothing with nothing in flight
}

func newBench(l link, w load, fixed int) *bench {
	b := &bench{link: l, load: w, fixed: fixed, ceiling: 5, rng: rand.New(rand.NewPCG(1, 2))}
	if b.link.capacity == 0 {
		b.link.capacity = 1000
	}
	b.ctl.Reset(b.ceiling)
	for i := range w.callers {
		b.arrivals = append(b.arrivals, int64(i))
	}
	return b
}

// run goes on until the given time. measureFrom forgets what came before.
func (b *bench) run(measureFrom, until int64) *bench {
	for {
		at := int64(1 << 62)
		if b.load.rate > 0 {
			at = b.next
		} else if len(b.arrivals) > 0 {
			at = b.arrivals[0]
		}
		if len(b.flying) > 0 && b.flying[0].answer <= at {
			at = b.flying[0].answer
		}
		if at > until {
			return b
		}
		before := b.now
		b.now = at
		if before < measureFrom && at >= measureFrom {
			b.latencies, b.depths, b.acked, b.probes = nil, nil, 0, 0
		}
		b.step()
	}
}

// step is one turn of the sender.
func (b *bench) step() {
	for len(b.flying) > 0 && b.flying[0].answer <= b.now {
		b.answered(b.flying[0])
		b.flying = b.flying[1:]
	}
	for b.load.rate > 0 && b.next <= b.now {
		for range max(b.load.burst, 1) {
			b.waiting = append(b.waiting, b.now)
		}
		mean := int64(max(b.load.burst, 1)) * 1e9 / int64(b.load.rate)
		b.next += max(int64(b.rng.ExpFloat64()*float64(mean)), 1)
	}
	for len(b.arrivals) > 0 && b.arrivals[0] <= b.now {
		b.waiting = append(b.waiting, b.now)
		b.arrivals = b.arrivals[1:]
	}
	for len(b.waiting) > 0 && b.open() {
		b.send()
	}
	if len(b.waiting) > 0 && len(b.flying) == 0 {
		b.idle++
	}
}

func (b *bench) open() bool {
	if b.fixed > 0 {
		return len(b.flying) < b.fixed
	}
	return b.ctl.Open(len(b.flying))
}

func (b *bench) send() {
	l := b.at()
	n := min(len(b.waiting), l.capacity)
	f := flight{records: b.waiting[:n:n]}
	b.waiting = b.waiting[n:]
	service := float64(l.request + int64(n)*l.record)
	service *= 1 - l.jitter + l.jitter*b.rng.ExpFloat64()
	start := max(b.now+int64(float64(l.delay)*(1+l.sway*(2*b.rng.Float64()-1))), b.free)
	if b.rng.Float64() < l.outliers {
		service *= 20
	}
	if l.spells > 0 {
		if start > b.spell+l.spells/10 {
			b.spell = start + int64(b.rng.ExpFloat64()*float64(l.spells))
		}
		if start >= b.spell {
			service *= 10
		}
	}
	if l.stallFor > 0 && start >= l.stallAt && start < l.stallAt+l.stallFor {
		start = l.stallAt + l.stallFor
	}
	b.free = start + int64(service)
	f.answer = b.free
	f.mark = b.ctl.Sent(len(b.flying)+1, b.now)
	b.flying = append(b.flying, f)
	b.mostOut = max(b.mostOut, len(b.flying))
	if len(b.flying) > b.ctl.Depth() {
		b.probes++
	}
	b.ctl.Force(len(b.waiting) > 0)
}

// at is the link as it is now.
func (b *bench) at() link {
	l := b.link
	for _, c := range b.link.replacing {
		if b.now >= c.at {
			l = c.to
		}
	}
	if l.capacity == 0 {
		l.capacity = b.link.capacity
	}
	return l
}

func (b *bench) answered(f flight) {
	b.ctl.Answered(f.mark, f.answer)
	b.depths = append(b.depths, b.ctl.Depth())
	b.acked += len(f.records)
	for _, produced := range f.records {
		b.latencies = append(b.latencies, f.answer-produced)
		if b.load.callers > 0 {
			at := f.answer + 1 + int64(b.rng.ExpFloat64()*float64(b.load.thinks))
			i, _ := slices.BinarySearch(b.arrivals, at)
			b.arrivals = slices.Insert(b.arrivals, i, at)
		}
	}
}

// median is of the latencies of records, in ns.
func (b *bench) median() int64 {
	s := slices.Sorted(slices.Values(b.latencies))
	if len(s) == 0 {
		return 0
	}
	return s[len(s)/2]
}

// share is how much of the answers came while the depth was within lo and hi.
func (b *bench) share(lo, hi int) float64 {
	n := 0
	for _, d := range b.depths {
		if d >= lo && d <= hi {
			n++
		}
	}
	return float64(n) / float64(max(len(b.depths), 1))
}

// turns counts how often the depth changed.
func (b *bench) turns() int {
	n := 0
	for i := 1; i < len(b.depths); i++ {
		if b.depths[i] != b.depths[i-1] {
			n++
		}
	}
	return n
}
