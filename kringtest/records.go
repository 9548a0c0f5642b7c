package kringtest

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// Record is one record as it lies in the log of a Cluster.
type Record struct {
	Topic     string
	Partition int32
	Offset    int64
	// Timestamp is exact to the millisecond, as Kafka stores it.
	Timestamp time.Time
	// Key and Value are nil where the log has null.
	Key, Value []byte
	Headers    []kring.Header
}

// Records returns the log of a partition, from its first record. A topic that
// nobody created has none; a partition that an existing topic does not have is
// a mistake of the test, and fails it. The records are the caller's own.
//
// A record is there before its delivery is reported: Flush the producer first,
// or use Await where the test has no hold of it.
func (c *Cluster) Records(topic string, partition int32) []Record {
	c.tb.Helper()
	n, ok := c.broker.Topics()[topic]
	if !ok {
		return nil
	}
	if partition < 0 || int(partition) >= n {
		c.tb.Errorf("kringtest: Records(%q, %d): the topic has %d partitions", topic, partition, n)
		return nil
	}
	log, err := c.broker.Log(topic, partition)
	if err != nil {
		c.tb.Errorf("kringtest: Records(%q, %d): %v", topic, partition, err)
		return nil
	}
	var list []Record
	for r := range log.Records() {
		list = append(list, copyOf(r))
	}
	if want := log.End - log.Start; int64(len(list)) != want || log.Start != 0 {
		c.tb.Errorf("kringtest: Records(%q, %d) can show %d records of %d: more than %d bytes are beyond it",
			topic, partition, len(list), log.End, broker.DefaultKeep)
	}
	return list
}

// Await waits until the partitions of a topic hold n records or more together,
// and returns all, partition by partition. If ctx ends first it fails the test
// and returns what there is.
func (c *Cluster) Await(ctx context.Context, topic string, n int) []Record {
	c.tb.Helper()
	for {
		// The channel first: a record that comes after the look closes it.
		c.newsMu.Lock()
		news := c.news
		c.newsMu.Unlock()
		var list []Record
		for i := range c.broker.Topics()[topic] {
			list = append(list, c.Records(topic, int32(i))...)
		}
		if len(list) >= n {
			return list
		}
		select {
		case <-news:
		case <-ctx.Done():
			c.tb.Errorf("kringtest: topic %q has %d records, want %d: %v", topic, len(list), n, context.Cause(ctx))
			return list
		}
	}
}

// announce wakes whoever waits for records.
func (c *Cluster) announce() {
	c.newsMu.Lock()
	defer c.newsMu.Unlock()
	close(c.news)
	c.news = make(chan struct{})
}

// copyOf copies what the broker reuses from record to record.
func copyOf(r *broker.Record) Record {
	own := Record{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset,
		Timestamp: time.UnixMilli(r.Timestamp),
		Key:       bytes.Clone(r.Key), Value: bytes.Clone(r.Value),
	}
	for _, h := range r.Headers {
		own.Headers = append(own.Headers, kring.Header{Key: string(h.Key), Value: bytes.Clone(h.Value)})
	}
	return own
}

// cloneHeaders copies headers and the bytes that they point to.
func cloneHeaders(headers []kring.Header) []kring.Header {
	headers = slices.Clone(headers)
	for i := range headers {
		headers[i].Value = bytes.Clone(headers[i].Value)
	}
	return headers
}
