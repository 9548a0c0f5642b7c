package slab

import (
	"math"
	"sync/atomic"
)

// noIndex is the index of no slot: the end of the list.
const noIndex = math.MaxUint32

// head is the top of the free list in one word, so that a single CAS moves it:
//
//	 63             32 31              0
//	+-----------------+-----------------+
//	|       tag       |    index + 1    |
//	+-----------------+-----------------+
//
// The low half is 0 for an empty list, which makes the zero head empty. tag
// counts pops. It defeats ABA: a popper that stalls between its walk and its
// CAS can only be fooled by a multiple of 2^32 pops in the meantime.
type head uint64

func makeHead(index, tag uint32) head {
	return head(tag)<<32 | head(index+1) // noIndex + 1 wraps to 0
}

func (h head) index() uint32 { return uint32(h) - 1 }
func (h head) tag() uint32   { return uint32(h >> 32) }

// afterPop is the head once the slots above next are taken. The tag moves by
// one, however many they are: they go in one CAS.
func (h head) afterPop(next uint32) head { return makeHead(next, h.tag()+1) }

// afterPush keeps the tag: a slot can only be pushed again after a pop, and
// that one has moved the tag.
func (h head) afterPush(index uint32) head { return makeHead(index, h.tag()) }

// atomicHead is the shared cell of a head. Zero is an empty list.
type atomicHead struct{ u atomic.Uint64 }

func (a *atomicHead) load() head             { return head(a.u.Load()) }
func (a *atomicHead) cas(from, to head) bool { return a.u.CompareAndSwap(uint64(from), uint64(to)) }
