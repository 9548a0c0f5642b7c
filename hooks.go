package kring

import "time"

// Hook hears of what happens to connections, requests and batches. It has one or
// more of the methods of HookBrokerConnect, HookBrokerDisconnect,
// HookRequestSent, HookRequestAnswered, HookBatchFinished and HookSequenceLost;
// New refuses what has none.
//
// All hooks of a producer are called one at a time, by one goroutine that does
// nothing else, each event in the order of Hooks. So a hook holds back nobody:
// no record, no answer, no callback. The events wait for it in a queue of 4096;
// what does not fit is not told any more, and HookStats counts it. The events of
// one broker come in their order; they are neither before nor after the
// callbacks of the records that they are about. A panic is logged and counted,
// and the next hook is told all the same.
//
// For what a hook may call, it is a callback: TryProduce and Produce; Flush,
// Close, ProduceSync and a Produce that would have to wait return ErrInCallback.
// Close returns after the last event has been told; it waits no longer, and says
// so, for a hook that takes more than a second for one, or for hooks that are
// still not done a second after its context has ended.
type Hook any

// HookBrokerConnect is a Hook.
type HookBrokerConnect interface {
	// OnBrokerConnect is told of every attempt to connect to a broker for
	// records, failed or not.
	OnBrokerConnect(e BrokerConnect)
}

// HookBrokerDisconnect is a Hook.
type HookBrokerDisconnect interface {
	// OnBrokerDisconnect is told of the end of every connection whose
	// OnBrokerConnect had no error.
	OnBrokerDisconnect(e BrokerDisconnect)
}

// HookRequestSent is a Hook.
type HookRequestSent interface {
	// OnRequestSent is told of every Produce request whose last byte was taken
	// by the socket.
	OnRequestSent(e RequestSent)
}

// HookRequestAnswered is a Hook.
type HookRequestAnswered interface {
	// OnRequestAnswered is told how a request of OnRequestSent ended: with an
	// answer, or with its connection. With AcksNone there are no answers.
	OnRequestAnswered(e RequestAnswered)
}

// HookBatchFinished is a Hook.
type HookBatchFinished interface {
	// OnBatchFinished is told the outcome of every batch, once, however often
	// it was sent. Of a batch that was cut in two after MESSAGE_TOO_LARGE the
	// pieces are told of.
	OnBatchFinished(e BatchFinished)
}

// HookSequenceLost is a Hook.
type HookSequenceLost interface {
	// OnSequenceLost is told when a broker has forgotten what this producer wrote
	// before: the log may have lost acknowledged records.
	OnSequenceLost(e SequenceLost)
}

// BrokerConnect is an attempt to connect to a broker.
type BrokerConnect struct {
	At         time.Time
	Broker     int32  // the id of the broker
	Connection int    // which of ConnectionsPerBroker, from 0
	Address    string // host:port that was dialled
	// Took is the time that it took, with TLS, SASL and the broker's versions.
	Took time.Duration
	Err  error // why there is no connection; nil: there is one
}

// BrokerDisconnect is the end of a connection.
type BrokerDisconnect struct {
	At         time.Time
	Broker     int32
	Connection int
	Address    string
	Open       time.Duration // how long there was a connection
	// Err is why it ended; it is not nil. A connection that is idle or not
	// needed any more, or a Close, is a reason too.
	Err error
}

// RequestInfo is what a Produce request carries.
type RequestInfo struct {
	Broker     int32
	Connection int    // which of ConnectionsPerBroker, from 0
	Address    string // that was dialled
	Bytes      int    // on the connection, before TLS
	Batches    int    // one for each partition
	Records    int
}

// RequestSent is a request that has left.
type RequestSent struct {
	At time.Time
	RequestInfo
	Oldest time.Duration // since its oldest batch was opened, until it began to leave
	Write  time.Duration // since then
}

// RequestAnswered is a request that has ended.
type RequestAnswered struct {
	At time.Time
	RequestInfo
	Latency  time.Duration // since the request began to leave
	Throttle time.Duration // that the answer demands; 0: none
	// Codes counts the batches that the broker did not take, by the code that
	// it gave; nil if it took all.
	Codes map[KafkaError]int
	Err   error // why there is no answer; nil: there is one
}

// BatchFinished is the outcome of a batch.
type BatchFinished struct {
	At        time.Time
	Topic     string
	Partition int32
	Broker    int32 // the last that had it to send; -1: none
	Records   int
	Bytes     int           // as it was sent: compressed if it is, with its header; 0: it was never sent
	RawBytes  int           // before compression, with its header
	Attempts  int           // requests that carried it; 0: it was never sent
	Age       time.Duration // since it was opened
	Offset    int64         // of its first record; -1: not known
	// Err is a *ProduceError if the batch failed. If the broker blamed single
	// records of it (KIP-467), it is the error of the others.
	Err error
}

// SequenceLost says that a broker has forgotten what it acknowledged.
//
// With Code, it refused a sequence that follows what it has acknowledged
// (OUT_OF_ORDER_SEQUENCE_NUMBER, UNKNOWN_PRODUCER_ID or, not in a transaction,
// INVALID_PRODUCER_EPOCH). Either nothing is wrong: retention has deleted all
// that the producer had in the partition, or the broker has forgotten a producer
// that was silent for long (producer.id.expiration.ms). Or the partition got a
// leader whose log is shorter than what was acknowledged: an unclean election, a
// lost disk, a topic that was created anew. Records up to LastOffset that are not
// in the log then are lost, and nobody but the application can send them again.
//
// With Offset, it has put a batch where one stood that was acknowledged: the log
// has become shorter meanwhile, and the records from Offset to LastOffset that were
// acknowledged before are not there. It needs no idempotence: with acks=1 it is
// what the failure of a leader may do at any time. After a refusal it is the proof
// of that loss. It is not seen if others have written as much to the partition in
// between.
// franz-go: ProducerOnDataLossDetected, of the first kind.
type SequenceLost struct {
	At        time.Time
	Topic     string
	Partition int32
	Broker    int32
	Code      KafkaError // 0: the broker has accepted the batch, see Offset
	Offset    int64      // of the batch that was accepted too early in the log; -1: it was refused
	// LastOffset is the highest that was acknowledged in the partition by this
	// producer; -1: none was, or its offset is not known.
	LastOffset int64
	// Restarts says that the records that wait go on under a new epoch. False:
	// they would risk being stored twice, or are of a transaction, or the
	// producer has StopOnSequenceLost, and fail.
	Restarts bool
}

// HookStats are counters of what hooks were told. They only grow.
type HookStats struct {
	Told   uint64 // events, each to all of its hooks
	Lost   uint64 // events that nobody was told, because hooks were too slow
	Panics uint64 // of hooks
}

// HookStats takes a snapshot; all are 0 without Hooks. It never blocks and may be
// called at any time, also after Close.
func (p *Producer) HookStats() HookStats {
	h := p.hooks
	if h == nil {
		return HookStats{}
	}
	return HookStats{Told: h.told.Load(), Lost: h.lost.Load(), Panics: h.panics.Load()}
}

// Hooks has each of list told about what it has a method for. Given again, it
// adds to the list. The default is none, which costs nothing; with hooks it is a
// goroutine, 2 MiB, and about 0.3 µs and no allocation per event, besides what the
// hook does. Never is anything done per record: for that, see Interceptors. Java
// has nothing like it.
func Hooks(list ...Hook) Option {
	return option(func(c *config) {
		for i, one := range list {
			if !isHook(one) {
				c.problem("Hooks: argument %d of %d, %T, has no method of a hook, such as OnBatchFinished(kring.BatchFinished)",
					i+1, len(list), one)
				continue
			}
			// A new array each time: options are reused, configs are not.
			old := c.pipeline.hooks
			c.pipeline.hooks = append(old[:len(old):len(old)], one)
		}
	})
}

func isHook(one Hook) bool {
	switch one.(type) {
	case HookBrokerConnect, HookBrokerDisconnect, HookRequestSent, HookRequestAnswered, HookBatchFinished, HookSequenceLost:
		return true
	}
	return false
}
