package broker

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"
)

// patience is how long a test waits for what must happen. It only ends tests
// that fail, so it is long.
const patience = 30 * time.Second

// startTest runs a broker until the test ends and checks that nothing is left.
func startTest(t testing.TB, cfg Config) *Broker {
	t.Helper()
	leaks := goleak.IgnoreCurrent()
	b, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		goleak.VerifyNone(t, leaks)
	})
	return b
}

// client is a connection to a node, by kmsg.
type client struct {
	t         testing.TB
	nc        net.Conn
	formatter *kmsg.RequestFormatter
	sent      int32 // the next correlation id
}

func dial(t testing.TB, b *Broker, node int32) *client {
	t.Helper()
	nc, err := net.DialTimeout("tcp", b.Addrs()[node-1], patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return &client{t: t, nc: nc, formatter: kmsg.NewRequestFormatter(kmsg.FormatterClientID("tester"))}
}

// send writes a request and returns its correlation id.
func (c *client) send(req kmsg.Request) int32 {
	c.t.Helper()
	id := c.sent
	c.sent++
	c.write(c.formatter.AppendRequest(nil, req, id))
	return id
}

func (c *client) write(p []byte) {
	c.t.Helper()
	if _, err := c.nc.Write(p); err != nil {
		c.t.Fatal(err)
	}
}

// frame reads one answer: its correlation id and what follows it.
func (c *client) frame() (int32, []byte, error) {
	_ = c.nc.SetReadDeadline(time.Now().Add(patience))
	head := make([]byte, 4)
	if _, err := io.ReadFull(c.nc, head); err != nil {
		return 0, nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(head))
	if _, err := io.ReadFull(c.nc, body); err != nil {
		return 0, nil, err
	}
	return int32(binary.BigEndian.Uint32(body)), body[4:], nil
}

// receive reads the answer to req.
func (c *client) receive(req kmsg.Request, id int32) kmsg.Response {
	c.t.Helper()
	got, body, err := c.frame()
	if err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	if got != id {
		c.t.Fatalf("correlation id is %d, want %d", got, id)
	}
	if req.IsFlexible() && req.Key() != int16(kmsg.ApiVersions) {
		if body[0] != 0 {
			c.t.Fatalf("the answer's header has %d tags, want none", body[0])
		}
		body = body[1:]
	}
	resp := req.ResponseKind()
	if err := resp.ReadFrom(body); err != nil {
		c.t.Fatal(err)
	}
	if again := resp.AppendTo(nil); len(again) != len(body) {
		c.t.Fatalf("the answer has %d bytes, its decoding encodes to %d", len(body), len(again))
	}
	return resp
}

func (c *client) roundTrip(req kmsg.Request) kmsg.Response {
	c.t.Helper()
	return c.receive(req, c.send(req))
}

// closed fails unless the broker ends the connection without another byte.
func (c *client) closed() {
	c.t.Helper()
	_ = c.nc.SetReadDeadline(time.Now().Add(patience))
	n, err := c.nc.Read(make([]byte, 1))
	if ne, ok := err.(net.Error); n != 0 || err == nil || (ok && ne.Timeout()) {
		c.t.Fatalf("read %d bytes, error %v; want the connection closed", n, err)
	}
}

// batchOf describes a batch for tests. The zero value with a count is a good
// batch of a producer without idempotence.
type batchOf struct {
	count    int
	value    string
	producer int64 // 0: none
	epoch    int16
	sequence int32
	change   func(*kmsg.RecordBatch) // before the CRC is computed
}

func (o batchOf) bytes() []byte {
	rb := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, LastOffsetDelta: int32(o.count) - 1,
		FirstTimestamp: 1000, MaxTimestamp: 1000 + int64(o.count) - 1,
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: int32(o.count),
	}
	if o.producer != 0 {
		rb.ProducerID, rb.ProducerEpoch, rb.FirstSequence = o.producer, o.epoch, o.sequence
	}
	for i := range o.count {
		r := kmsg.Record{
			TimestampDelta64: int64(i), OffsetDelta: int32(i), Key: []byte{byte(i)}, Value: []byte(o.value),
			Headers: []kmsg.Header{{Key: "h", Value: []byte{1}}, {Key: "null"}},
		}
		r.Length = int32(len(r.AppendTo(nil)) - 1) // one byte of varint, so records stay below 64 bytes
		rb.Records = r.AppendTo(rb.Records)
	}
	rb.Length = int32(batchHeaderSize - 12 + len(rb.Records))
	if o.change != nil {
		o.change(&rb)
	}
	rb.CRC = int32(crcOf(rb.AppendTo(nil)))
	return rb.AppendTo(nil)
}

// produceTo makes a request for partitions of one topic.
func produceTo(b *Broker, version int16, topic string, batches map[int32][]byte) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = version, -1, 1000
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic = topic
	if t := b.topics.Load().byName[topic]; t != nil {
		rt.TopicID = t.id
	}
	for index, records := range batches {
		rp := kmsg.NewProduceRequestTopicPartition()
		rp.Partition, rp.Records = index, records
		rt.Partitions = append(rt.Partitions, rp)
	}
	req.Topics = append(req.Topics, rt)
	return req
}

// produceOne sends one batch to partition 0 and returns the broker's answer.
func (c *client) produceOne(b *Broker, topic string, records []byte) kmsg.ProduceResponseTopicPartition {
	c.t.Helper()
	resp := c.roundTrip(produceTo(b, maxProduceVersion, topic, map[int32][]byte{0: records})).(*kmsg.ProduceResponse)
	return resp.Topics[0].Partitions[0]
}

func createTopic(t testing.TB, b *Broker, name string, partitions int) {
	t.Helper()
	if err := b.CreateTopic(name, partitions); err != nil {
		t.Fatal(err)
	}
}

// eventually waits for a counter without sleeping as a signal: it only decides
// how often to look.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s did not happen", what)
		}
	}
}

// crcOf is the CRC that belongs into a batch.
func crcOf(batch []byte) uint32 {
	return crc32.Checksum(batch[21:], crc32.MakeTable(crc32.Castagnoli))
}
