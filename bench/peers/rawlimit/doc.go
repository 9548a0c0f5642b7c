// Command rawlimit is the least work that any producer can do, so that the
// others' distance from it can be seen. It encodes records into batches of
// 16 KiB by package wire, and writes all that a broker leads with one vectored
// write, up to 5 requests in flight; smaller batches and fewer requests where
// those would not fit into the client's memory. It has no retries, no timeouts,
// no metadata refresh, and it ends with the first error.
//
//	Produce ─► generation (one batch per partition) ─► link.send ─► broker
//	                ▲                                                 │
//	                └───────── reused ◄── done per record ◄── link.receive
//
// # Ownership
//
// Flat out, one goroutine owns everything: it reads an answer only when it needs
// the room. In an open loop a mutex per link guards what is being filled, and a
// goroutine per link reads; an answered generation is that goroutine's until it
// hands it back under the mutex.
package main
