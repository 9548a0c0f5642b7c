package kring_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestWarmup: after it, everything is there that the first record would wait
// for, so that TryProduce takes it and no more connection is opened.
func TestWarmup(t *testing.T) {
	b := caseBroker(t, broker.Config{Brokers: 3, Partitions: 6})
	p := caseProducer(t, b.Addrs(), kring.MaxBlock(0))
	if err := p.Warmup(patient(t), "a", "b", "a"); err != nil {
		t.Fatal(err)
	}
	if s := p.Stats(); s.Connections != 3 || s.Requests != 0 {
		t.Errorf("after the warm-up: %+v", s)
	}
	if id := p.DebugState(); strings.HasPrefix(id, "identity {ID:-1") {
		t.Errorf("no producer id: %s", id)
	}
	for _, topic := range []string{"a", "b"} {
		if err := p.TryProduce(kring.Record{Topic: topic}, nil); err != nil {
			t.Errorf("%s: %v", topic, err)
		}
	}
	if err := p.Warmup(patient(t)); err != nil {
		t.Errorf("no topics: %v", err)
	}
}

// TestWarmupReconnects: connections that were closed because nobody used them.
func TestWarmupReconnects(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs(), kring.ConnectionsMaxIdle(20*time.Millisecond))
	if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t"}); err != nil {
		t.Fatal(err)
	}
	until(t, "the connection is closed", func() bool { return p.Stats().Connections == 0 })
	if err := p.Warmup(patient(t), "t"); err != nil {
		t.Error(err)
	}
}

// TestWarmupFails: the error says what is missing, and why, as soon as waiting
// makes no sense, and at the end of the context otherwise.
func TestWarmupFails(t *testing.T) {
	down := func(b *wireBroker) {
		b.metadata = func(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
			for i := range resp.Topics {
				resp.Topics[i].Partitions[1].Leader = -1
			}
		}
	}
	for _, c := range []struct {
		name   string
		script func(*wireBroker)
		topic  string
		want   error
		text   string
	}{
		{"topic name", nil, "a/b", kring.ErrInvalidTopic, "a/b"},
		{"no leader", down, "t", context.DeadlineExceeded, `partition 1 of topic "t" has no leader`},
		{"no right", func(b *wireBroker) {
			b.metadata = func(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
				for i := range resp.Topics {
					resp.Topics[i].ErrorCode, resp.Topics[i].Partitions = int16(kring.TopicAuthorizationFailed), nil
				}
			}
		}, "t", kring.TopicAuthorizationFailed, `"t"`},
		{"not there", func(b *wireBroker) {
			b.metadata = func(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
				for i := range resp.Topics {
					resp.Topics[i].ErrorCode, resp.Topics[i].Partitions = int16(kring.UnknownTopicOrPartition), nil
				}
			}
		}, "t", kring.UnknownTopicOrPartition, `topic "t" is not known`},
		{"no producer id", func(b *wireBroker) {
			b.identity = func(int) (int64, int16, int16) { return -1, -1, int16(kring.ClusterAuthorizationFailed) }
		}, "t", kring.ClusterAuthorizationFailed, "no producer id"},
		{"no connection", func(b *wireBroker) {
			b.metadata = func(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
				node := resp.Brokers[0]
				node.NodeID, node.Port = 2, 1 // nobody listens on port 1
				resp.Brokers = append(resp.Brokers, node)
				for i := range resp.Topics {
					resp.Topics[i].Partitions[0].Leader = 2
				}
			}
		}, "t", context.DeadlineExceeded, "broker 2 (127.0.0.1:1) is not connected"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newWireBroker(t, c.script)
			p := openProducer(t, []string{b.addr()})
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			err := p.Warmup(ctx, c.topic)
			checkText(t, err, c.want, c.text)
			if err != nil && strings.Count(err.Error(), "kring: ") != 1 {
				t.Errorf("error %q", err)
			}
		})
	}
}

// TestWarmupAndClose: a Close ends a warm-up that waits.
func TestWarmupAndClose(t *testing.T) {
	var asked atomic.Bool
	b := newWireBroker(t, func(b *wireBroker) {
		b.metadata = func(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
			asked.Store(true)
			for i := range resp.Topics {
				resp.Topics[i].Partitions[0].Leader = -1
			}
		}
	})
	p := openProducer(t, []string{b.addr()})
	done := make(chan error, 1)
	go func() { done <- p.Warmup(context.Background(), "t") }()
	until(t, "metadata was asked for", asked.Load)
	if err := p.Close(patient(t)); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, kring.ErrClosed) {
		t.Errorf("Warmup: %v", err)
	}
	if err := p.Warmup(patient(t), "t"); !errors.Is(err, kring.ErrClosed) {
		t.Errorf("Warmup of a closed producer: %v", err)
	}
}
