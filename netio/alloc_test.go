//go:build !race

package netio

import (
	"testing"

	"github.com/kring-go/kring/internal/invariant"
)

func TestNoAllocationPerRequest(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		verifyNoLeaks(t)
		nc, peer := tcpPair(t)
		go echo(peer.conn)
		p := newPinger(t, kind, nc)
		p.roundTrip()
		// The invariants build may allocate.
		if n := testing.AllocsPerRun(500, p.roundTrip); n != 0 && !invariant.Enabled {
			t.Errorf("%v allocations per request, want 0", n)
		}
		p.close()
	})
}
