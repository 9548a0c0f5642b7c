package kring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring/cluster"
	"github.com/kring-go/kring/internal/otlp"
)

// striped is a producer that reaches nobody, with n connections per broker.
func striped(t *testing.T, n int, more ...Option) *Producer {
	t.Helper()
	p, err := New(append([]Option{
		Brokers("127.0.0.1:1"), ConnectionsPerBroker(n), MaxBlock(time.Second), DisableRebootstrap(),
		ReconnectBackoff(time.Millisecond, time.Millisecond),
	}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if err := p.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v", err)
		}
	})
	return p
}

// learn applies an answer about t: one leader for each partition.
func learn(p *Producer, addrs map[int32]string, leaders ...int32) []*partition {
	md := &cluster.Metadata{}
	for id, host := range addrs {
		md.Brokers = append(md.Brokers, cluster.Broker{ID: id, Host: host, Port: 1})
	}
	topic := cluster.Topic{Name: "t"}
	for i, id := range leaders {
		topic.Partitions = append(topic.Partitions, cluster.Partition{Index: int32(i), Leader: id, LeaderEpoch: -1})
	}
	md.Topics = append(md.Topics, topic)
	t := p.topic("t")
	p.apply(md)
	return *t.parts.Load()
}

func stripesOf(parts []*partition) string {
	var s strings.Builder
	for _, q := range parts {
		b := q.leader.Load()
		fmt.Fprintf(&s, "%d/%d ", b.id, b.stripe)
	}
	return strings.TrimSpace(s.String())
}

// TestStripeChoice: which connection a partition is on, as leaders come and go.
func TestStripeChoice(t *testing.T) {
	addrs := map[int32]string{1: "127.0.0.1", 2: "127.0.0.1"}
	for _, tc := range []struct {
		name    string
		stripes int
		answers [][]int32
		want    string
	}{
		{"one", 1, [][]int32{{1, 1, 2, 2}}, "1/0 1/0 2/0 2/0"},
		{"in turn", 3, [][]int32{{1, 1, 1, 1, 1}}, "1/0 1/1 1/2 1/0 1/1"},
		{"as many brokers as stripes", 2, [][]int32{{1, 2, 1, 2, 1, 2}}, "1/0 2/0 1/1 2/1 1/0 2/0"},
		{"an answer again", 2, [][]int32{{1, 1, 1}, {1, 1, 1}}, "1/0 1/1 1/0"},
		{"more partitions", 2, [][]int32{{1}, {1, 1, 1}}, "1/0 1/1 1/0"},
		{"others leave", 2, [][]int32{{1, 1, 1, 1}, {2, 1, 2, 1}}, "2/0 1/1 2/1 1/1"}, // who stays is left alone
		{"and their place is free", 2, [][]int32{{1, 1, 1, 1}, {2, 1, 2, 1}, {1, 1, 1, 1}}, "1/0 1/1 1/0 1/1"},
		{"without a leader for a time", 3, [][]int32{{1, 1, 1}, {-1, 1, -1}, {1, 1, 1}}, "1/0 1/1 1/2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := striped(t, tc.stripes)
			var parts []*partition
			for _, leaders := range tc.answers {
				parts = learn(p, addrs, leaders...)
			}
			if got := stripesOf(parts); got != tc.want {
				t.Errorf("partitions are on %s, want %s", got, tc.want)
			}
		})
	}
}

// TestStripeChoiceOfTopics: even within a topic first, and over all topics then.
func TestStripeChoiceOfTopics(t *testing.T) {
	n := &node{led: counts{1, 5, 4}}
	for _, tc := range []struct {
		topic *counts
		want  int
	}{
		{nil, 0},
		{&counts{1, 0, 1}, 1},
		{&counts{1, 0, 0}, 2},
		{&counts{1, 1, 1}, 0},
	} {
		if got := n.choose(tc.topic, 3); got != tc.want {
			t.Errorf("%v of the topic, %v of all: stripe %d, want %d", tc.topic, n.led, got, tc.want)
		}
	}
}

// TestStripesMoveWithTheirNode: a new address, a hint and the end of a node are
// about each of its connections, also those that are made afterwards.
func TestStripesMoveWithTheirNode(t *testing.T) {
	p := striped(t, 3)
	all := func() (s string) {
		for _, b := range *p.brokers.Load() {
			s += fmt.Sprintf("%d/%d %s gone=%t outdated=%t first=%t; ", b.id, b.stripe, *b.addr.Load(), b.gone.Load(), b.outdated.Load(), b.first)
		}
		return s
	}
	check := func(step, want string) {
		t.Helper()
		if got := strings.TrimSuffix(all(), "; "); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", step, got, want)
		}
	}
	learn(p, map[int32]string{1: "a.invalid"}, 1, 1)
	check("two partitions", "1/0 a.invalid:1 gone=false outdated=false first=true; 1/1 a.invalid:1 gone=false outdated=false first=false")
	parts := learn(p, map[int32]string{1: "b.invalid"}, 1, 1)
	check("another address", "1/0 b.invalid:1 gone=false outdated=true first=true; 1/1 b.invalid:1 gone=false outdated=true first=false")
	for _, b := range *p.brokers.Load() {
		b.outdated.Store(false)
	}
	p.meta.hint(p, parts[0], 1, 7, "c.invalid", 1)
	check("a hint", "1/0 c.invalid:1 gone=false outdated=true first=true; 1/1 c.invalid:1 gone=false outdated=true first=false")
	learn(p, map[int32]string{2: "d.invalid"}, 1, 1, 1)
	check("not listed any more, and one partition more",
		"1/0 c.invalid:1 gone=true outdated=true first=true; 1/1 c.invalid:1 gone=true outdated=true first=false; 1/2 c.invalid:1 gone=true outdated=false first=false")
	if s := p.Stats(); s.Brokers != 1 || s.Connections != 0 || s.ConnectedBrokers != 0 {
		t.Errorf("%d brokers, %d connected, by %d connections; want 1, 0, 0", s.Brokers, s.ConnectedBrokers, s.Connections)
	}
}

// TestStripesAreOneBroker: what is counted or told of a broker is not counted or
// told once for each connection.
func TestStripesAreOneBroker(t *testing.T) {
	var log bytes.Buffer
	p := striped(t, 2, Logger(slog.New(slog.NewTextHandler(io.Discard, nil))), BrokerMemory(64<<10))
	parts := learn(p, map[int32]string{1: "127.0.0.1"}, 1, 1)
	one, two := parts[0].leader.Load(), parts[1].leader.Load()
	if one == two || one.node != two.node || one.share == nil || one.share != two.share {
		t.Errorf("%v and %v: want two connections to one broker, with one share of the memory", one, two)
	}
	c := newCollector(p)
	c.subscription = &cluster.Subscription{Metrics: []string{javaMetrics + "node."}}
	one.meters.latency.add(int64(time.Millisecond))
	two.meters.latency.add(int64(3 * time.Millisecond))
	m := find(c.collect(time.Now(), extent{brokers: true}), javaMetrics+"node.request.latency.avg")
	if m == nil || len(m.Points) != 1 || m.Points[0].Value != 2 || m.Points[0].Attributes[0] != (otlp.Attribute{Key: "node_id", Value: "1"}) {
		t.Errorf("latency of node 1: %+v, want the mean of both connections, 2 ms", m)
	}
	// Under a logger and a node of their own, whatever the dialler does meanwhile.
	n := &node{id: 1}
	for i := range 2 {
		b := newBroker(p, 1, "x:1")
		b.node, b.stripe, b.log = n, i, slog.New(slog.NewTextHandler(&log, nil)).With("connection", i)
		b.env.Now = 1
		b.failures = 1
		b.tellUnreachable(errNoLeader)
		b.failures = 2 + 2*i
		b.tellUnreachable(errNoLeader)
		b.tellThrottled(int64(time.Millisecond))
	}
	for text, want := range map[string]int{"attempts=1 ": 1, "attempts=2 ": 1, "attempts=4 ": 1, "throttles this producer": 1, "connection=1": 1} {
		if got := strings.Count(log.String(), text); got != want {
			t.Errorf("%d lines with %q, want %d:\n%s", got, text, want, log.String())
		}
	}
}

func TestConnectionsPerBrokerIsChecked(t *testing.T) {
	for _, tc := range []struct {
		option   int
		property string
		want     string // the error; empty: none
	}{
		{1, "1", ""},
		{8, "8", ""},
		{0, "0", "want 1 to 8"},
		{9, "9", "want 1 to 8"},
		{-1, "many", "want 1 to 8"},
	} {
		c, err := newConfig([]Option{Brokers("a:1"), ConnectionsPerBroker(tc.option)})
		if tc.want == "" && (err != nil || c.stripes != tc.option) || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("ConnectionsPerBroker(%d): %v, want %q", tc.option, err, tc.want)
		}
		_, err = FromProperties(map[string]string{"bootstrap.servers": "a:1", stripesProperty: tc.property})
		if (err == nil) != (tc.want == "") {
			t.Errorf("%s=%s: %v", stripesProperty, tc.property, err)
		}
	}
}
