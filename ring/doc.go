// Package ring is the hand-off from many goroutines to one: a bounded
// first-in-first-out queue of small values (batches, partition indices).
//
//	producer ─┐  TryPush              TryPop
//	producer ─┼────────► [slots] ────────────► consumer (one at a time)
//	producer ─┘   tail ▲          ▲ head
//
// Both ends never wait. Positions are 64-bit numbers that only grow, and they
// may wrap: every comparison is a difference. index = position & mask.
//
// # Ownership
//
// A slot belongs to one side at a time, and its seq says to which. For the
// slot of position pos:
//
//	seq == pos      free       owned by the producer that claims pos
//	seq == pos+1    published  owned by the consumer
//	seq <  pos      not free   the consumer has not yet made room for pos
//	seq >  pos      claimed by another producer; our view of tail is old
//
// A producer claims pos by moving tail with a CAS. The consumer, having taken
// pos, frees position pos+capacity, which lies in the same slot only if the
// capacity is a power of two; so any capacity is exact, although the number
// of slots is rounded up.
//
// # Synchronization
//
//	P1 load seq ........ sees C3, so the consumer is done with the slot
//	P2 CAS tail ........ pos is ours alone; the order of claims is the order
//	                     of the queue
//	P3 store seq=pos+1 . publishes the value; observed by C1
//	C1 load seq ........ sees P3, so the value is completely written
//	C2 store head ...... for Len; before C3, so that tail-head never exceeds
//	                     the capacity
//	C3 store seq ....... makes room for pos+capacity; observed by P1
//
// # What is promised, and what is not
//
// TryPush may be called by any number of goroutines. It returns false only if
// the ring was full at some moment of the call: capacity values were claimed
// and not yet taken. It is never spuriously full.
//
// TryPop must not run concurrently with itself, and whoever calls it next must
// have been told so by the one before (a role, a mutex, a channel). It returns
// false if the value at the head is not yet published. That is so when the
// ring is empty, and also while a producer stands between P2 and P3: values
// behind it, although their TryPush has returned true, wait for it. The ring
// as a whole is therefore not lock-free: a producer that stalls there holds
// back the consumer of this one ring, though no other producer until the ring
// is full. The consumer must not spin on it. It goes away, and the producer,
// whose value is visible as soon as TryPush returns, has to wake it: publish
// first, then notify.
//
// A producer can not fail between P2 and P3: the code between the two is one
// assignment.
package ring
