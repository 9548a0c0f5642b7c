package kring

import "fmt"

// Acks is how much of the cluster must have a record before the broker
// acknowledges it.
type Acks int16

const (
	// AcksNone asks for no acknowledgement at all.
	AcksNone Acks = 0
	// AcksLeader asks for the partition's leader.
	AcksLeader Acks = 1
	// AcksAll asks for every replica that is in sync.
	AcksAll Acks = -1
)

// String returns Kafka's word for it, as in the property acks.
func (a Acks) String() string {
	if a == AcksAll {
		return "all"
	}
	return fmt.Sprint(int16(a))
}
