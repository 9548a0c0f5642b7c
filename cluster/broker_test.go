package cluster

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// request is one request as the scripted broker saw it.
type request struct {
	key, version  int16
	correlationID int32
	clientID      string
	body          kmsg.Request
}

// script answers one request. It returns the bytes to write, frame length
// included, and whether the connection stays open.
type script func(r request) (reply []byte, keep bool)

// broker is a scripted in-process broker. By default it is a well-behaved one
// of a current version; lies replaces its answers, by request key.
type broker struct {
	name string

	mu       sync.Mutex
	versions map[int16][2]int16
	metadata *kmsg.MetadataResponse
	lies     map[int16]script
	greeting []byte // written on accept instead of serving
	silent   bool   // accepts and never reads
	requests []request
	dials    int
	conns    map[net.Conn]bool
}

func newBroker(name string) *broker {
	return &broker{
		name: name,
		versions: map[int16][2]int16{
			keyProduce: {0, 13}, keyMetadata: {0, 13}, keyApiVersions: {0, 4}, keyInitProducerID: {0, 5},
		},
		metadata: metadataOf(name),
		lies:     make(map[int16]script),
		conns:    make(map[net.Conn]bool),
	}
}

// metadataOf lists brokers 1, 2, … at the given addresses.
func metadataOf(addresses ...string) *kmsg.MetadataResponse {
	m := kmsg.NewPtrMetadataResponse()
	m.ClusterID = kmsg.StringPtr("test-cluster")
	m.ControllerID = 1
	for i, address := range addresses {
		host, port, _ := net.SplitHostPort(address)
		b := kmsg.NewMetadataResponseBroker()
		b.NodeID, b.Host = int32(i+1), host
		for _, digit := range port {
			b.Port = b.Port*10 + digit - '0'
		}
		m.Brokers = append(m.Brokers, b)
	}
	return m
}

// change runs f with the broker's fields in hand.
func (b *broker) change(f func(b *broker)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(b)
}

// seen returns the requests of one key so far.
func (b *broker) seen(key int16) []request {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []request
	for _, r := range b.requests {
		if r.key == key {
			found = append(found, r)
		}
	}
	return found
}

func (b *broker) dialled() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dials
}

// hangUp closes every connection.
func (b *broker) hangUp() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for conn := range b.conns {
		_ = conn.Close()
	}
}

// serve answers on conn until it ends.
func (b *broker) serve(conn net.Conn) {
	b.mu.Lock()
	b.dials++
	b.conns[conn] = true
	greeting, silent := b.greeting, b.silent
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.conns, conn)
		b.mu.Unlock()
		_ = conn.Close()
	}()
	if greeting != nil {
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		_, _ = conn.Write(greeting)
		return
	}
	if silent {
		_, _ = io.Copy(io.Discard, conn)
		return
	}
	for {
		frame, err := readFrame(conn, 1<<20)
		if err != nil {
			return
		}
		reply, keep := b.answer(parseRequest(frame))
		if _, err := conn.Write(reply); err != nil || !keep {
			return
		}
	}
}

func parseRequest(frame []byte) request {
	r := request{
		key:           int16(binary.BigEndian.Uint16(frame)),
		version:       int16(binary.BigEndian.Uint16(frame[2:])),
		correlationID: int32(binary.BigEndian.Uint32(frame[4:])),
	}
	n := int(binary.BigEndian.Uint16(frame[8:]))
	r.clientID = string(frame[10 : 10+n])
	rest := frame[10+n:]
	r.body = kmsg.RequestForKey(r.key)
	r.body.SetVersion(r.version)
	if r.body.IsFlexible() {
		rest = rest[1:]
	}
	if err := r.body.ReadFrom(rest); err != nil {
		panic("the client sent an unreadable request: " + err.Error())
	}
	return r
}

func (b *broker) answer(r request) ([]byte, bool) {
	b.mu.Lock()
	b.requests = append(b.requests, r)
	lie := b.lies[r.key]
	b.mu.Unlock()
	if lie != nil {
		if reply, keep := lie(r); reply != nil || !keep {
			return reply, keep
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch r.key {
	case keyApiVersions:
		return frameOf(r, b.apiVersionsLocked(r.version)), true
	case keyMetadata:
		m := *b.metadata
		m.Version = r.version
		return frameOf(r, &m), true
	case keyInitProducerID:
		m := kmsg.NewPtrInitProducerIDResponse()
		m.Version, m.ProducerID, m.ProducerEpoch = r.version, 4711, 0
		return frameOf(r, m), true
	}
	return nil, false
}

func (b *broker) apiVersionsLocked(version int16) *kmsg.ApiVersionsResponse {
	m := kmsg.NewPtrApiVersionsResponse()
	m.Version = version
	if version > b.versions[keyApiVersions][1] {
		m.Version, m.ErrorCode = 0, codeUnsupportedVersion
	}
	for key, r := range b.versions {
		k := kmsg.NewApiVersionsResponseApiKey()
		k.ApiKey, k.MinVersion, k.MaxVersion = key, r[0], r[1]
		m.ApiKeys = append(m.ApiKeys, k)
	}
	return m
}

// frameOf encodes a response to r with its length and header.
func frameOf(r request, m kmsg.Response) []byte {
	frame := binary.BigEndian.AppendUint32(make([]byte, 4), uint32(r.correlationID))
	if m.IsFlexible() && m.Key() != keyApiVersions {
		frame = append(frame, 0)
	}
	frame = m.AppendTo(frame)
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	return frame
}

// world is a network of scripted brokers over net.Pipe.
type world struct {
	mu      sync.Mutex
	brokers map[string]*broker
	refused map[string]int // dials of addresses where nobody listens
}

func newWorld(brokers ...*broker) *world {
	w := &world{brokers: make(map[string]*broker), refused: make(map[string]int)}
	for _, b := range brokers {
		w.brokers[b.name] = b
	}
	return w
}

// dial is the Dialer of the world. Address "blackhole:1" never answers.
func (w *world) dial(ctx context.Context, _, address string) (net.Conn, error) {
	w.mu.Lock()
	b := w.brokers[address]
	if b == nil {
		w.refused[address]++
	}
	w.mu.Unlock()
	switch {
	case address == "blackhole:1":
		<-ctx.Done()
		return nil, ctx.Err()
	case b == nil:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	client, server := net.Pipe()
	go b.serve(server)
	return client, nil
}

func (w *world) refusals(address string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.refused[address]
}

func (w *world) set(name string, b *broker) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if b == nil {
		delete(w.brokers, name)
		return
	}
	w.brokers[name] = b
}

// config is a Config for the world.
func (w *world) config(bootstrap ...string) Config {
	return Config{Bootstrap: bootstrap, ClientID: "tester", Dial: w.dial, Rand: func() float64 { return 0.5 }}
}

func mustClient(t *testing.T, cfg Config) *Client {
	t.Helper()
	c, err := NewClient(cfg)
	if err != nil {
		t.Fatalf("NewClient: %v", err)
	}
	t.Cleanup(c.Close)
	return c
}
