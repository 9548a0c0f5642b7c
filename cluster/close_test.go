package cluster

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestClientClose(t *testing.T) {
	tests := []struct {
		name      string
		bootstrap string
		setup     func(b *broker)
	}{
		{"while dialling", "blackhole:1", func(*broker) {}},
		{"during the handshake", "b:1", func(b *broker) { b.silent = true }},
		{"during a request", "b:1", func(b *broker) {
			b.lies[keyMetadata] = func(request) ([]byte, bool) { return []byte{}, true }
			stalled(b)
		}},
		{"during a backoff", "dead:1", func(*broker) {}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBroker("b:1")
				tc.setup(b)
				cfg := newWorld(b).config(tc.bootstrap)
				cfg.ReconnectBackoff, cfg.ReconnectBackoffMax = time.Hour, time.Hour
				c := mustClient(t, cfg)
				var wg sync.WaitGroup
				for range 3 {
					wg.Go(func() {
						for {
							if _, err := c.Metadata(context.Background(), nil); errors.Is(err, ErrClosed) {
								return
							}
						}
					})
					wg.Go(func() {
						if _, _, err := c.InitProducerID(context.Background()); !errors.Is(err, ErrClosed) {
							t.Errorf("InitProducerID error = %v, want ErrClosed", err)
						}
					})
					wg.Go(func() {
						if _, err := c.Connect(context.Background(), "blackhole:1"); err == nil {
							t.Error("Connect to nowhere succeeded")
						}
					})
				}
				synctest.Wait()
				start := time.Now()
				c.Close()
				c.Close()
				wg.Wait()
				if took := time.Since(start); took != 0 {
					t.Errorf("Close took %v", took)
				}
				if len(c.turn) != 0 || c.link != nil {
					t.Errorf("after Close there are %d turns and link %v, want neither", len(c.turn), c.link)
				}
				if _, err := c.Metadata(t.Context(), nil); !errors.Is(err, ErrClosed) {
					t.Errorf("Metadata after Close: %v, want ErrClosed", err)
				}
				if _, err := c.Connect(t.Context(), "b:1"); !errors.Is(err, ErrClosed) {
					t.Errorf("Connect after Close: %v, want ErrClosed", err)
				}
			})
		})
	}
}

func TestClientConcurrent(t *testing.T) {
	a, b := newBroker("a:1"), newBroker("b:1")
	a.metadata = metadataOf("a:1", "b:1")
	b.metadata = a.metadata
	c := mustClient(t, newWorld(a, b).config("a:1", "b:1"))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				if _, err := c.Metadata(t.Context(), nil); err != nil {
					t.Errorf("Metadata: %v", err)
				}
			}
		})
		wg.Go(func() {
			for range 100 {
				if id, epoch, err := c.InitProducerID(t.Context()); id != 4711 || epoch != 0 || err != nil {
					t.Errorf("InitProducerID = %d, %d, %v", id, epoch, err)
				}
			}
		})
		wg.Go(func() {
			for range 20 {
				a.hangUp()
				link, err := c.Connect(t.Context(), "a:1")
				if errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("Connect: %v", err)
				}
				if err == nil {
					link.Close()
				}
			}
		})
	}
	wg.Wait()
}
