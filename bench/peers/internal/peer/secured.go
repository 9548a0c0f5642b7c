package peer

import (
	"context"
	"fmt"
	"net"

	"github.com/kring-go/kring/bench"
)

// Dial opens a connection; it is the dialer of every library.
type Dial = func(ctx context.Context, network, address string) (net.Conn, error)

// Secured is the dialer for a cluster that wants TLS or a login; nil: it wants
// neither. Both are done when a connection is handed over, so that one set of
// properties serves every library; the bytes then pass Go's TLS, as with the
// library's own settings.
func Secured(plan *bench.Config) (Dial, error) {
	if !plan.Settings.Secured() {
		return nil, nil
	}
	access, err := plan.Settings.Access()
	if err != nil { // kbench itself could read them: they are of a module that is not here.
		return nil, bench.SkippedError(fmt.Errorf("skipped: %w", err))
	}
	return access.DialContext, nil
}

// Plaintext refuses, as not available, plans for a cluster that wants TLS or a
// login.
func Plaintext(plan *bench.Config) error {
	if plan.Settings.Secured() {
		return bench.SkippedError(fmt.Errorf("skipped: it is not told how to connect with security.protocol=%s", plan.Settings.Props["security.protocol"]))
	}
	return nil
}
