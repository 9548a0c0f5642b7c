package bench

import (
	"context"
	"time"

	"github.com/kring-go/kring/bench/fault"
)

// Client is what a worker drives: one producer of any library.
type Client interface {
	// Produce hands a record over. An error means that it was not accepted and
	// that done will not be called for its tag; otherwise done is called
	// exactly once, from any goroutine, even before Produce returns.
	// Value and Key are the client's only until Produce returns, unless the
	// client is declared Retaining.
	Produce(ctx context.Context, r *Record) error
	// Flush returns when everything produced before it is done.
	Flush(ctx context.Context) error
	// Close releases the client. It is called once, after Flush.
	Close(ctx context.Context) error
}

// Counter is a client that knows what it sent; Client may implement it. It is
// asked after Flush.
type Counter interface {
	// Counts are produce requests and the batches in them, since the start.
	Counts() (requests, batches int64)
}

// PerSender is a client that has a handle of its own for each sender; Client may
// implement it. It is asked for in a closed loop with several senders: goroutines
// that live long and are always busy. A handle is used by one goroutine, and is
// not closed. nil: use the client.
type PerSender interface {
	Sender(senders, partitions int) Handle
}

// Handle is the one thing that a sender asks of a client.
type Handle interface {
	Produce(ctx context.Context, r *Record) error
}

// Serial is a client that completes records one at a time; Client may implement
// it, and should if it can. Done calls must then be ordered, one after another,
// and before the return of the Flush or Close that waits for them. The harness
// counts without atomics then, which saves a third of what it costs.
type Serial interface {
	CompletesSerially() bool
}

// Record is what the harness asks a client to send. The same Record is used
// for every call of one sender.
type Record struct {
	Topic string
	// Partition is -1 where the client's own partitioner decides.
	Partition int32
	Key       []byte
	Value     []byte
	// Tag comes back through done.
	Tag uint64
}

// Done is how a client reports the end of one record. offset is -1 where the
// broker did not say (acks=0, duplicate sequence).
type Done func(tag uint64, partition int32, offset int64, err error)

// Settings is what every client must be told alike. Zero durations and sizes
// of BatchSize and BufferMemory mean the library's default.
type Settings struct {
	Brokers     []string      `json:"brokers"`
	Topic       string        `json:"topic"`
	ClientID    string        `json:"client_id"`
	Acks        string        `json:"acks"` // "all", "1" or "0"
	Idempotent  bool          `json:"idempotent"`
	Linger      time.Duration `json:"linger_ns"`
	BatchSize   int           `json:"batch_size_bytes"`
	BufferBytes int64         `json:"buffer_memory_bytes"`
	MaxInFlight int           `json:"max_in_flight"`
	// Compression is none, gzip, snappy, lz4 or zstd; "" is none.
	Compression string `json:"compression,omitempty"`
	// Props are the properties that the user named with -X, in Java's words.
	// The typed fields above already contain those that they cover.
	Props map[string]string `json:"props"`
	// Defaults leaves every setting to the library: only addresses, topic and
	// Props count then.
	Defaults bool `json:"defaults,omitempty"`
	// Dial opens every connection of a library that Dials; nil is the library's own way.
	Dial fault.DialFunc `json:"-"`
	// Read makes kring's options of Props; nil is kring.FromProperties.
	Read PropertyReader `json:"-"`
}

// Factory starts a client.
type Factory func(s Settings, done Done) (Client, error)

// Library is a kind of client, and what the harness must know about it.
type Library struct {
	Name    string
	Version string
	New     Factory
	// Retaining libraries keep Key and Value until done. The harness then
	// gives every outstanding record memory of its own.
	Retaining bool
	// Foreign libraries keep their records outside of Go's heap, whose numbers
	// then say nothing.
	Foreign bool
	// Dials says that the library opens its connections with Settings.Dial.
	Dials bool
	// Check refuses settings before anything is started. It may be nil.
	Check func(s Settings) error
	// Read becomes Settings.Read of the plan that a worker of this library is given.
	Read PropertyReader
}

// Trait is something unusual about a library; see WorkerMain.
type Trait func(*Library)

// Retaining declares that the library keeps Key and Value until done.
func Retaining() Trait { return func(l *Library) { l.Retaining = true } }

// Foreign declares that the library's memory is not Go's.
func Foreign() Trait { return func(l *Library) { l.Foreign = true } }

// tag is a record's identity within its run:
//
//	 63        62      48 47                                  0
//	+---------+----------+-------------------------------------+
//	| sampled |  sender  |       sequence of the sender        |
//	+---------+----------+-------------------------------------+
//
// sampled is in the tag so that whoever completes the record need not ask
// anybody whether its send time was noted.
type tag uint64

// Sequence is the number, from 0, of the record among those of its sender.
func Sequence(t uint64) uint64 { return tag(t).seq() }

const (
	tagSampled  tag = 1 << 63
	senderShift     = 48
	seqMask         = 1<<senderShift - 1
	maxSenders      = 1 << 12
)

func makeTag(sender int, seq uint64) tag { return tag(sender)<<senderShift | tag(seq) }
func (t tag) sender() int                { return int(t &^ tagSampled >> senderShift) }
func (t tag) seq() uint64                { return uint64(t) & seqMask }
func (t tag) sampled() bool              { return t&tagSampled != 0 }

// plain is the tag without the sampling mark, which is how the ledger and the
// stamps know a record.
func (t tag) plain() tag { return t &^ tagSampled }
