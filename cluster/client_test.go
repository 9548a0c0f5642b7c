package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func mustMetadata(t *testing.T, c *Client, topics ...string) *Metadata {
	t.Helper()
	m, err := c.Metadata(t.Context(), topics)
	if err != nil {
		t.Fatalf("Metadata: %v", err)
	}
	checkMetadata(t, m)
	return m
}

func TestMetadata(t *testing.T) {
	for version := int16(oldestMetadata); version <= newestMetadata; version++ {
		t.Run(fmt.Sprintf("v%d", version), func(t *testing.T) {
			b := newBroker("b:1")
			b.versions[keyMetadata] = [2]int16{0, version}
			topic := topicEntry("t", 0, partitionEntry(0, 1, 5, 0))
			topic.TopicID = [16]byte{9}
			b.metadata.Topics = []kmsg.MetadataResponseTopic{topic}
			c := mustClient(t, newWorld(b).config("b:1"))
			m := mustMetadata(t, c, "t")
			want := Topic{Name: "t", Partitions: []Partition{{0, 1, 5, 0}}}
			if version >= 10 {
				want.ID = [16]byte{9}
			}
			if version < 7 {
				want.Partitions[0].LeaderEpoch = -1
			}
			if len(m.Topics) != 1 || fmt.Sprint(m.Topics[0]) != fmt.Sprint(want) {
				t.Errorf("Topics = %+v, want %+v", m.Topics, want)
			}
			if m.ClusterID != "test-cluster" || m.ControllerID != 1 || m.Rebootstrapped || m.Dropped != 0 {
				t.Errorf("Metadata = %+v", m)
			}
			seen := b.seen(keyMetadata)
			if len(seen) != 1 || seen[0].version != version {
				t.Errorf("requests %+v, want one of v%d", seen, version)
			}
		})
	}
}

func TestMetadataRequest(t *testing.T) {
	b := newBroker("b:1")
	cfg := newWorld(b).config("b:1")
	for _, refuse := range []bool{false, true} {
		cfg.NoAutoCreate = refuse
		mustMetadata(t, mustClient(t, cfg))
	}
	for i, r := range b.seen(keyMetadata) {
		m := r.body.(*kmsg.MetadataRequest)
		if m.Topics == nil || len(m.Topics) != 0 {
			t.Errorf("no names ask for %v: null is all topics", m.Topics)
		}
		if m.AllowAutoTopicCreation != (i == 0) {
			t.Errorf("request %d: AllowAutoTopicCreation = %v", i, m.AllowAutoTopicCreation)
		}
	}
}

// The link stays with the broker that answered.
func TestControlLinkIsKept(t *testing.T) {
	a, b := newBroker("a:1"), newBroker("b:1")
	a.metadata = metadataOf("a:1", "b:1")
	b.metadata = a.metadata
	c := mustClient(t, newWorld(a, b).config("a:1", "b:1"))
	for range 5 {
		mustMetadata(t, c)
		if _, _, err := c.InitProducerID(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := a.dialled() + b.dialled(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// A link that the broker closed while it was idle is replaced at once.
func TestStaleLinkIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker("b:1")
		c := mustClient(t, newWorld(b).config("b:1"))
		mustMetadata(t, c)
		b.hangUp()
		synctest.Wait()
		start := time.Now()
		mustMetadata(t, c)
		if took := time.Since(start); took != 0 {
			t.Errorf("an idle close cost %v of backoff", took)
		}
		if b.dialled() != 2 {
			t.Errorf("%d connections, want 2", b.dialled())
		}
	})
}

func TestBootstrapFindsTheOneAlive(t *testing.T) {
	b := newBroker("[::1]:9092")
	w := newWorld(b)
	c := mustClient(t, w.config("dead:1", "dead:2,dead:1", "dead:3", "[::1]:9092"))
	mustMetadata(t, c)
	for _, address := range []string{"dead:1", "dead:2", "dead:3"} {
		if n := w.refusals(address); n > 1 {
			t.Errorf("%s was dialled %d times, want once at most", address, n)
		}
	}
}

func TestAllDead(t *testing.T) {
	tests := []struct {
		name      string
		bootstrap []string
		want      string
	}{
		{"one", []string{"localhost:1"}, "no broker of localhost:1 answered: connection refused; check that"},
		{"three", []string{"a:1", "b:1", "c:1"}, "c:1: connection refused"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld()
			c := mustClient(t, w.config(tc.bootstrap...))
			_, err := c.Metadata(t.Context(), nil)
			unreachable := (*UnreachableError)(nil)
			if !errors.As(err, &unreachable) || !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Metadata error = %v, want one that says %q", err, tc.want)
			}
			if len(unreachable.Attempts) != len(tc.bootstrap) {
				t.Errorf("attempts = %v, want one for each address", unreachable.Attempts)
			}
		})
	}
}

// Repeating a call that fails waits out the backoff, whatever the failure is.
func TestNoHotLoop(t *testing.T) {
	tests := []struct {
		name  string
		setup func(w *world)
	}{
		{"refused", func(*world) {}},
		{"accepts and closes", func(w *world) {
			b := newBroker("b:1")
			b.greeting = []byte{}
			w.set("b:1", b)
		}},
		{"fails after the handshake", func(w *world) {
			b := newBroker("b:1")
			b.lies[keyMetadata] = func(request) ([]byte, bool) { return nil, false }
			w.set("b:1", b)
		}},
		{"names no broker", func(w *world) {
			b := newBroker("b:1")
			b.metadata.Brokers = nil
			w.set("b:1", b)
		}},
		{"demands a rebootstrap", func(w *world) {
			b := newBroker("b:1")
			b.metadata.ErrorCode = codeRebootstrapRequired
			w.set("b:1", b)
		}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld()
			tc.setup(w)
			cfg := w.config("b:1")
			now := time.Unix(1_000_000, 0)
			var waits []time.Duration
			cfg.Now = func() time.Time { return now }
			cfg.Wait = func(_ context.Context, d time.Duration) error {
				waits = append(waits, d)
				now = now.Add(d)
				return nil
			}
			c := mustClient(t, cfg)
			const calls = 300
			for range calls {
				if _, err := c.Metadata(t.Context(), nil); err == nil {
					t.Fatal("Metadata succeeded")
				}
			}
			if len(waits) != calls-1 {
				t.Fatalf("%d calls waited %d times, want each but the first to", calls, len(waits))
			}
			for i, d := range waits {
				want := Backoff(50*time.Millisecond, time.Second, i+1, func() float64 { return 0.5 })
				if d != want {
					t.Fatalf("wait %d = %v, want %v", i, d, want)
				}
			}
		})
	}
}

// A call whose deadline a silent broker uses up must not meet it again first.
func TestSilentBrokerIsNotAskedFirstAgain(t *testing.T) {
	tests := []struct {
		name, address string
	}{
		{"no answer", "silent:1"},
		{"no connection", "blackhole:1"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				silent, b := newBroker("silent:1"), newBroker("b:1")
				silent.silent = true
				w := newWorld(silent, b)
				cfg := w.config(tc.address, "b:1")
				cfg.Rand = func() float64 { return 0.99 } // Keeps the order of the list.
				c := mustClient(t, cfg)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := c.Metadata(ctx, nil)
				if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), tc.address) {
					t.Fatalf("Metadata error = %v, want the deadline and the address", err)
				}
				start := time.Now()
				mustMetadata(t, c)
				if took := time.Since(start); took > time.Second {
					t.Errorf("the second call took %v", took)
				}
			})
		})
	}
}

// Within one call a silent broker costs its timeout, then the next is asked.
func TestSilentBrokerTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent, b := newBroker("silent:1"), newBroker("b:1")
		silent.silent = true
		cfg := newWorld(silent, b).config("blackhole:1", "silent:1", "b:1")
		cfg.Rand = func() float64 { return 0.99 }
		cfg.SetupTimeout, cfg.SetupTimeoutMax = 3*time.Second, 3*time.Second
		c := mustClient(t, cfg)
		start := time.Now()
		mustMetadata(t, c)
		if took := time.Since(start); took < 30*time.Second || took > 35*time.Second {
			t.Errorf("Metadata took %v, want the setup timeout and the request timeout", took)
		}
	})
}

func TestDeadlineTellsTheLastFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := newWorld().config("b:1")
		cfg.ReconnectBackoff, cfg.ReconnectBackoffMax = time.Minute, time.Minute
		c := mustClient(t, cfg)
		if _, err := c.Metadata(t.Context(), nil); err == nil {
			t.Fatal("Metadata succeeded")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.Metadata(ctx, nil)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "b:1 answered: connection refused") {
			t.Errorf("Metadata error = %v, want the deadline and what it waited for", err)
		}
	})
}
