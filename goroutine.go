package kring

import "github.com/kring-go/kring/internal/goroutine"

// inCallback says that the caller is in a delivery callback. While none runs
// the dear look is spared.
func (p *Producer) inCallback() bool {
	id, busy := p.lane.Busy()
	return busy && goroutine.ID() == id
}
