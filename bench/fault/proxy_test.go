package fault

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

const patience = 20 * time.Second

// server accepts connections, and hands them to the test.
type server struct {
	net.Listener
	conns chan *net.TCPConn
}

func newServer(t *testing.T) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{l, make(chan *net.TCPConn, 16)}
	var ended sync.WaitGroup
	ended.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			s.conns <- c.(*net.TCPConn)
		}
	})
	t.Cleanup(func() {
		l.Close()
		ended.Wait()
	})
	return s
}

func (s *server) address() string { return s.Addr().String() }

// rig is a proxy that tells when something has to wait.
type rig struct {
	*Proxy
	t       *testing.T
	waiting chan struct{}
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{Proxy: New(nil), t: t, waiting: make(chan struct{}, 1)}
	r.Proxy.waiting = func() {
		select {
		case r.waiting <- struct{}{}:
		default:
		}
	}
	t.Cleanup(r.Close)
	return r
}

// connect is a client's connection, and the broker's end of it.
func (r *rig) connect(s *server) (client, broker *net.TCPConn) {
	r.t.Helper()
	c, err := r.Dial(r.t.Context(), "tcp", s.address())
	if err != nil {
		r.t.Fatal(err)
	}
	client, broker = c.(*net.TCPConn), <-s.conns
	for _, c := range []net.Conn{client, broker} {
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			r.t.Fatal(err)
		}
	}
	r.t.Cleanup(func() { client.Close() })
	return client, broker
}

// sees reads what must come next.
func (r *rig) sees(c net.Conn, want string) {
	r.t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		r.t.Fatalf("read %q, %v; want %q", got, err, want)
	}
}

func (r *rig) says(c net.Conn, text string) {
	r.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		r.t.Fatal(err)
	}
}

// waits returns when something has to wait.
func (r *rig) waits() {
	r.t.Helper()
	select {
	case <-r.waiting:
	case <-time.After(patience):
		r.t.Fatal("nothing waits")
	}
}

// held waits until something waits, and fails if text comes to c instead.
func (r *rig) held(c net.Conn) (got chan byte) {
	r.t.Helper()
	got = make(chan byte, 1)
	go func() {
		var b [1]byte
		if n, _ := c.Read(b[:]); n == 1 {
			got <- b[0]
		}
		close(got)
	}()
	select {
	case <-r.waiting:
	case b := <-got:
		r.t.Fatalf("%q passed", b)
	case <-time.After(patience):
		r.t.Fatal("nothing waits")
	}
	select {
	case b := <-got:
		r.t.Fatalf("%q passed", b)
	default:
	}
	return got
}

// comes waits for what held has seen held up.
func (r *rig) comes(got chan byte, want byte) {
	r.t.Helper()
	select {
	case b := <-got:
		if b != want {
			r.t.Fatalf("%q came, want %q", b, want)
		}
	case <-time.After(patience):
		r.t.Fatal("nothing came")
	}
}

func TestPassesBothWaysAndEnds(t *testing.T) {
	r, s := newRig(t), newServer(t)
	client, broker := r.connect(s)
	r.says(client, "question")
	r.sees(broker, "question")
	r.says(broker, "answer")
	r.sees(client, "answer")
	// One side has said all, the other has not.
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := broker.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatalf("the broker sees %v, want the end", err)
	}
	r.says(broker, "last")
	r.sees(client, "last")
	broker.Close()
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatalf("the client sees %v, want the end", err)
	}
}

// TestManyBytes: more than every buffer of the way, in both directions at once.
func TestManyBytes(t *testing.T) {
	r, s := newRig(t), newServer(t)
	client, broker := r.connect(s)
	const n = 8 << 20
	text := make([]byte, n)
	for i := range text {
		text[i] = byte(i * 7 >> 3)
	}
	var all sync.WaitGroup
	for _, way := range [][2]*net.TCPConn{{client, broker}, {broker, client}} {
		all.Go(func() {
			if _, err := way[0].Write(text); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			got := make([]byte, n)
			if _, err := io.ReadFull(way[1], got); err != nil || string(got) != string(text) {
				t.Errorf("the bytes are not those that were sent: %v", err)
			}
		})
	}
	all.Wait()
}

func TestLatencyHoldsAnswersOnly(t *testing.T) {
	r, s := newRig(t), newServer(t)
	client, broker := r.connect(s)
	f := Fault{Kind: Latency, Delay: time.Hour}
	r.Begin(f)
	r.says(client, "question")
	r.sees(broker, "question")
	r.says(broker, "a")
	got := r.held(client)
	r.End(f) // What is under way comes at once.
	r.comes(got, 'a')
	r.says(broker, "b")
	r.sees(client, "b")
}

func TestLatencyLasts(t *testing.T) {
	r, s := newRig(t), newServer(t)
	client, broker := r.connect(s)
	const delay = 30 * time.Millisecond
	r.Begin(Fault{Kind: Latency, Delay: delay})
	// A hundred answers at once take the time of one, and keep their order.
	sent := time.Now()
	for i := range 100 {
		r.says(broker, string(rune('A'+i%26)))
	}
	for i := range 100 {
		r.sees(client, string(rune('A'+i%26)))
	}
	if took := time.Since(sent); took < delay {
		t.Errorf("they came after %v, want %v or more", took, delay)
	}
	// So does a connection attempt.
	sent = time.Now()
	r.connect(s)
	if took := time.Since(sent); took < delay {
		t.Errorf("a connection was there after %v, want %v or more", took, delay)
	}
}

// TestLatencyCountsFromTheArrival: an answer does not wait again for what the one
// before it has waited.
func TestLatencyCountsFromTheArrival(t *testing.T) {
	w := weatherOf([]Fault{{Kind: Latency, Delay: time.Minute}}, "")
	for _, tc := range []struct {
		ticket
		waits bool
	}{
		{ticket{size: 1, answer: true, came: time.Now()}, true},
		{ticket{size: 1, answer: true, came: time.Now().Add(-time.Minute)}, false},
		{ticket{size: 1, came: time.Now()}, false},
	} {
		n, wait := w.admit(&tc.ticket)
		if (wait > 0) != tc.waits || (n == 1) == tc.waits || wait > time.Minute {
			t.Errorf("%+v: %d bytes and a wait of %v", tc.ticket, n, wait)
		}
	}
}

// TestLatencyAndTheEnd: the end of the stream is late too, and no reset.
func TestLatencyAndTheEnd(t *testing.T) {
	r, s := newRig(t), newServer(t)
	client, broker := r.connect(s)
	f := Fault{Kind: Latency, Delay: time.Hour}
	r.Begin(f)
	broker.Close()
	got := r.held(client)
	r.End(f)
	if b, ok := <-got; ok {
		t.Errorf("%q came, want the end", b)
	}
}

func TestBandwidth(t *testing.T) {
	r, s := newRig(t), newServer(t)
	client, broker := r.connect(s)
	const rate, n = 100_000, 10_000
	f := Fault{Kind: Bandwidth, Rate: rate}
	for _, way := range [][2]*net.TCPConn{{client, broker}, {broker, client}} {
		r.Begin(f)
		begin := time.Now()
		var sent sync.WaitGroup
		sent.Go(func() {
			if _, err := way[0].Write(make([]byte, n)); err != nil {
				t.Error(err)
			}
		})
		r.sees(way[1], string(make([]byte, n)))
		sent.Wait()
		if took, least := time.Since(begin), (n-rate/100)*time.Second/rate; took < least {
			t.Errorf("%d bytes took %v, want %v or more", n, took, least)
		}
		r.End(f)
	}
	// The end of a fault lets go what waits: at this rate it would be days.
	f.Rate = 1
	r.Begin(f)
	r.says(client, string(make([]byte, n)))
	r.sees(broker, "\x00")
	r.End(f)
	r.sees(broker, string(make([]byte, n-1)))
}

func TestReset(t *testing.T) {
	r, s := newRig(t), newServer(t)
	client, broker := r.connect(s)
	r.says(client, "question")
	r.sees(broker, "question")
	f := Fault{Kind: Reset}
	if cut := r.Begin(f); cut != 1 {
		t.Errorf("%d connections cut, want 1", cut)
	}
	stop := Fault{Kind: BrokerStop}
	if cut := r.Begin(stop); cut != 0 {
		t.Errorf("%d connections cut that were cut already", cut)
	}
	r.End(stop)
	for name, c := range map[string]net.Conn{"client": client, "broker": broker} {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the %s sees %v, want a reset", name, err)
		}
	}
	c, err := r.Dial(t.Context(), "tcp", s.address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a new connection sees %v, want a reset", err)
	}
	r.End(f)
	client, broker = r.connect(s)
	r.says(client, "again")
	r.sees(broker, "again")
	if cut := r.Begin(f); cut != 1 {
		t.Errorf("%d connections cut the second time, want 1: the old ones are gone", cut)
	}
}

func TestBlackhole(t *testing.T) {
	r, s := newRig(t), newServer(t)
	client, broker := r.connect(s)
	f := Fault{Kind: Blackhole}
	r.Begin(f)
	r.says(client, "q")
	question := r.held(broker)
	r.says(broker, "a")
	answer := r.held(client)
	// A connection attempt waits, as long as its caller does.
	ctx, cancel := context.WithCancel(t.Context())
	dialed := make(chan error, 2)
	go func() {
		_, err := r.Dial(ctx, "tcp", s.address())
		dialed <- err
	}()
	r.waits()
	cancel()
	if err := <-dialed; !errors.Is(err, context.Canceled) {
		t.Errorf("an attempt that was given up: %v", err)
	}
	go func() {
		c, err := r.Dial(t.Context(), "tcp", s.address())
		if err == nil {
			c.Close()
		}
		dialed <- err
	}()
	r.waits()
	r.End(f)
	r.comes(question, 'q')
	r.comes(answer, 'a')
	if err := <-dialed; err != nil {
		t.Errorf("an attempt that waited for the end: %v", err)
	}
}

func TestBrokerStop(t *testing.T) {
	r, s := newRig(t), newServer(t)
	client, _ := r.connect(s)
	f := Fault{Kind: BrokerStop}
	if cut := r.Begin(f); cut != 1 {
		t.Errorf("%d connections cut, want 1", cut)
	}
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the client sees %v, want the end", err)
	}
	if _, err := r.Dial(t.Context(), "tcp", s.address()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a new connection: %v, want a refusal", err)
	}
	r.End(f)
	client, broker := r.connect(s)
	r.says(client, "again")
	r.sees(broker, "again")
}

// TestOneBroker: a fault of one broker leaves the other alone.
func TestOneBroker(t *testing.T) {
	r, s, other := newRig(t), newServer(t), newServer(t)
	_, _ = r.connect(s)
	client, broker := r.connect(other)
	if cut := r.Begin(Fault{Kind: BrokerStop, Address: s.address()}); cut != 1 {
		t.Errorf("%d connections cut, want 1", cut)
	}
	r.Begin(Fault{Kind: Blackhole, Address: s.address()})
	r.says(client, "question")
	r.sees(broker, "question")
	r.connect(other)
}

// TestCutWhileItBegins: a connection that is made while a fault begins gets it.
func TestCutWhileItBegins(t *testing.T) {
	s := newServer(t)
	f := Fault{Kind: Reset}
	var p *Proxy
	p = New(func(ctx context.Context, network, address string) (net.Conn, error) {
		p.Begin(f)
		return new(net.Dialer).DialContext(ctx, network, address)
	})
	defer p.Close()
	c, err := p.Dial(t.Context(), "tcp", s.address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client sees %v, want a reset", err)
	}
}

// TestClose lets through what a client has left behind, whatever the weather,
// and waits for nobody who stays.
func TestClose(t *testing.T) {
	r, s := newRig(t), newServer(t)
	leaving, broker := r.connect(s)
	staying, _ := r.connect(s)
	r.Begin(Fault{Kind: Blackhole})
	r.says(leaving, "last words")
	leaving.Close()
	r.waits()
	r.Close()
	r.sees(broker, "last words")
	if _, err := staying.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("who stayed sees %v, want the end", err)
	}
	if _, err := r.Dial(t.Context(), "tcp", s.address()); !errors.Is(err, errClosed) {
		t.Errorf("a new connection: %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	r, s := newRig(t), newServer(t)
	s.Close()
	if _, err := r.Dial(t.Context(), "tcp", s.address()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v, want the system's refusal", err)
	}
}

func TestString(t *testing.T) {
	for want, f := range map[string]Fault{
		"latency:50ms":         {Kind: Latency, Delay: 50 * time.Millisecond},
		"bandwidth:20MB/s":     {Kind: Bandwidth, Rate: 20e6},
		"bandwidth:16KiB/s":    {Kind: Bandwidth, Rate: 16 << 10},
		"bandwidth:1234567B/s": {Kind: Bandwidth, Rate: 1234567},
		"broker-stop":          {Kind: BrokerStop},
	} {
		if got := f.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
