package main

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/IBM/sarama"
	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/bench/peers/internal/peer"
)

// What a record takes beside its key and value: as sarama's triggers count it,
// and about as it stands in a batch.
const (
	countedOverhead = 36
	realOverhead    = 8
	// largest is about what brokers take, unless they are told otherwise.
	largest = 1 << 20
)

// counted is the bytes of batches as sarama's triggers count them: more than
// they have, so that its batches would be smaller than the others'.
func counted(plan *bench.Config, bytes int) int {
	if bytes >= largest {
		return bytes // Beyond, brokers may refuse the batch: it may be a bit smaller instead.
	}
	size := plan.Sizes.Min()
	return int(int64(bytes) * int64(size+countedOverhead) / int64(size+realOverhead))
}

// dialer is the one hook that sarama has.
type dialer peer.Dial

// Dial implements proxy.Dialer.
func (d dialer) Dial(network, address string) (net.Conn, error) {
	return d(context.Background(), network, address)
}

// settings are the plan in sarama's words, and the same for the reader.
func settings(plan *bench.Config) (*sarama.Config, map[string]string, error) {
	s, limits := &plan.Settings, peer.LimitsOf(plan)
	c := sarama.NewConfig()
	c.ClientID = peer.ClientID(plan)
	// What the broker does not speak is negotiated down.
	c.Version = sarama.MaxVersion
	dial, err := peer.Secured(plan)
	if err != nil {
		return nil, nil, err
	}
	if dial != nil {
		c.Net.Proxy.Enable, c.Net.Proxy.Dialer = true, dialer(dial)
	}
	if !s.Defaults {
		c.Net.MaxOpenRequests = limits.InFlight
	}
	c.Producer.Return.Successes, c.Producer.Return.Errors = true, true
	if err := c.Producer.Compression.UnmarshalText([]byte(s.Codec())); err != nil {
		return nil, nil, err
	}
	c.Producer.Partitioner = sarama.NewHashPartitioner
	partitioner := "hash (its default; random without a key)"
	if plan.Partitioner == bench.PartitionerRoundRobin {
		c.Producer.Partitioner, partitioner = sarama.NewManualPartitioner, "manual"
	}
	if s.Defaults {
		return c, shown(c, strconv.Itoa(c.Net.MaxOpenRequests), partitioner), nil
	}
	switch s.Acks {
	case "all":
		c.Producer.RequiredAcks = sarama.WaitForAll
	case "1":
		c.Producer.RequiredAcks = sarama.WaitForLocal
	default:
		c.Producer.RequiredAcks = sarama.NoResponse
	}
	inFlight := strconv.Itoa(limits.InFlight)
	if s.Idempotent {
		c.Producer.Idempotent, c.Net.MaxOpenRequests = true, 1
		inFlight = "1 (sarama allows no more when idempotent)"
	}
	if s.Linger > 0 {
		// The trigger counts the bytes of all partitions of a broker: one batch
		// for each. Without a linger there is none: sarama sends at once what it has.
		perBroker := max(plan.Partitions, 1) / max(len(s.Brokers), 1)
		c.Producer.Flush.Frequency, c.Producer.Flush.Bytes = s.Linger, counted(plan, limits.BatchBytes)*max(perBroker, 1)
	}
	c.Producer.MaxMessageBytes = max(counted(plan, limits.BatchBytes), peer.LargestRecord(plan))
	if err := c.Validate(); err != nil {
		return nil, nil, err
	}
	return c, shown(c, inFlight, partitioner), nil
}

// shown is what sarama was given, for the reader.
func shown(c *sarama.Config, inFlight, partitioner string) map[string]string {
	return map[string]string{
		"Version": c.Version.String(), "ChannelBufferSize": strconv.Itoa(c.ChannelBufferSize),
		"Net.MaxOpenRequests": inFlight, "Producer.RequiredAcks": strconv.Itoa(int(c.Producer.RequiredAcks)),
		"Producer.Idempotent":      strconv.FormatBool(c.Producer.Idempotent),
		"Producer.Flush.Frequency": c.Producer.Flush.Frequency.String(),
		"Producer.Flush.Bytes":     fmt.Sprintf("%d (of a broker; counts %d bytes of overhead per record)", c.Producer.Flush.Bytes, countedOverhead),
		"Producer.MaxMessageBytes": strconv.Itoa(c.Producer.MaxMessageBytes),
		"Producer.Compression":     c.Producer.Compression.String(), "Producer.Partitioner": partitioner,
		"Producer.CompressionLevel": fmt.Sprintf("default (%d)", c.Producer.CompressionLevel),
		"buffer.memory":             "no such bound: the channels",
	}
}
