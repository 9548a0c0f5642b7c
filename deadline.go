package kring

import (
	"fmt"
	"math"
	"time"

	"github.com/kring-go/kring/accum"
)

// setDeadline gives rec the deadline d, and lets the call wait no longer than
// that. From here on changes of the system's clock change nothing. It is for
// records that have a deadline.
func (t *Topic) setDeadline(rec *accum.Record, d time.Time, budget *blockBudget) error {
	left := time.Until(d)
	if left <= 0 {
		return fmt.Errorf("%w: by %v when it was produced; the record to topic %q was not accepted", ErrRecordDeadline, -left, t.name)
	}
	rec.Deadline = t.p.clock.Now() + int64(left)
	if rec.Deadline < 0 { // in centuries
		rec.Deadline = math.MaxInt64 - 1
	}
	if left < budget.limit {
		budget.limit, budget.byDeadline = left, true
	}
	return nil
}

// blockBudget is max.block.ms of one call: the waits for metadata and for
// memory share it. They wait no longer than the record's deadline.
type blockBudget struct {
	limit      time.Duration
	spent      time.Duration
	byDeadline bool // limit is what the deadline leaves
}

func (b *blockBudget) left() time.Duration { return b.limit - b.spent }

// over is what a call fails with that has used it up.
func (b *blockBudget) over() error {
	if b.byDeadline {
		return ErrRecordDeadline
	}
	return ErrMaxBlock
}

// nextOf asks q for a batch, and fails the records that are in its way because
// their deadlines have passed.
func (b *broker) nextOf(q *partition, env *accum.Env) (*accum.Batch, accum.Wait) {
	batch, wait := q.Next(env)
	for wait == accum.WaitDeadline {
		b.cull(q, env.Now, true)
		batch, wait = q.Next(env)
	}
	return batch, wait
}

// cull fails the records of q whose deadlines have passed, as far as they were
// not sent. While nothing can be sent, sending is false, see accum.
func (b *broker) cull(q *partition, now int64, sending bool) {
	for batch := q.Cull(now, sending); batch != nil; batch = q.Cull(now, sending) {
		b.fail(q, batch, b.deadlineCause())
	}
}

func (b *broker) deadlineCause() error {
	err := ErrRecordDeadline
	if why := b.p.whyNoProgress(b); why != nil {
		err = fmt.Errorf("%w: %w", ErrRecordDeadline, why)
	}
	return andAlso{err, ErrDeliveryTimeout}
}
