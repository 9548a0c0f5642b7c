// Package netio moves requests and responses over one connection to a broker,
// and decides who may do so. It knows no batch, no topic and no Kafka beyond
// the length and the correlation id of a frame: it takes buffers, and tells a
// Handler what became of them.
//
//	batch complete ──┐
//	caller passes ───┼─► Role ──► turn ─┬─ Begin, Append, Send ─► outbox ── writev ─► socket
//	timer ───────────┤   Enter          │     Handler.Written ◄──┘  ▲                   │
//	Notify ──────────┘   Leave          └─ Poll ── the rest ────────┘                   │
//	  ▲                                     └────────────────────── inbox ◄── read ─────┤
//	  │                                     Handler.Response ◄─ gate ◄┘                 │
//	parked goroutine ◄───────────────────── the runtime's poller ◄── epoll ◄────────────┘
//
// Nothing here waits. A turn is a few non-blocking system calls, and whoever
// has a reason takes it on its own goroutine: the goroutine that completed a
// batch sends it (caller-runs send), and callers that pass by while requests
// are out look for the answers (caller-assisted receive). Only when nobody
// passes by does the parked goroutine learn of an answer from the runtime's
// poller. docs/adr/0003-how-netio-waits.md has the measurements behind this.
//
// # Who may call what
//
//	Role.Enter                         anybody, any time
//	Role.Leave                         the role's holder
//	Conn.InFlight, Pending, Done       anybody, any time
//	every other method of Conn         the holder of the caller's Role
//	Handler                            called by the holder, inside Send, Poll, Close
//	Config.Notify                      called by the Conn's goroutines; must not wait
//	Config.Readable                    called by the parked reader; may keep it
//
// The Role lies beside the Conn and outlives it: the caller keeps one per
// broker, and it guards the caller's own state as well. NewConn starts the
// parked goroutine, which may call Notify at once; so hold the role while
// calling NewConn and storing the Conn.
//
// # A request's life
//
//	        Begin         Send         last byte taken        answer
//	free ─────────► building ───► writing ───────────► waiting ───────────► free
//	CanSend            │             │  Handler.Written    │  Handler.Response
//	                   └─────────────┴─────────────────────┴──► Close: Handler.Failed
//
// A request that expects no answer is free when its last byte is taken. A slot
// is claimed by Begin and given back before Response, Failed or, without an
// answer, Written is called: once, because the entry's phase says who had it.
// Response never comes before Written: an answer to a request that is still
// being written breaks the connection, because its buffers are in use.
//
// # Ownership
//
//   - The buffers given to Append belong to the caller and stay unchanged from
//     Append until Written or Failed.
//   - A response is valid during Handler.Response, then its bytes are
//     overwritten.
//   - The net.Conn belongs to the Conn from NewConn on. Its descriptor is closed
//     by the parked goroutine after Close, when nobody uses the number any more
//     (all use of it is under the role, and Close comes last there), so a
//     number that the system gives out again can not be mistaken for ours.
//   - After an error of Send or Poll the connection is broken: CanSend is false,
//     and the caller calls Close, which fails what is in flight. Close first
//     dispatches answers that have already arrived, because an answer is
//     certain and a failure is not.
//
// # Synchronization
//
//	R1 Role.Enter idle→held .... sees R3: the last holder's writes are visible
//	R2 Role.Enter held→asked ... publishes the caller's news; observed by R5
//	R3 Role.Leave held→idle .... fails if R2 came first
//	R4 Role.Enter sees asked ... R5 is still to come, and a turn after it
//	R5 Role.Leave asked→held ... a turn follows
//	W0 RawConn.Read begins ..... forgets an older edge, then calls W2 once
//	W1 the goroutine wakes ..... consumes the edge
//	W2 Notify .................. Role.Enter: a turn that reads follows
//	W3 read returns EAGAIN ..... what comes later is a new edge
//	B1 bytePipe tail ........... publishes bytes; observed by B2
//	B3 bytePipe head ........... gives room back; observed by B4
//
// The interleavings that these win are told in role.go, parked_linux.go and
// socket_net.go.
//
// # Not promised
//
// No fairness between those who enter a Role: who holds it may take many turns.
// No order between Notify and the data that it announces: it may be spurious.
// No protection from a net.Conn that somebody else closes.
package netio
