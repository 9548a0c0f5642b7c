package kring

import "github.com/kring-go/kring/internal/goroutine"

// inCallback says that the caller is in a delivery callback or a hook. While none
// runs the dear look is spared.
func (p *Producer) inCallback() bool {
	if p.hooks.calling() {
		return true
	}
	for _, lane := range p.lanes.all {
		if id, busy := lane.Busy(); busy && goroutine.ID() == id {
			return true
		}
	}
	return false
}
