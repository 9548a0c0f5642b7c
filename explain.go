package kring

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kring-go/kring/accum"
)

// Reason is why nothing of a partition is being sent at this moment.
type Reason uint8

// The reasons. Where several apply, that of the partition's own batch comes
// before that of its leader and its connection, as in this list.
const (
	// ReasonNone: nobody has looked. The zero Explanation has it, and what
	// Explain returns with an error.
	ReasonNone Reason = iota
	// ReasonReady: nothing holds it up; it is sent while Explain returns.
	ReasonReady
	// ReasonEmpty: no record is waiting, and none is in flight.
	ReasonEmpty
	// ReasonUnknownTopic: no metadata of the topic has come.
	ReasonUnknownTopic
	// ReasonLinger: the batch may still fill, for Linger.
	ReasonLinger
	// ReasonWriters: a goroutine is inside Produce, writing to the batch.
	ReasonWriters
	// ReasonCompressing: a goroutine compresses the batch.
	ReasonCompressing
	// ReasonTransaction: the partition is not part of the transaction yet.
	ReasonTransaction
	// ReasonNoLeader: the partition has no leader.
	ReasonNoLeader
	// ReasonLeaderMoved: requests to the old leader have no answer yet.
	ReasonLeaderMoved
	// ReasonNotConnected: there is no connection to the leader.
	ReasonNotConnected
	// ReasonThrottled: the broker has asked for silence (a quota).
	ReasonThrottled
	// ReasonReauthenticating: the login of the connection ends, and another
	// connection takes over.
	ReasonReauthenticating
	// ReasonInFlight: answers about this partition must come first.
	ReasonInFlight
	// ReasonBackoff: the last attempt failed, and RetryBackoff is not over.
	ReasonBackoff
	// ReasonNoProducerID: an idempotent producer has no id yet.
	ReasonNoProducerID
	// ReasonEpochBump: the sequences start again under a new epoch.
	ReasonEpochBump
	// ReasonConnectionFull: the connection has as many requests in flight as
	// it may, or is still writing the last one.
	ReasonConnectionFull
	// ReasonManualFlush: only Flush sends (ManualFlush).
	ReasonManualFlush
	// ReasonOther: the sender's own word for it is in the text.
	ReasonOther
)

// String is the reason in a person's words.
func (r Reason) String() string {
	names := [...]string{
		"nobody has looked", "ready to be sent", "nothing is waiting", "the topic is not known yet", "lingering", "being written to", "being compressed",
		"not part of the transaction yet", "no leader", "the leader has moved, and the old one still owes answers", "not connected", "throttled by the broker",
		"the connection logs in again", "waiting for answers of this partition", "backing off after a failed attempt",
		"no producer id yet", "the epoch is being bumped", "the connection has enough requests in flight", "waiting for Flush", "other",
	}
	if int(r) < len(names) {
		return names[r]
	}
	return fmt.Sprintf("Reason(%d)", uint8(r))
}

// Explanation is why nothing of a partition is being sent, and what is waiting.
type Explanation struct {
	Topic     string
	Partition int32

	Reason Reason
	// For is how long the reason will last, if time alone ends it, else 0.
	For time.Duration
	// Err is the last thing that went wrong: with the batch that is tried
	// again, the connection, the metadata or the producer id; nil if nothing.
	Err error

	// Broker is the leader's id; -1 if there is none. Address is where it
	// is, and Connected says whether there is a connection for Produce.
	Broker    int32
	Address   string
	Connected bool
	// Connection is which of ConnectionsPerBroker is the partition's, from 0;
	// Connected and RequestsInFlight are about that one.
	Connection int
	// RequestsInFlight is how many requests of the connection have no
	// answer, for whatever partitions.
	RequestsInFlight int

	// Queued is the number of batches that wait to be sent, the open one
	// included, and InFlight that of the batches without an answer.
	Queued, InFlight int
	// Oldest is how long ago the oldest of the queued batches was opened.
	Oldest time.Duration
	// Attempts is how often that batch was sent already.
	Attempts int
	// Waiting is the number of calls of Produce, to any partition, that wait
	// for buffer memory, or for a place of MaxBufferedRecords.
	Waiting int

	wait    accum.Wait
	striped bool // there may be several connections to the broker
}

// String tells it in one line.
func (e Explanation) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s[%d]: %v", e.Topic, e.Partition, e.Reason)
	if e.Reason == ReasonNone {
		return s.String()
	}
	if e.Reason == ReasonOther {
		fmt.Fprintf(&s, " (%v)", e.wait)
	}
	if e.For > 0 {
		fmt.Fprintf(&s, " for %v", e.For.Round(10*time.Microsecond))
	}
	fmt.Fprintf(&s, "; %d batches queued", e.Queued)
	if e.Queued > 0 {
		fmt.Fprintf(&s, ", the oldest for %v", e.Oldest.Round(10*time.Microsecond))
	}
	if e.Attempts > 0 {
		fmt.Fprintf(&s, " and sent %d times", e.Attempts)
	}
	fmt.Fprintf(&s, ", %d in flight", e.InFlight)
	if e.Broker >= 0 {
		fmt.Fprintf(&s, "; broker %d (%s)", e.Broker, e.Address)
		if e.striped {
			fmt.Fprintf(&s, ", connection %d", e.Connection)
		}
		fmt.Fprintf(&s, ", %d requests in flight", e.RequestsInFlight)
	}
	if e.Waiting > 0 {
		fmt.Fprintf(&s, "; %d calls wait for room", e.Waiting)
	}
	if e.Err != nil {
		fmt.Fprintf(&s, "; last error: %s", strings.TrimPrefix(e.Err.Error(), "kring: "))
	}
	return s.String()
}

// Explain says why nothing of a partition is being sent at this moment. It looks
// where the sender looks, in a turn of the sender, so what it says is exact when
// it is said; it costs about as much as a request. It may be called by any
// goroutine at any time, but not in a callback of InlineDelivery. A topic that
// was not produced to is ReasonUnknownTopic, and is not asked for. The error is
// ErrInvalidTopic, ErrInvalidPartition for a partition that the topic does not
// have, or ErrClosed.
func (p *Producer) Explain(topic string, partition int32) (Explanation, error) {
	e := Explanation{Topic: topic, Partition: partition, Broker: -1, Waiting: p.acc.Slab().Waiting() + p.records.waits()}
	if err := checkTopic(topic); err != nil {
		return e, err
	}
	q, err := p.lookUp(topic, partition, &e)
	if q == nil || err != nil {
		return e, err
	}
	for {
		home, here := q.home.Load(), false
		if err := home.ask(func() { here = home.explain(q, &e) }); err != nil {
			return e, err
		}
		if here {
			return e, nil
		} // it has moved since the look at home
	}
}

// lookUp finds a partition without asking the cluster; nil and no error: the
// topic is not known, and e says so.
func (p *Producer) lookUp(topic string, index int32, e *Explanation) (*partition, error) {
	var parts *[]*partition
	t := (*p.topics.Load())[topic]
	if t != nil {
		parts = t.parts.Load()
	}
	switch {
	case p.ended():
		return nil, ErrClosed
	case index < 0 || parts != nil && int(index) >= len(*parts):
		return nil, fmt.Errorf("%w: topic %q has no partition %d", ErrInvalidPartition, topic, index)
	case parts == nil:
		e.Reason, e.Err = ReasonUnknownTopic, p.whyUnknown(t)
		return nil, nil
	}
	return (*parts)[index], nil
}

// ended says that Close is done.
func (p *Producer) ended() bool {
	select {
	case <-p.closed:
		return true
	default:
		return false
	}
}

func (p *Producer) whyUnknown(t *Topic) error {
	if last := p.meta.lastErr.Load(); last != nil {
		return *last
	}
	if t == nil {
		return errNotProducedTo
	}
	p.meta.mu.Lock()
	defer p.meta.mu.Unlock()
	return t.state.err
}

var errNotProducedTo = errors.New("kring: nothing was produced to the topic")
