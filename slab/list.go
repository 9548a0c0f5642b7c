package slab

import "github.com/kring-go/kring/internal/invariant"

// cacheLine is two 64-byte lines, since x86 prefetches the neighbour of a line
// that it fetches.
const cacheLine = 128

// list is the free list: a stack of slots, so that the one that came home last,
// whose bytes are still in the cache, is handed out first.
type list struct {
	words []atomicWord // by slot; the slice never changes

	// pause is called between two atomic steps, so that a test can stop
	// there. It is used only with the tag invariants; nil otherwise.
	pause func(point)

	_    [cacheLine]byte
	head atomicHead // written by every push and pop
	_    [cacheLine - 8]byte
}

// point is a place between two atomic steps.
type point uint8

const (
	afterWalk     point = iota // a popper has followed the list, and not yet done its CAS
	beforeLetGo                // a release has seen which sides are held, and not yet done its CAS
	beforePush                 // a slot is linked, and not yet on the list
	afterPush                  // a slot is on the list, and nobody has looked for waiters
	afterRegister              // a waiter is in the queue, and has not yet tried
	beforeCut                  // a slot is off the list, and its small slots are not yet on theirs
)

// fill puts all the slots on the list, slot 0 on top, and starts at tag.
func (l *list) fill(slots int, tag uint32) {
	l.words = make([]atomicWord, slots)
	below := uint32(noIndex)
	for i := slots - 1; i >= 0; i-- {
		l.words[i].store(makeLink(below, uint32(slots-i)))
		below = uint32(i)
	}
	l.head.u.Store(uint64(makeHead(0, tag)))
}

// take pops slots into dst, by a single CAS, and returns how many: as many as
// dst has room for or the list holds, but none if those are fewer than least.
func (l *list) take(dst []uint32, least int) int {
	for {
		h := l.head.load() // L1
		n, at := 0, h.index()
		for n < len(dst) && at != noIndex {
			dst[n] = at
			at = l.words[at].load().below()
			n++
		}
		if invariant.Enabled {
			l.at(afterWalk)
		}
		if n < least || n == 0 {
			// A torn walk can look short. An unchanged head says that this
			// one was not: between the two loads nothing was popped, or the
			// tag would differ, and nothing pushed, or the index would.
			if l.head.load() == h {
				return 0
			}
			continue
		}
		if l.head.cas(h, h.afterPop(at)) { // L2
			return n
		}
	}
}

// above is the link of a slot that is about to lie on top of h. If h is out of
// date the link is wrong, and the CAS that publishes it fails.
func (l *list) above(h head) word {
	if h.index() == noIndex {
		return makeLink(noIndex, 1)
	}
	return makeLink(h.index(), l.words[h.index()].load().depth()+1)
}

// pushLinked puts slot i, which the caller has linked above h, on the list. The
// caller owns the slot until the CAS.
func (l *list) pushLinked(i uint32, h head) {
	if invariant.Enabled {
		l.at(beforePush)
	}
	for !l.head.cas(h, h.afterPush(i)) { // L3
		h = l.head.load()
		l.words[i].store(l.above(h))
	}
}

// push puts slot i on the list. The caller owns it, and no side of it is held.
func (l *list) push(i uint32) {
	h := l.head.load()
	l.words[i].store(l.above(h))
	l.pushLinked(i, h)
}

// free is the number of slots on the list.
func (l *list) free() int {
	for {
		h := l.head.load()
		if h.index() == noIndex {
			return 0
		}
		depth := l.words[h.index()].load().depth()
		if l.head.load() == h {
			return int(depth)
		}
	}
}

// at runs the test's pause, if there is one.
func (l *list) at(p point) {
	if l.pause != nil {
		l.pause(p)
	}
}
