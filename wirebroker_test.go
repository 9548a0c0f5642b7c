package kring_test

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// wireBroker is a broker of one node whose every answer a test may replace,
// down to the bytes. Left alone it is honest, has one topic "t", and keeps
// every batch that it was sent, whatever it answered.
type wireBroker struct {
	t    *testing.T
	ln   net.Listener
	done sync.WaitGroup

	// Scripts; to be set before the first connection, or under mu.
	raw      func(c *wireConn, key, version int16, correlation int32) (handled bool)
	apis     func(*kmsg.ApiVersionsResponse)
	metadata func(*kmsg.MetadataRequest, *kmsg.MetadataResponse)
	identity func(n int) (id int64, epoch int16, code int16)
	produce  func(c *wireConn, q *wireRequest)
	// telemetry answers what belongs to KIP-714; nil is no answer.
	telemetry func(kmsg.Request) kmsg.Response

	mu         sync.Mutex
	conns      map[*wireConn]struct{}
	batches    []wireBatch
	accepted   int             // connections
	requests   map[int16]int   // by key
	identities int             // handed out
	offsets    map[int32]int64 // next, by partition
	closed     bool
}

type wireConn struct {
	b      *wireBroker
	nc     net.Conn
	number int // from 1
}

// wireRequest is one Produce request.
type wireRequest struct {
	*kmsg.ProduceRequest
	correlation int32
	number      int // from 1, over all connections
	batches     []wireBatch
}

// wireBatch is one batch as it came over the wire.
type wireBatch struct {
	topic      string
	topicID    [16]byte
	partition  int32
	producerID int64
	epoch      int16
	sequence   int32
	count      int32
	raw        []byte
	conn       int
}

var wireTopicID = [16]byte{1, 2, 3}

func newWireBroker(t *testing.T, script func(*wireBroker)) *wireBroker {
	t.Helper()
	noLeaks(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &wireBroker{t: t, ln: ln, conns: map[*wireConn]struct{}{}, requests: map[int16]int{}, offsets: map[int32]int64{}}
	if script != nil {
		script(b)
	}
	b.done.Go(b.accept)
	t.Cleanup(b.close)
	return b
}

func (b *wireBroker) addr() string { return b.ln.Addr().String() }

func (b *wireBroker) close() {
	_ = b.ln.Close()
	b.mu.Lock()
	b.closed = true
	for c := range b.conns {
		_ = c.nc.Close()
	}
	b.mu.Unlock()
	b.done.Wait()
}

func (b *wireBroker) accept() {
	for {
		nc, err := b.ln.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		b.accepted++
		c := &wireConn{b: b, nc: nc, number: b.accepted}
		if b.closed {
			_ = nc.Close()
		}
		b.conns[c] = struct{}{}
		b.mu.Unlock()
		b.done.Go(func() {
			c.serve()
			_ = nc.Close()
			b.mu.Lock()
			delete(b.conns, c)
			b.mu.Unlock()
		})
	}
}

func (c *wireConn) serve() {
	for {
		var size [4]byte
		if _, err := io.ReadFull(c.nc, size[:]); err != nil {
			return
		}
		frame := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(c.nc, frame); err != nil {
			return
		}
		c.handle(frame)
	}
}

func (c *wireConn) handle(frame []byte) {
	b := c.b
	key, version := int16(binary.BigEndian.Uint16(frame)), int16(binary.BigEndian.Uint16(frame[2:]))
	correlation := int32(binary.BigEndian.Uint32(frame[4:]))
	b.mu.Lock()
	b.requests[key]++
	b.mu.Unlock()
	if b.raw != nil && b.raw(c, key, version, correlation) {
		return
	}
	body := frame[10:]
	if n := int16(binary.BigEndian.Uint16(frame[8:])); n > 0 {
		body = body[n:]
	}
	req := kmsg.RequestForKey(key)
	req.SetVersion(version)
	if req.IsFlexible() {
		body = body[1:] // no tags
	}
	if err := req.ReadFrom(body); err != nil {
		b.t.Errorf("request %d v%d can not be read: %v", key, version, err)
		_ = c.nc.Close()
		return
	}
	switch r := req.(type) {
	case *kmsg.ApiVersionsRequest:
		c.answer(correlation, b.apiVersions(r))
	case *kmsg.MetadataRequest:
		c.answer(correlation, b.describe(r))
	case *kmsg.InitProducerIDRequest:
		c.answer(correlation, b.initProducerID(r))
	case *kmsg.ProduceRequest:
		c.produced(correlation, r)
	case *kmsg.GetTelemetrySubscriptionsRequest, *kmsg.PushTelemetryRequest:
		if resp := b.telemetry(req); resp != nil {
			c.answer(correlation, resp)
		}
	default:
		b.t.Errorf("request %d came and should not have", key)
	}
}

// answer writes an honest frame.
func (c *wireConn) answer(correlation int32, resp kmsg.Response) {
	c.write(encodeAnswer(correlation, resp))
}

func encodeAnswer(correlation int32, resp kmsg.Response) []byte {
	out := binary.BigEndian.AppendUint32(make([]byte, 4), uint32(correlation))
	if resp.IsFlexible() && resp.Key() != int16(kmsg.ApiVersions) {
		out = append(out, 0)
	}
	out = resp.AppendTo(out)
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	return out
}

func (c *wireConn) write(p []byte) { _, _ = c.nc.Write(p) }

func (b *wireBroker) apiVersions(r *kmsg.ApiVersionsRequest) *kmsg.ApiVersionsResponse {
	resp := r.ResponseKind().(*kmsg.ApiVersionsResponse)
	for _, a := range [][3]int16{{0, 3, 13}, {3, 0, 13}, {18, 0, 4}, {22, 0, 5}} {
		k := kmsg.NewApiVersionsResponseApiKey()
		k.ApiKey, k.MinVersion, k.MaxVersion = a[0], a[1], a[2]
		resp.ApiKeys = append(resp.ApiKeys, k)
	}
	if b.apis != nil {
		b.apis(resp)
	}
	return resp
}

// describe is a cluster of one node with two partitions.
func (b *wireBroker) describe(r *kmsg.MetadataRequest) *kmsg.MetadataResponse {
	resp := r.ResponseKind().(*kmsg.MetadataResponse)
	node := kmsg.NewMetadataResponseBroker()
	node.NodeID = 1
	host, port, _ := net.SplitHostPort(b.addr())
	n, _ := strconv.Atoi(port)
	node.Host, node.Port = host, int32(n)
	resp.Brokers = append(resp.Brokers, node)
	for _, rt := range r.Topics {
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic, topic.TopicID = rt.Topic, wireTopicID
		topic.Partitions = wirePartitions(2)
		resp.Topics = append(resp.Topics, topic)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.metadata != nil {
		b.metadata(r, resp)
	}
	return resp
}

func wirePartitions(n int) (list []kmsg.MetadataResponseTopicPartition) {
	for i := range n {
		p := kmsg.NewMetadataResponseTopicPartition()
		p.Partition, p.Leader, p.LeaderEpoch = int32(i), 1, 1
		p.Replicas, p.ISR = []int32{1}, []int32{1}
		list = append(list, p)
	}
	return list
}

func (b *wireBroker) initProducerID(r *kmsg.InitProducerIDRequest) *kmsg.InitProducerIDResponse {
	resp := r.ResponseKind().(*kmsg.InitProducerIDResponse)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.identities++
	resp.ProducerID, resp.ProducerEpoch = int64(1000+b.identities), 0
	if b.identity != nil {
		resp.ProducerID, resp.ProducerEpoch, resp.ErrorCode = b.identity(b.identities)
	}
	return resp
}

// produced notes the batches of a request and answers it.
func (c *wireConn) produced(correlation int32, r *kmsg.ProduceRequest) {
	b := c.b
	q := &wireRequest{ProduceRequest: r, correlation: correlation}
	for _, t := range r.Topics {
		for _, p := range t.Partitions {
			q.batches = append(q.batches, parseWireBatch(b.t, t, p, c.number))
		}
	}
	b.mu.Lock()
	b.batches = append(b.batches, q.batches...)
	q.number = b.requests[0]
	script := b.produce
	b.mu.Unlock()
	if script != nil {
		script(c, q)
		return
	}
	c.accept(q)
}

func parseWireBatch(t *testing.T, topic kmsg.ProduceRequestTopic, p kmsg.ProduceRequestTopicPartition, conn int) wireBatch {
	raw := append([]byte(nil), p.Records...)
	if len(raw) < 61 || int(binary.BigEndian.Uint32(raw[8:])) != len(raw)-12 {
		t.Errorf("a batch of %d bytes with a wrong length", len(raw))
		return wireBatch{}
	}
	if want := crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)); binary.BigEndian.Uint32(raw[17:]) != want {
		t.Errorf("a batch of %d bytes with a wrong CRC", len(raw))
	}
	return wireBatch{
		topic: topic.Topic, topicID: topic.TopicID, partition: p.Partition, raw: raw, conn: conn,
		producerID: int64(binary.BigEndian.Uint64(raw[43:])), epoch: int16(binary.BigEndian.Uint16(raw[51:])),
		sequence: int32(binary.BigEndian.Uint32(raw[53:])), count: int32(binary.BigEndian.Uint32(raw[57:])),
	}
}

// success is the honest answer.
func (b *wireBroker) success(q *wireRequest) *kmsg.ProduceResponse {
	b.mu.Lock()
	defer b.mu.Unlock()
	resp := q.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range q.Topics {
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.Partition, rp.BaseOffset = p.Partition, b.offsets[p.Partition]
			b.offsets[p.Partition] += int64(binary.BigEndian.Uint32(p.Records[57:]))
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

func (c *wireConn) accept(q *wireRequest) {
	if q.Acks != 0 {
		c.answer(q.correlation, c.b.success(q))
	}
}

// fail answers code for every batch.
func (c *wireConn) fail(q *wireRequest, code int16) {
	resp := c.b.success(q)
	for i := range resp.Topics {
		for k := range resp.Topics[i].Partitions {
			resp.Topics[i].Partitions[k].ErrorCode, resp.Topics[i].Partitions[k].BaseOffset = code, -1
		}
	}
	c.answer(q.correlation, resp)
}

func (b *wireBroker) seen() []wireBatch {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]wireBatch(nil), b.batches...)
}

func (b *wireBroker) count(key int16) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.requests[key]
}
