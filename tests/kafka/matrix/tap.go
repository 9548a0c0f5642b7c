package matrix

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Tap reads along on the connections that its Dial opens. What kring gets is a
// TCP connection to a relay, so that it talks over a socket as it always does.
// It is safe for use by any number of goroutines.
//
//	kring ──► loopback ──► toBroker ──► broker
//	      ◄──          ◄── fromBroker ◄─┘
type Tap struct {
	mu     sync.Mutex
	result Result
	err    error // the first thing that it could not read
}

// NewTap makes a tap for a run against a release.
func NewTap(release string) *Tap {
	return &Tap{result: Result{Kafka: release, Spoke: map[string][]int16{}}}
}

// Result returns what has been seen so far, and the first thing that could not
// be read.
func (t *Tap) Result() (*Result, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.result
	r.Spoke = map[string][]int16{}
	for name, versions := range t.result.Spoke {
		r.Spoke[name] = slices.Clone(versions)
	}
	return &r, t.err
}

// Dial opens a connection to address by way of the relay.
func (t *Tap) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	broker, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		broker.Close()
		return nil, err
	}
	defer listener.Close()
	near, err := dialer.DialContext(ctx, "tcp", listener.Addr().String())
	if err != nil {
		broker.Close()
		return nil, err
	}
	far, err := listener.Accept() // its peer is connected already
	if err != nil {
		broker.Close()
		near.Close()
		return nil, err
	}
	r := &relay{tap: t, near: far, broker: broker}
	go r.toBroker()
	go r.fromBroker()
	return near, nil
}

// relay is one connection.
type relay struct {
	tap          *Tap
	near, broker net.Conn

	mu   sync.Mutex
	sent []exchange // not answered yet, in order
}

// exchange is a request whose answer is to come.
type exchange struct {
	correlation  int32
	key, version int16
}

func (r *relay) toBroker() {
	defer r.end()
	for {
		frame, err := readFrame(r.near)
		if err != nil {
			return
		}
		if err := r.request(frame[4:]); err != nil {
			r.tap.fail(err)
			return
		}
		if _, err := r.broker.Write(frame); err != nil {
			return
		}
	}
}

func (r *relay) fromBroker() {
	defer r.end()
	for {
		frame, err := readFrame(r.broker)
		if err != nil {
			return
		}
		if err := r.response(frame[4:]); err != nil {
			r.tap.fail(err)
			return
		}
		if _, err := r.near.Write(frame); err != nil {
			return
		}
	}
}

// end closes both sides: one that has ended takes the other along.
func (r *relay) end() {
	r.near.Close()
	r.broker.Close()
}

// readFrame returns a frame and the length before it.
func readFrame(from io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > 64<<20 {
		return nil, fmt.Errorf("matrix: a frame of %d bytes", n)
	}
	frame := make([]byte, 4+n)
	copy(frame, size[:])
	_, err := io.ReadFull(from, frame[4:])
	return frame, err
}

// request notes a request by its header: key, version, correlation id, client
// id, and tags where the version has them.
func (r *relay) request(frame []byte) error {
	if len(frame) < 10 {
		return errors.New("matrix: a request without a header")
	}
	key, version := int16(binary.BigEndian.Uint16(frame)), int16(binary.BigEndian.Uint16(frame[2:]))
	message := kmsg.RequestForKey(key)
	if message == nil {
		return fmt.Errorf("matrix: a request with the unknown key %d", key)
	}
	message.SetVersion(version)
	r.tap.spoke(key, version)
	produce, ok := message.(*kmsg.ProduceRequest)
	if ok {
		body := frame[10:]
		if n := int16(binary.BigEndian.Uint16(frame[8:])); n > 0 {
			body = body[n:]
		}
		if produce.IsFlexible() {
			body = body[1:] // no tags
		}
		if err := produce.ReadFrom(body); err != nil {
			return fmt.Errorf("matrix: Produce version %d: %w", version, err)
		}
		r.tap.produced(produce)
		if produce.Acks == 0 {
			return nil // nobody answers
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, exchange{int32(binary.BigEndian.Uint32(frame[4:])), key, version})
	return nil
}

// response decodes an answer and looks at it.
func (r *relay) response(frame []byte) error {
	if len(frame) < 4 {
		return errors.New("matrix: an answer without a header")
	}
	r.mu.Lock()
	if len(r.sent) == 0 {
		r.mu.Unlock()
		return errors.New("matrix: an answer to nothing")
	}
	of := r.sent[0]
	r.sent = r.sent[1:]
	r.mu.Unlock()
	if got := int32(binary.BigEndian.Uint32(frame)); got != of.correlation {
		return fmt.Errorf("matrix: the answer to request %d, want the one to %d", got, of.correlation)
	}
	message := kmsg.ResponseForKey(of.key)
	message.SetVersion(of.version)
	body := frame[4:]
	if message.IsFlexible() && of.key != int16(kmsg.ApiVersions) {
		body = body[1:] // no tags
	}
	err := message.ReadFrom(body)
	if err != nil && of.key == int16(kmsg.ApiVersions) {
		message.SetVersion(0) // how a broker says that it does not know the version
		err = message.ReadFrom(body)
	}
	if err != nil {
		return fmt.Errorf("matrix: the answer to %s version %d: %w", kmsg.NameForKey(of.key), of.version, err)
	}
	r.tap.answered(message)
	return nil
}
