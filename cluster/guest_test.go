package cluster

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kring-go/kring/sasl"
)

// TestGuests: whatever a dialler, a login or a callback of the handshake does,
// Connect returns an error that says who it was, and nothing is left.
func TestGuests(t *testing.T) {
	dial := func(f func() (net.Conn, error)) func(*Config) {
		return func(c *Config) { c.Dial = func(context.Context, string, string) (net.Conn, error) { return f() } }
	}
	logsIn := func(f func() (string, string, error)) func(*Config) {
		return func(c *Config) {
			c.SASL = sasl.PlainLogin(func(context.Context) (string, string, error) { return f() })
		}
	}
	for _, tc := range []struct {
		name, want string
		set        func(*Config)
	}{
		{"dialler panics", "the dialler panicked: boom", dial(func() (net.Conn, error) { panic("boom") })},
		{"dialler ends its goroutine", "the dialler ended its goroutine", dial(func() (net.Conn, error) { runtime.Goexit(); return nil, nil })},
		{"dialler returns nothing", "neither a connection nor an error", dial(func() (net.Conn, error) { return nil, nil })},
		{"login panics", "the login of PLAIN panicked: boom", logsIn(func() (string, string, error) { panic("boom") })},
		{"conversation panics", "the login of PLAIN panicked: boom", func(c *Config) { c.SASL = trouble{func() { panic("boom") }} }},
		{"no conversation", "neither a conversation nor an error", func(c *Config) { c.SASL = trouble{} }},
		{"handshake panics", "a callback of the handshake panicked: boom", func(c *Config) {
			c.Handshake = func(context.Context, net.Conn, string) (net.Conn, error) { panic("boom") }
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := newWorld(login(nil)).config("a:1")
				tc.set(&cfg)
				link, err := Connect(t.Context(), cfg, "a:1")
				if link != nil || err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("%v, %v, want an error with %q", link, err, tc.want)
				}
			})
		})
	}
}

// trouble is a mechanism whose conversations do something else.
type trouble struct{ do func() }

func (trouble) Name() string        { return "PLAIN" }
func (trouble) RevealsSecret() bool { return true }
func (m trouble) Start(context.Context, string) (sasl.Conversation, error) {
	if m.do == nil {
		return nil, nil
	}
	return m, nil
}
func (m trouble) Step([]byte) ([]byte, error) { m.do(); return nil, nil }

// TestGuestThatDoesNotReturn: Close waits a moment for it and then no longer; a
// connection that comes later is closed.
func TestGuestThatDoesNotReturn(t *testing.T) {
	stuck := make(chan struct{})
	for _, tc := range []struct {
		name string
		set  func(*Config)
	}{
		{"dialler", func(c *Config) {
			usual := c.Dial
			c.Dial = func(_ context.Context, network, address string) (net.Conn, error) {
				<-stuck
				return usual(context.Background(), network, address)
			}
		}},
		{"login", func(c *Config) {
			c.SASL = sasl.PlainLogin(func(context.Context) (string, string, error) {
				<-stuck
				return "user", canary, nil
			})
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stuck = make(chan struct{})
				cfg := newWorld(login(nil)).config("a:1")
				tc.set(&cfg)
				c := mustClient(t, cfg)
				done := make(chan error)
				go func() {
					_, err := c.Connect(context.Background(), "a:1")
					done <- err
				}()
				synctest.Wait()
				began := time.Now()
				go c.Close()
				if err := <-done; !errors.Is(err, ErrClosed) || time.Since(began) != guestPatience {
					t.Errorf("after %v: %v", time.Since(began), err)
				}
				close(stuck) // synctest waits for the broker's end of a connection, too
			})
		})
	}
}
