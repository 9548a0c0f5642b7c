package kring

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net"
	"slices"
	"strings"
	"time"
)

// DialFunc opens a connection to a broker, like net.Dialer's DialContext. The
// context carries the connection set-up timeout. A panic is an error of that
// connection; a call that does not return a second after its context has ended is
// left behind, and its connection closed if there is one in the end.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

const (
	// maxBatchSize bounds batch.size, because a batch's state word has 21
	// bits for its offset.
	maxBatchSize = 2 << 20

	// maxIdempotentInFlight is how many of a producer's last batches a broker
	// remembers for each partition. With more under way it could not tell a
	// repeated batch from a new one.
	maxIdempotentInFlight = 5

	// maxInFlight bounds the array of requests in flight of a connection.
	maxInFlight = 64

	// longestTime is the longest time that fits the protocol's int32
	// milliseconds.
	longestTime = math.MaxInt32 * time.Millisecond

	// maxBufferMemory is beyond any machine's: Go ends the program where so much
	// is asked for, and New could return no error.
	maxBufferMemory = min(1<<40, math.MaxInt)

	// forever is the longest Duration. Where Java's long milliseconds exceed
	// it, they are cut to it.
	forever = time.Duration(math.MaxInt64)
)

// config is what the options make of the defaults. New builds one with
// newConfig and nobody writes to it afterwards, so it may be read from any
// goroutine.
type config struct {
	brokers  []string // host:port, without duplicates, in the caller's order
	clientID string

	acks        int16
	idempotence bool
	retries     int
	maxInFlight int

	linger         time.Duration
	batchSize      int // at least 1: with 1, every record is a batch of its own
	bufferMemory   int64
	maxRequestSize int

	maxBlock        time.Duration
	deliveryTimeout time.Duration // at least linger + requestTimeout
	requestTimeout  time.Duration

	retryBackoff        time.Duration
	retryBackoffMax     time.Duration // at least retryBackoff, as in all pairs
	reconnectBackoff    time.Duration
	reconnectBackoffMax time.Duration
	connSetupTimeout    time.Duration
	connSetupTimeoutMax time.Duration
	connMaxIdle         time.Duration // negative: connections are never idle

	sendBuffer    int // -1: the system's default
	receiveBuffer int // -1: the system's default

	metadataMaxAge     time.Duration
	metadataMaxIdle    time.Duration
	rebootstrap        bool
	rebootstrapTrigger time.Duration
	clusterID          string // empty: the first that a broker tells
	clusterCheck       bool

	adaptive            bool
	availabilityTimeout time.Duration // 0: off
	ignoreKeys          bool
	leastBackedUp       bool

	codec  Codec
	levels levels

	compressors compressors

	topics       map[string]*topicSettings
	hasBulk      bool  // some topic gives way
	brokerMemory int64 // 0: no limit of its own

	transactionalID    string // empty: no transactions
	transactionTimeout time.Duration

	security security
	pipeline pipeline

	onDelivery      Callback     // nil: none
	logger          *slog.Logger // never nil
	dial            DialFunc     // never nil
	exactTimestamps bool
	metricsPush     bool
	appMetrics      func() []AppMetric // nil: none
	adaptiveDepth   bool
	inlineDelivery  bool
	lanes           int   // of callbacks
	stripes         int   // connections to each broker, at most
	maxRecords      int64 // without an outcome; 0 is no bound
	manualFlush     bool
	stopOnLoss      bool // of a sequence

	// given holds, for each setting that the caller gave, how it was written:
	// an option's call or a property's line. Problems are reported in these
	// words, and some rules differ for what was given and what is a default.
	given [settings]string

	// problems are those that options found in their own arguments, then
	// those that validate finds. invalid marks the settings that they are
	// about. Both are of no use once newConfig has returned.
	problems []error
	invalid  [settings]bool
}

// defaultConfig returns the defaults of Kafka 4's Java producer.
func defaultConfig() *config {
	return &config{
		acks:        int16(AcksAll),
		idempotence: true,
		retries:     math.MaxInt32,
		maxInFlight: 5,

		linger:         5 * time.Millisecond,
		batchSize:      16 << 10,
		bufferMemory:   32 << 20,
		maxRequestSize: 1 << 20,

		maxBlock:        time.Minute,
		deliveryTimeout: 2 * time.Minute,
		requestTimeout:  30 * time.Second,

		retryBackoff:        100 * time.Millisecond,
		retryBackoffMax:     time.Second,
		reconnectBackoff:    50 * time.Millisecond,
		reconnectBackoffMax: time.Second,
		connSetupTimeout:    10 * time.Second,
		connSetupTimeoutMax: 30 * time.Second,
		connMaxIdle:         9 * time.Minute,

		sendBuffer:    128 << 10,
		receiveBuffer: 32 << 10,

		metadataMaxAge:     5 * time.Minute,
		metadataMaxIdle:    5 * time.Minute,
		rebootstrap:        true,
		rebootstrapTrigger: 5 * time.Minute,
		clusterCheck:       true,

		adaptive: true,
		lanes:    1,
		stripes:  1,
		levels:   defaultLevels(),

		transactionTimeout: time.Minute,

		metricsPush:   true,
		adaptiveDepth: true,

		logger: slog.New(slog.DiscardHandler),
		dial:   (&net.Dialer{}).DialContext,
	}
}

// newConfig applies the options to the defaults, reports every problem at once,
// and derives what follows from the rest. The config is nil if there is an
// error.
func newConfig(opts []Option) (*config, error) {
	c := defaultConfig()
	for i, o := range opts {
		if o == nil {
			c.problem("option %d of %d is nil", i+1, len(opts))
			continue
		}
		o.apply(c)
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	c.settle()
	return c, nil
}

// give remembers how the caller wrote a setting.
func (c *config) give(s setting, format string, args ...any) {
	c.given[s] = fmt.Sprintf(format, args...)
}

// words returns a setting as the caller wrote it, or names its default.
func (c *config) words(s setting) string {
	if w := c.given[s]; w != "" {
		return w
	}
	return "the default of " + s.String()
}

// problem records what is wrong with the configuration, once: the two settings
// of a pair are written alike and can be wrong alike.
func (c *config) problem(format string, args ...any) {
	p := configProblem(fmt.Sprintf(format, args...))
	if !slices.Contains(c.problems, error(p)) {
		c.problems = append(c.problems, p)
	}
}

// configProblem is one thing that is wrong with the configuration. It matches
// ErrConfig.
type configProblem string

func (p configProblem) Error() string { return "kring: " + string(p) }

func (configProblem) Is(target error) bool { return target == ErrConfig }

// setting names one knob, for the texts of problems.
type setting uint8

const (
	setBrokers setting = iota
	setClientID
	setAcks
	setIdempotence
	setRetries
	setMaxInFlight
	setLinger
	setBatchSize
	setBufferMemory
	setMaxRequestSize
	setMaxBlock
	setDeliveryTimeout
	setRequestTimeout
	setRetryBackoff
	setRetryBackoffMax
	setReconnectBackoff
	setReconnectBackoffMax
	setConnSetupTimeout
	setConnSetupTimeoutMax
	setConnMaxIdle
	setSendBuffer
	setReceiveBuffer
	setMetadataMaxAge
	setMetadataMaxIdle
	setRebootstrap
	setRebootstrapTrigger
	setAdaptive
	setAvailabilityTimeout
	setIgnoreKeys
	setCompression
	setGzipLevel
	setLZ4Level
	setZstdLevel
	setTransactionalID
	setTransactionTimeout
	settings // how many there are
)

// settingNames are Java's names, in the order of the constants.
const settingNames = `bootstrap.servers client.id acks enable.idempotence retries
max.in.flight.requests.per.connection linger.ms batch.size buffer.memory
max.request.size max.block.ms delivery.timeout.ms request.timeout.ms
retry.backoff.ms retry.backoff.max.ms reconnect.backoff.ms reconnect.backoff.max.ms
socket.connection.setup.timeout.ms socket.connection.setup.timeout.max.ms
connections.max.idle.ms send.buffer.bytes receive.buffer.bytes
metadata.max.age.ms metadata.max.idle.ms metadata.recovery.strategy
metadata.recovery.rebootstrap.trigger.ms partitioner.adaptive.partitioning.enable
partitioner.availability.timeout.ms partitioner.ignore.keys
compression.type compression.gzip.level compression.lz4.level compression.zstd.level
transactional.id transaction.timeout.ms`

// String returns Java's name of the setting.
func (s setting) String() string { return strings.Fields(settingNames)[s] }
