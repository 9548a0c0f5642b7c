package cluster

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// moved is a cluster whose brokers have all been replaced: the client knows
// old:1 and old:2, the bootstrap list leads to new:1.
func moved(t *testing.T, change func(cfg *Config)) (*Client, *world) {
	t.Helper()
	seed := newBroker("seed:1")
	seed.metadata = metadataOf("old:1", "old:2")
	w := newWorld(seed)
	cfg := w.config("seed:1")
	if change != nil {
		change(&cfg)
	}
	c := mustClient(t, cfg)
	mustMetadata(t, c)
	next := newBroker("seed:1")
	next.metadata = metadataOf("new:1")
	w.set("seed:1", next)
	seed.hangUp()
	return c, w
}

func TestRebootstrapWhenNoKnownBrokerAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := moved(t, nil)
		w.set("seed:1", nil) // The control link was to the seed; it is gone for now.
		if _, err := c.Metadata(t.Context(), nil); err == nil {
			t.Fatal("Metadata succeeded")
		}
		if w.refusals("old:1") != 1 || w.refusals("old:2") != 1 {
			t.Errorf("known brokers were dialled %v times, want once each", w.refused)
		}
		next := newBroker("seed:1")
		next.metadata = metadataOf("new:1")
		w.set("seed:1", next)
		m := mustMetadata(t, c)
		if !m.Rebootstrapped || len(m.Brokers) != 1 || m.Brokers[0].Host != "new" {
			t.Errorf("Metadata = %+v, want the new brokers by way of the bootstrap list", m)
		}
		if m := mustMetadata(t, c); m.Rebootstrapped {
			t.Error("Rebootstrapped is told twice")
		}
	})
}

func TestNoRebootstrap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := moved(t, func(cfg *Config) { cfg.NoRebootstrap = true })
		w.set("seed:1", nil)
		for range 3 {
			if _, err := c.Metadata(t.Context(), nil); err == nil {
				t.Fatal("Metadata succeeded")
			}
		}
		if n := w.refusals("seed:1"); n != 1 {
			t.Errorf("the bootstrap address was dialled %d times, want once, for its stale link", n)
		}
		if w.refusals("old:1") != 3 {
			t.Errorf("old:1 was dialled %d times, want 3", w.refusals("old:1"))
		}
	})
}

// KIP-1102: the known brokers are given up after a time even if no pass over
// them ever ends, because the caller's deadlines are shorter than a pass.
func TestRebootstrapAfterTrigger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var silent []*broker
		seed, w := newBroker("seed:1"), newWorld()
		var names []string
		for _, name := range []string{"s1:1", "s2:1", "s3:1", "s4:1", "s5:1", "s6:1"} {
			b := newBroker(name)
			b.silent = true
			silent = append(silent, b)
			names = append(names, name)
			w.set(name, b)
		}
		seed.metadata = metadataOf(names...)
		w.set("seed:1", seed)
		cfg := w.config("seed:1")
		cfg.RebootstrapTrigger = time.Minute
		c := mustClient(t, cfg)
		mustMetadata(t, c)
		seed.change(func(b *broker) { b.metadata = metadataOf("seed:1") })
		// The seed is silent, too, while the client holds a link to it.
		seed.change(func(b *broker) {
			b.lies[keyMetadata] = func(request) ([]byte, bool) { return []byte{}, true }
		})
		start := time.Now()
		for range 30 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			m, err := c.Metadata(ctx, nil)
			cancel()
			if err != nil {
				seed.change(func(b *broker) { delete(b.lies, keyMetadata) })
				continue
			}
			if !m.Rebootstrapped {
				t.Error("Metadata came without a rebootstrap")
			}
			if took := time.Since(start); took < time.Minute || took > 80*time.Second {
				t.Errorf("it took %v, want the trigger of a minute and one deadline", took)
			}
			return
		}
		t.Errorf("no rebootstrap; the silent brokers were dialled %d times", silent[0].dialled())
	})
}

// A failure that another broker made good is over; much later it must not count
// as an outage since then.
func TestTriggerCountsFromTheLastAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newBroker("a:1"), newBroker("b:1")
		a.metadata = metadataOf("b:1")
		b.metadata = a.metadata
		w := newWorld(a, b)
		c := mustClient(t, w.config("a:1"))
		mustMetadata(t, c)
		for range 3 {
			w.set("a:1", nil) // The bootstrap broker is gone, only b is left.
			a.hangUp()
			b.hangUp()
			time.Sleep(c.cfg.RebootstrapTrigger * 2) // The bubble's clock.
			if m := mustMetadata(t, c); m.Rebootstrapped {
				t.Fatal("the client gave up brokers of which one answers")
			}
		}
		if w.refusals("a:1") == 0 {
			t.Error("no broker failed, so the test shows nothing")
		}
	})
}

func TestRebootstrapOnDemand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seed, old := newBroker("seed:1"), newBroker("old:1")
		seed.metadata = metadataOf("old:1")
		old.metadata = metadataOf("old:1")
		old.metadata.ErrorCode = codeRebootstrapRequired
		c := mustClient(t, newWorld(seed, old).config("seed:1"))
		mustMetadata(t, c)
		seed.change(func(b *broker) { b.metadata = metadataOf("new:1") })
		// The link to the seed ends, so that the next call goes to old:1.
		seed.change(func(b *broker) {
			b.lies[keyApiVersions] = func(request) ([]byte, bool) { return nil, false }
		})
		seed.hangUp()
		synctest.Wait()
		_, err := c.Metadata(t.Context(), nil)
		if err == nil {
			t.Fatal("Metadata succeeded though the seed refuses")
		}
		if len(old.seen(keyMetadata)) != 1 {
			t.Fatalf("old:1 was asked %d times, want once", len(old.seen(keyMetadata)))
		}
		seed.change(func(b *broker) { delete(b.lies, keyApiVersions) })
		m := mustMetadata(t, c)
		if !m.Rebootstrapped || m.Brokers[0].Host != "new" {
			t.Errorf("Metadata = %+v, want the new cluster", m)
		}
	})
}

// One broker that is the bootstrap list and demands a rebootstrap once is asked
// again by way of the list, in the same call.
func TestRebootstrapToTheSameAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker("b:1")
		c := mustClient(t, newWorld(b).config("b:1"))
		mustMetadata(t, c)
		asked := 0
		b.change(func(b *broker) {
			b.lies[keyMetadata] = func(r request) ([]byte, bool) {
				time.Sleep(time.Millisecond) // The bubble's clock: the failure is later than the call.
				if asked++; asked > 1 {
					return nil, true
				}
				m := kmsg.NewPtrMetadataResponse()
				m.Version, m.ErrorCode = r.version, codeRebootstrapRequired
				return frameOf(r, m), true
			}
		})
		if m := mustMetadata(t, c); !m.Rebootstrapped {
			t.Error("Metadata does not tell of the rebootstrap")
		}
		if b.dialled() != 2 {
			t.Errorf("%d connections, want a second one for the second cluster", b.dialled())
		}
	})
}

// Metadata without a usable broker is no news: the known brokers stay.
func TestEmptyMetadataKeepsTheKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newBroker("a:1"), newBroker("b:1")
		a.metadata = metadataOf("a:1", "b:1")
		b.metadata = a.metadata
		c := mustClient(t, newWorld(a, b).config("a:1"))
		mustMetadata(t, c)
		a.change(func(b *broker) {
			b.metadata = kmsg.NewPtrMetadataResponse()
			b.metadata.Brokers = []kmsg.MetadataResponseBroker{brokerEntry(-1, "", 70000)}
		})
		m := mustMetadata(t, c)
		if len(m.Brokers) != 2 || m.Rebootstrapped {
			t.Errorf("Metadata = %+v, want the answer of b", m)
		}
		if len(b.seen(keyMetadata)) != 2 { // for its cluster's id, then for metadata
			t.Errorf("b was asked %d times, want twice", len(b.seen(keyMetadata)))
		}
	})
}

// A throttled broker is left alone while another can answer.
func TestThrottle(t *testing.T) {
	tests := []struct {
		name    string
		ms      int32
		version int16
		both    bool // brokers in the metadata
		want    time.Duration
		other   int // requests to the other broker, one of them for its cluster's id
	}{
		{name: "other broker instead", ms: 5000, version: 13, both: true, other: 2},
		{name: "only broker", ms: 5000, version: 13, want: 5 * time.Second},
		{name: "endless", ms: 1<<31 - 1, version: 13, want: MaxThrottle},
		{name: "negative", ms: -1, version: 13, both: true},
		{name: "already waited, before KIP-219", ms: 5000, version: 5, both: true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := newBroker("a:1"), newBroker("b:1")
				a.versions[keyMetadata] = [2]int16{0, tc.version}
				a.metadata = metadataOf("a:1")
				if tc.both {
					a.metadata = metadataOf("a:1", "b:1")
				}
				a.metadata.ThrottleMillis = tc.ms
				c := mustClient(t, newWorld(a, b).config("a:1"))
				mustMetadata(t, c)
				start := time.Now()
				mustMetadata(t, c)
				if took := time.Since(start); took != tc.want {
					t.Errorf("the second call took %v, want %v", took, tc.want)
				}
				if n := len(b.seen(keyMetadata)); n != tc.other {
					t.Errorf("the other broker was asked %d times, want %d", n, tc.other)
				}
			})
		})
	}
}

func TestUnreachableUnwraps(t *testing.T) {
	inner := errors.New("x")
	err := error(&UnreachableError{Attempts: []Attempt{{Address: "a:1", Err: inner}}})
	if !errors.Is(err, inner) {
		t.Error("the error of an attempt is hidden")
	}
}
