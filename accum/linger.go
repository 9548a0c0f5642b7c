package accum

import (
	"sync/atomic"

	"github.com/kring-go/kring/ring"
)

// Lingers knows when the open batches have waited long enough. It has one
// entry per partition, not per batch: when the entry fires it looks at the
// batch that is open then. Callers only push a partition that has no entry;
// everything else belongs to the timer's goroutine.
type Lingers struct {
	acc      *Accumulator
	incoming *ring.Ring[*Partition]
	overflow atomic.Bool // incoming was full: look at all partitions
	restart  atomic.Bool // the entries are of another linger
	heap     []lingerEntry
}

type lingerEntry struct {
	due int64
	p   *Partition
}

// lingerRing bounds the partitions that can begin to linger between two ticks
// without a scan of all partitions.
const lingerRing = 4096

// NewLingers makes the timer state of a.
func NewLingers(a *Accumulator) *Lingers {
	return &Lingers{acc: a, incoming: ring.New[*Partition](lingerRing)}
}

// Start is Config.LingerStarted: p.lingering is 1 and p has no entry.
func (l *Lingers) Start(p *Partition) {
	if !l.incoming.TryPush(p) {
		p.lingering.Store(0)
		l.overflow.Store(true)
	}
}

// Restart makes every entry anew, after SetLinger. Then the timer has to fire.
func (l *Lingers) Restart() { l.restart.Store(true) }

// Fire marks every partition ready whose open batch is due at now, and returns
// the time of the next one; 0 if nothing lingers.
func (l *Lingers) Fire(now int64) (next int64) {
	for {
		p, ok := l.incoming.TryPop()
		if !ok {
			break
		}
		l.push(p)
	}
	if l.restart.Load() && l.restart.CompareAndSwap(true, false) {
		for _, e := range l.heap {
			e.p.lingering.Store(0)
		}
		clear(l.heap)
		l.heap = l.heap[:0]
		l.overflow.Store(true)
	}
	if l.overflow.Load() && l.overflow.CompareAndSwap(true, false) {
		for _, p := range l.acc.Partitions() {
			if !p.open.load().empty() && p.lingering.CompareAndSwap(0, 1) {
				l.push(p)
			}
		}
	}
	for len(l.heap) > 0 && l.heap[0].due <= now {
		p := l.heap[0].p
		l.pop()
		l.fire(p, now)
	}
	if len(l.heap) == 0 {
		return 0
	}
	return l.heap[0].due
}

// fire looks at p's open batch. The flag is cleared first: an opener that
// comes after the look then makes its own entry.
func (l *Lingers) fire(p *Partition, now int64) {
	p.lingering.Store(0)
	due, ok := l.due(p)
	switch {
	case !ok:
	case due <= now:
		p.MarkReady()
	case p.lingering.CompareAndSwap(0, 1):
		l.insert(lingerEntry{due, p})
	}
}

// due is when p's open batch has waited long enough.
func (l *Lingers) due(p *Partition) (int64, bool) {
	w := p.open.load()
	if w.empty() || w.closed() {
		return 0, false
	}
	b := &l.acc.batches[w.index()]
	created := b.created.Load()
	if b.state.load().gen() != w.gen() {
		return 0, false // it left meanwhile; its successor's opener comes here
	}
	return created + l.acc.linger.Load(), true
}

func (l *Lingers) push(p *Partition) {
	due, ok := l.due(p)
	if !ok {
		due = 0 // fires at once and clears the flag
	}
	l.insert(lingerEntry{due, p})
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
