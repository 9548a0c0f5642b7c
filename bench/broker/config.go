package broker

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// Verify says how closely the broker looks at the records inside a batch. The
// batch header, the lengths and the producer's sequences are always checked.
type Verify uint8

const (
	// VerifyNone reads the 61 bytes of a batch header and nothing behind them.
	VerifyNone Verify = iota
	// VerifyCount checks the CRC and walks the records of every batch.
	VerifyCount
	// VerifyFull is VerifyCount, and keeps the batches (see Config.Keep) so
	// that every record can be read back.
	VerifyFull
)

// ParseVerify reads the value of a --verify flag.
func ParseVerify(s string) (Verify, error) {
	switch s {
	case "none":
		return VerifyNone, nil
	case "count":
		return VerifyCount, nil
	case "full":
		return VerifyFull, nil
	}
	return 0, fmt.Errorf("kring: broker: verify is %q, want none, count or full", s)
}

// String is the inverse of ParseVerify.
func (v Verify) String() string {
	switch v {
	case VerifyNone:
		return "none"
	case VerifyCount:
		return "count"
	case VerifyFull:
		return "full"
	}
	return "Verify(" + strconv.Itoa(int(v)) + ")"
}

const (
	// DefaultMaxBatchBytes is max.message.bytes of Kafka.
	DefaultMaxBatchBytes = 1048588
	// DefaultKeep is what VerifyFull keeps when Config.Keep is zero.
	DefaultKeep = 1 << 30

	// maxFrame is socket.request.max.bytes of Kafka.
	maxFrame = 100 << 20
	// maxControlFrame bounds what is not a Produce request: those are decoded
	// into structs, which can take a hundred times the bytes they came from.
	maxControlFrame = 1 << 20
	// maxPartitions and maxTopics bound what a peer can make the broker create.
	maxPartitions = 1 << 20
	maxTopics     = 1 << 14
)

// Config describes a cluster. The zero value is one broker on a free port of
// 127.0.0.1 that creates topics of one partition and forgets every record.
type Config struct {
	// Brokers is the number of nodes, 1 by default. Node ids start at 1.
	Brokers int
	// Partitions of a topic that a Metadata request creates, 1 by default.
	Partitions int
	// NoAutoCreate answers UNKNOWN_TOPIC_OR_PARTITION instead of creating.
	NoAutoCreate bool
	// Addr is where node 1 listens, 127.0.0.1:0 by default. With a port of its
	// own, node i listens i-1 ports above it.
	Addr string

	// ClusterID is what Metadata says, "kring-broker" by default.
	ClusterID string

	// Verify is how closely records are looked at.
	Verify Verify
	// Keep is about how many bytes of batches are kept for Log, Fetch and
	// ListOffsets. Beyond it a partition's oldest batches go first, as with
	// Kafka's retention. Zero keeps nothing, except with VerifyFull, where it
	// means DefaultKeep.
	Keep int64
	// Decompress is asked for the records of a compressed batch. Without it
	// compressed batches pass the CRC check and are counted as Unwalked.
	Decompress func(codec int8, compressed []byte) ([]byte, error)
	// OnRecord sees every record that is appended, in the order of the log of
	// its partition. It runs under that partition's lock, so it must be quick
	// and must not call the broker; the record's bytes are valid during the
	// call only. It implies at least VerifyCount.
	OnRecord func(*Record)

	// Delay holds back every answer by this time after its request was
	// complete, and pipelined requests overlap: a network of that round trip.
	Delay time.Duration
	// Service is the time a Produce request takes, and the next request of the
	// connection is not looked at meanwhile: a broker that waits for replicas.
	Service time.Duration
	// Throughput is how many bytes of Produce requests a node takes per second,
	// over all of its connections; 0 is as many as it can. A Produce request is
	// answered when its turn is over, as a slow disk would.
	Throughput int64

	// MaxProduceVersion caps the advertised version of Produce; 0 is no cap.
	MaxProduceVersion int16
	// MaxBatchBytes is the largest batch, DefaultMaxBatchBytes by default;
	// a larger one is answered MESSAGE_TOO_LARGE.
	MaxBatchBytes int
	// Hook scripts faults; see SetHook.
	Hook Hook
}

// withDefaults fills in what is zero and refuses what can not work.
func (c Config) withDefaults() (Config, error) {
	setDefault(&c.Brokers, 1)
	setDefault(&c.Partitions, 1)
	setDefault(&c.Addr, "127.0.0.1:0")
	setDefault(&c.ClusterID, "kring-broker")
	setDefault(&c.MaxBatchBytes, DefaultMaxBatchBytes)
	setDefault(&c.MaxProduceVersion, maxProduceVersion)
	if c.Verify == VerifyFull {
		setDefault(&c.Keep, DefaultKeep)
	}
	if c.OnRecord != nil && c.Verify == VerifyNone {
		c.Verify = VerifyCount
	}
	var errs []error
	refuse := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("kring: broker: "+format, args...))
		}
	}
	refuse(c.Brokers > 0 && c.Brokers <= 1024, "Brokers is %d, want 1 to 1024", c.Brokers)
	refuse(c.Partitions > 0 && c.Partitions <= maxPartitions,
		"Partitions is %d, want 1 to %d", c.Partitions, maxPartitions)
	refuse(c.Verify <= VerifyFull, "Verify is %v, want none, count or full", c.Verify)
	refuse(c.Keep >= 0, "Keep is %d, want 0 or more", c.Keep)
	refuse(c.Delay >= 0 && c.Service >= 0,
		"Delay is %v and Service %v, want 0 or more", c.Delay, c.Service)
	refuse(c.Throughput >= 0, "Throughput is %d, want 0 or more", c.Throughput)
	refuse(c.MaxBatchBytes >= batchHeaderSize,
		"MaxBatchBytes is %d, want %d or more", c.MaxBatchBytes, batchHeaderSize)
	version := c.MaxProduceVersion
	refuse(version >= minProduceVersion && version <= maxProduceVersion,
		"MaxProduceVersion is %d, want %d to %d", version, minProduceVersion, maxProduceVersion)
	if _, err := c.addrs(); err != nil {
		errs = append(errs, err)
	}
	return c, errors.Join(errs...)
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// addrs lists the listening address of every node.
func (c Config) addrs() ([]string, error) {
	host, service, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return nil, fmt.Errorf("kring: broker: Addr %q is not host:port", c.Addr)
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil || (port != 0 && int(port)+c.Brokers-1 > 65535) {
		return nil, fmt.Errorf("kring: broker: Addr %q has no usable port for %d brokers",
			c.Addr, c.Brokers)
	}
	addrs := make([]string, 0, max(c.Brokers, 0))
	for i := range c.Brokers {
		at := int(port)
		if port != 0 {
			at += i
		}
		addrs = append(addrs, net.JoinHostPort(host, strconv.Itoa(at)))
	}
	return addrs, nil
}
