package wire_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"reflect"
	"testing"
	"time"
	"unsafe"

	"github.com/IBM/sarama"
	"github.com/kring-go/kring/wire"
)

// maxSarama is the newest version of Produce that sarama knows. Versions 11 and
// 12 have the bytes of version 10, and version 13 those of 12 but for the topic.
const maxSarama = 10

const (
	topic     = "topic"
	partition = 5
	clientID  = "kring"
	timeoutMs = 30000
	deadline  = 30 * time.Second
)

// encodeRequest encodes a request for two partitions of one topic.
func encodeRequest(version int16, correlationID int32, records ...[]byte) []byte {
	var e wire.ProduceEncoder
	e.Begin(version, correlationID, clientID, -1, timeoutMs, 1)
	e.Topic(topic, [16]byte{1}, len(records))
	for i, p := range records {
		e.Partition(partition+int32(i), len(p))
	}
	e.EndTopic()
	e.Finish()
	var frame []byte
	at := 0
	for i, p := range records {
		frame = append(append(frame, e.Buf[at:e.Cuts[i]]...), p...)
		at = e.Cuts[i]
	}
	return append(frame, e.Buf[at:]...)
}

// answer is the response that sarama's mock broker gives in this version.
func answer(version int16) *sarama.ProduceResponse {
	message, rack := "no", "rack"
	block := &sarama.ProduceResponseBlock{
		Err: sarama.ErrNotLeaderForPartition, Offset: 1 << 40, Timestamp: time.UnixMilli(base), StartOffset: 3,
	}
	r := &sarama.ProduceResponse{
		Version: version, ThrottleTime: 42 * time.Millisecond,
		Blocks: map[string]map[int32]*sarama.ProduceResponseBlock{topic: {partition: block}},
	}
	if version >= 8 {
		block.ErrorMessage = &message
		block.RecordErrors = []sarama.ProduceResponseRecordError{
			{BatchIndex: 4, BatchIndexErrorMessage: &message}, {BatchIndex: 5},
		}
	}
	if version >= 10 {
		block.CurrentLeader = &sarama.ProduceResponseCurrentLeader{LeaderID: 2, LeaderEpoch: 9}
		r.NodeEndpoints = []*sarama.ProduceResponseNodeEndpoint{
			{NodeID: 2, Host: "host", Port: 9092, Rack: &rack}, {NodeID: 3, Host: "other", Port: 1},
		}
	}
	return r
}

// TestSaramaReadsRequests sends our requests to sarama's broker, compares what
// it has read with what we have written, and reads what it answers.
func TestSaramaReadsRequests(t *testing.T) {
	all := batches()
	for version := int16(wire.MinProduceVersion); version <= maxSarama; version++ {
		t.Run(fmt.Sprintf("v%d", version), func(t *testing.T) {
			broker := sarama.NewMockBroker(t, 1)
			defer broker.Close()
			broker.SetHandlerByMap(map[string]sarama.MockResponse{
				"ProduceRequest": sarama.NewMockWrapper(answer(version)),
			})
			conn := dial(t, broker.Addr())
			for i := range all {
				first, second := &all[i], &all[(i+1)%len(all)]
				if _, err := conn.Write(encodeRequest(version, int32(i), first.encode(), second.encode())); err != nil {
					t.Fatal(err)
				}
				checkAnswer(t, version, int32(i), readFrame(t, conn))
				history := broker.History()
				if len(history) != i+1 {
					t.Fatalf("sarama has read %d requests, want %d", len(history), i+1)
				}
				req, ok := history[i].Request.(*sarama.ProduceRequest)
				if !ok || req.Version != version || req.TransactionalID != nil ||
					req.RequiredAcks != sarama.WaitForAll || req.Timeout != timeoutMs {
					t.Fatalf("sarama reads %+v", history[i].Request)
				}
				got := records(t, req)
				if len(got) != 1 || len(got[topic]) != 2 {
					t.Fatalf("sarama reads %d topics, %d partitions", len(got), len(got[topic]))
				}
				first.check(t, got[topic][partition].RecordBatch)
				second.check(t, got[topic][partition+1].RecordBatch)
			}
		})
	}
}

// records takes the records out of a request, which sarama does not export.
func records(t *testing.T, req *sarama.ProduceRequest) map[string]map[int32]sarama.Records {
	t.Helper()
	field := reflect.ValueOf(req).Elem().FieldByName("records")
	if !field.IsValid() {
		t.Fatal("sarama.ProduceRequest has no field records any more")
	}
	r, ok := reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().
		Interface().(map[string]map[int32]sarama.Records)
	if !ok {
		t.Fatalf("sarama.ProduceRequest.records is a %s", field.Type())
	}
	return r
}

// checkAnswer compares what we read with what sarama has answered.
func checkAnswer(t *testing.T, version int16, correlationID int32, frame []byte) {
	t.Helper()
	id, body, err := wire.ResponseHeader(frame, wire.Flexible(version))
	if err != nil || id != correlationID {
		t.Fatalf("correlation id %d, %v, want %d", id, err, correlationID)
	}
	var r wire.ProduceResponse
	if err := r.Decode(version, body); err != nil {
		t.Fatal(err)
	}
	want := wire.PartitionResult{
		Topic: []byte(topic), Partition: partition, ErrorCode: 6, BaseOffset: 1 << 40,
		LogAppendTime: base, LogStartOffset: -1, LeaderID: -1, LeaderEpoch: -1,
	}
	var wantErrors []wire.RecordError
	var wantNodes []wire.Node
	if version >= 5 {
		want.LogStartOffset = 3
	}
	if version >= 8 {
		want.ErrorMessage, want.RecordErrorCount = []byte("no"), 2
		wantErrors = []wire.RecordError{{BatchIndex: 4, Message: []byte("no")}, {BatchIndex: 5}}
	}
	if version >= 10 {
		want.LeaderID, want.LeaderEpoch = 2, 9
		wantNodes = []wire.Node{{ID: 2, Host: []byte("host"), Port: 9092, Rack: []byte("rack")}, {ID: 3, Host: []byte("other"), Port: 1}}
	}
	if r.ThrottleMs != 42 || !reflect.DeepEqual(r.Partitions, []wire.PartitionResult{want}) ||
		!reflect.DeepEqual(r.RecordErrors, wantErrors) || !reflect.DeepEqual(r.Nodes, wantNodes) {
		t.Fatalf("read %+v", r)
	}
}

// TestSaramaWritesTheSame compares our requests, byte for byte, with those that
// sarama's client sends for the same batch.
func TestSaramaWritesTheSame(t *testing.T) {
	for version := int16(wire.MinProduceVersion); version <= maxSarama; version++ {
		for _, b := range batches() {
			t.Run(fmt.Sprintf("v%d/%s", version, b.name), func(t *testing.T) {
				want := saramaRequest(t, version, &b)
				id := int32(binary.BigEndian.Uint32(want[4:]))
				got := encodeRequest(version, id, b.encode())[4:]
				if !bytes.Equal(got, want) {
					t.Errorf("got  %d bytes %.80x\nwant %d bytes %.80x", len(got), got, len(want), want)
				}
			})
		}
	}
}

// saramaRequest returns the request, without the size of the frame, that
// sarama's client sends.
func saramaRequest(t *testing.T, version int16, b *batch) []byte {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conf := sarama.NewConfig()
	conf.ClientID, conf.ApiVersionsRequest, conf.Version = clientID, false, sarama.MaxVersion
	client := sarama.NewBroker(listener.Addr().String())
	if err := client.Open(conf); err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	req := &sarama.ProduceRequest{RequiredAcks: sarama.WaitForAll, Timeout: timeoutMs, Version: version}
	req.AddBatch(topic, partition, b.sarama())
	sent := make(chan error, 1)
	go func() {
		_, err := client.Produce(req)
		sent <- err
	}()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(deadline))
	frame := readFrame(t, conn)
	conn.Close()
	if err := <-sent; err == nil {
		t.Error("sarama has an answer that nobody gave")
	}
	return frame
}

// TestNewVersionsDifferAsKnown derives the versions that sarama does not read
// from the one that it does.
func TestNewVersionsDifferAsKnown(t *testing.T) {
	for _, b := range batches() {
		t.Run(b.name, func(t *testing.T) {
			p := b.encode()
			v10 := encodeRequest(10, 1, p, p)
			for _, version := range []int16{9, 11, 12, 13} {
				got := encodeRequest(version, 1, p, p)
				want := bytes.Clone(v10)
				if version == 13 {
					name := append([]byte{byte(len(topic) + 1)}, topic...)
					id := [16]byte{1}
					want = bytes.Replace(want, name, id[:], 1)
					binary.BigEndian.PutUint32(want, uint32(len(want)-4))
				}
				binary.BigEndian.PutUint16(want[6:], uint16(version))
				if !bytes.Equal(got, want) {
					t.Errorf("v%d: got  %.80x\nwant %.80x", version, got, want)
				}
			}
		})
	}
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(deadline))
	return conn
}

// readFrame reads a frame and returns it without its size.
func readFrame(t *testing.T, conn net.Conn) []byte {
	t.Helper()
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		t.Fatal(err)
	}
	frame := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(conn, frame); err != nil {
		t.Fatal(err)
	}
	return frame
}
