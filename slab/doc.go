// Package slab is buffer.memory: one arena on the Go heap, cut into slots of
// batch.size, and the queue of those who wait for a slot.
//
//	               Try, Get                        HoldSocket
//	free list ─────────────────► record side held ────────────► both sides held
//	    ▲                               │ ReleaseRecord    ReleaseRecord │ ReleaseSocket
//	    │                               │                  (either first)│
//	    │   nobody waits                ▼                                ▼
//	    ├───────────────────────────── home ◄──────────────── the last side lets go
//	    │                               │ somebody waits
//	    └── what the waiters leave ◄────┴────► the waiter at the head of the queue
//
// A record larger than a slot takes a chain: Get with several indices, all or
// nothing, counted against the same memory. The slots of a chain need not be
// neighbours.
//
// With CutInto, a slot that is home can be cut into small slots, for those who
// need little while memory is scarce, and is joined again when all of these are
// home and whole slots are short (small.go). A small slot has an index of its own
// and is a slot in every other respect.
//
// # Ownership
//
// A slot has two sides. Try and Get hand it out with the record side held. Who
// holds the record side may write its bytes, and may add the socket side
// before the bytes are given to a connection. A slot is home, and may be
// handed out again, only when both sides have let go, in whatever order: a
// batch that expires while its request is still being written must not be
// overwritten by the records of another topic, for no checksum covers the
// topic (CVE-2026-35554).
//
// The bytes of a slot belong to the holders of its sides, and to nobody while
// it is home. Its word says which sides are held; while it is home, the word is
// a link of the free list. The queue of waiters belongs to the mutex.
//
// # Who may call what
//
// Every method may be called by any goroutine. Only Get waits; it parks. The
// mutex is taken by Get when it has to wait, by a release while somebody waits
// (to hand the slot over), by Try and Get when only small slots are left that
// can be joined, and by Close; never otherwise. Under it nothing
// blocks and nothing foreign is called.
//
// # Synchronization
//
//	L1 load head, load words . a walk that may be torn; L2 proves it was not
//	L2 CAS head (pop) ........ counts a tag, so that a stale walk can not
//	                           succeed (ABA); observes L3, hence the bytes
//	L3 CAS head (push) ....... gives the slot, and what was done to it, to L2
//	C1 to C3 ................. count the small slots that are home, small.go
//	S1 CAS word .............. one side goes, the other stays; observed by S2
//	S2 CAS word .............. the last side goes, and the slot is linked:
//	                           exactly one call succeeds
//	W1 gate + 1 .............. a waiter registers, and then tries (L1)
//	W2 load gate ............. a release pushes (L3), and then looks
//	W3 send on ready ......... the grant, written under the mutex; observed by
//	                           the waiter
//
// Go's atomics are sequentially consistent, so of W1-then-L1 and L3-then-W2 at
// least one sees the other: either the waiter finds the slot, or the release
// finds the waiter. Both may happen; the mutex decides who serves.
//
// # Fairness
//
// Waiters are served in the order of their arrival. Only the one at the head
// collects slots, and it keeps what it has until it has all. While anybody
// waits, Try fails and Get queues: nobody overtakes. A release wakes a waiter
// only when that waiter has everything it asked for, so one grant is one
// wake-up. A waiter that gives up puts back what it had collected and serves
// those behind it; one whose grant came first takes the grant.
//
// # Memory
//
// The arena is one make([]byte), which the collector does not scan. Its pages
// are zero and cost nothing until a slot is used for the first time, and the
// free list is a stack, so resident memory follows the peak of slots in use,
// not buffer.memory; it does not shrink again. Beside the arena a slot costs 8
// bytes. The collector counts the whole arena as live heap: with GOGC=100, the
// rest of the program may therefore leave about as much garbage again before a
// cycle starts.
//
// # Misuse
//
// Letting go of a side that is not held, holding the socket side of a slot
// whose record side is not held, and an index outside the slab are errors of
// the caller. They change nothing, so the list can not be corrupted, and
// Misused counts them. With the tag invariants they panic. The tag also fills
// a slot with 0xCC when it comes home and checks the filling when it is handed
// out again, so that a write after the release is found. A release that comes
// after the slot has already been handed to somebody else can not be told from
// the new owner's, with or without the tag.
package slab
