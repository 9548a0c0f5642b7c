package kring

import (
	"sync/atomic"
	"time"

	"github.com/kring-go/kring/internal/goroutine"
)

// visits lets the goroutine that waits for a broker's answers run the delivery
// callbacks for them. It would only go back to wait, and to wake the completion
// goroutine costs more than most callbacks do (docs/adr/0008 has the figures).
//
// Nobody hears of that broker's answers meanwhile. So a visit that took longer
// than visitTooLong stops visits for visitRest, and while one lasts longer
// than that the timer polls every broker (pollWhileHeldUp).
type visits struct {
	notBefore atomic.Int64 // monotonic ns: no visit until then
	since     atomic.Int64 // when the visit that is under way began; 0: none is
}

const (
	visitTooLong    = time.Millisecond
	visitRest       = 100 * time.Millisecond
	pollWhileHeldUp = time.Millisecond
	// visitTurns bounds how long the callbacks of the first answers wait for
	// the turns of the goroutine that is going to run them.
	visitTurns = 4
)

// heldUp says that a callback keeps a reader from its work.
func (v *visits) heldUp(now int64) bool {
	since := v.since.Load()
	return since != 0 && now-since > int64(visitTooLong)
}

// newReader is what a connection's reader does when there may be something to
// read: a turn, like everybody, and then the callbacks for what it found, if
// nobody is at it.
func (b *broker) newReader() func() {
	p := b.p
	lane := p.lanes.sole()
	if lane == nil {
		return b.kick
	}
	var id uint64 // of the reader's goroutine
	return func() {
		now := p.clock.Now()
		if now < p.visits.notBefore.Load() || !lane.Claim() {
			b.kick()
			return
		}
		if b.role.Enter() {
			b.drive(visitTurns)
		}
		if !lane.Waiting() {
			lane.Release()
			return
		}
		if id == 0 {
			id = goroutine.ID()
		}
		ended := true
		defer func() {
			if ended { // by a callback; the reader's successor is another one
				id = 0
				p.visits.end(p.clock.Now())
			}
		}()
		p.visits.since.Store(now)
		lane.Visit(id)
		p.visits.end(p.clock.Now())
		ended = false
	}
}

// end is called when the visit is over.
func (v *visits) end(now int64) {
	if now-v.since.Load() > int64(visitTooLong) {
		v.notBefore.Store(now + int64(visitRest))
	}
	v.since.Store(0)
}
