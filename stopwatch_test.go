package kring_test

import (
	"sync/atomic"
	"testing"
	"time"
)

// stopwatch measures a time without what the machine did not give this process:
// a virtual machine may stand still for seconds, and no bound holds then.
type stopwatch struct {
	start time.Time
	lost  atomic.Int64
	quit  chan struct{}
	ended chan struct{}
}

const (
	stopwatchTick = 5 * time.Millisecond
	// stopwatchSlack is how late a goroutine may wake up on a machine that has time.
	stopwatchSlack = 15 * time.Millisecond
)

func startStopwatch(t *testing.T) *stopwatch {
	t.Helper()
	w := &stopwatch{start: time.Now(), quit: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(w.ended)
		last := w.start
		for {
			select {
			case <-w.quit:
				return
			case <-time.After(stopwatchTick):
			}
			now := time.Now()
			if late := now.Sub(last) - stopwatchTick; late > stopwatchSlack {
				w.lost.Add(int64(late))
			}
			last = now
		}
	}()
	return w
}

// took ends the measurement.
func (w *stopwatch) took() time.Duration {
	close(w.quit)
	<-w.ended
	return time.Since(w.start) - w.lostSoFar()
}

func (w *stopwatch) lostSoFar() time.Duration { return time.Duration(w.lost.Load()) }
