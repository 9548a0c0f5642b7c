package cluster

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// listen serves b on a real socket until the test ends and returns its address.
func listen(t *testing.T, address string, serve func(conn net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("no listener on %s: %v", address, err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		wg.Wait()
	})
	return listener.Addr().String()
}

func TestTCP(t *testing.T) {
	for _, host := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(host, func(t *testing.T) {
			b := newBroker("b:1")
			address := listen(t, host, b.serve)
			t.Cleanup(b.hangUp)
			b.metadata = metadataOf(address)
			c := mustClient(t, Config{Bootstrap: []string{address}, SendBuffer: 1 << 16, ReceiveBuffer: 1 << 16})
			m := mustMetadata(t, c)
			link, err := c.Connect(t.Context(), addressesOf(m.Brokers)[0])
			if err != nil {
				t.Fatalf("Connect: %v", err)
			}
			if version, err := link.Versions.Produce(13); version != 13 || err != nil {
				t.Errorf("Produce version = %d, %v", version, err)
			}
			conn, err := link.Detach()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, ok := conn.(*net.TCPConn); !ok {
				t.Errorf("Detach gave a %T, want the TCP connection itself", conn)
			}
		})
	}
}

func TestTCPByName(t *testing.T) {
	b := newBroker("b:1")
	_, port, _ := net.SplitHostPort(listen(t, "127.0.0.1:0", b.serve))
	t.Cleanup(b.hangUp)
	// localhost is ::1 as well where there is IPv6; one of the two answers.
	link, err := Connect(t.Context(), Config{}, "localhost:"+port)
	if err != nil {
		t.Fatalf("Connect: %v", err)
	}
	link.Close()
}

func TestTCPRefused(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	c := mustClient(t, Config{Bootstrap: []string{address}})
	_, err = c.Metadata(t.Context(), nil)
	if !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), "no broker of "+address+" answered: connection refused; check that") {
		t.Errorf("Metadata error = %v", err)
	}
}

// A connection that is reset after any number of answers is replaced.
func TestTCPReset(t *testing.T) {
	b := newBroker("b:1")
	var mu sync.Mutex
	var open []net.Conn
	address := listen(t, "127.0.0.1:0", func(conn net.Conn) {
		mu.Lock()
		open = append(open, conn)
		mu.Unlock()
		b.serve(conn)
	})
	b.metadata = metadataOf(address)
	c := mustClient(t, Config{Bootstrap: []string{address}})
	for range 10 {
		mustMetadata(t, c)
		mu.Lock()
		for _, conn := range open {
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}
		open = nil
		mu.Unlock()
	}
	if b.dialled() != 10 {
		t.Errorf("%d connections, want one after each reset", b.dialled())
	}
}

func TestTCPCloseEndsDial(t *testing.T) {
	// A listener whose backlog nobody empties is a stalled broker.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dialled := make(chan struct{})
	cfg := Config{Bootstrap: []string{listener.Addr().String()}}
	cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		defer close(dialled)
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	c := mustClient(t, cfg)
	result := make(chan error)
	go func() {
		_, err := c.Metadata(context.Background(), nil)
		result <- err
	}()
	<-dialled
	c.Close()
	if err := <-result; !errors.Is(err, ErrClosed) {
		t.Errorf("Metadata error = %v, want ErrClosed", err)
	}
}
