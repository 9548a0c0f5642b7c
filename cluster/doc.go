// Package cluster is the control plane: it finds the brokers of a cluster and
// asks them what the hot path must know before it can send a record.
//
// It speaks over plain blocking net.Conn and leaves the messages to kmsg,
// because nothing here runs once per record. Speed is no concern; surviving a
// broker that is dead, slow, old, or lying is.
//
//	                       Client (one control link, shared)
//	                      ┌───────────────────────────────────────────┐
//	metadata goroutine ──►│ Metadata        pass: try nodes in turn   │
//	producer-id gorout. ─►│ InitProducerID    │                       │
//	                      │                   ▼                       │
//	                      │ nodes: known brokers ◄─► bootstrap list   │
//	                      └───────────────────┬───────────────────────┘
//	broker's sender ────► Connect ◄───────────┘
//	                        │ resolve → TCP → Handshake → ApiVersions
//	                        ▼
//	                      Link ── Request (control)
//	                        └──── Detach  (the hot path takes the net.Conn)
//	transactions ───────► Coordinator: FindCoordinator by a pass, then a Link
//	                      of its own to that broker, found again when it moves
//
// # From bytes to a response
//
//	conn ─► readFrame ─► header ─► shape walk ─► kmsg ─► convert
//	        length and   id        every count   copies  only what makes
//	        growth       matches   and length    values  sense is kept
//	        bounded                fits
//
// kmsg trusts a count of tagged fields (a broker that claims 2^32 of them
// keeps it busy for minutes) and allocates a whole array from its claimed
// length. So no byte reaches it before the shape walk has shown that every
// count and length of the message fits the bytes that were received. A
// response whose layout is not in shapes.go or coordinator_shapes.go is refused. Bytes that follow a
// complete response are ignored: a newer broker may append to a message what
// this client does not know.
//
// # Ownership
//
// A Link belongs to whoever got it from Connect. Request may be called from
// several goroutines; requests take turns. Any error of Request other than a
// context that ended before its turn closes the link, since nobody can tell
// which response would come next. Detach ends the Link and hands its net.Conn,
// with no byte read ahead, to the caller.
//
// A Client is safe for concurrent use. Everything in it that changes belongs
// to the holder of its turn (Client.turn), a semaphore instead of a mutex so
// that waiting for it ends with the caller's context. A pass holds the turn
// while it dials or waits for an answer and gives it up while it backs off.
//
// # When a call ends
//
// Metadata makes one pass: it tries every known broker at most once, waiting
// out the backoff of each, then the bootstrap list, and then reports what it
// tried. InitProducerID repeats passes until its context ends, because there
// is nothing a producer could do without the id. A caller may repeat either at
// once: the failures are remembered, so repeating waits and never spins.
//
// # Which cluster
//
// Addresses pass from one cluster to another, and records must not. The id of
// the cluster is what identity compares, on every connection and before
// anything that could change something there is sent.
//
// # Trust
//
// Nothing that a broker sends is believed: see convert for metadata, usableID
// for producer ids, Versions for version ranges, and ClampThrottle.
package cluster
