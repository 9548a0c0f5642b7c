package kringtest

import (
	"context"
	"time"
)

// awaitRoom waits until full is closed, ctx ends or, if there is one, the
// record's deadline has passed, which whoever asks again is told.
func awaitRoom(ctx context.Context, full <-chan struct{}, deadline time.Time) error {
	var passed <-chan time.Time // nil: never
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		passed = timer.C
	}
	select {
	case <-full:
	case <-passed:
	case <-ctx.Done():
		return notAccepted(ctx)
	}
	return nil
}
