//go:build !linux

package bench

// newPacer knows one method where timers finer than the runtime's are not
// known to us.
func newPacer(string) (pacer, error) { return newSleepPacer(), nil }
