package netio

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// event is one call of the Handler.
type event struct {
	kind  string // "written", "response", "failed"
	slot  int
	frame []byte
	sent  bool
	err   error
}

func (e event) String() string {
	return fmt.Sprintf("%s slot=%d sent=%v frame=%d bytes err=%v", e.kind, e.slot, e.sent, len(e.frame), e.err)
}

// driver is the smallest user of a Conn: a role, turns that poll and close,
// and a queue of jobs that tests want done under the role.
type driver struct {
	t      testing.TB
	role   Role
	conn   *Conn
	events chan event

	mu   sync.Mutex
	jobs []func(*Conn)

	sentTo     int                // bytes of a response that the peer has written, see awaitBytes
	closedBy   error              // why the driver closed the connection; role holder only
	onResponse func([]byte) error // may replace the default answer
	manual     bool               // notify is ignored: the test polls
}

// socketKind is one implementation of socket under test.
type socketKind struct {
	name string
	open func(*net.TCPConn) (socket, error)
}

// eachSocket runs f for every implementation that this system has.
func eachSocket(t *testing.T, f func(t *testing.T, kind socketKind)) {
	t.Helper()
	for _, kind := range socketKinds() {
		t.Run("socket="+kind.name, func(t *testing.T) { f(t, kind) })
	}
}

// verifyNoLeaks fails the test if goroutines outlive it.
func verifyNoLeaks(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		if !t.Failed() {
			goleak.VerifyNone(t, before)
		}
	})
}

type driverOption func(*driver, *Config)

func inFlight(n int) driverOption { return func(_ *driver, c *Config) { c.MaxInFlight = n } }
func manual() driverOption        { return func(d *driver, _ *Config) { d.manual = true } }

// newDriver opens nc. The driver holds the role while NewConn runs, so that no
// notify finds a connection that is not there yet.
func newDriver(t testing.TB, kind socketKind, nc *net.TCPConn, opts ...driverOption) *driver {
	t.Helper()
	sock, err := kind.open(nc)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	d := &driver{t: t, events: make(chan event, 1<<14)}
	cfg := Config{Handler: d, Notify: d.kick, MaxInFlight: 5, MaxFrame: 100 << 20}
	for _, opt := range opts {
		opt(d, &cfg)
	}
	if d.manual {
		cfg.Notify = func() {}
	}
	d.role.Enter()
	d.conn = newConn(sock, nc.RemoteAddr().String(), cfg)
	d.turns()
	t.Cleanup(func() {
		d.do(func(c *Conn) { c.Close(nil) })
		waitFor(t, "the connection's goroutines", d.conn.Done())
	})
	return d
}

// pair is the usual start of a test.
func pair(t *testing.T, kind socketKind, opts ...driverOption) (*driver, *peer) {
	t.Helper()
	verifyNoLeaks(t)
	nc, p := tcpPair(t)
	return newDriver(t, kind, nc, opts...), p
}

func (d *driver) Written(slot int) { d.events <- event{kind: "written", slot: slot} }

func (d *driver) Response(slot int, frame []byte) error {
	d.events <- event{kind: "response", slot: slot, frame: bytes.Clone(frame)}
	if d.onResponse != nil {
		return d.onResponse(frame)
	}
	return nil
}

func (d *driver) Failed(slot int, sentBytes bool, err error) {
	d.events <- event{kind: "failed", slot: slot, sent: sentBytes, err: err}
}

// kick is what Notify does, and everybody else with news.
func (d *driver) kick() {
	if d.role.Enter() {
		d.turns()
	}
}

// turns takes turns until the role is free. It holds the role.
func (d *driver) turns() {
	for {
		d.mu.Lock()
		jobs := d.jobs
		d.jobs = nil
		d.mu.Unlock()
		for _, job := range jobs {
			job(d.conn)
		}
		if !d.manual {
			if _, err := d.conn.Poll(); err != nil && d.closedBy == nil {
				d.closedBy = err
				d.conn.Close(err)
			}
		}
		if d.role.Leave() {
			return
		}
	}
}

// do runs job under the role and waits for its end.
func (d *driver) do(job func(*Conn)) {
	done := make(chan struct{})
	d.mu.Lock()
	d.jobs = append(d.jobs, func(c *Conn) { defer close(done); job(c) })
	d.mu.Unlock()
	d.kick()
	waitFor(d.t, "a turn under the role", done)
}

// send sends one request made of bufs, which need not begin with a frame
// header: the connection does not look.
func (d *driver) send(correlationID int32, expectResponse bool, deadline int64, bufs ...[]byte) {
	d.t.Helper()
	d.do(func(c *Conn) {
		c.Begin()
		for _, b := range bufs {
			c.Append(b)
		}
		if err := c.Send(correlationID, expectResponse, deadline); err != nil {
			d.closedBy = err
			c.Close(err)
		}
	})
}

// expect waits for the next event and checks its kind and slot.
func (d *driver) expect(kind string, slot int) event {
	d.t.Helper()
	select {
	case e := <-d.events:
		if e.kind != kind || e.slot != slot {
			d.t.Fatalf("got %v, want %s slot=%d", e, kind, slot)
		}
		return e
	case <-time.After(stall):
		d.t.Fatalf("no event after %v, want %s slot=%d; in flight %d, pending %v",
			stall, kind, slot, d.conn.InFlight(), d.conn.Pending())
		return event{}
	}
}

// expectNone checks that no event is left after a turn has been taken.
func (d *driver) expectNone() {
	d.t.Helper()
	d.do(func(*Conn) {})
	select {
	case e := <-d.events:
		d.t.Fatalf("unexpected %v", e)
	default:
	}
}

// waitFor waits for done.
func waitFor(t testing.TB, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(stall):
		t.Fatalf("waited %v for %s", stall, what)
	}
}
