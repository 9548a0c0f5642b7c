package kring_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// netCase sends records from two goroutines to two partitions through a proxy
// and checks the contract.
func netCase(t *testing.T, plan func(n int) fault, records int, plain bool, opts ...kring.Option) (*kring.Producer, *broker.Broker) {
	t.Helper()
	b := caseBroker(t, broker.Config{Partitions: netPartitions})
	return netCaseOn(t, b, plan, records, plain, opts...), b
}

const netPartitions = 2

func netCaseOn(t *testing.T, b *broker.Broker, plan func(n int) fault, records int, plain bool, opts ...kring.Option) *kring.Producer {
	t.Helper()
	x := newProxy(t, plan)
	opts = append([]kring.Option{
		x.dialer(), kring.BatchSize(300), kring.RetryBackoff(time.Millisecond, time.Millisecond),
		kring.ReconnectBackoff(time.Millisecond, time.Millisecond),
	}, opts...)
	if plain {
		opts = append(opts, kring.RequireAcks(kring.AcksLeader))
	}
	p := caseProducer(t, b.Addrs(), opts...)
	l := newLedger(t)
	ctx := patient(t)
	for i := range uint32(records) {
		k, part := ledgerKey{1, i}, int32(i%netPartitions)
		err := p.Produce(ctx, kring.Record{Topic: "t", Partition: kring.On(part), Value: l.value(1, i, part, 100)}, l.accept(k, part))
		if err != nil {
			t.Fatal(err)
		}
	}
	closeEmpty(t, p)
	if acked, failed := l.check(b, "t", netPartitions, plain); acked != records {
		t.Errorf("%d acked, %d failed, want all %d acked; %+v", acked, failed, records, p.Stats())
	}
	return p
}

// TestEveryByte is D1, D2 and D3: the connection ends after k bytes, for every
// k, on the way to the broker or on the way back. Connection k ends at byte k,
// so a record that can not get through tries one byte more each time.
func TestEveryByte(t *testing.T) {
	noLeaks(t)
	step := 1
	if testing.Short() {
		step = 7
	}
	for _, c := range []struct {
		name  string
		fault func(k int) fault
	}{
		{"D1 RST after k request bytes", func(k int) fault { return fault{end: endReset, afterUp: k, afterDown: -1} }},
		{"D2 RST after k response bytes", func(k int) fault { return fault{end: endReset, afterUp: -1, afterDown: k} }},
		{"D3 FIN after k request bytes", func(k int) fault { return fault{end: endFIN, afterUp: k, afterDown: -1} }},
		{"D3 FIN after k response bytes", func(k int) fault { return fault{end: endFIN, afterUp: -1, afterDown: k} }},
		{"D3 half-closed after k request bytes", func(k int) fault { return fault{end: endHalfUp, afterUp: k, afterDown: -1} }},
	} {
		for _, plain := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/plain=%t", c.name, plain), func(t *testing.T) {
				t.Parallel()
				b := besideBroker(t, broker.Config{Partitions: netPartitions})
				p := netCaseOn(t, b, func(n int) fault { return c.fault((n - 1) * step) }, 6, plain)
				t.Logf("%d disconnects, %d duplicates recognised", p.Stats().Disconnects, b.Stats().DuplicateBatches)
				if p.Stats().Disconnects < uint64(60/step) {
					t.Errorf("%d disconnects: the proxy did nothing", p.Stats().Disconnects)
				}
			})
		}
	}
}

// TestBlackHole is D4: bytes vanish in one direction or both, and nobody says
// so. The request timeout notices, and Produce never blocks meanwhile.
func TestBlackHole(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault fault
	}{
		{"requests vanish", fault{end: endHole, afterUp: 0, afterDown: -1}},
		{"answers vanish", fault{end: endHole, afterUp: -1, afterDown: 0}},
		{"both vanish in the middle", fault{end: endHole, afterUp: 77, afterDown: 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := func(n int) fault {
				if n <= 2 {
					return c.fault
				}
				return honest()
			}
			start := time.Now()
			p, _ := netCase(t, plan, 20, false, kring.RequestTimeout(150*time.Millisecond))
			if took := time.Since(start); took < 300*time.Millisecond {
				t.Errorf("done after %v: two connections had to time out after 150 ms each", took)
			}
			if p.Stats().Disconnects < 2 {
				t.Errorf("%d disconnects, want 2", p.Stats().Disconnects)
			}
		})
	}
}

// TestZeroWindow is D5: one broker reads nothing. Its requests stick in the
// socket; the other broker's flow.
func TestZeroWindow(t *testing.T) {
	b := caseBroker(t, broker.Config{Brokers: 2, Partitions: 2})
	open := make(chan struct{})
	stuck := b.Addrs()[0]
	x := newProxy(t, func(int) fault { f := honest(); f.stallUp = func() { <-open }; return f })
	clear := newProxy(t, func(int) fault { return honest() })
	stuckListener, err := x.route(stuck)
	if err != nil {
		t.Fatal(err)
	}
	clear.routes[stuck] = stuckListener // one dialer for both
	release := sync.OnceFunc(func() { close(open) })
	t.Cleanup(release) // before the proxies close
	p := caseProducer(t, b.Addrs(), clear.dialer(), kring.BatchSize(16<<10), kring.SendBuffer(64<<10), kring.BufferMemory(4<<20))
	ctx := patient(t)
	value := make([]byte, 15<<10)
	first := newOutcomes()
	for i := range 40 { // 600 kB: far more than the socket takes
		if err := p.Produce(ctx, kring.Record{Topic: "t", Partition: kring.On(0), Value: value, Tag: uint64(i)}, first.take); err != nil {
			t.Fatal(err)
		}
	}
	for range 50 {
		if _, err := p.ProduceSync(ctx, kring.Record{Topic: "t", Partition: kring.On(1), Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(first.all()); n > 0 {
		t.Errorf("%d records were acked by a broker that read nothing", n)
	}
	release()
	for i, d := range first.wait(t, 40) {
		if d.Err != nil || d.Tag != uint64(i) {
			t.Errorf("delivery %d: %+v", i, d)
		}
	}
	if n := len(logValues(t, b, "t", 0)); n != 40 {
		t.Errorf("%d records in the log, want 40", n)
	}
}

// TestByteByByte is D6 and D7: everything arrives in single bytes.
func TestByteByByte(t *testing.T) {
	netCase(t, func(int) fault { f := honest(); f.chunk = 1; return f }, 100, false)
}

// TestSlowNetwork is D8: 20 ms ± 10 ms. With five in flight the answers of a
// partition overlap, and the order holds.
func TestSlowNetwork(t *testing.T) {
	var rnd atomic.Uint64
	jitter := func() time.Duration {
		return 10*time.Millisecond + time.Duration(rnd.Add(0x9e3779b97f4a7c15)>>40%20)*time.Millisecond
	}
	netCase(t, func(int) fault { f := honest(); f.delayDown = jitter; return f }, 60, false)
}

// TestLateAnswers is D9: the broker answers after the request timed out, on the
// connection that is no more. Each record is resolved once.
func TestLateAnswers(t *testing.T) {
	plan := func(n int) fault {
		f := honest()
		if n < 4 {
			f.delayDown = func() time.Duration { return 250 * time.Millisecond }
		}
		return f
	}
	p, b := netCase(t, plan, 10, false, kring.RequestTimeout(100*time.Millisecond))
	if p.Stats().Disconnects < 3 || b.Stats().DuplicateBatches < 1 {
		t.Errorf("%d disconnects, %d duplicates: want 3 and more than 0", p.Stats().Disconnects, b.Stats().DuplicateBatches)
	}
}

// TestOverlap is D11: the old connection still holds requests that the broker
// has not looked at when the new one is already at work. The partition has one
// sender all the same: nothing twice, nothing out of order.
func TestOverlap(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	plan := func(n int) fault {
		f := honest()
		if n < 8 { // the broker gets the requests late, when the producer is gone
			f.end, f.afterDown = endFIN, 40+rnd.IntN(200)
		}
		return f
	}
	netCase(t, plan, 300, false)
}

// connections counts what arrives at a listener and answers nothing.
func closingListener(t *testing.T, serve func(net.Conn)) (addr string, count func() int64) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			n.Add(1)
			serve(nc)
			_ = nc.Close()
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return ln.Addr().String(), n.Load
}

// TestNoHotLoop is D10 and KAFKA-1642: a broker that refuses, or accepts and
// hangs up, is tried again at the pace of the backoff.
func TestNoHotLoop(t *testing.T) {
	noLeaks(t)
	addr, accepted := closingListener(t, func(net.Conn) {})
	p, err := kring.New(kring.Brokers(addr), kring.MaxBlock(600*time.Millisecond),
		kring.ReconnectBackoff(50*time.Millisecond, 100*time.Millisecond), kring.RetryBackoff(50*time.Millisecond, 100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	before := cpuTime(t)
	err = p.Produce(patient(t), kring.Record{Topic: "t", Value: []byte("v")}, nil)
	checkText(t, err, kring.ErrMaxBlock, `topic "t"`, addr, "not accepted")
	closeEmpty(t, p)
	// Metadata and producer id each try: at 50, 100, 100 ms, once immediately.
	if n := accepted(); n < 3 || n > 40 {
		t.Errorf("%d connections in 600 ms with a backoff of 50 to 100 ms", n)
	}
	if cpu := cpuTime(t) - before; cpu > 300*time.Millisecond {
		t.Errorf("%v of CPU in 600 ms of waiting", cpu)
	}
}

// TestProduceConnectionsBackOff is D10 for the sender: a broker whose
// handshake works and which then hangs up at every Produce request.
func TestProduceConnectionsBackOff(t *testing.T) {
	b := newWireBroker(t, func(b *wireBroker) {
		b.produce = func(c *wireConn, _ *wireRequest) { _ = c.nc.Close() }
	})
	p := caseProducer(t, []string{b.addr()}, kring.RetryBackoff(20*time.Millisecond, 40*time.Millisecond),
		kring.ReconnectBackoff(20*time.Millisecond, 40*time.Millisecond), kring.RequestTimeout(500*time.Millisecond),
		kring.DeliveryTimeout(600*time.Millisecond), kring.MaxBlock(time.Second))
	got := newOutcomes()
	for i := range 2 {
		if err := p.Produce(patient(t), kring.Record{Topic: "t", Partition: kring.On(int32(i)), Value: []byte("v")}, got.take); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range got.wait(t, 2) {
		pe := produceError(t, d)
		if pe.Certainty != kring.PossiblyPersisted || pe.Attempts < 2 {
			t.Errorf("%+v", pe)
		}
		checkText(t, d.Err, kring.ErrDeliveryTimeout, `topic "t"`, "broker 1", "may be in the log")
	}
	if n := b.count(0); n > 80 {
		t.Errorf("%d Produce requests in 600 ms with a backoff of 20 to 40 ms", n)
	}
	if n := b.count(3); n > 80 {
		t.Errorf("%d Metadata requests in 600 ms with a backoff of 20 to 40 ms", n)
	}
}

// TestAllBrokersGone is D16: every broker disappears with records under way
// and comes back later. Nothing is lost, and little CPU is used meanwhile.
func TestAllBrokersGone(t *testing.T) {
	b := caseBroker(t, broker.Config{Brokers: 3, Partitions: 6})
	p := caseProducer(t, b.Addrs(), kring.ReconnectBackoff(10*time.Millisecond, 50*time.Millisecond))
	l := newLedger(t)
	ctx := patient(t)
	produce := func(from, to uint32) {
		for i := from; i < to; i++ {
			part := int32(i % 6)
			k := ledgerKey{1, i}
			if err := p.Produce(ctx, kring.Record{Topic: "t", Partition: kring.On(part), Value: l.value(1, i, part, 50)}, l.accept(k, part)); err != nil {
				t.Fatal(err)
			}
		}
	}
	produce(0, 300)
	for id := range int32(3) {
		if err := b.StopNode(id + 1); err != nil {
			t.Fatal(err)
		}
	}
	produce(300, 600)
	before := cpuTime(t)
	timer := time.NewTimer(time.Second)
	<-timer.C
	if cpu := cpuTime(t) - before; cpu > 400*time.Millisecond {
		t.Errorf("%v of CPU in a second without brokers", cpu)
	}
	for id := range int32(3) {
		if err := b.StartNode(id + 1); err != nil {
			t.Fatal(err)
		}
	}
	closeEmpty(t, p)
	if acked, _ := l.check(b, "t", 6, false); acked != 600 {
		t.Errorf("%d acked, want 600", acked)
	}
}

// TestIdleClose is D19: the broker closes an idle connection just as the
// producer writes.
func TestIdleClose(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs())
	ctx := patient(t)
	for i := range 20 {
		if _, err := p.ProduceSync(ctx, kring.Record{Topic: "t", Value: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
		if err := b.StopNode(1); err != nil { // closes the listener and the connection
			t.Fatal(err)
		}
		if err := b.StartNode(1); err != nil {
			t.Fatal(err)
		}
	}
	if got := logValues(t, b, "t", 0); len(got) != 20 || got[19] != "19" {
		t.Errorf("log: %q", got)
	}
}

// TestBootstrap is D20: dead and duplicate addresses, one alive, last; and
// IPv6.
func TestBootstrap(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	dead, _ := closingListener(t, func(net.Conn) {})
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = refused.Close()
	silent, _ := closingListener(t, func(nc net.Conn) { _, _ = io.Copy(io.Discard, nc) })
	list := []string{refused.Addr().String(), dead, dead, "[::1]:1", silent, b.Addrs()[0]}
	p := caseProducer(t, list, kring.ConnectionSetupTimeout(100*time.Millisecond, 200*time.Millisecond),
		kring.RequestTimeout(200*time.Millisecond))
	if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Value: []byte("v")}); err != nil {
		t.Fatal(err)
	}
}
