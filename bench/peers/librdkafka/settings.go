//go:build cgo

package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/bench/peers/internal/peer"
)

const (
	// messages is the most that may wait: the bytes are the bound. librdkafka
	// counts both.
	messages = 10_000_000
	// events is the room between librdkafka's poller and the reader. The
	// default of a million places is a buffer of its own.
	events = 16384
)

// settings are the plan in librdkafka's words, and the same for the reader.
func settings(plan *bench.Config) (*kafka.ConfigMap, map[string]string) {
	s, limits := &plan.Settings, peer.LimitsOf(plan)
	props := map[string]string{
		"acks": s.Acks, "enable.idempotence": strconv.FormatBool(s.Idempotent),
		// Milliseconds, with a fraction.
		"linger.ms":                             strconv.FormatFloat(s.Linger.Seconds()*1e3, 'f', -1, 64),
		"batch.size":                            strconv.Itoa(limits.BatchBytes),
		"batch.num.messages":                    strconv.Itoa(max(limits.BatchBytes/max(plan.Sizes.Min(), 1), 1) + 1),
		"queue.buffering.max.kbytes":            strconv.FormatInt(max(limits.BufferBytes>>10, 1), 10),
		"queue.buffering.max.messages":          strconv.Itoa(messages),
		"max.in.flight.requests.per.connection": strconv.Itoa(limits.InFlight),
		"compression.type":                      s.Codec(), "go.delivery.report.fields": "none",
	}
	if s.Codec() != bench.CompressionNone {
		props["compression.level"] = "-1" // The codec's own default, which is librdkafka's.
	}
	if s.Defaults {
		props = map[string]string{"go.delivery.report.fields": "none"}
	}
	config := &kafka.ConfigMap{
		"bootstrap.servers": strings.Join(s.Brokers, ","), "client.id": peer.ClientID(plan),
		"go.delivery.reports": true, "go.events.channel.size": events, "go.logs.channel.enable": false,
	}
	for name, value := range props {
		(*config)[name] = value
	}
	if s.Defaults {
		props = map[string]string{
			"acks": "all (default)", "enable.idempotence": "false (default)", "linger.ms": "5 (default)", "batch.size": "1000000 (default)",
			"batch.num.messages": "10000 (default)", "queue.buffering.max.messages": "100000 (default)",
			"queue.buffering.max.kbytes": "1048576 (default)", "max.in.flight.requests.per.connection": "1000000 (default)",
			"compression.type": "none (default)",
		}
	}
	number, version := kafka.LibraryVersion()
	props["librdkafka"] = fmt.Sprintf("%s (%#x)", version, number)
	props["go.events.channel.size"] = strconv.Itoa(events)
	props["partitioner"] = "consistent_random (its default), sticky for 10 ms without a key"
	if plan.Partitioner == bench.PartitionerRoundRobin {
		props["partitioner"] = "explicit partitions"
	}
	return config, props
}
