package kring_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// reasonOf waits until Explain gives the reason: what leads to it takes a moment.
func reasonOf(t *testing.T, p *kring.Producer, want kring.Reason) (e kring.Explanation) {
	t.Helper()
	var text string
	defer func() {
		if t.Failed() {
			t.Log("last explanation: " + text)
		}
	}()
	until(t, want.String(), func() bool {
		var err error
		if e, err = p.Explain("t", 0); err != nil {
			t.Fatal(err)
		}
		text = e.String()
		return e.Reason == want
	})
	if e.Topic != "t" || e.Partition != 0 || !strings.HasPrefix(text, "t[0]: "+want.String()) {
		t.Errorf("explanation %+v, text %q", e, text)
	}
	return e
}

func give(t *testing.T, p *kring.Producer) {
	t.Helper()
	if err := p.Produce(patient(t), kring.Record{Topic: "t", Partition: kring.On(0), Value: []byte("v")}, nil); err != nil {
		t.Fatal(err)
	}
}

// TestExplainSender: the reasons that lie with the batch and its requests.
func TestExplainSender(t *testing.T) {
	t.Run("unknown, then empty, then lingering", func(t *testing.T) {
		b := caseBroker(t, broker.Config{})
		p := caseProducer(t, b.Addrs(), kring.Linger(time.Hour), kring.DeliveryTimeout(24*time.Hour))
		if e := reasonOf(t, p, kring.ReasonUnknownTopic); e.Broker != -1 || e.Err == nil {
			t.Errorf("%+v", e)
		}
		give(t, p)
		e := reasonOf(t, p, kring.ReasonLinger)
		if e.Queued != 1 || e.InFlight != 0 || e.For <= 0 || e.For > time.Hour || e.Broker != 1 {
			t.Errorf("%+v", e)
		}
		if err := p.Flush(patient(t)); err != nil {
			t.Fatal(err)
		}
		if e = reasonOf(t, p, kring.ReasonEmpty); e.Queued != 0 || e.Oldest != 0 || !e.Connected || e.Address != b.Addrs()[0] {
			t.Errorf("%+v", e)
		}
	})
	t.Run("in flight", func(t *testing.T) {
		stall := make(chan struct{})
		b := caseBroker(t, broker.Config{Hook: func(*broker.ProduceInfo) broker.Action { return broker.Action{Stall: stall} }})
		p := caseProducer(t, b.Addrs())
		give(t, p)
		if e := reasonOf(t, p, kring.ReasonInFlight); e.Queued != 0 || e.InFlight != 1 || e.RequestsInFlight != 1 {
			t.Errorf("%+v", e)
		}
		give(t, p) // the first batch to a leader goes alone
		if e := reasonOf(t, p, kring.ReasonInFlight); e.Queued != 1 {
			t.Errorf("%+v", e)
		}
		close(stall)
	})
	t.Run("backoff", func(t *testing.T) {
		b := caseBroker(t, broker.Config{Hook: func(*broker.ProduceInfo) broker.Action { return refuse(kring.NotEnoughReplicas) }})
		p := openProducer(t, b.Addrs(), kring.RetryBackoff(30*time.Second, 30*time.Second), kring.DeliveryTimeout(time.Minute))
		give(t, p)
		e := reasonOf(t, p, kring.ReasonBackoff)
		if !errors.Is(e.Err, kring.NotEnoughReplicas) || e.Attempts != 1 || e.For <= 0 || e.For > 40*time.Second || !strings.Contains(e.String(), "sent 1 times") {
			t.Errorf("%+v: %v", e, e)
		}
		endNow(t, p)
	})
	t.Run("throttled", func(t *testing.T) {
		b := caseBroker(t, broker.Config{Hook: func(*broker.ProduceInfo) broker.Action { return broker.Action{ThrottleMs: 20000} }})
		p := openProducer(t, b.Addrs())
		give(t, p)
		if err := p.Flush(patient(t)); err != nil {
			t.Fatal(err)
		}
		give(t, p)
		if e := reasonOf(t, p, kring.ReasonThrottled); e.For <= 0 || e.For > 20*time.Second || e.Queued != 1 {
			t.Errorf("%+v", e)
		}
		endNow(t, p)
	})
}

// endNow closes without waiting for what can not be sent.
func endNow(t *testing.T, p *kring.Producer) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := p.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Close: %v", err)
	}
	if _, err := p.Explain("t", 0); !errors.Is(err, kring.ErrClosed) {
		t.Errorf("Explain after Close: %v", err)
	}
}

// openProducer is caseProducer for tests that end it themselves.
func openProducer(t *testing.T, addrs []string, more ...kring.Option) *kring.Producer {
	t.Helper()
	p, err := kring.New(quick(addrs, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = p.Close(ctx) // of a broker that answers nothing
	})
	return p
}

// TestExplainCluster: the reasons that lie with the cluster.
func TestExplainCluster(t *testing.T) {
	t.Run("no leader", func(t *testing.T) {
		b := newWireBroker(t, func(b *wireBroker) {
			b.metadata = func(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
				for i := range resp.Topics {
					resp.Topics[i].Partitions[0].Leader = -1
				}
			}
		})
		p := openProducer(t, []string{b.addr()})
		give(t, p)
		if e := reasonOf(t, p, kring.ReasonNoLeader); e.Broker != -1 || e.Queued != 1 || e.Err == nil {
			t.Errorf("%+v", e)
		}
		endNow(t, p)
	})
	t.Run("not connected", func(t *testing.T) {
		b := newWireBroker(t, func(b *wireBroker) {
			b.metadata = func(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
				node := resp.Brokers[0]
				node.NodeID, node.Port = 2, 1 // nobody listens on port 1
				resp.Brokers = append(resp.Brokers, node)
				for i := range resp.Topics {
					resp.Topics[i].Partitions[0].Leader = 2
				}
			}
		})
		p := openProducer(t, []string{b.addr()})
		give(t, p)
		until(t, "the connection is refused", func() bool {
			e := reasonOf(t, p, kring.ReasonNotConnected)
			return e.Err != nil && !e.Connected && e.Broker == 2 && strings.Contains(e.String(), "refused")
		})
		endNow(t, p)
	})
	t.Run("no producer id", func(t *testing.T) {
		var ready atomic.Bool
		b := newWireBroker(t, func(b *wireBroker) {
			b.identity = func(int) (int64, int16, int16) {
				if !ready.Load() {
					return -1, -1, int16(kring.CoordinatorLoadInProgress)
				}
				return 7, 0, 0
			}
		})
		p := caseProducer(t, []string{b.addr()})
		give(t, p)
		reasonOf(t, p, kring.ReasonNoProducerID)
		ready.Store(true)
	})
}

// TestExplainMisuse: what can not be explained is an error, and asks for nothing.
func TestExplainMisuse(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 2})
	p := caseProducer(t, b.Addrs())
	give(t, p)
	for _, c := range []struct {
		topic     string
		partition int32
		want      error
	}{
		{"a/b", 0, kring.ErrInvalidTopic},
		{"t", 2, kring.ErrInvalidPartition},
		{"t", -1, kring.ErrInvalidPartition},
		{"never", 7, nil},
	} {
		e, err := p.Explain(c.topic, c.partition)
		if !errors.Is(err, c.want) || err == nil && e.Reason != kring.ReasonUnknownTopic {
			t.Errorf("%s[%d]: %v, %v, want %v", c.topic, c.partition, e, err, c.want)
		}
		if err != nil && e.Reason != kring.ReasonNone {
			t.Errorf("%s[%d]: with an error: %v", c.topic, c.partition, e)
		}
	}
	if s := (kring.Explanation{}).String(); s != "[0]: nobody has looked" {
		t.Errorf("the zero Explanation: %s", s)
	}
	if s := kring.ReasonReady.String() + ", " + kring.ReasonOther.String(); s != "ready to be sent, other" {
		t.Error(s)
	}
	if s := kring.Reason(200).String(); s != "Reason(200)" {
		t.Error(s)
	}
}

// TestExplainUnderLoad: it is safe beside the sender, changes nothing, and never
// keeps a batch from being sent although it may be the one that seals it.
func TestExplainUnderLoad(t *testing.T) {
	b := caseBroker(t, broker.Config{Brokers: 2, Partitions: 4})
	p := caseProducer(t, b.Addrs(), kring.Linger(time.Millisecond))
	stop := make(chan struct{})
	var lookers, producers sync.WaitGroup
	for range 2 {
		lookers.Go(func() {
			for i := int32(0); ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if e, err := p.Explain("t", i%4); err != nil || e.String() == "" {
					t.Errorf("%+v, %v", e, err)
					return
				}
			}
		})
	}
	const each = 2000
	for g := range int32(4) {
		producers.Go(func() {
			for range each {
				if err := p.Produce(patient(t), kring.Record{Topic: "known", Partition: kring.On(g), Value: []byte("v")}, nil); err != nil {
					t.Error(err)
					return
				}
				if err := p.Produce(patient(t), kring.Record{Topic: "t", Partition: kring.On(g % 4)}, nil); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	producers.Wait()
	if err := p.Flush(patient(t)); err != nil {
		t.Errorf("%v\n%s", err, p.DebugState())
	}
	close(stop)
	lookers.Wait()
	if got := p.Stats().AckedRecords; got != 2*4*each {
		t.Errorf("%d records acknowledged, want %d", got, 2*4*each)
	}
}
