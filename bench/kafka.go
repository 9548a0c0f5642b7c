package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/kring-go/kring/cluster"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// kafkaConn is a blocking connection to one broker for what the harness asks
// for itself: topics, offsets, and reading back. One goroutine uses it.
type kafkaConn struct {
	conn      net.Conn
	versions  cluster.Versions
	address   string
	formatter *kmsg.RequestFormatter
	last      int32
	frame     []byte // reused: a response is valid until the next request
}

const (
	harnessClientID = "kbench"
	harnessTimeout  = 30 * time.Second
	// maxHarnessFrame bounds a response; fetches ask for far less.
	maxHarnessFrame = 256 << 20
)

// newKafkaConn takes the connection over.
func newKafkaConn(link *cluster.Link, address string) (*kafkaConn, error) {
	versions := link.Versions
	conn, err := link.Detach()
	if err != nil {
		return nil, err
	}
	return &kafkaConn{
		conn: conn, versions: versions, address: address,
		formatter: kmsg.NewRequestFormatter(kmsg.FormatterClientID(harnessClientID)),
	}, nil
}

// unreachable says why none of several addresses could be used.
type unreachable string

func (u unreachable) Error() string { return string(u) }

// oneLine folds what several addresses of one name have to say.
func oneLine(s string) string { return strings.ReplaceAll(s, "\n", ", ") }

func (k *kafkaConn) close() { _ = k.conn.Close() }

// request asks with the newest version up to newest that the broker speaks.
func (k *kafkaConn) request(ctx context.Context, req kmsg.Request, newest int16) (kmsg.Response, error) {
	version, ok := k.versions.Pick(req.Key(), 0, min(newest, req.MaxVersion()))
	if !ok {
		return nil, fmt.Errorf("broker %s does not speak %s", k.address, kmsg.NameForKey(req.Key()))
	}
	req.SetVersion(version)
	deadline := time.Now().Add(harnessTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := k.conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = k.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	k.last++
	if _, err := k.conn.Write(k.formatter.AppendRequest(nil, req, k.last)); err != nil {
		return nil, err
	}
	body, err := k.read(req.IsFlexible())
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("broker %s: %s: %w", k.address, kmsg.NameForKey(req.Key()), err)
	}
	resp := req.ResponseKind()
	if err := resp.ReadFrom(body); err != nil {
		return nil, fmt.Errorf("broker %s: %s response: %w", k.address, kmsg.NameForKey(req.Key()), err)
	}
	return resp, nil
}

// read takes one frame and strips the response header.
func (k *kafkaConn) read(flexible bool) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(k.conn, size[:]); err != nil {
		return nil, err
	}
	n := int(int32(binary.BigEndian.Uint32(size[:])))
	if n < 4 || n > maxHarnessFrame {
		return nil, fmt.Errorf("a frame of %d bytes", n)
	}
	if cap(k.frame) < n {
		k.frame = make([]byte, n)
	}
	frame := k.frame[:n]
	if _, err := io.ReadFull(k.conn, frame); err != nil {
		return nil, err
	}
	if got := int32(binary.BigEndian.Uint32(frame)); got != k.last {
		return nil, fmt.Errorf("correlation id %d, want %d", got, k.last)
	}
	if !flexible {
		return frame[4:], nil
	}
	return skipTags(frame[4:])
}

// skipTags skips the tagged fields of a response header.
func skipTags(b []byte) ([]byte, error) {
	next := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			b = nil
			return 0
		}
		b = b[n:]
		return v
	}
	for tags := next(); tags > 0 && b != nil; tags-- {
		next()
		if size := next(); b != nil && size <= uint64(len(b)) {
			b = b[size:]
		} else {
			return nil, errors.New("response header is malformed")
		}
	}
	if b == nil {
		return nil, errors.New("response header is malformed")
	}
	return b, nil
}

// topicView is a topic as the cluster describes it now.
type topicView struct {
	name        string
	exists      bool
	leaders     []int32 // by partition
	replication int
	brokers     map[int32]string // node id → address
	controller  int32
}

// describe asks for a topic without creating it.
func (k *kafkaConn) describe(ctx context.Context, topic string) (topicView, error) {
	return k.metadata(ctx, topic, false)
}

// metadata asks for a topic; create asks brokers that create topics on demand
// to do so.
func (k *kafkaConn) metadata(ctx context.Context, topic string, create bool) (topicView, error) {
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = kmsg.StringPtr(topic)
	req.Topics = append(req.Topics, t)
	req.AllowAutoTopicCreation = create
	raw, err := k.request(ctx, req, 9)
	if err != nil {
		return topicView{}, err
	}
	resp := raw.(*kmsg.MetadataResponse)
	view := topicView{name: topic, brokers: map[int32]string{}, controller: resp.ControllerID}
	for _, b := range resp.Brokers {
		view.brokers[b.NodeID] = net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
	}
	for _, t := range resp.Topics {
		if t.ErrorCode == codeUnknownTopic {
			continue
		}
		if t.ErrorCode != codeNone && t.ErrorCode != codeLeaderMissing {
			return view, fmt.Errorf("topic %q: %w", topic, brokerError(t.ErrorCode))
		}
		view.exists = len(t.Partitions) > 0
		view.leaders = make([]int32, len(t.Partitions))
		for _, p := range t.Partitions {
			if p.Partition < 0 || int(p.Partition) >= len(t.Partitions) {
				return view, fmt.Errorf("topic %s: partition %d of %d", topic, p.Partition, len(t.Partitions))
			}
			view.leaders[p.Partition] = p.Leader
			if p.ErrorCode != codeNone {
				view.leaders[p.Partition] = -1
			}
			view.replication = max(view.replication, len(p.Replicas))
		}
	}
	return view, nil
}

// ready reports whether every partition has a leader.
func (v *topicView) ready() bool {
	for _, l := range v.leaders {
		if l < 0 {
			return false
		}
	}
	return v.exists
}
