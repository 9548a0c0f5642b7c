package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"sync"
	"unsafe"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/bench/peers/internal/peer"
	"github.com/twmb/franz-go/pkg/kgo"
)

// item is a record that knows its tag. Promises get a *kgo.Record; as that is
// the first field of its item, no closure per record is needed.
type item struct {
	record kgo.Record
	tag    uint64
}

var _ [0]struct{} = [unsafe.Offsetof(item{}.record)]struct{}{}

// client drives one kgo.Client.
type client struct {
	kgo     *kgo.Client
	done    bench.Done
	reuse   bool
	items   sync.Pool
	promise func(*kgo.Record, error)
}

// plain is the property that makes the worker allocate a record and a closure
// per Produce, as franz-go's own examples do.
const plain = "franz-go.plain"

// defaultBuffer is Java's buffer.memory.
const defaultBuffer = 32 << 20

func start(plan *bench.Config, done bench.Done) (bench.Client, map[string]string, error) {
	opts, props, err := options(plan)
	if err != nil {
		return nil, nil, bench.UsageError(err)
	}
	dial, err := peer.Secured(plan)
	if err != nil {
		return nil, nil, err
	}
	if dial != nil {
		opts = append(opts, kgo.Dialer(dial))
	}
	k, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, nil, bench.UsageError(err)
	}
	c := &client{kgo: k, done: done, reuse: plan.Settings.Props[plain] != "true", items: sync.Pool{New: func() any { return new(item) }}}
	c.promise = c.end
	return c, props, nil
}

// options are the plan in franz-go's words, and the same for the reader.
func options(plan *bench.Config) ([]kgo.Opt, map[string]string, error) {
	s := &plan.Settings
	if s.Defaults {
		opts, props := defaults(plan)
		return opts, props, nil
	}
	buffer := s.BufferBytes
	if buffer == 0 {
		buffer = defaultBuffer
	}
	batch := s.BatchSize
	if batch == 0 {
		batch = 16384
	}
	inFlight := s.MaxInFlight
	if inFlight == 0 {
		inFlight = 5
	}
	props := map[string]string{
		"ProducerLinger": s.Linger.String(), "ProducerBatchMaxBytes": strconv.Itoa(batch),
		"MaxBufferedBytes": strconv.FormatInt(buffer, 10), "MaxBufferedRecords": "unlimited",
		"ProducerBatchCompression": s.Codec(),
	}
	codec, err := codec(s.Codec())
	if err != nil {
		return nil, nil, err
	}
	if s.Codec() != bench.CompressionNone {
		props["compression.level"] = "default"
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(s.Brokers...), kgo.DefaultProduceTopic(s.Topic), kgo.ClientID("kbench"), kgo.AllowAutoTopicCreation(),
		kgo.ProducerLinger(s.Linger), kgo.ProducerBatchMaxBytes(int32(batch)),
		kgo.MaxBufferedBytes(int(buffer)), kgo.MaxBufferedRecords(math.MaxInt32),
		kgo.ProducerBatchCompression(codec),
	}
	if plan.Partitioner == bench.PartitionerRoundRobin {
		opts, props["RecordPartitioner"] = append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner())), "manual"
	} else {
		props["RecordPartitioner"] = "default (uniform bytes, 64 KiB, adaptive)"
	}
	switch s.Acks {
	case "all":
		opts, props["RequiredAcks"] = append(opts, kgo.RequiredAcks(kgo.AllISRAcks())), "all"
	case "1":
		opts, props["RequiredAcks"] = append(opts, kgo.RequiredAcks(kgo.LeaderAck())), "leader"
	case "0":
		opts, props["RequiredAcks"] = append(opts, kgo.RequiredAcks(kgo.NoAck())), "none"
	default:
		return nil, nil, fmt.Errorf("acks %q", s.Acks)
	}
	props["MaxProduceRequestsInflightPerBroker"] = "5 (fixed when idempotent)"
	if !s.Idempotent {
		opts = append(opts, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(inFlight))
		props["MaxProduceRequestsInflightPerBroker"] = strconv.Itoa(inFlight)
	}
	props["DisableIdempotentWrite"] = strconv.FormatBool(!s.Idempotent)
	return opts, props, nil
}

// codec is franz-go's, at its default level.
func codec(name string) (kgo.CompressionCodec, error) {
	switch name {
	case bench.CompressionNone:
		return kgo.NoCompression(), nil
	case "gzip":
		return kgo.GzipCompression(), nil
	case "snappy":
		return kgo.SnappyCompression(), nil
	case "lz4":
		return kgo.Lz4Compression(), nil
	case "zstd":
		return kgo.ZstdCompression(), nil
	}
	return kgo.CompressionCodec{}, fmt.Errorf("compression %q", name)
}

// defaults leaves everything to franz-go but addresses, topic, and who chooses
// partitions, which is the workload's.
func defaults(plan *bench.Config) ([]kgo.Opt, map[string]string) {
	s := &plan.Settings
	opts := []kgo.Opt{kgo.SeedBrokers(s.Brokers...), kgo.DefaultProduceTopic(s.Topic), kgo.ClientID("kbench"), kgo.AllowAutoTopicCreation()}
	props := map[string]string{
		"ProducerLinger": "10ms (default)", "ProducerBatchMaxBytes": "1000012 (default)", "MaxBufferedRecords": "10000 (default)",
		"MaxBufferedBytes": "none (default; 10000 records)", "ProducerBatchCompression": "snappy (default)", "RequiredAcks": "all (default)",
		"DisableIdempotentWrite": "false", "MaxProduceRequestsInflightPerBroker": "5 (default)",
		"RecordPartitioner": "default (uniform bytes, 64 KiB, adaptive)",
	}
	if plan.Partitioner == bench.PartitionerRoundRobin {
		opts, props["RecordPartitioner"] = append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner())), "manual"
	}
	return opts, props
}

// Produce hands over a record of the pool, or a new one.
func (c *client) Produce(ctx context.Context, r *bench.Record) error {
	if !c.reuse {
		record := &kgo.Record{Key: r.Key, Value: r.Value, Partition: max(r.Partition, 0)}
		tag := r.Tag
		c.kgo.Produce(ctx, record, func(r *kgo.Record, err error) { c.done(tag, r.Partition, r.Offset, err) })
		return nil
	}
	it := c.items.Get().(*item)
	it.record = kgo.Record{Key: r.Key, Value: r.Value}
	if r.Partition >= 0 {
		it.record.Partition = r.Partition
	}
	it.tag = r.Tag
	c.kgo.Produce(ctx, &it.record, c.promise)
	return nil
}

// end is every record's promise.
func (c *client) end(r *kgo.Record, err error) {
	it := (*item)(unsafe.Pointer(r))
	tag, partition, offset := it.tag, r.Partition, r.Offset
	it.record = kgo.Record{}
	c.items.Put(it)
	c.done(tag, partition, offset, err)
}

func (c *client) Flush(ctx context.Context) error { return c.kgo.Flush(ctx) }

func (c *client) Close(context.Context) error {
	c.kgo.Close()
	return nil
}
