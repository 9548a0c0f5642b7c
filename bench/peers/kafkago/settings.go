package main

import (
	"strconv"
	"time"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/bench/peers/internal/peer"
	"github.com/segmentio/kafka-go"
)

const (
	// atOnce stands for no linger: zero would be a second.
	atOnce = time.Nanosecond
	// sparse is the messages of a batch in an open loop without linger. The
	// Writer makes room for all of them in every batch, and most have one.
	sparse = 16
)

// settings are the plan in kafka-go's words, how many bytes may wait, and the
// same for the reader.
func settings(plan *bench.Config) (w *kafka.Writer, buffer int64, props map[string]string, err error) {
	s, limits := &plan.Settings, peer.LimitsOf(plan)
	dial, err := peer.Secured(plan)
	if err != nil {
		return nil, 0, nil, err
	}
	transport := &kafka.Transport{ClientID: peer.ClientID(plan), Dial: dial}
	w = &kafka.Writer{
		Addr: kafka.TCP(s.Brokers...), Topic: s.Topic, Transport: transport,
		Async: true, AllowAutoTopicCreation: true,
		BatchBytes:   int64(max(limits.BatchBytes, peer.LargestRecord(plan))),
		BatchTimeout: max(s.Linger, atOnce),
		// The bytes are the bound; the messages are as many as they hold.
		BatchSize: limits.BatchBytes/max(plan.Sizes.Min(), 1) + 1,
	}
	if s.Linger == 0 && plan.Mode == bench.ModeOpen {
		w.BatchSize = min(w.BatchSize, sparse)
	}
	if s.Defaults {
		// Zero is each one's default; the fields then hold what it stands for.
		w.BatchBytes, w.BatchTimeout, w.BatchSize = 0, 0, 0
	}
	if !s.Defaults && s.Codec() != bench.CompressionNone {
		if err := w.Compression.UnmarshalText([]byte(s.Codec())); err != nil {
			return nil, 0, nil, err
		}
	}
	balancer := "round robin (its default)"
	switch {
	case plan.Partitioner == bench.PartitionerRoundRobin:
		w.Balancer, balancer = kafka.BalancerFunc(chosen), "the record's partition"
	case plan.Keys.String() != "none" && !s.Defaults:
		// Its default does not look at keys.
		w.Balancer, balancer = kafka.Murmur2Balancer{}, "murmur2"
	}
	switch {
	case s.Defaults:
		return w, limits.BufferBytes, map[string]string{
			"Async": "true", "RequiredAcks": w.RequiredAcks.String() + " (default)", "BatchBytes": "1048576 (default)", "BatchSize": "100 (default)",
			"BatchTimeout": "1s (default)", "Balancer": balancer, "Compression": "none", "enable.idempotence": "not supported",
			"in flight": "one batch per partition (fixed)", "buffer.memory": strconv.FormatInt(limits.BufferBytes, 10) + " (the worker's: the Writer has none)",
		}, nil
	case s.Acks == "all":
		w.RequiredAcks = kafka.RequireAll
	case s.Acks == "1":
		w.RequiredAcks = kafka.RequireOne
	default:
		w.RequiredAcks = kafka.RequireNone
	}
	idempotence := "not supported"
	if s.Idempotent {
		idempotence = "not supported: OFF, though the plan has it"
	}
	props = map[string]string{
		"Async": "true", "RequiredAcks": w.RequiredAcks.String(), "BatchBytes": strconv.FormatInt(w.BatchBytes, 10),
		"BatchSize": strconv.Itoa(w.BatchSize), "BatchTimeout": w.BatchTimeout.String(), "Balancer": balancer,
		"Compression": s.Codec(), "enable.idempotence": idempotence, "in flight": "one batch per partition (fixed)",
		"buffer.memory": strconv.FormatInt(limits.BufferBytes, 10) + " (the worker's: the Writer has none)",
	}
	if s.Codec() != bench.CompressionNone {
		props["compression.level"] = "default"
	}
	return w, limits.BufferBytes, props, nil
}

// chosen balances by what Produce put beside the message.
func chosen(m kafka.Message, _ ...int) int { return m.WriterData.(*item).partition }
