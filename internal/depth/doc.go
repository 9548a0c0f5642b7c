// Package depth decides how many requests may be in flight on one connection
// to a broker. max.in.flight.requests.per.connection is the ceiling; this is
// the habit.
//
// # The model
//
// A broker serves one request of a connection at a time, in order. Between two
// ends lies a pipe that takes d for the way there and back, network and
// wake-ups together, and the broker takes s for the request itself, with the
// followers' answers if acks=all:
//
//	client ──── d/2 ────► │ queue │ ► broker: s ──┐
//	       ◄─── d/2 ──────────────────────────────┘
//
//	T(k) = max(S(k) + d, T(k-1)) + s(k)     S: sent, T: answered
//
// With n requests in flight and always another one waiting, an answer comes
// every g(n) and takes l(n):
//
//	n ≤ x:  g = (d+s)/n   l = d+s     the pipe has room: one more is free
//	n > x:  g = s         l = n·s     the broker is the queue: one more only
//	                                  waits there, x = (d+s)/s
//
// A record waits g/2 for a place in a request, on average, and then l. That sum
// is least near n = x, the depth that just fills the pipe. Less than x leaves
// the broker idle; more than x cuts the same records into more requests, which
// wait at the broker where nobody can add to them. Held back here instead, they
// would have shared a batch.
//
// # The law
//
// base is d+s: the latency of requests that found nothing else in flight. gap
// is the mean time between answers of requests that took the last place; those
// that left places free came when their records came. The quotient of the two
// estimates x: it is exact where the broker is the queue, and n where the pipe
// has room.
//
//	          x ≥ n+1-margin, the extra place paid: n becomes n+1
//	        ┌────────────────────────────────────────────────────┐
//	        ▼            demand, and patience is over            │
//	   hold at n ──────────────────────────────────────────► probe n+1
//	     │  ▲                                                    │
//	     │  └────────────────────────────────────────────────────┘
//	     │         else n stays, and patience doubles
//	     └─► x < n-fall: n becomes x+margin rounded down, n/2 at least
//
//	base is old, nothing was alone for long: two requests go alone (refresh)
//
// What is judged is a window, not a request, and only one in which the depth
// was what limited the connection: where requests are rarely held back there is
// nothing to decide. A probe needs requests that were held back. Its patience
// is counted in windows, and a raise that the next window takes back doubles it
// too, so what never pays is tried less and less. There is no clock but that of
// the requests: without traffic nothing changes.
//
// Force opens the gate to the ceiling while complete batches queue up or memory
// is short: holding back can not fill batches then. What is sent by force may
// raise the depth, since the gap bounds x from below whatever is in flight, but
// never lowers it, since full requests take the broker longer than those that
// base was measured with.
//
// # Ownership
//
// A Controller belongs to the holder of the broker's role, like the connection.
// Nothing here allocates, locks or reads a clock.
package depth
