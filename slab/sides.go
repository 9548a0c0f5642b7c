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
	if !s.inRange(i) || !s.list.words[i].cas(recordSide, bothSides) {
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
	if !s.inRange(i) {
		s.misuse(method, i)
		return
	}
	for {
		held := s.list.words[i].load()
		if invariant.Enabled {
			s.list.at(beforeLetGo)
		}
		switch {
		case held&side == 0:
			s.misuse(method, i)
			return
		case held != side:
			if s.list.words[i].cas(held, held&^side) { // S1
				return
			}
		default:
			h := s.list.head.load()
			if s.list.words[i].cas(held, s.list.above(h)) { // S2
				s.goHome(i, h)
				return
			}
		}
	}
}

// goHome takes over slot i, which no side holds any more and which is linked
// above h.
func (s *Slab) goHome(i uint32, h head) {
	if invariant.Enabled {
		s.poison(i)
	}
	s.list.pushLinked(i, h)
	s.wakeWaiters()
}

// holdRecord marks slots as handed out. The caller has popped them.
func (s *Slab) holdRecord(slots []uint32) {
	for _, i := range slots {
		before := s.list.words[i].swap(recordSide)
		if invariant.Enabled {
			s.checkHome(i, before)
		}
	}
}

func (s *Slab) inRange(i uint32) bool {
	return uint64(i) < uint64(len(s.list.words))
}

// misuse counts a call that broke the rules of doc.go.
func (s *Slab) misuse(method string, i uint32) {
	if invariant.Enabled {
		held := "outside the slab"
		if s.inRange(i) {
			held = fmt.Sprintf("with sides %02b held", s.list.words[i].load()>>62)
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
