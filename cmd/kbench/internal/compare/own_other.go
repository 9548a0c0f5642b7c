//go:build !unix

package compare

import "time"

// ownTime is unknown here; there is no /proc/stat to compare it with, either.
func ownTime() time.Duration { return 0 }
