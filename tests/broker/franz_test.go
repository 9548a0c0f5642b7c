package broker

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring/bench/broker"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"
)

const perTest = 3000

func start(t *testing.T, cfg broker.Config) *broker.Broker {
	t.Helper()
	b, err := broker.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func franz(t *testing.T, b *broker.Broker, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	opts = append([]kgo.Opt{
		kgo.SeedBrokers(b.Addrs()...),
		kgo.AllowAutoTopicCreation(),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
	}, opts...)
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// produce sends n records, every third with a header, and fails on any error.
func produce(t *testing.T, cl *kgo.Client, topic string, n int) {
	t.Helper()
	ctx := within(t)
	for i := range n {
		r := &kgo.Record{Topic: topic, Key: fmt.Appendf(nil, "k%d", i), Value: fmt.Appendf(nil, "v%d", i)}
		if i%3 == 0 {
			r.Headers = []kgo.RecordHeader{{Key: "h", Value: []byte{byte(i)}}}
		}
		cl.Produce(ctx, r, func(_ *kgo.Record, err error) {
			if err != nil {
				t.Errorf("record %d: %v", i, err)
			}
		})
	}
	if err := cl.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

// clean fails if the broker saw anything that a good client does not do.
func clean(t *testing.T, b *broker.Broker) {
	t.Helper()
	s := b.Stats()
	if s.SequenceErrors+s.EpochErrors+s.CRCErrors+s.BatchErrors+s.NotLeader+s.Rejected+s.Malformed+s.DuplicateBatches != 0 {
		t.Errorf("the broker found fault with the client: %+v", s)
	}
}

func TestFranzProducesInEveryVersion(t *testing.T) {
	releases := []*kversion.Versions{
		kversion.V0_11_0(), kversion.V1_1_0(), kversion.V2_0_0(), kversion.V2_1_0(), kversion.V2_3_0(), kversion.V2_4_0(), kversion.V2_8_0(),
		kversion.V3_0_0(), kversion.V3_7_0(), kversion.V3_9_0(), kversion.V4_0_0(), kversion.V4_1_0(), kversion.Stable(),
	}
	for _, release := range releases {
		t.Run(strings.ReplaceAll(release.VersionGuess(), " ", ""), func(t *testing.T) {
			b := start(t, broker.Config{Partitions: 4, Verify: broker.VerifyFull})
			produce(t, franz(t, b, kgo.MaxVersions(release)), "t", perTest)
			if got := b.Stats().Records; got != perTest {
				t.Errorf("the broker has %d records, want %d", got, perTest)
			}
			clean(t, b)
		})
	}
}

func TestFranzAcks(t *testing.T) {
	modes := []struct {
		name string
		opts []kgo.Opt
	}{
		{"all", nil},
		{"all without idempotence", []kgo.Opt{kgo.DisableIdempotentWrite()}},
		{"leader", []kgo.Opt{kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite()}},
		{"none", []kgo.Opt{kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite()}},
	}
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			b := start(t, broker.Config{Brokers: 3, Partitions: 7, Verify: broker.VerifyCount})
			produce(t, franz(t, b, m.opts...), "t", perTest)
			// Without acks the flush ends when the bytes are on their way.
			for deadline := time.Now().Add(20 * time.Second); b.Stats().Records < perTest && time.Now().Before(deadline); {
				waitABit()
			}
			if got := b.Stats().Records; got != perTest {
				t.Errorf("the broker has %d records, want %d", got, perTest)
			}
			clean(t, b)
		})
	}
}

func TestFranzConsumesWhatIsKept(t *testing.T) {
	b := start(t, broker.Config{Brokers: 3, Partitions: 7, Verify: broker.VerifyFull})
	produce(t, franz(t, b), "t", perTest)
	clean(t, b)

	consumer := franz(t, b, kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx := within(t)
	next := map[int32]int64{}
	seen := map[string]string{}
	for len(seen) < perTest {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d records: %v", len(seen), err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset != next[r.Partition] {
				t.Errorf("partition %d: got offset %d, want %d", r.Partition, r.Offset, next[r.Partition])
			}
			next[r.Partition] = r.Offset + 1
			seen[string(r.Key)] = string(r.Value)
		})
	}
	for i := range perTest {
		if key, want := fmt.Sprintf("k%d", i), fmt.Sprintf("v%d", i); seen[key] != want {
			t.Errorf("record %s has value %q, want %q", key, seen[key], want)
		}
	}
}
