package accum

import (
	"sync/atomic"

	"github.com/kring-go/kring/ring"
)

// Lingers knows when the open batches have waited long enough. It has one
// entry per strand, not per batch: when the entry fires it looks at the
// batch that is open then. Callers only push a strand that has no entry;
// everything else belongs to the timer's goroutine.
type Lingers struct {
	acc      *Accumulator
	incoming *ring.Ring[*Strand]
	overflow atomic.Bool // incoming was full: look at all strands
	restart  atomic.Bool // the entries are of another linger
	heap     []lingerEntry
}

type lingerEntry struct {
	due int64
	q   *Strand
}

// lingerRing bounds the strands that can begin to linger between two ticks
// without a scan of all partitions.
const lingerRing = 4096

// NewLingers makes the timer state of a.
func NewLingers(a *Accumulator) *Lingers {
	return &Lingers{acc: a, incoming: ring.New[*Strand](lingerRing)}
}

// Start is Config.LingerStarted: q.lingering is 1 and q has no entry.
func (l *Lingers) Start(q *Strand) {
	if !l.incoming.TryPush(q) {
		q.lingering.Store(0)
		l.overflow.Store(true)
	}
}

// Restart makes every entry anew, after SetLinger. Then the timer has to fire.
func (l *Lingers) Restart() { l.restart.Store(true) }

// Fire marks every partition ready whose open batch is due at now, and returns
// the time of the next one; 0 if nothing lingers.
func (l *Lingers) Fire(now int64) (next int64) {
	for {
		q, ok := l.incoming.TryPop()
		if !ok {
			break
		}
		l.push(q)
	}
	if l.restart.Load() && l.restart.CompareAndSwap(true, false) {
		for _, e := range l.heap {
			e.q.lingering.Store(0)
		}
		clear(l.heap)
		l.heap = l.heap[:0]
		l.overflow.Store(true)
	}
	if l.overflow.Load() && l.overflow.CompareAndSwap(true, false) {
		for _, p := range l.acc.Partitions() {
			p.each(func(q *Strand) bool {
				if !q.open.load().empty() && q.lingering.CompareAndSwap(0, 1) {
					l.push(q)
				}
				return true
			})
		}
	}
	for len(l.heap) > 0 && l.heap[0].due <= now {
		q := l.heap[0].q
		l.pop()
		l.fire(q, now)
	}
	if len(l.heap) == 0 {
		return 0
	}
	return l.heap[0].due
}

// fire looks at q's open batch. The flag is cleared first: an opener that
// comes after the look then makes its own entry.
func (l *Lingers) fire(q *Strand, now int64) {
	q.lingering.Store(0)
	due, ok := l.due(q)
	switch {
	case !ok:
	case due <= now:
		q.p.MarkReady()
	case q.lingering.CompareAndSwap(0, 1):
		l.insert(lingerEntry{due, q})
	}
}

// due is when q's open batch has waited long enough.
func (l *Lingers) due(q *Strand) (int64, bool) {
	w := q.open.load()
	if w.empty() || w.closed() {
		return 0, false
	}
	b := l.acc.batch(w.index())
	created := b.created.Load()
	if b.state.load().gen() != w.gen() {
		return 0, false // it left meanwhile; its successor's opener comes here
	}
	return created + int64(q.p.Linger()), true
}

func (l *Lingers) push(q *Strand) {
	due, ok := l.due(q)
	if !ok {
		due = 0 // fires at once and clears the flag
	}
	l.insert(lingerEntry{due, q})
}

// insert and pop keep heap a binary min-heap by due. It is written out because
// container/heap would box every entry.
func (l *Lingers) insert(e lingerEntry) {
	h := append(l.heap, e)
	i := len(h) - 1
	for i > 0 && h[(i-1)/2].due > h[i].due {
		h[i], h[(i-1)/2] = h[(i-1)/2], h[i]
		i = (i - 1) / 2
	}
	l.heap = h
}

func (l *Lingers) pop() {
	h := l.heap
	n := len(h) - 1
	h[0], h[n] = h[n], lingerEntry{}
	h = h[:n]
	for i := 0; ; {
		c := 2*i + 1
		if c >= n {
			break
		}
		if c+1 < n && h[c+1].due < h[c].due {
			c++
		}
		if h[i].due <= h[c].due {
			break
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
	l.heap = h
}
