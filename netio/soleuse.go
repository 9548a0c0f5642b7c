package netio

import (
	"sync/atomic"

	"github.com/kring-go/kring/internal/invariant"
)

// soleUse notices, in builds with the invariants tag, that two goroutines
// drive one Conn at the same time: somebody forgot the role. A Handler may
// call back into the Conn, so the use is lent out while one runs.
type soleUse struct{ state atomic.Uint32 }

const (
	useNone uint32 = iota
	useBusy
	useLent
)

// enter begins a use; leave ends it with what enter returned.
func (u *soleUse) enter() (before uint32) {
	if !invariant.Enabled {
		return useNone
	}
	before = u.state.Swap(useBusy)
	if before == useBusy {
		panic("netio: two goroutines drive one connection")
	}
	return before
}

func (u *soleUse) leave(before uint32) {
	if invariant.Enabled {
		u.state.Store(before)
	}
}

// lend and resume surround the call of a Handler.
func (u *soleUse) lend() {
	if invariant.Enabled {
		u.state.Store(useLent)
	}
}

func (u *soleUse) resume() {
	if invariant.Enabled {
		u.state.Store(useBusy)
	}
}
