package kring_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestSplit is B17: the broker's limit is a tenth of batch.size. Batches are cut
// until they fit; order, headers and tags stay. A record that is too large by
// itself fails alone.
func TestSplit(t *testing.T) {
	b := caseBroker(t, broker.Config{MaxBatchBytes: 1600})
	p := caseProducer(t, b.Addrs(), kring.Linger(time.Hour), kring.DeliveryTimeout(2*time.Hour))
	got := newOutcomes()
	const n, large = 100, 70
	for i := range n {
		r := kring.Record{
			Topic: "t", Value: fmt.Appendf(nil, "%03d%s", i, strings.Repeat("x", 90)), Tag: uint64(i),
			Headers: []kring.Header{{Key: "i", Value: fmt.Append(nil, i)}}, Timestamp: time.UnixMilli(int64(10_000 - i)),
		}
		if i == large {
			r.Value = make([]byte, 2000)
		}
		if err := p.Produce(patient(t), r, got.take); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(patient(t)); err != nil { // must wait for the pieces
		t.Fatal(err)
	}
	list := got.all()
	if len(list) != n {
		t.Fatalf("%d deliveries after Flush, want %d", len(list), n)
	}
	for i, d := range list {
		if d.Tag != uint64(i) || (d.Err != nil) != (i == large) {
			t.Errorf("delivery %d: %+v", i, d)
		}
	}
	checkText(t, list[large].Err, kring.ErrRecordTooLarge, "MESSAGE_TOO_LARGE", "not in the log")
	log, err := b.Log("t", 0)
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for r := range log.Records() {
		if i == large {
			i++
		}
		if string(r.Value[:3]) != fmt.Sprintf("%03d", i) || string(r.Headers[0].Value) != fmt.Sprint(i) || r.Timestamp != int64(10_000-i) {
			t.Fatalf("record %d: value %.10q, headers %v, timestamp %d", i, r.Value, r.Headers, r.Timestamp)
		}
		i++
	}
	if i != n || p.Stats().Splits == 0 {
		t.Errorf("%d records, %d splits", i, p.Stats().Splits)
	}
}

// TestUnknownTopic is B21: a topic that is created while Produce waits, one
// that never is, and one that this client may not see.
func TestUnknownTopic(t *testing.T) {
	b := caseBroker(t, broker.Config{NoAutoCreate: true})
	p := caseProducer(t, b.Addrs(), kring.MaxBlock(400*time.Millisecond))
	if err := p.TryProduce(kring.Record{Topic: "later"}, nil); !errors.Is(err, kring.ErrMetadataPending) {
		t.Errorf("TryProduce: %v", err)
	}
	checkText(t, p.Produce(patient(t), kring.Record{Topic: "never"}, nil), kring.ErrUnknownTopic, `"never"`, "UNKNOWN_TOPIC_OR_PARTITION", "400ms", "create it")
	if err := p.Produce(patient(t), kring.Record{Topic: "never"}, nil); !errors.Is(err, kring.ErrMaxBlock) {
		t.Errorf("error %v is not ErrMaxBlock", err)
	}
	q := caseProducer(t, b.Addrs())
	sent := make(chan error, 1)
	go func() {
		_, err := q.ProduceSync(patient(t), kring.Record{Topic: "later"})
		sent <- err
	}()
	before := q.Stats().Metadata
	until(t, "the producer has heard that there is none", func() bool { return q.Stats().Metadata > before+1 })
	if err := b.CreateTopic("later", 1); err != nil {
		t.Fatal(err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

// TestForbiddenTopic is E22: an answer that waiting does not change ends the
// wait, also for callers that never wait; other topics are not affected.
func TestForbiddenTopic(t *testing.T) {
	b := newWireBroker(t, func(b *wireBroker) {
		b.metadata = func(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
			for i := range resp.Topics {
				if topic := &resp.Topics[i]; *topic.Topic == "secret" {
					topic.ErrorCode, topic.Partitions = int16(kring.TopicAuthorizationFailed), nil
				}
			}
		}
	})
	p := caseProducer(t, []string{b.addr()}, kring.MaxBlock(time.Hour))
	within(t, "Produce", func() {
		checkText(t, p.Produce(patient(t), kring.Record{Topic: "secret"}, nil), kring.TopicAuthorizationFailed, `"secret"`, "never sent", "not in the log")
	})
	checkText(t, p.TryProduce(kring.Record{Topic: "secret"}, nil), kring.TopicAuthorizationFailed, `"secret"`)
	syncAll(t, p, 2)
}

// TestMetadataIsSpaced: however often somebody asks, metadata requests keep
// RetryBackoff apart.
func TestMetadataIsSpaced(t *testing.T) {
	b := newWireBroker(t, func(b *wireBroker) {
		b.metadata = func(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
			resp.Topics[0].ErrorCode, resp.Topics[0].Partitions = int16(kring.TopicAuthorizationFailed), nil
		}
	})
	p := caseProducer(t, []string{b.addr()}, kring.RetryBackoff(50*time.Millisecond, 50*time.Millisecond))
	start := time.Now()
	until(t, "eight metadata requests", func() bool {
		if err := p.TryProduce(kring.Record{Topic: "t"}, nil); err == nil {
			t.Fatal("accepted")
		}
		return b.count(3) >= 8
	})
	n, apart := b.count(3), 40*time.Millisecond // 50 ms less 20 %
	if took := time.Since(start); n > 2+int(took/apart) {
		t.Errorf("%d metadata requests in %v, want %v or more between two", n, took, apart)
	}
}

// TestManyPartitions is B23: 10 000 partitions get one record each, and memory
// has room for 512 open batches. Nothing lingers for ever, nothing deadlocks.
func TestManyPartitions(t *testing.T) {
	partitions := 10_000
	if testing.Short() {
		partitions = 2_000
	}
	b := caseBroker(t, broker.Config{Brokers: 2, Partitions: partitions})
	p := caseProducer(t, b.Addrs(), kring.BufferMemory(8<<20), kring.Linger(time.Hour), kring.DeliveryTimeout(2*time.Hour))
	var done atomic.Int64
	for i := range partitions {
		r := kring.Record{Topic: "t", Partition: kring.On(int32(i)), Value: []byte("v")}
		if err := p.Produce(patient(t), r, func(d kring.Delivery) {
			if d.Err == nil && d.Partition == int32(i) {
				done.Add(1)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(patient(t)); err != nil || done.Load() != int64(partitions) {
		t.Errorf("flush: %v; %d of %d delivered", err, done.Load(), partitions)
	}
	if n := b.Stats().Records; n != int64(partitions) {
		t.Errorf("%d records, want %d", n, partitions)
	}
}

// TestPlainOrder is B25: without idempotence and with one request in flight, a
// failed batch goes out before anything newer, after its backoff.
func TestPlainOrder(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	var n atomic.Int64
	b.SetHook(func(*broker.ProduceInfo) broker.Action {
		if n.Add(1)%3 == 1 {
			return refuse(kring.NotEnoughReplicas)
		}
		return broker.Action{}
	})
	p := caseProducer(t, b.Addrs(), oneByOne(), kring.DisableIdempotence(), kring.MaxInFlight(1),
		kring.RetryBackoff(5*time.Millisecond, 5*time.Millisecond))
	got := newOutcomes()
	produceTags(t, p, 0, 0, 40, got)
	got.wait(t, 40)
	wantLog(t, b, 0, 40)
}

// TestForgottenTopic: nobody produced to a topic for MetadataMaxIdle, so its
// metadata is not refreshed any more. When its leader dies meanwhile, the next
// record must find the new one all the same.
func TestForgottenTopic(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for 5 s, the least MetadataMaxIdle")
	}
	b := caseBroker(t, broker.Config{Brokers: 2, MaxProduceVersion: 9})
	p := caseProducer(t, b.Addrs(), kring.MetadataMaxAge(50*time.Millisecond), kring.MetadataMaxIdle(5*time.Second),
		kring.RequestTimeout(2*time.Second), kring.DeliveryTimeout(3*time.Second))
	if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t"}); err != nil {
		t.Fatal(err)
	}
	until(t, "the topic is forgotten", func() bool {
		before := p.Stats().Metadata
		pause := time.NewTimer(500 * time.Millisecond)
		<-pause.C
		return p.Stats().Metadata == before
	})
	if err := b.StopNode(1); err != nil {
		t.Fatal(err)
	}
	if err := b.FailOver(1); err != nil {
		t.Fatal(err)
	}
	if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Value: []byte("found")}); err != nil {
		t.Error(err)
	}
}
