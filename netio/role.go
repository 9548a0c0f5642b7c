package netio

import "sync/atomic"

// The states of a Role.
const (
	roleIdle  uint32 = iota // nobody drives the connection
	roleHeld                // somebody does
	roleAsked               // somebody does, and has been asked for another turn
)

// Role decides who drives a connection. It is no lock: nobody waits for it.
// Whoever has news (a finished batch, a readable socket, a timer) publishes it
// and calls Enter. Either the caller now holds the role and takes turns until
// Leave lets it go, or the present holder is told to take one more turn and
// the caller goes on with its own work.
//
//	       Enter: true         Enter: false
//	idle ─────────────► held ─────────────────► asked
//	     ◄─────────────      ◄─────────────────
//	       Leave: true         Leave: false       Enter: false, stays asked
//
// The race to win, with a caller P that has news and the holder H:
//
//	[H] takes its last turn and finds nothing
//	[P] publishes its news
//	[P] Enter: the role is held, so P goes away
//	[H] goes away; the news is stranded
//
// It is won because P's Enter leaves the mark "asked" (R2), and H can only go
// away by a CAS from "held" (R3), which the mark defeats. If H's CAS comes
// first, then P finds "idle" and takes the role itself (R1). A P that finds
// the mark already set (R4) may rely on it: it read the mark before H cleared
// it (R5), so P's news was published before H's next turn began.
//
// What only the holder touches needs no further synchronization: R3 of one
// holder is observed by R1 of the next.
//
// The zero Role is idle. It must not be copied after first use.
type Role struct{ state atomic.Uint32 }

// Enter reports whether the caller now holds the role. If it does, the caller
// must take a turn and then call Leave; if not, the present holder will take
// another turn after this call began. Any goroutine may call it; it never
// waits.
func (r *Role) Enter() bool {
	for {
		switch r.state.Load() {
		case roleIdle:
			if r.state.CompareAndSwap(roleIdle, roleHeld) { // R1
				return true
			}
		case roleHeld:
			if r.state.CompareAndSwap(roleHeld, roleAsked) { // R2
				return false
			}
		default: // R4
			return false
		}
	}
}

// Leave gives the role up and reports true, or reports false: somebody called
// Enter in the meantime, the caller still holds the role and must take another
// turn. Only the holder may call it.
func (r *Role) Leave() bool {
	if r.state.CompareAndSwap(roleHeld, roleIdle) { // R3
		return true
	}
	// Only the holder changes "asked", so a plain store does.
	r.state.Store(roleHeld) // R5
	return false
}
