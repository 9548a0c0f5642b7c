package broker

import "time"

// waitABit lets other goroutines go on between two looks at a counter.
func waitABit() { <-time.After(time.Millisecond) }
