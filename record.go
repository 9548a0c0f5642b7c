package kring

import (
	"fmt"
	"time"

	"github.com/kring-go/kring/accum"
	"github.com/kring-go/kring/wire"
)

// Header is one header of a record. Keys may repeat, and the order is kept. A
// nil Value is written as null, which is not the same as an empty one.
type Header = wire.Header

// Record is what a producer sends. kring encodes it before Produce returns, so
// the caller may reuse Key, Value, Headers and everything they point to at
// once. No field is changed by kring, and several goroutines may produce the
// same Record as long as none of them writes to it.
type Record struct {
	// Topic names the topic: 1 to 249 characters of [a-zA-Z0-9._-]. It is
	// ignored by the methods of a Topic handle, which knows its own.
	Topic string

	// Partition is where the record goes. Its zero value leaves the choice
	// to the partitioner: by the key where there is one, else to the
	// partition that this goroutine currently fills. On(3) names one.
	Partition Target

	// Key and Value are the payload. nil is written as null, and an empty
	// slice as empty: the two differ for compacted topics, where a null
	// value deletes the key.
	Key, Value []byte

	// Headers are written in this order.
	Headers []Header

	// Timestamp is the record's create time, in milliseconds in the log.
	// The zero Time means now; see ExactTimestamps for how exact that is.
	Timestamp time.Time

	// Deadline is when sending the record loses its sense; the zero Time, the
	// default, sets none. A record that is in no request by then is never
	// sent, and its Delivery has ErrRecordDeadline and NotPersisted; those
	// beside it in its batch are sent all the same. Once a request has carried
	// it, the deadline means nothing: its outcome comes as ever, within
	// DeliveryTimeout. So it never says that a record is not in the log which
	// may be there. Produce, too, waits no longer than the deadline, and refuses
	// a record whose deadline has passed, with ErrRecordDeadline. A linger that
	// would last until the deadline or beyond is left out.
	//
	// Callbacks of a partition keep their order, so the Delivery may come later
	// than the deadline: after those of older records.
	Deadline time.Time

	// Tag is the caller's own. It comes back in the Delivery, is never sent,
	// and saves one closure per record where all records share a Callback.
	Tag uint64
}

// Target says which partition a record goes to. The zero Target leaves the
// choice to the partitioner, so that a Record without a Partition behaves as
// the reader expects; that is why it is not simply the partition's number. Use
// On to make one.
type Target int32

// On names a partition. A negative partition is not "any": producing to it
// fails with ErrInvalidPartition, because a number that was computed and came
// out negative is a bug that must not be hidden by sending the record
// elsewhere.
func On(partition int32) Target {
	if partition < 0 {
		return Target(partition)
	}
	// The largest int32 overflows into a negative Target, which is invalid
	// too: no topic can have that partition.
	return Target(partition + 1)
}

// explicit unpacks a Target. ok says that a partition was named at all; valid
// is false if it was named and can not exist. The partition is then the
// negative number that the caller gave, for the error message.
func (t Target) explicit() (partition int32, ok, valid bool) {
	switch {
	case t == 0:
		return -1, false, true
	case t < 0:
		return int32(t), true, false
	default:
		return int32(t) - 1, true, true
	}
}

// String names the target as the caller wrote it.
func (t Target) String() string {
	partition, ok, _ := t.explicit()
	if !ok {
		return "any partition"
	}
	return fmt.Sprintf("partition %d", partition)
}

// Delivery is what became of one accepted record. Exactly one is reported for
// each, at the latest before Close returns.
type Delivery = accum.Delivery

// Callback receives the Delivery of a record. It runs on one of kring's own
// goroutines, one call at a time and in the order of the log within each
// partition; so a slow callback holds back those behind it, and work that takes
// long belongs on another goroutine. It may call TryProduce and Produce; what
// would have to wait for the callback itself (Flush, Close, a Produce with no
// memory left) returns ErrInCallback instead. A nil Callback is allowed.
type Callback = accum.Callback
