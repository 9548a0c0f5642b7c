package kring_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// place is a connection: a broker's id, and which of the connections to it.
type place struct {
	broker int32
	number int
}

// placesOf asks the producer where each partition of t is sent.
func placesOf(t *testing.T, p *kring.Producer, partitions int32) []place {
	t.Helper()
	places := make([]place, partitions)
	for i := range places {
		e, err := p.Explain("t", int32(i))
		if err != nil {
			t.Fatal(err)
		}
		places[i] = place{e.Broker, e.Connection}
	}
	return places
}

// produceStream is a ledger of goroutines that each send so many records to the
// partitions in turn, waiting for none of them.
type produceStream struct {
	*ledger
	all sync.WaitGroup
}

func stream(t *testing.T, p *kring.Producer, goroutines, records uint32, partitions int32) *produceStream {
	t.Helper()
	s, ctx := &produceStream{ledger: newLedger(t)}, patient(t)
	for g := range goroutines {
		s.all.Go(func() {
			for i := range records {
				k, part := ledgerKey{g, i}, int32(i)%partitions
				r := kring.Record{Topic: "t", Partition: kring.On(part), Value: s.value(g, i, part, 100)}
				if err := p.Produce(ctx, r, s.accept(k, part)); err != nil {
					s.forget(k)
					t.Errorf("goroutine %d, record %d: %v", g, i, err)
					return
				}
			}
		})
	}
	return s
}

// TestStripesShare: how many connections carry the records of how many
// partitions, and how evenly, also where as many brokers as stripes take turns.
func TestStripesShare(t *testing.T) {
	for _, tc := range []struct {
		nodes, partitions, stripes int
		connections                int
	}{
		{1, 12, 1, 1},
		{1, 12, 3, 3},
		{1, 2, 8, 2}, // no more than there are partitions
		{3, 12, 3, 9},
		{2, 16, 4, 8},
	} {
		t.Run(fmt.Sprintf("nodes=%d/partitions=%d/stripes=%d", tc.nodes, tc.partitions, tc.stripes), func(t *testing.T) {
			b := caseBroker(t, broker.Config{Brokers: tc.nodes, Partitions: tc.partitions})
			var mu sync.Mutex
			seen := make(map[int32]map[uint64]bool) // partition to connections
			all := make(map[uint64]bool)
			b.SetHook(func(info *broker.ProduceInfo) broker.Action {
				mu.Lock()
				defer mu.Unlock()
				all[info.Conn] = true
				for _, q := range info.Partitions {
					if seen[q.Partition] == nil {
						seen[q.Partition] = make(map[uint64]bool)
					}
					seen[q.Partition][info.Conn] = true
				}
				return broker.Action{}
			})
			p := caseProducer(t, b.Addrs(), kring.ConnectionsPerBroker(tc.stripes), kring.BatchSize(512))
			s := stream(t, p, 3, 400, int32(tc.partitions))
			s.all.Wait()
			if err := p.Flush(patient(t)); err != nil {
				t.Fatal(err)
			}
			load := make(map[place]int)
			for _, at := range placesOf(t, p, int32(tc.partitions)) {
				load[at]++
			}
			fair := tc.partitions / tc.connections
			for at, n := range load {
				if n != fair && n != fair+1 {
					t.Errorf("%+v has %d of %d partitions: %v", at, n, tc.partitions, load)
				}
			}
			st := p.Stats()
			if len(load) != tc.connections || st.Connections != tc.connections || st.Brokers != tc.nodes || st.ConnectedBrokers != tc.nodes {
				t.Errorf("%d connections in use, %d open, to %d of %d brokers; want %d to %d",
					len(load), st.Connections, st.ConnectedBrokers, st.Brokers, tc.connections, tc.nodes)
			}
			depths := make(map[place]bool)
			for _, d := range st.Depths {
				depths[place{d.Broker, d.Connection}] = true
			}
			if len(depths) != tc.connections || len(st.Depths) != tc.connections {
				t.Errorf("depths %+v, want one for each of %d connections", st.Depths, tc.connections)
			}
			closeEmpty(t, p)
			if acked, _ := s.check(b, "t", int32(tc.partitions), false); acked != 3*400 {
				t.Errorf("%d records acknowledged, want %d", acked, 3*400)
			}
			if len(all) != tc.connections {
				t.Errorf("the brokers saw records on %d connections, want %d", len(all), tc.connections)
			}
			for q, conns := range seen {
				if len(conns) != 1 {
					t.Errorf("partition %d came over %d connections", q, len(conns))
				}
			}
			if st := p.Stats(); st.Connections != 0 || st.ConnectedBrokers != 0 || len(st.Depths) != 0 {
				t.Errorf("after Close: %+v", st)
			}
		})
	}
}

// TestStripesOfSmallTopics: topics of one partition use all connections too.
func TestStripesOfSmallTopics(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs(), kring.ConnectionsPerBroker(4))
	used := make(map[int]int)
	for i := range 8 {
		topic := fmt.Sprint("topic", i)
		if _, err := p.ProduceSync(patient(t), kring.Record{Topic: topic, Value: []byte("v")}); err != nil {
			t.Fatal(err)
		}
		e, err := p.Explain(topic, 0)
		if err != nil {
			t.Fatal(err)
		}
		used[e.Connection]++
		if want := fmt.Sprintf(", connection %d,", e.Connection); !strings.Contains(e.String(), want) {
			t.Errorf("%q does not say %q", e, want)
		}
	}
	if len(used) != 4 || slices.Max([]int{used[0], used[1], used[2], used[3]}) != 2 {
		t.Errorf("8 topics by connection: %v, want 2 on each of 4", used)
	}
}

// TestStripeLabels: a profile tells the connections to a broker apart.
func TestStripeLabels(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 2})
	p := caseProducer(t, b.Addrs(), kring.ConnectionsPerBroker(2))
	if err := p.Warmup(patient(t), "t"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"kring":"broker", "kring_broker":"1", "kring_connection":"0"`,
		`"kring":"broker", "kring_broker":"1", "kring_connection":"1"`,
		`"kring":"reader", "kring_broker":"1", "kring_connection":"0"`,
		`"kring":"reader", "kring_broker":"1", "kring_connection":"1"`,
	} {
		until(t, want, func() bool {
			var profile bytes.Buffer
			if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
				t.Fatal(err)
			}
			return strings.Contains(profile.String(), want)
		})
	}
}

// TestStripeFails: the end of one connection is the end of that one only, and
// what was on its way is sent again, once and in order.
func TestStripeFails(t *testing.T) {
	for _, acks := range []kring.Acks{kring.AcksAll, kring.AcksLeader} {
		t.Run(acks.String(), func(t *testing.T) {
			const partitions, stripes, victim = 12, 3, 7
			b := caseBroker(t, broker.Config{Partitions: partitions})
			events := &told{}
			p := caseProducer(t, b.Addrs(), kring.ConnectionsPerBroker(stripes), kring.BatchSize(300), kring.RequireAcks(acks),
				kring.Hooks(onConnection{events}))
			if err := p.Warmup(patient(t), "t"); err != nil {
				t.Fatal(err)
			}
			places := placesOf(t, p, partitions)
			var failed atomic.Int32
			b.SetHook(func(info *broker.ProduceInfo) broker.Action {
				for _, q := range info.Partitions {
					if q.Partition == victim && info.Request%3 == 2 && failed.Add(1) <= 5 {
						return broker.Action{DropAfter: true, Reset: true} // appended, and nobody is told
					}
				}
				return broker.Action{}
			})
			s := stream(t, p, 4, 600, partitions)
			s.all.Wait()
			if err := p.Flush(patient(t)); err != nil {
				t.Fatalf("%v\n%s", err, p.DebugState())
			}
			if again := placesOf(t, p, partitions); !slices.Equal(again, places) {
				t.Errorf("partitions have moved from %v to %v", places, again)
			}
			until(t, "the connection is told of again", func() bool { return len(eventsOf[kring.BrokerConnect](events)) > stripes })
			for _, e := range eventsOf[kring.BrokerDisconnect](events) {
				if (place{e.Broker, e.Connection}) != places[victim] {
					t.Errorf("%+v was affected by the end of %+v", e, places[victim])
				}
			}
			if n := p.Stats().Disconnects; n == 0 {
				t.Error("no connection has failed: the test did nothing")
			}
			closeEmpty(t, p)
			if acked, _ := s.check(b, "t", partitions, acks != kring.AcksAll); acked != 4*600 {
				t.Errorf("%d records acknowledged, want %d", acked, 4*600)
			}
		})
	}
}

// onConnection is a hook that is not told of every request.
type onConnection struct{ events *told }

func (h onConnection) OnBrokerConnect(e kring.BrokerConnect)       { h.events.add(e) }
func (h onConnection) OnBrokerDisconnect(e kring.BrokerDisconnect) { h.events.add(e) }

// TestStripesOfARestartedBroker: all connections to it come back, those to the
// other broker stay.
func TestStripesOfARestartedBroker(t *testing.T) {
	const partitions, stripes = 12, 3
	b := caseBroker(t, broker.Config{Brokers: 2, Partitions: partitions})
	events := &told{}
	p := caseProducer(t, b.Addrs(), kring.ConnectionsPerBroker(stripes), kring.BatchSize(300), kring.Hooks(onConnection{events}))
	if err := p.Warmup(patient(t), "t"); err != nil {
		t.Fatal(err)
	}
	before := placesOf(t, p, partitions)
	if s := p.Stats(); s.Connections != 2*stripes || s.ConnectedBrokers != 2 {
		t.Fatalf("warm, and %d connections to %d brokers", s.Connections, s.ConnectedBrokers)
	}
	s := stream(t, p, 2, 300, partitions)
	if err := b.StopNode(2); err != nil {
		t.Fatal(err)
	}
	until(t, "broker 2 is gone", func() bool { return p.Stats().ConnectedBrokers == 1 })
	if n := p.Stats().Connections; n != stripes {
		t.Errorf("%d connections while a broker is down, want %d", n, stripes)
	}
	if err := b.StartNode(2); err != nil {
		t.Fatal(err)
	}
	s.all.Wait()
	if err := p.Flush(patient(t)); err != nil {
		t.Fatalf("%v\n%s", err, p.DebugState())
	}
	if err := p.Warmup(patient(t), "t"); err != nil {
		t.Fatal(err)
	}
	if after := placesOf(t, p, partitions); !slices.Equal(before, after) {
		t.Errorf("partitions have moved from %v to %v", before, after)
	}
	if n := p.Stats().Connections; n != 2*stripes {
		t.Errorf("%d connections after the restart, want %d", n, 2*stripes)
	}
	for _, e := range eventsOf[kring.BrokerDisconnect](events) {
		if e.Broker != 2 {
			t.Errorf("a connection to broker %d ended: %v", e.Broker, e.Err)
		}
	}
	closeEmpty(t, p)
	if acked, _ := s.check(b, "t", partitions, false); acked != 2*300 {
		t.Errorf("%d records acknowledged, want %d", acked, 2*300)
	}
}

// TestStripesAndMoves: leaders move to and fro while records are sent, and in the
// end every broker's partitions are spread over its connections.
func TestStripesAndMoves(t *testing.T) {
	const partitions, stripes = 12, 3
	b := caseBroker(t, broker.Config{Brokers: 3, Partitions: partitions})
	p := caseProducer(t, b.Addrs(), kring.ConnectionsPerBroker(stripes), kring.BatchSize(300), kring.MetadataMaxAge(5*time.Millisecond))
	if err := p.Warmup(patient(t), "t"); err != nil {
		t.Fatal(err)
	}
	s := stream(t, p, 4, 1500, partitions)
	for round := range int32(12) {
		for q := range int32(partitions) {
			// All to one broker and back, of which each partition makes
			// the last step in its turn.
			if err := b.SetLeader("t", q, 1+(q*round+round)%3); err != nil {
				t.Fatal(err)
			}
		}
		seen := p.Stats().Metadata
		until(t, "the producer knows the new leaders", func() bool { return p.Stats().Metadata > seen+1 })
	}
	s.all.Wait()
	if err := p.Flush(patient(t)); err != nil {
		t.Fatalf("%v\n%s", err, p.DebugState())
	}
	// Leaders as at the start, from wherever they are: four for each broker.
	for q := range int32(partitions) {
		if err := b.SetLeader("t", q, 1+q%3); err != nil {
			t.Fatal(err)
		}
	}
	fair := func() bool {
		load := make(map[place]int)
		for i, at := range placesOf(t, p, partitions) {
			if load[at]++; at.broker != int32(1+i%3) {
				return false
			}
		}
		for _, n := range load {
			if n > 2 {
				t.Fatalf("4 partitions of each broker over %d connections: %v", stripes, load)
			}
		}
		return true
	}
	until(t, "all leaders are known", fair)
	closeEmpty(t, p)
	if acked, _ := s.check(b, "t", partitions, false); acked != 4*1500 {
		t.Errorf("%d records acknowledged, want %d", acked, 4*1500)
	}
}

// TestStripesWithoutAcks: nothing answers, and all of it arrives in order.
func TestStripesWithoutAcks(t *testing.T) {
	const partitions = 12
	b := caseBroker(t, broker.Config{Partitions: partitions})
	p := caseProducer(t, b.Addrs(), kring.ConnectionsPerBroker(3), kring.BatchSize(300), kring.RequireAcks(kring.AcksNone))
	s := stream(t, p, 4, 300, partitions)
	s.all.Wait()
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	if n := p.Stats().Connections; n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
	until(t, "all records are stored", func() bool { return b.Stats().Records == 4*300 })
	closeEmpty(t, p)
	if acked, failed := s.check(b, "t", partitions, false); acked != 4*300 {
		t.Errorf("%d records sent, %d failed", acked, failed)
	}
}

// TestStripesAtClose: Close ends connections that hang, too, and hands back what
// each of them carried.
func TestStripesAtClose(t *testing.T) {
	const partitions, stripes = 12, 4
	hold := make(chan struct{})
	b := caseBroker(t, broker.Config{Partitions: partitions, Hook: func(*broker.ProduceInfo) broker.Action { return broker.Action{Stall: hold} }})
	t.Cleanup(func() { close(hold) })
	p := caseProducer(t, b.Addrs(), kring.ConnectionsPerBroker(stripes))
	got := newOutcomes()
	for i := range int32(partitions) {
		if err := p.Produce(patient(t), kring.Record{Topic: "t", Partition: kring.On(i), Value: []byte("v")}, got.take); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "every connection has a request", func() bool {
		busy := make(map[int]bool)
		for i := range int32(partitions) {
			e, err := p.Explain("t", i)
			if err != nil {
				t.Fatal(err)
			}
			if e.RequestsInFlight > 0 {
				busy[e.Connection] = true
			}
		}
		return len(busy) == stripes
	})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	list, err := p.Drain(ctx)
	if err != nil || len(list) != partitions {
		t.Errorf("%d records handed back, %v; want %d", len(list), err, partitions)
	}
	if n := len(got.wait(t, partitions)); n != partitions {
		t.Errorf("%d outcomes, want %d", n, partitions)
	}
	if s := p.Stats(); s.Connections != 0 || s.ConnectedBrokers != 0 {
		t.Errorf("after Drain: %+v", s)
	}
}
