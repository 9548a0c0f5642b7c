package kringtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/kringtest"
)

// soon bounds every wait. It is only met by a test that hangs.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// noLeaks is the last check of a test; it has to be called first.
func noLeaks(t *testing.T) {
	t.Helper()
	t.Cleanup(func() { goleak.VerifyNone(t) })
}

// spy is a testing.TB whose failures are expected.
type spy struct {
	testing.TB
	mu       sync.Mutex
	failures []string
	cleanups []func()
}

func (s *spy) Helper()          {}
func (s *spy) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }
func (s *spy) Errorf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, fmt.Sprintf(format, args...))
}

func (s *spy) Fatalf(format string, args ...any) {
	s.Errorf(format, args...)
	panic("Fatalf")
}

// want checks that exactly one failure was reported, with the given text.
func (s *spy) want(t *testing.T, text string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.failures) != 1 || !strings.Contains(s.failures[0], text) {
		t.Errorf("failures %q, want one with %q", s.failures, text)
	}
	s.failures = nil
}

func (s *spy) end() {
	for i := len(s.cleanups) - 1; i >= 0; i-- {
		s.cleanups[i]()
	}
}

func TestRecordsAreDecoded(t *testing.T) {
	noLeaks(t)
	c := kringtest.NewCluster(t, kringtest.Partitions(3))
	p := c.NewProducer()
	at := time.UnixMilli(1_700_000_000_123)
	key, value := []byte("k"), []byte("v")
	sent := kring.Record{
		Topic: "orders", Partition: kring.On(2), Key: key, Value: value, Timestamp: at,
		Headers: []kring.Header{{Key: "a", Value: []byte("1")}, {Key: "a", Value: nil}},
	}
	for range 2 {
		if _, err := p.ProduceSync(soon(t), sent); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.ProduceSync(soon(t), kring.Record{Topic: "orders", Partition: kring.On(2)}); err != nil {
		t.Fatal(err)
	}
	list := c.Records("orders", 2)
	if len(list) != 3 {
		t.Fatalf("%d records, want 3", len(list))
	}
	for i, r := range list[:2] {
		if r.Topic != "orders" || r.Partition != 2 || r.Offset != int64(i) || !r.Timestamp.Equal(at) ||
			!bytes.Equal(r.Key, key) || !bytes.Equal(r.Value, value) {
			t.Errorf("record %d is %+v, want %+v", i, r, sent)
		}
		if len(r.Headers) != 2 || r.Headers[0].Key != "a" || string(r.Headers[0].Value) != "1" || r.Headers[1].Value != nil {
			t.Errorf("headers of record %d are %+v, want %+v", i, r.Headers, sent.Headers)
		}
	}
	if r := list[2]; r.Key != nil || r.Value != nil || r.Headers != nil {
		t.Errorf("a record without anything is %+v", r)
	}
	if n := len(c.Records("orders", 0)); n != 0 {
		t.Errorf("partition 0 has %d records, want 0", n)
	}
	if n := len(c.Records("nobody", 0)); n != 0 {
		t.Errorf("a topic that does not exist has %d records", n)
	}
}

func TestAwait(t *testing.T) {
	noLeaks(t)
	c := kringtest.NewCluster(t, kringtest.Topic("orders", 4))
	p := c.NewProducer()
	go func() {
		for i := range 40 {
			if err := p.Produce(context.Background(), kring.Record{Topic: "orders", Partition: kring.On(int32(i % 4))}, nil); err != nil {
				t.Errorf("Produce: %v", err)
			}
		}
	}()
	if n := len(c.Await(soon(t), "orders", 40)); n != 40 {
		t.Errorf("Await returned %d records, want 40", n)
	}
}

// TestMistakes: what a test gets wrong fails it, with a text that says how.
func TestMistakes(t *testing.T) {
	noLeaks(t)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, tc := range []struct {
		name string
		do   func(*kringtest.Cluster)
		want string
	}{
		{"partition", func(c *kringtest.Cluster) { c.Records("orders", 2) }, "has 2 partitions"},
		{"too few records", func(c *kringtest.Cluster) { c.Await(ended, "orders", 1) }, "has 0 records, want 1"},
		{"node 0", func(c *kringtest.Cluster) { c.Kill(0) }, "no node 0"},
		{"node 2 of 1", func(c *kringtest.Cluster) { c.Restart(2) }, "no node 2"},
		{"restart of a running node", func(c *kringtest.Cluster) { c.Restart(1) }, "runs"},
		{"killed twice", func(c *kringtest.Cluster) { c.Kill(1); c.Kill(1) }, "down already"},
		{"leader of nothing", func(c *kringtest.Cluster) { c.MoveLeader("nobody", 0, 1) }, "kringtest:"},
		{"zero fault", func(c *kringtest.Cluster) { c.OnProduce(kringtest.Fault{}) }, "zero Fault"},
		{"negative times", func(c *kringtest.Cluster) { c.OnProduce(kringtest.Disconnect().Times(-1)) }, "Times(-1)"},
		{"no times", func(c *kringtest.Cluster) { c.OnProduce(kringtest.Disconnect().Times(0)) }, "Times(0)"},
		{"fault of no code", func(c *kringtest.Cluster) { c.OnProduce(kringtest.Fail(kring.None)) }, "Fail(None)"},
		{"fault at no node", func(c *kringtest.Cluster) { c.OnProduce(kringtest.Disconnect().At(2)) }, "the ids are 1 to 1"},
		{"fault at node 0", func(c *kringtest.Cluster) { c.OnProduce(kringtest.Disconnect().At(0)) }, "At(0)"},
		{"fault for no topic", func(c *kringtest.Cluster) { c.OnProduce(kringtest.Disconnect().For("")) }, "For without a topic"},
		{"fault for no partition", func(c *kringtest.Cluster) { c.OnProduce(kringtest.Disconnect().For("t", -1)) }, "a partition is negative"},
		{"delay", func(c *kringtest.Cluster) { c.OnProduce(kringtest.Delay(-1)) }, "Delay(-1ns) is negative"},
		{"throttle", func(c *kringtest.Cluster) { c.OnProduce(kringtest.Throttle(-1)) }, "Throttle(-1ns) is negative"},
		{
			"never reached",
			func(c *kringtest.Cluster) {
				c.OnProduce(kringtest.Disconnect(), kringtest.Fail(kring.CorruptMessage).Times(1))
			},
			"never begins",
		},
		{"producer", func(c *kringtest.Cluster) { c.NewProducer(kring.Linger(-1)) }, "Linger"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tb := &spy{TB: t}
			c := kringtest.NewCluster(tb, kringtest.Topic("orders", 2))
			defer tb.end()
			func() {
				defer func() { _ = recover() }() // Fatalf
				tc.do(c)
			}()
			tb.want(t, tc.want)
		})
	}
	t.Run("cluster", func(t *testing.T) {
		tb := &spy{TB: t}
		defer tb.end()
		func() {
			defer func() { _ = recover() }()
			kringtest.NewCluster(tb, kringtest.Nodes(-1))
		}()
		tb.want(t, "does not start")
	})
}

func TestKillAndRestart(t *testing.T) {
	noLeaks(t)
	for _, nodes := range []int{1, 2, 3} {
		t.Run(fmt.Sprintf("nodes=%d", nodes), func(t *testing.T) {
			c := kringtest.NewCluster(t, kringtest.Nodes(nodes), kringtest.Topic("orders", 3))
			p := c.NewProducer()
			produce := func(ctx context.Context) error {
				var err error
				for i := range int32(3) {
					_, e := p.ProduceSync(ctx, kring.Record{Topic: "orders", Partition: kring.On(i), Value: []byte("x")})
					err = errors.Join(err, e)
				}
				return err
			}
			if err := produce(soon(t)); err != nil {
				t.Fatal(err)
			}
			for id := 1; id <= nodes; id++ {
				c.Kill(id)
				if id < nodes {
					if err := produce(soon(t)); err != nil {
						t.Errorf("with node %d down: %v", id, err)
					}
				}
			}
			var delivered sync.WaitGroup
			delivered.Add(1)
			if err := p.Produce(soon(t), kring.Record{Topic: "orders", Partition: kring.On(0)}, func(d kring.Delivery) {
				defer delivered.Done()
				if d.Err != nil {
					t.Errorf("the record that waited: %v", d.Err)
				}
			}); err != nil {
				t.Fatal(err)
			}
			before := len(c.Records("orders", 0))
			c.Restart(1)
			delivered.Wait()
			if got := len(c.Records("orders", 0)); got != before+1 {
				t.Errorf("%d records, want %d: one more than before the restart", got, before+1)
			}
			if err := produce(soon(t)); err != nil {
				t.Errorf("after the restart: %v", err)
			}
		})
	}
}

// TestMoveLeader: the producer is told, asks again, and loses nothing.
func TestMoveLeader(t *testing.T) {
	noLeaks(t)
	c := kringtest.NewCluster(t, kringtest.Nodes(2), kringtest.Topic("orders", 1))
	p := c.NewProducer()
	for i := range 6 {
		c.MoveLeader("orders", 0, 1+i%2)
		if d, err := p.ProduceSync(soon(t), kring.Record{Topic: "orders"}); err != nil || d.Offset != int64(i) {
			t.Errorf("record %d: offset %d, error %v", i, d.Offset, err)
		}
	}
	if p.Stats().Retries == 0 {
		t.Error("the leader moved six times and nothing was retried")
	}
}

func TestClusterLimits(t *testing.T) {
	noLeaks(t)
	c := kringtest.NewCluster(t, kringtest.NoAutoCreate(), kringtest.Topic("orders", 1),
		kringtest.MaxMessageBytes(1000), kringtest.RoundTrip(time.Millisecond))
	p := c.NewProducer(kring.MaxBlock(200 * time.Millisecond))
	if _, err := p.ProduceSync(soon(t), kring.Record{Topic: "nobody"}); !errors.Is(err, kring.ErrUnknownTopic) && !errors.Is(err, kring.ErrMaxBlock) {
		t.Errorf("unknown topic: %v", err)
	}
	if _, err := p.ProduceSync(soon(t), kring.Record{Topic: "orders", Value: make([]byte, 2000)}); !errors.Is(err, kring.MessageTooLarge) {
		t.Errorf("a record of 2000 bytes: %v, want MESSAGE_TOO_LARGE", err)
	}
	if _, err := p.ProduceSync(soon(t), kring.Record{Topic: "orders", Value: make([]byte, 500)}); err != nil {
		t.Errorf("a record of 500 bytes: %v", err)
	}
}

// TestCompressedRecords: what a producer has compressed is read as it was.
func TestCompressedRecords(t *testing.T) {
	for _, codec := range []kring.Codec{kring.Gzip, kring.Snappy, kring.LZ4, kring.Zstd} {
		t.Run(codec.String(), func(t *testing.T) {
			noLeaks(t)
			c := kringtest.NewCluster(t)
			p := c.NewProducer(kring.Compression(codec))
			value := bytes.Repeat([]byte("word "), 200)
			if _, err := p.ProduceSync(soon(t), kring.Record{Topic: "orders", Value: value}); err != nil {
				t.Fatal(err)
			}
			got := c.Records("orders", 0)
			if len(got) != 1 || !bytes.Equal(got[0].Value, value) || p.Stats().CompressedBytes >= p.Stats().RecordBytes {
				t.Errorf("%d records, %+v", len(got), p.Stats())
			}
		})
	}
}
