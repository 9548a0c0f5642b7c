package kring_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kring-go/kring"
)

// TestNewTopicDoesNotWaitForAnother: a topic that does not exist keeps the
// metadata requests in their backoff, and a topic that nobody has asked for yet
// must not wait for its end (KIP-526).
func TestNewTopicDoesNotWaitForAnother(t *testing.T) {
	b := newWireBroker(t, func(b *wireBroker) {
		b.metadata = func(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
			for i := range resp.Topics {
				if *resp.Topics[i].Topic != "t" {
					resp.Topics[i].ErrorCode, resp.Topics[i].Partitions = int16(kring.UnknownTopicOrPartition), nil
				}
			}
		}
	})
	p := caseProducer(t, []string{b.addr()}, kring.MaxBlock(20*time.Second), kring.RetryBackoff(30*time.Second, time.Minute))
	ctx, cancel := context.WithCancel(patient(t))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { _ = p.Produce(ctx, kring.Record{Topic: "missing"}, nil) })
	until(t, "the first answer", func() bool { return p.Stats().Metadata > 0 })
	time.Sleep(50 * time.Millisecond) // the caller asks once more, and is told to wait
	watch := startStopwatch(t)
	if _, err := p.ProduceSync(ctx, kring.Record{Topic: "t", Value: []byte("x")}); err != nil {
		t.Error(err)
	}
	if d := watch.took(); d > 10*time.Second {
		t.Errorf("a new topic waited %v", d)
	}
}

// TestMissingTopicIsForgotten: nobody has asked for it for MetadataMaxIdle, so
// the brokers are not asked either.
func TestMissingTopicIsForgotten(t *testing.T) {
	if testing.Short() {
		t.Skip("the least MetadataMaxIdle is 5 s")
	}
	b := newWireBroker(t, func(b *wireBroker) {
		b.metadata = func(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
			for i := range resp.Topics {
				resp.Topics[i].ErrorCode, resp.Topics[i].Partitions = int16(kring.UnknownTopicOrPartition), nil
			}
		}
	})
	p := caseProducer(t, []string{b.addr()}, kring.MaxBlock(50*time.Millisecond), kring.MetadataMaxIdle(5*time.Second))
	if err := p.Produce(patient(t), kring.Record{Topic: "missing"}, nil); !errors.Is(err, kring.ErrUnknownTopic) {
		t.Fatalf("got %v, want ErrUnknownTopic", err)
	}
	time.Sleep(7 * time.Second)
	before := p.Stats().Metadata
	time.Sleep(time.Second)
	if after := p.Stats().Metadata; after > before+1 {
		t.Errorf("%d metadata requests in a second for a topic that nobody uses", after-before)
	}
}

// TestMetadataOfALargeCluster: a topic costs as much as its answer is long, not
// the square of it, and a broker that leads nothing of ours costs its address
// (P9).
func TestMetadataOfALargeCluster(t *testing.T) {
	const partitions, brokers = 20_000, 5_000
	b := newWireBroker(t, func(b *wireBroker) {
		b.metadata = func(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
			for i := range resp.Topics {
				resp.Topics[i].Partitions = wirePartitions(partitions)
			}
			for i := range brokers {
				node := kmsg.NewMetadataResponseBroker()
				node.NodeID, node.Host, node.Port = int32(100+i), "127.0.0.1", 9
				resp.Brokers = append(resp.Brokers, node)
			}
		}
	})
	p := caseProducer(t, []string{b.addr()})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Value: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if all := after.TotalAlloc - before.TotalAlloc; all > 250<<20 {
		t.Errorf("%d MiB were allocated for %d partitions and %d brokers", all>>20, partitions, brokers)
	}
	if n := p.Stats().Brokers; n != 1 {
		t.Errorf("%d brokers were made, 1 leads a partition", n)
	}
}

// TestTopicRecreatedInFlight: an answer names the topic by the id that was sent,
// and metadata has brought another one since.
func TestTopicRecreatedInFlight(t *testing.T) {
	var recreated atomic.Bool
	var release func()
	sent := make(chan struct{})
	b := newWireBroker(t, func(b *wireBroker) {
		b.metadata = func(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
			if recreated.Load() {
				for i := range resp.Topics {
					resp.Topics[i].TopicID = [16]byte{9, 9}
				}
			}
		}
		b.produce = func(c *wireConn, q *wireRequest) {
			if q.number == 1 {
				release = func() { c.accept(q) }
				close(sent)
				return
			}
			c.accept(q)
		}
	})
	p := caseProducer(t, []string{b.addr()}, kring.MetadataMaxAge(5*time.Millisecond))
	o := newOutcomes()
	if err := p.Produce(patient(t), kring.Record{Topic: "t", Value: []byte("x")}, o.take); err != nil {
		t.Fatal(err)
	}
	<-sent
	recreated.Store(true)
	before := b.count(3)
	until(t, "the new id has arrived", func() bool { return b.count(3) > before+2 })
	release()
	if d := o.wait(t, 1)[0]; d.Err != nil || d.Offset != 0 {
		t.Errorf("the answer to the first request was not taken: %+v", d)
	}
	if n := b.count(0); n != 1 {
		t.Errorf("the record was sent %d times", n)
	}
}
