package bench

import (
	"context"
	"fmt"
	"time"
)

// openWindow starts the measured phase.
func (r *run) openWindow() error {
	if err := r.profiles.start(); err != nil {
		return err
	}
	r.begin.read(time.Now().UnixNano())
	r.beginAcked = r.rec.totalAcked()
	// An open loop's first record is due a moment later.
	r.beginNs = max(r.clock(), r.rec.start.Load())
	r.signal.measuring.Store(true)
	return nil
}

// closeWindow ends it.
func (r *run) closeWindow() {
	r.endNs = r.clock()
	r.endAcked = r.rec.totalAcked()
	r.end.read(time.Now().UnixNano())
	r.profiles.stop()
}

// drain waits until every accepted record has ended.
func (r *run) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.drainTimeout())
	defer cancel()
	err := r.clients.Flush(ctx)
	if err == nil {
		r.rec.settle()
	}
	deadline := r.clock() + int64(stragglerPatience)
	for err == nil && r.rec.pending() > 0 && r.clock() < deadline {
		time.Sleep(time.Millisecond)
	}
	return err
}

// drainTimeout is short for those who have pressed Ctrl-C.
func (r *run) drainTimeout() time.Duration {
	if r.partial {
		return min(r.cfg.DrainTimeout, 10*time.Second)
	}
	return r.cfg.DrainTimeout
}

// close closes the client. What went wrong here shows in the totals as records
// without an end; it is reported as an error kind beside them.
func (r *run) close(ctx context.Context, flushErr error) error {
	closeCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	closeErr := r.clients.Close(closeCtx)
	if closeErr == nil {
		r.rec.settle()
	}
	r.rec.mu.Lock()
	defer r.rec.mu.Unlock()
	if flushErr != nil {
		r.rec.note(fmt.Errorf("flush: %w", flushErr))
	}
	if closeErr != nil {
		r.rec.note(fmt.Errorf("close: %w", closeErr))
	}
	return nil
}
