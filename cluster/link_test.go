package cluster

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func mustLink(t *testing.T, b *broker) *Link {
	t.Helper()
	link, err := Connect(t.Context(), newWorld(b).config(), b.name)
	if err != nil {
		t.Fatalf("Connect: %v", err)
	}
	t.Cleanup(link.Close)
	return link
}

func producerIDRequest() kmsg.Request {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.SetVersion(4)
	return req
}

func TestRequestLies(t *testing.T) {
	good := func(r request) []byte {
		m := kmsg.NewPtrInitProducerIDResponse()
		m.Version = r.version
		return frameOf(r, m)
	}
	shifted := func(by int32) script {
		return func(r request) ([]byte, bool) {
			r.correlationID += by
			return good(r), true
		}
	}
	tests := []struct {
		name     string
		lie      script
		protocol bool // a *ProtocolError
		err      string
	}{
		{"id of the request before", shifted(-1), true, "correlation id"},
		{"id of a later request", shifted(1), true, "correlation id"},
		{"length -1", func(request) ([]byte, bool) { return []byte("\xff\xff\xff\xff"), true }, true, "-1 bytes"},
		{"length 3", func(request) ([]byte, bool) { return []byte("\x00\x00\x00\x03"), true }, true, "3 bytes"},
		{"no body", func(r request) ([]byte, bool) { return append([]byte("\x00\x00\x00\x04"), good(r)[4:8]...), true }, true, "does not fit"},
		{"closes", func(request) ([]byte, bool) { return nil, false }, false, "instead of an answer"},
		{"closes inside", func(r request) ([]byte, bool) { return good(r)[:12], false }, false, "8 bytes into"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			b := newBroker("b:1")
			b.lies[keyInitProducerID] = tc.lie
			link := mustLink(t, b)
			_, err := link.Request(t.Context(), producerIDRequest())
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("Request error = %v, want %q", err, tc.err)
			}
			if got := errors.As(err, new(*ProtocolError)); got != tc.protocol {
				t.Errorf("Request error is a ProtocolError: %v, want %v", got, tc.protocol)
			}
			if _, err := link.Request(t.Context(), producerIDRequest()); !errors.Is(err, ErrClosed) {
				t.Errorf("the link lives on after an error: %v", err)
			}
		})
	}
}

// Requests of many goroutines take turns on one connection.
func TestRequestConcurrent(t *testing.T) {
	link := mustLink(t, newBroker("b:1"))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				response, err := link.Request(t.Context(), producerIDRequest())
				if err != nil {
					t.Errorf("Request: %v", err)
					return
				}
				if id := response.(*kmsg.InitProducerIDResponse).ProducerID; id != 4711 {
					t.Errorf("ProducerID = %d, want 4711", id)
				}
			}
		})
	}
	wg.Wait()
}

// stalled makes a broker swallow InitProducerId.
func stalled(b *broker) *broker {
	b.lies[keyInitProducerID] = func(request) ([]byte, bool) { return []byte{}, true }
	return b
}

func TestRequestEnds(t *testing.T) {
	cancelled := errors.New("the caller had enough")
	tests := []struct {
		name  string
		start func(link *Link) context.Context
		want  error
		after time.Duration
	}{
		{"request timeout", func(*Link) context.Context { return context.Background() }, os.ErrDeadlineExceeded, 30 * time.Second},
		{"deadline", func(*Link) context.Context {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			context.AfterFunc(ctx, cancel)
			return ctx
		}, context.DeadlineExceeded, time.Second},
		{"cancelled", func(*Link) context.Context {
			ctx, cancel := context.WithCancelCause(context.Background())
			time.AfterFunc(2*time.Second, func() { cancel(cancelled) })
			return ctx
		}, cancelled, 2 * time.Second},
		{"closed", func(link *Link) context.Context {
			time.AfterFunc(3*time.Second, link.Close)
			return context.Background()
		}, ErrClosed, 3 * time.Second},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				link := mustLink(t, stalled(newBroker("b:1")))
				start := time.Now()
				_, err := link.Request(tc.start(link), producerIDRequest())
				if !errors.Is(err, tc.want) {
					t.Errorf("Request error = %v, want %v", err, tc.want)
				}
				if took := time.Since(start); took != tc.after {
					t.Errorf("Request took %v, want %v", took, tc.after)
				}
			})
		})
	}
}

// A context that ends while another request has the turn leaves the link alone.
func TestRequestEndsWaitingForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := stalled(newBroker("b:1"))
		link := mustLink(t, b)
		go func() {
			if _, err := link.Request(t.Context(), producerIDRequest()); err == nil {
				t.Error("the stalled request succeeded")
			}
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := link.Request(ctx, producerIDRequest()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Request error = %v, want the deadline", err)
		}
		if link.gone.Load() {
			t.Error("the link was closed by a request that never had the turn")
		}
	})
}

// An answer one byte a second is a broker that does not answer in time.
func TestRequestSlowAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		cfg := Config{}.withDefaults()
		link := newLink(client, &cfg, "b:1")
		var wg sync.WaitGroup
		defer wg.Wait()
		defer link.Close()
		wg.Go(func() {
			defer server.Close()
			if _, err := readFrame(server, 1<<20); err != nil {
				return
			}
			for _, b := range []byte("\x00\x00\x10\x00" + strings.Repeat("x", 4096)) {
				time.Sleep(time.Second) // The bubble's clock.
				if _, err := server.Write([]byte{b}); err != nil {
					return
				}
			}
		})
		start := time.Now()
		_, err := link.Request(t.Context(), producerIDRequest())
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != cfg.RequestTimeout {
			t.Errorf("Request = %v after %v, want the request timeout", err, time.Since(start))
		}
	})
}

func TestRequestNeedsShape(t *testing.T) {
	link := mustLink(t, newBroker("b:1"))
	if _, err := link.Request(t.Context(), kmsg.NewPtrHeartbeatRequest()); err == nil {
		t.Error("Request sent what it cannot read the answer of")
	}
	if _, err := link.Request(t.Context(), producerIDRequest()); err != nil {
		t.Errorf("the refused request hurt the link: %v", err)
	}
}

func TestHandshake(t *testing.T) {
	errHands := errors.New("bad certificate")
	type wrapped struct{ net.Conn }
	tests := []struct {
		name string
		hook func(ctx context.Context, conn net.Conn, host string) (net.Conn, error)
		want error
	}{
		{"wraps", func(_ context.Context, conn net.Conn, _ string) (net.Conn, error) { return wrapped{conn}, nil }, nil},
		{"fails", func(context.Context, net.Conn, string) (net.Conn, error) { return nil, errHands }, errHands},
		{"stalls", func(_ context.Context, conn net.Conn, _ string) (net.Conn, error) {
			_, err := conn.Read(make([]byte, 1))
			return nil, err
		}, os.ErrDeadlineExceeded},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBroker("b:1")
				cfg := newWorld(b).config()
				var dialled net.Conn
				host := ""
				cfg.Handshake = func(ctx context.Context, conn net.Conn, name string) (net.Conn, error) {
					dialled, host = conn, name
					return tc.hook(ctx, conn, name)
				}
				link, err := Connect(t.Context(), cfg, "b:1")
				if !errors.Is(err, tc.want) {
					t.Fatalf("Connect error = %v, want %v", err, tc.want)
				}
				if host != "b" {
					t.Errorf("Handshake got host %q, want b", host)
				}
				if err != nil {
					if _, err := dialled.Write([]byte{0}); !errors.Is(err, io.ErrClosedPipe) {
						t.Errorf("the connection of a failed handshake is open: %v", err)
					}
					return
				}
				defer link.Close()
				if _, ok := link.Conn.(wrapped); !ok {
					t.Errorf("Conn is a %T, not what Handshake returned", link.Conn)
				}
			})
		})
	}
}
