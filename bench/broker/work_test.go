package broker

import (
	"testing"
	"time"
)

// TestThroughput: whatever connections requests come from, a node is busy with
// them one after another; another node is not, and what is idle for long saves little up.
func TestThroughput(t *testing.T) {
	const perSecond = 1 << 20
	b := startTest(t, Config{Brokers: 2, Throughput: perSecond, Service: time.Millisecond})
	for turn := range 4 {
		wait := b.nodes[0].work(perSecond)
		due := time.Duration(turn+1) * time.Second
		if least, most := due-time.Since(b.started), due+time.Millisecond+time.Since(b.started); wait < least || wait > most {
			t.Errorf("request %d waits %v, want %v to %v", turn+1, wait, least, most)
		}
	}
	if wait := b.nodes[1].work(perSecond); wait < time.Second-slack || wait > time.Second+time.Millisecond {
		t.Errorf("the other node waits %v, want a second", wait)
	}
	b.nodes[1].idle.Store(-int64(time.Hour))
	if wait := b.nodes[1].work(perSecond); wait < time.Second-slack {
		t.Errorf("after an hour without work a node waits %v", wait)
	}
	if _, err := Start(Config{Throughput: -1}); err == nil {
		t.Error("a negative throughput is no error")
	}
}

// TestThroughputHoldsBack sends through two connections, with a hook and without.
func TestThroughputHoldsBack(t *testing.T) {
	size := len(batchOf{count: 1}.bytes())
	for _, hook := range []Hook{nil, func(*ProduceInfo) Action { return Action{} }} {
		b := startTest(t, Config{Throughput: int64(size) * 20, Hook: hook}) // A batch alone takes 50 ms.
		createTopic(t, b, "t", 1)
		req := produceTo(b, 13, "t", map[int32][]byte{0: batchOf{count: 1}.bytes()})
		start := time.Now()
		conns := []*client{dial(t, b, 1), dial(t, b, 1)}
		first := []int32{conns[0].sent, conns[1].sent}
		for _, c := range conns {
			c.send(req)
			c.send(req)
		}
		for i, c := range conns {
			c.receive(req, first[i])
			c.receive(req, first[i]+1)
		}
		if took := time.Since(start); took < 200*time.Millisecond {
			t.Errorf("hook %v: four requests of 50 ms took %v", hook != nil, took)
		}
	}
}
