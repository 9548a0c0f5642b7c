package slab

import (
	"fmt"

	"github.com/kring-go/kring/internal/invariant"
)

// The sides of a slot that are held, in the upper bits of its word:
//
//	home ──Try, Get──► record ──HoldSocket──► record, socket
//	  ▲                 │  ▲                    │        │
//	  ├──ReleaseRecord──┘  └────ReleaseSocket───┘        │
//	  └──ReleaseSocket── socket ◄────────ReleaseRecord───┘

// HoldSocket adds the socket side to a slot. The caller holds the record side,
// and the socket side is not held: a request that is sent again waits until
// the connection of the first one has let go.
func (s *Slab) HoldSocket(i uint32) {
	l, at, ok := s.of(i)
	if !ok || !l.words[at].cas(recordSide, bothSides) {
		s.misuse("HoldSocket", i)
	}
}

// ReleaseSocket lets go of the socket side of a slot: no connection will read
// its bytes again.
func (s *Slab) ReleaseSocket(i uint32) {
	s.release("ReleaseSocket", i, socketSide)
}

// ReleaseRecord lets go of the record side of a slot: its batch is complete.
func (s *Slab) ReleaseRecord(i uint32) {
	s.release("ReleaseRecord", i, recordSide)
}

// release lets go of one side, and brings the slot home if it was the last.
// Each step away from "held" is a CAS, so of two goroutines that let go of the
// same side only one succeeds; the other finds that it is not held.
func (s *Slab) release(method string, i uint32, side word) {
	l, at, ok := s.of(i)
	if !ok {
		s.misuse(method, i)
		return
	}
	for {
		held := l.words[at].load()
		if invariant.Enabled {
			s.list.at(beforeLetGo)
		}
		switch {
		case held&side == 0:
			s.misuse(method, i)
			return
		case held != side:
			if l.words[at].cas(held, held&^side) { // S1
				return
			}
		default:
			h := l.head.load()
			if l.words[at].cas(held, l.above(h)) { // S2
				s.goHome(l, at, i, h)
				return
			}
		}
	}
}

// goHome takes over slot i, which no side holds any more and which is linked
// above h: it is slot at of l.
func (s *Slab) goHome(l *list, at, i uint32, h head) {
	if invariant.Enabled {
		s.poison(i)
	}
	if l == &s.small.list {
		s.small.comesHome(at)
	}
	l.pushLinked(at, h)
	s.wakeWaiters()
}

// holdRecord marks slots as handed out. The caller has popped them.
func (s *Slab) holdRecord(slots []uint32) {
	for _, i := range slots {
		l, at, _ := s.of(i)
		before := l.words[at].swap(recordSide)
		if invariant.Enabled {
			s.checkHome(i, before)
		}
	}
}

// of is the list that slot i lies on while it is home, and its index there.
func (s *Slab) of(i uint32) (l *list, at uint32, ok bool) {
	slots := uint32(len(s.list.words))
	if i < slots {
		return &s.list, i, true
	}
	i -= slots
	return &s.small.list, i, uint64(i) < uint64(len(s.small.list.words))
}

// misuse counts a call that broke the rules of doc.go.
func (s *Slab) misuse(method string, i uint32) {
	if invariant.Enabled {
		held := "outside the slab"
		if l, at, ok := s.of(i); ok {
			held = fmt.Sprintf("with sides %02b held", l.words[at].load()>>62)
		}
		panic(fmt.Sprintf("slab: %s of slot %d, %s", method, i, held))
	}
	s.misused.Add(1)
}

// Misused counts the calls that let go of a side that was not held, held the
// socket side of a slot whose record side was not, or named no slot. They
// changed nothing. Any other figure than 0 is a bug of the caller.
func (s *Slab) Misused() uint64 {
	return s.misused.Load()
}
