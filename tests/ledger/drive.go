package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Sender is a producer under test. Its maker gives it Book.Complete (or
// something that leads there) as the place for completions.
type Sender interface {
	// Send hands one record over and may block while the producer's buffer is
	// full. The record's slices are reused as soon as it returns. An error
	// means that the producer did not accept the record.
	Send(ctx context.Context, id ID, r *Record) error
	// Close waits for the completion of everything that was accepted.
	Close(ctx context.Context) error
}

// Drive sends the whole plan from its goroutines and closes the sender. Refused
// records are noted and are no error, unless every record of a goroutine is.
func Drive(ctx context.Context, b *Book, s Sender) error {
	if err := b.plan.Validate(); err != nil {
		return err
	}
	sources := b.plan.Sources()
	errs := make([]error, len(sources)+1)
	var wg sync.WaitGroup
	for g, source := range sources {
		wg.Go(func() { errs[g] = driveOne(ctx, b, s, source) })
	}
	wg.Wait()
	errs[len(sources)] = s.Close(ctx)
	return errors.Join(errs...)
}

func driveOne(ctx context.Context, b *Book, s Sender, source *Source) error {
	var (
		r       Record
		refused int
		last    error
	)
	for {
		id, ok := source.Next(&r)
		if !ok {
			break
		}
		if b.pace.Interval > 0 {
			if err := waitUntil(ctx, b.Due(id)); err != nil {
				return err
			}
		}
		b.Sent(id, &r)
		if err := s.Send(ctx, id, &r); err != nil {
			b.Refused(id)
			refused++
			last = err
			if ctx.Err() != nil {
				return fmt.Errorf("ledger: goroutine %d stopped at record %d: %w", source.g, id.Number(), err)
			}
		}
	}
	if refused > 0 && refused == b.plan.Of(source.g) {
		return fmt.Errorf("ledger: goroutine %d: the producer accepted none of %d records: %w", source.g, refused, last)
	}
	return nil
}

// waitUntil sleeps until the moment is there. A late caller does not sleep at
// all, so a backlog is worked off at once.
func waitUntil(ctx context.Context, due time.Time) error {
	wait := time.Until(due)
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
