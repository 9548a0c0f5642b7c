package cluster

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestDetach(t *testing.T) { synctest.Test(t, testDetach) }

func testDetach(t *testing.T) {
	link := mustLink(t, newBroker("b:1"))
	conn, err := link.Detach()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	link.Close() // Must not close what is not its own any more.
	if _, err := link.Request(t.Context(), producerIDRequest()); !errors.Is(err, ErrClosed) {
		t.Errorf("Request after Detach: %v, want ErrClosed", err)
	}
	if _, err := link.Detach(); !errors.Is(err, ErrClosed) {
		t.Errorf("second Detach: %v, want ErrClosed", err)
	}
	time.Sleep(24 * time.Hour) // The bubble's clock: no deadline may be left.
	formatter := kmsg.NewRequestFormatter(kmsg.FormatterClientID("c"))
	if _, err := conn.Write(formatter.AppendRequest(nil, producerIDRequest(), 99)); err != nil {
		t.Fatalf("writing to the detached connection: %v", err)
	}
	frame, err := readFrame(conn, 1<<20)
	if err != nil || string(frame[:4]) != "\x00\x00\x00\x63" {
		t.Errorf("the detached connection answered % x, %v", frame, err)
	}
}

func TestDetachClosed(t *testing.T) {
	link := mustLink(t, newBroker("b:1"))
	link.Close()
	link.Close()
	if _, err := link.Detach(); !errors.Is(err, ErrClosed) {
		t.Errorf("Detach after Close: %v, want ErrClosed", err)
	}
}

// A context that has ended already costs the link nothing.
func TestRequestWithEndedContext(t *testing.T) {
	link := mustLink(t, newBroker("b:1"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 { // The select could take the turn each time.
		if _, err := link.Request(ctx, producerIDRequest()); !errors.Is(err, context.Canceled) {
			t.Fatalf("Request error = %v, want the context's", err)
		}
	}
	if _, err := link.Request(t.Context(), producerIDRequest()); err != nil {
		t.Errorf("the link is gone: %v", err)
	}
}

// latch is a connection on which setting a deadline in the past blocks.
type latch struct {
	net.Conn
	poked, release chan struct{}
}

func (l *latch) SetDeadline(deadline time.Time) error {
	if deadline.Unix() == 1 {
		close(l.poked)
		<-l.release
	}
	return nil
}

// The race to win, request R against the end C of its context:
//
//	[R] has its answer
//	[C] is about to set the deadline in the past
//	[R] returns; the next user of the connection sets its own deadline
//	[C] sets the deadline in the past, and the next user fails
//
// So R does not return before C is through.
func TestBoundedAwaitsThePoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := &latch{poked: make(chan struct{}), release: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		returned := false
		go func() {
			err := bounded(ctx, conn, time.Minute, func() error {
				cancel()
				<-conn.poked
				return nil
			})
			if err != nil {
				t.Errorf("bounded: %v", err)
			}
			returned = true
		}()
		synctest.Wait()
		if returned {
			t.Error("bounded returned while the deadline was being set")
		}
		close(conn.release)
		synctest.Wait()
		if !returned {
			t.Error("bounded never returned")
		}
	})
}
