package slab

import "sync/atomic"

// word is the state of one slot. While a side of it is held, it says which:
//
//	 63 62 61                           0
//	+-----+------------------------------+
//	|sides|              0               |
//	+-----+------------------------------+
//
// While it is home, it is a link of the free list:
//
//	 63 62 61           31 30            0
//	+-----+---------------+---------------+
//	|  0  |     depth     |   below + 1   |
//	+-----+---------------+---------------+
//
// below is the slot under it, and depth counts the slots from it down to the
// end. Both are in one word so that letting go of the last side and linking
// the slot is a single CAS.
type word uint64

const (
	recordSide word = 1 << (62 + iota)
	socketSide
)

const bothSides = recordSide | socketSide

// maxSlots is how many slots fit the fields of a word.
const maxSlots = 1<<31 - 1

func makeLink(below, depth uint32) word {
	return word(depth)<<31 | word(below+1) // noIndex + 1 wraps to 0
}

// sides are the sides that are held, none if the slot is home.
func (w word) sides() word { return w & bothSides }

// below and depth are meant for a slot that is home. Of any other slot, they
// say that the list is empty.
func (w word) below() uint32 { return uint32(w&maxSlots) - 1 }
func (w word) depth() uint32 { return uint32(w &^ bothSides >> 31) }

// atomicWord is the cell of a word. While a side is held, the holders write
// it; while it is on the list, nobody does. It is read by any goroutine that
// walks the list with an old head.
type atomicWord struct{ u atomic.Uint64 }

func (a *atomicWord) load() word             { return word(a.u.Load()) }
func (a *atomicWord) store(w word)           { a.u.Store(uint64(w)) }
func (a *atomicWord) swap(w word) word       { return word(a.u.Swap(uint64(w))) }
func (a *atomicWord) cas(from, to word) bool { return a.u.CompareAndSwap(uint64(from), uint64(to)) }
