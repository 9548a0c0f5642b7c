package kring_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// impatient is options with which records fail soon.
func impatient(more ...kring.Option) []kring.Option {
	return append([]kring.Option{
		kring.RequestTimeout(200 * time.Millisecond), kring.DeliveryTimeout(400 * time.Millisecond), kring.MaxBlock(400 * time.Millisecond),
	}, more...)
}

// clusterAt starts a cluster at an address that another one may have had. Its
// Produce goes by the topic's name, so that nothing but its id tells it apart.
func clusterAt(t *testing.T, id, addr string) *broker.Broker {
	t.Helper()
	return besideBroker(t, broker.Config{ClusterID: id, Addr: addr, MaxProduceVersion: 12})
}

// written is how many records the cluster has.
func written(b *broker.Broker) int64 { return b.Stats().Records }

// TestClusterCheck: another cluster takes over the address of the first.
func TestClusterCheck(t *testing.T) {
	for _, tc := range []struct {
		name  string
		more  []kring.Option
		dead  bool // a second bootstrap address, where nobody is
		moves bool // the records go to the other cluster
	}{
		{"configured", []kring.Option{kring.ClusterID("one")}, false, false},
		{"learnt, and not all addresses agree", nil, true, false},
		{"learnt, built anew", nil, false, true},
		{"not compared", []kring.Option{kring.DisableClusterCheck()}, true, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			noLeaks(t)
			var log lockedBuffer
			first := clusterAt(t, "one", "127.0.0.1:0")
			addr := first.Addrs()[0]
			addrs := []string{addr}
			if tc.dead {
				addrs = append(addrs, "127.0.0.1:1")
			}
			opts := append(quick(addrs, impatient(tc.more...)...), kring.Logger(slog.New(slog.NewTextHandler(&log, nil))))
			p, err := kring.New(opts...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { closeEmpty(t, p) })
			deliversTo(t, p, first)
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			second := clusterAt(t, "two", addr)
			if tc.moves {
				deliversTo(t, p, second)
				return
			}
			refusesBoth(t, p)
			checkTold(t, p, log.String(), addr)
			if n := written(second); n != 0 || len(second.Topics()) != 0 {
				t.Errorf("%d records and %d topics are in the other cluster", n, len(second.Topics()))
			}
			if err := second.Close(); err != nil {
				t.Fatal(err)
			}
			deliversTo(t, p, clusterAt(t, "one", addr))
		})
	}
}

// deliversTo produces until a record is in that cluster: records of such short
// lives may fail on a busy machine.
func deliversTo(t *testing.T, p *kring.Producer, b *broker.Broker) {
	t.Helper()
	until(t, "a record in the cluster", func() bool {
		_, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Value: []byte("x")})
		return err == nil && written(b) > 0
	})
}

// refusesBoth produces to a topic that is known and to one that is not.
func refusesBoth(t *testing.T, p *kring.Producer) {
	t.Helper()
	// The first may be on its way when the connection is lost.
	until(t, "the reason", func() bool {
		_, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Value: []byte("x")})
		if !errors.Is(err, kring.ErrDeliveryTimeout) {
			t.Fatalf("to a known topic: %v, want ErrDeliveryTimeout", err)
		}
		return errors.Is(err, kring.ErrWrongCluster) && strings.Contains(err.Error(), `"two"`) && strings.Contains(err.Error(), `"one"`)
	})
	until(t, "the reason", func() bool {
		err := p.Produce(patient(t), kring.Record{Topic: "new", Value: []byte("x")}, nil)
		if !errors.Is(err, kring.ErrMaxBlock) {
			t.Fatalf("to a new topic: %v, want ErrMaxBlock", err)
		}
		return errors.Is(err, kring.ErrWrongCluster) && strings.Contains(err.Error(), `"two"`)
	})
}

// checkTold looks at what people are told.
func checkTold(t *testing.T, p *kring.Producer, log, addr string) {
	t.Helper()
	e, err := p.Explain("new", 0)
	if err != nil || e.Reason != kring.ReasonUnknownTopic || !errors.Is(e.Err, kring.ErrWrongCluster) {
		t.Errorf("Explain: %v, %v", e, err)
	}
	until(t, "the reason from Explain", func() bool {
		if err := p.Produce(patient(t), kring.Record{Topic: "t", Value: []byte("x")}, nil); err != nil {
			t.Fatal(err)
		}
		e, err := p.Explain("t", 0)
		if err != nil {
			t.Fatal(err)
		}
		return e.Reason == kring.ReasonNotConnected && errors.Is(e.Err, kring.ErrWrongCluster)
	})
	if n := strings.Count(log, "level=ERROR"); n != 1 {
		t.Errorf("%d errors in the log, want one:\n%s", n, log)
	}
	for _, part := range []string{"leads to another cluster", "address=" + addr, "cluster=two", "want=one", "advice="} {
		if !strings.Contains(log, part) {
			t.Errorf("the log does not have %q:\n%s", part, log)
		}
	}
}

func TestClusterCheckConfig(t *testing.T) {
	for _, tc := range []struct {
		opts []kring.Option
		want string
	}{
		{[]kring.Option{kring.ClusterID("")}, `ClusterID(""): must be 1 to 255 bytes`},
		{[]kring.Option{kring.ClusterID("a\n")}, `must be 1 to 255 bytes of printable ASCII`},
		{[]kring.Option{kring.ClusterID("a"), kring.DisableClusterCheck()}, `ClusterID("a") contradicts DisableClusterCheck()`},
	} {
		_, err := kring.New(append(tc.opts, kring.Brokers("127.0.0.1:1"))...)
		if !errors.Is(err, kring.ErrConfig) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("New: %v, want %q", err, tc.want)
		}
	}
}

func TestClusterIDProperty(t *testing.T) {
	if _, err := kring.FromProperties(map[string]string{"kring.cluster.id": "a\x00"}); err == nil || !strings.Contains(err.Error(), "kring.cluster.id") {
		t.Errorf("FromProperties: %v", err)
	}
	opt, err := kring.FromProperties(map[string]string{"kring.cluster.id": "a", "metadata.cluster.check.enable": "false"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kring.New(opt, kring.Brokers("127.0.0.1:1")); err == nil || !strings.Contains(err.Error(), "contradicts") {
		t.Errorf("New: %v", err)
	}
}
