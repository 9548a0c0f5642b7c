//go:build unix

package compare

import (
	"syscall"
	"time"
)

// ownTime is the CPU time of this process and of the children that have ended:
// workers and brokers.
func ownTime() time.Duration {
	total := time.Duration(0)
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var ru syscall.Rusage
		if syscall.Getrusage(who, &ru) == nil {
			total += time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
		}
	}
	return total
}
