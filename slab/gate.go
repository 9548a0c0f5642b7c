package slab

import "sync/atomic"

// gate tells in one load whether the short way is open:
//
//	 31      30                       0
//	+------+---------------------------+
//	|closed|          waiting          |
//	+------+---------------------------+
//
// waiting counts the waiters in the queue. It is changed under the mutex, in
// the same critical section as the queue, and read by everybody.
type gate uint32

const gateClosed gate = 1 << 31

func (g gate) closed() bool { return g&gateClosed != 0 }
func (g gate) waiting() int { return int(g &^ gateClosed) }

// atomicGate is the shared cell of a gate. Zero is open, with nobody waiting.
type atomicGate struct{ u atomic.Uint32 }

func (a *atomicGate) load() gate { return gate(a.u.Load()) }
func (a *atomicGate) enter()     { a.u.Add(1) }
func (a *atomicGate) leave()     { a.u.Add(^uint32(0)) }
func (a *atomicGate) close()     { a.u.Or(uint32(gateClosed)) }
