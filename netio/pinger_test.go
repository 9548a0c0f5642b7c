package netio

import (
	"net"
	"runtime"
	"testing"
)

// pinger sends one request at a time, of a few buffers as a produce request
// has, and sleeps until the answer is there. Allocation tests and benchmarks
// use it.
type pinger struct {
	t        testing.TB
	role     Role
	conn     *Conn
	request  [3][]byte
	answered chan struct{}

	beforePoll func() // what a turn does first; role holder only, may be nil
}

func newPinger(t testing.TB, kind socketKind, nc *net.TCPConn) *pinger {
	t.Helper()
	sock, err := kind.open(nc)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	p := &pinger{
		t:        t,
		request:  [3][]byte{frame(1, make([]byte, 100))[:20], make([]byte, 40), make([]byte, 48)},
		answered: make(chan struct{}, 1),
	}
	p.role.Enter()
	p.conn = newConn(sock, "peer", Config{Handler: p, Notify: p.kick, MaxInFlight: 5, MaxFrame: 1 << 20})
	p.turns()
	return p
}

func (p *pinger) Written(int) {}

func (p *pinger) Response(int, []byte) error {
	p.answered <- struct{}{}
	return nil
}

func (p *pinger) Failed(_ int, _ bool, err error) { p.t.Errorf("request failed: %v", err) }

func (p *pinger) kick() {
	if p.role.Enter() {
		p.turns()
	}
}

func (p *pinger) turns() {
	for {
		if p.beforePoll != nil {
			p.beforePoll()
		}
		// The end of the connection shows as a request that failed.
		_, _ = p.conn.Poll()
		if p.role.Leave() {
			return
		}
	}
}

// send sends the request.
func (p *pinger) send() { p.underRole(p.write) }

// underRole runs f under the role, which must be free soon.
func (p *pinger) underRole(f func()) {
	for !p.role.Enter() {
		runtime.Gosched() // the parked reader takes a spurious turn
	}
	f()
	p.turns()
}

// write sends the request; role holder only.
func (p *pinger) write() {
	p.conn.Begin()
	for _, b := range p.request {
		p.conn.Append(b)
	}
	if err := p.conn.Send(1, true, 0); err != nil {
		p.conn.Close(err)
	}
}

func (p *pinger) roundTrip() {
	p.send()
	<-p.answered
}

func (p *pinger) close() {
	p.underRole(func() { p.conn.Close(nil) })
	waitFor(p.t, "Done", p.conn.Done())
}
