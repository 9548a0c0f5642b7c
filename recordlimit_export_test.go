package kring

import "context"

// RecordsLeft is how many records MaxBufferedRecords lets in at the moment, and
// how many callers wait for one to end.
func (p *Producer) RecordsLeft() (left int64, waiting int32) {
	return p.records.left.Load(), p.records.waiting.Load()
}

// TickMemory is what the timer does now and then.
func (p *Producer) TickMemory() { p.acc.Tick() }

// GivesUpTooLate has a caller give up who was granted a place in that moment, and
// reports how many are left of two: the second is nobody's.
func (p *Producer) GivesUpTooLate() int64 {
	l := &recordLimit{p: p, limit: 2}
	l.left.Store(1)
	l.giveUp(&recordWaiter{make(chan struct{})})
	return l.left.Load()
}

// EntersBesideAPlace has a caller queue although there is a place, as one does
// whose place comes back before it is in the queue.
func (p *Producer) EntersBesideAPlace(ctx context.Context) error {
	l := &recordLimit{p: p, limit: 1}
	l.left.Store(1)
	l.waiting.Store(1) // so that it does not look
	return l.enter(ctx, p.topic("t"), &blockBudget{limit: p.cfg.maxBlock}, true)
}
