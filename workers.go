package kring

import "sync"

// workers are the goroutines of a producer, which Close waits for.
type workers struct {
	mu     sync.Mutex
	ending bool // wait has begun
	all    sync.WaitGroup
}

// run starts f. It is for New and for workers: they are waited for themselves,
// so Close can not be past them.
func (w *workers) run(f func()) {
	w.all.Go(f)
}

// tryRun starts f unless Close waits already. It is for callers, who may be
// late: an Add that meets a Wait is a race.
func (w *workers) tryRun(f func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ending {
		w.all.Go(f)
	}
	return !w.ending
}

// wait returns when no worker is left, and none will come.
func (w *workers) wait() {
	w.mu.Lock()
	w.ending = true
	w.mu.Unlock()
	w.all.Wait()
}
