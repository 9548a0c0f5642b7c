package cluster

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// of makes a broker of a cluster; an empty id is told by nobody.
func of(cluster, name string, listed ...string) *broker {
	b := newBroker(name)
	b.metadata = metadataOf(append(listed, name)...)
	b.metadata.ClusterID = nil
	if cluster != "" {
		b.metadata.ClusterID = kmsg.StringPtr(cluster)
	}
	return b
}

// takeOver gives the addresses to these brokers.
func (w *world) takeOver(brokers ...*broker) {
	for _, b := range brokers {
		w.mu.Lock()
		before := w.brokers[b.name]
		w.brokers[b.name] = b
		w.mu.Unlock()
		if before != nil {
			before.hangUp()
		}
	}
	synctest.Wait()
}

// TestAddressPassesToAnotherCluster: what is told there is not taken over, and
// whoever else there is is asked.
func TestAddressPassesToAnotherCluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := of("one", "a:1", "b:1"), of("one", "b:1", "a:1")
		w := newWorld(a, b)
		var log bytes.Buffer
		cfg := w.config("a:1")
		cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		c := mustClient(t, cfg)
		mustMetadata(t, c)
		other := of("two", "a:1", "evil:1")
		w.takeOver(other)
		for range 3 {
			if m := mustMetadata(t, c); m.ClusterID != "one" || m.Rebootstrapped {
				t.Errorf("Metadata = %+v, want that of cluster one", m)
			}
			b.hangUp() // So that both are dialled again.
			synctest.Wait()
		}
		if n := len(other.seen(keyMetadata)); n == 0 {
			t.Error("the other cluster was not asked, so the test shows nothing")
		}
		for range 2 {
			if _, err := c.Connect(t.Context(), "a:1"); !errors.As(err, new(*WrongClusterError)) {
				t.Errorf("Connect: %v", err)
			}
		}
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
			t.Errorf("%d errors in the log, want one:\n%s", n, &log)
		}
		for _, part := range []string{"address=a:1", "cluster=two", "want=one", "advice="} {
			if !strings.Contains(log.String(), part) {
				t.Errorf("the log does not have %s:\n%s", part, &log)
			}
		}
	})
}

// TestWrongClusterIsAskedNothing: neither producer ids, nor coordinators, nor
// links come from another cluster.
func TestWrongClusterIsAskedNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := of("one", "a:1", "b:1"), of("one", "b:1", "a:1")
		b.versions[keyFindCoordinator] = [2]int16{0, newestFindCoordinator}
		w := newWorld(a, b)
		c := mustClient(t, w.config("a:1", "b:1"))
		link, err := c.Connect(t.Context(), "a:1")
		if err != nil {
			t.Fatal(err)
		}
		link.Close()
		if n := len(a.seen(keyMetadata)); n != 0 {
			t.Errorf("%d questions for an id that nobody knows yet", n)
		}
		mustMetadata(t, c)
		if _, _, err := c.InitProducerID(t.Context()); err != nil || len(a.seen(keyMetadata)) != 1 {
			t.Errorf("a:1 was asked %d times for what its metadata had (%v)", len(a.seen(keyMetadata)), err)
		}
		other := of("two", "a:1")
		other.versions[keyFindCoordinator] = [2]int16{0, newestFindCoordinator}
		w.takeOver(other)
		for range 2 {
			if id, _, err := c.InitProducerID(t.Context()); err != nil || id != 4711 {
				t.Errorf("producer id %d, %v", id, err)
			}
		}
		if len(b.seen(keyInitProducerID)) != 2 || len(b.seen(keyMetadata)) != 1 {
			t.Errorf("b:1 gave %d producer ids and was asked %d times for its cluster, want 2 and 1",
				len(b.seen(keyInitProducerID)), len(b.seen(keyMetadata)))
		}
		k := c.Coordinator(TransactionCoordinator, "x")
		w.set("b:1", nil)
		b.hangUp()
		synctest.Wait()
		var wrong *WrongClusterError
		if _, err := k.find(t.Context()); !errors.As(err, &wrong) {
			t.Errorf("find: %v, want a WrongClusterError", err)
		}
		_, err = c.Connect(t.Context(), "a:1")
		if !errors.As(err, &wrong) || *wrong != (WrongClusterError{Address: "a:1", Got: "two", Want: "one"}) {
			t.Errorf("Connect: %v", err)
		}
		for _, key := range []int16{keyInitProducerID, keyFindCoordinator} {
			if n := len(other.seen(key)); n != 0 {
				t.Errorf("the other cluster got %d requests of key %d", n, key)
			}
		}
	})
}

// TestClusterBuiltAnew: when another cluster is taken for the one before.
func TestClusterBuiltAnew(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Config)
		after  []*broker // what is at a:1, b:1 and s:1 later; the list is a:1 and b:1
		want   string    // the cluster that the client then belongs to; "": it gets no metadata
		again  bool      // by way of the bootstrap list
	}{
		{"every address", nil, []*broker{of("two", "a:1"), of("two", "b:1")}, "two", true},
		{"one can not be reached", nil, []*broker{of("two", "a:1")}, "", false},
		{"one is still there", nil, []*broker{of("two", "a:1"), of("one", "b:1")}, "one", false},
		{"two clusters", nil, []*broker{of("two", "a:1"), of("three", "b:1")}, "", false},
		{"a known broker is left", nil, []*broker{of("two", "a:1"), of("two", "b:1"), of("one", "s:1")}, "one", false},
		{"configured", func(c *Config) { c.ClusterID = "one" }, []*broker{of("two", "a:1"), of("two", "b:1")}, "", false},
		{"not compared", func(c *Config) { c.NoClusterCheck = true }, []*broker{of("two", "a:1"), of("three", "b:1")}, "two or three", false},
		{"no way back", func(c *Config) { c.NoRebootstrap = true }, []*broker{of("two", "a:1"), of("three", "b:1")}, "two or three", false},
		{"no way back, configured", func(c *Config) { c.NoRebootstrap, c.ClusterID = true, "one" }, []*broker{of("two", "a:1"), of("two", "b:1")}, "", false},
		{"told by nobody", nil, []*broker{of("", "a:1"), of("", "b:1")}, "nobody", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b, s := of("one", "a:1", "b:1", "s:1"), of("one", "b:1", "a:1", "s:1"), of("one", "s:1", "a:1", "b:1")
				w := newWorld(a, b, s)
				cfg := w.config("a:1", "b:1")
				if tc.change != nil {
					tc.change(&cfg)
				}
				c := mustClient(t, cfg)
				if m := mustMetadata(t, c); m.ClusterID != "one" {
					t.Fatalf("Metadata = %+v", m)
				}
				for _, old := range []*broker{a, b, s} {
					w.set(old.name, nil)
					old.hangUp()
				}
				w.takeOver(tc.after...)
				for range 5 {
					m, err := c.Metadata(t.Context(), nil)
					if tc.want == "" {
						if !errors.As(err, new(*WrongClusterError)) || !strings.Contains(err.Error(), `belongs to cluster "two", and this client to cluster "one"`) {
							t.Errorf("Metadata: %+v, %v", m, err)
						}
						continue
					}
					if err != nil {
						t.Fatalf("Metadata: %v", err)
					}
					id := m.ClusterID
					if id == "" {
						id = "nobody"
					}
					if !strings.Contains(tc.want, id) || m.Rebootstrapped != tc.again {
						t.Errorf("Metadata = %+v, want cluster %s", m, tc.want)
					}
					return
				}
			})
		})
	}
}

// TestConfiguredFromTheStart: with an id that is configured, the first answer
// is held against it too.
func TestConfiguredFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(of("two", "a:1"), of("one", "b:1"))
		cfg := w.config("a:1", "b:1")
		cfg.ClusterID = "one"
		c := mustClient(t, cfg)
		if _, err := c.Connect(t.Context(), "a:1"); !errors.As(err, new(*WrongClusterError)) {
			t.Errorf("Connect: %v", err)
		}
		for range 3 {
			if m := mustMetadata(t, c); m.ClusterID != "one" {
				t.Errorf("Metadata = %+v", m)
			}
		}
	})
}
