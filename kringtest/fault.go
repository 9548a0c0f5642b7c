package kringtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// Fault is something that goes wrong with Produce requests. It is a value: For,
// At and Times return a changed copy, so that one Fault may serve many scripts.
// Without them it concerns every request, for ever.
type Fault struct {
	what       string
	topic      string // empty: every one
	partitions []int32
	node       int32 // 0: every one
	times      int   // 0: for ever
	// inflict adds the fault to what happens to a request. False: the
	// request has a fault already that excludes this one.
	inflict func(*request, Fault) bool
	wrong   string // what the test got wrong in making it; empty: nothing
}

// mistake notes the first thing that a test got wrong; OnProduce tells it.
func (f Fault) mistake(is bool, text string, args ...any) Fault {
	if is && f.wrong == "" {
		f.wrong = fmt.Sprintf(text, args...)
	}
	return f
}

// For restricts the fault to requests with a batch for topic, and if partitions
// are named, for one of them. Fail then concerns those batches only; all other
// faults concern the whole request.
func (f Fault) For(topic string, partitions ...int32) Fault {
	f.topic, f.partitions = topic, slices.Clone(partitions)
	return f.mistake(topic == "", "For without a topic").
		mistake(slices.ContainsFunc(partitions, func(i int32) bool { return i < 0 }), "For(%q, %v): a partition is negative", topic, partitions)
}

// At restricts the fault to requests that reach one node.
func (f Fault) At(node int) Fault {
	f.node = int32(node)
	return f.mistake(node < 1, "At(%d): the ids of nodes begin with 1", node)
}

// Times ends the fault after n requests, at least one, have met it.
func (f Fault) Times(n int) Fault {
	f.times = n
	return f.mistake(n < 1, "Times(%d): want at least 1; a fault that never happens is left out", n)
}

// String names the constructor.
func (f Fault) String() string { return f.what }

// matches reports whether the fault concerns a batch.
func (f Fault) matches(p *broker.PartitionInfo) bool {
	return (f.topic == "" || f.topic == p.Topic) &&
		(len(f.partitions) == 0 || slices.Contains(f.partitions, p.Partition))
}

// Fail answers with an error code, and stores nothing. The producer sends a
// retriable code's batch again; of the others the record's Delivery tells.
func Fail(code kring.KafkaError) Fault {
	return Fault{what: "Fail(" + code.Name() + ")", inflict: func(r *request, f Fault) bool {
		return r.answer(code, f, false)
	}}.mistake(code == kring.None, "Fail(None) would acknowledge records that are not stored")
}

// FailStored answers with an error code although the records were stored: what
// a leader does that appends a batch and then loses its followers
// (NOT_ENOUGH_REPLICAS_AFTER_APPEND, REQUEST_TIMED_OUT).
func FailStored(code kring.KafkaError) Fault {
	return Fault{what: "FailStored(" + code.Name() + ")", inflict: func(r *request, f Fault) bool {
		return r.answer(code, f, true)
	}}
}

// Delay lets a request wait for d before the broker looks at it. Requests
// behind it on the same connection wait too, as they do at a real broker.
func Delay(d time.Duration) Fault {
	return Fault{what: "Delay(" + d.String() + ")", inflict: func(r *request, _ Fault) bool {
		r.action.Wait += d
		return true
	}}.mistake(d < 0, "Delay(%v) is negative", d)
}

// Throttle lets the broker ask the producer to stay silent for d, as a quota
// does (KIP-219). The request itself succeeds.
func Throttle(d time.Duration) Fault {
	return Fault{what: "Throttle(" + d.String() + ")", inflict: func(r *request, _ Fault) bool {
		r.action.ThrottleMs = max(r.action.ThrottleMs, int32(min(d.Milliseconds(), 1<<31-1)))
		return true
	}}.mistake(d < 0, "Throttle(%v) is negative", d)
}

// Stall lets a request wait until release is closed, or the fault is lifted.
// nil waits until the fault is lifted. Nothing is stored before that.
func Stall(release <-chan struct{}) Fault {
	return Fault{what: "Stall", inflict: func(r *request, _ Fault) bool {
		if r.action.Stall != nil {
			return false
		}
		r.action.Stall = r.script.eitherOf(release)
		return true
	}}
}

// Disconnect ends the connection before anything of the request is stored.
func Disconnect() Fault {
	return Fault{what: "Disconnect", inflict: func(r *request, _ Fault) bool {
		if r.disconnects() {
			return false
		}
		r.action.DropBefore = true
		return true
	}}
}

// DropAnswer stores the records and ends the connection instead of answering:
// the producer can not know whether they are in the log.
func DropAnswer() Fault {
	return Fault{what: "DropAnswer", inflict: func(r *request, _ Fault) bool {
		if r.disconnects() {
			return false
		}
		r.action.DropAfter = true
		return true
	}}
}

// request is one Produce request while the scripts look at it.
type request struct {
	info   *broker.ProduceInfo
	action broker.Action
	script *Script // that looks at it now
}

func (r *request) disconnects() bool { return r.action.DropBefore || r.action.DropAfter }

// answer gives a code to the batches that f concerns. False: all of them have
// one already, or the others' say about storing is the opposite.
func (r *request) answer(code kring.KafkaError, f Fault, stored bool) bool {
	if len(r.action.Errors) > 0 && r.action.AppendAnyway != stored {
		return false
	}
	given := false
	for i := range r.info.Partitions {
		p := &r.info.Partitions[i]
		if !f.matches(p) || slices.ContainsFunc(r.action.Errors, func(e broker.PartitionError) bool {
			return e.Topic == p.Topic && e.Partition == p.Partition
		}) {
			continue
		}
		r.action.Errors = append(r.action.Errors, broker.PartitionError{Topic: p.Topic, Partition: p.Partition, Code: int16(code)})
		given = true
	}
	r.action.AppendAnyway = stored && len(r.action.Errors) > 0
	return given
}
