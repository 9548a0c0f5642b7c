package kring_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestTopicSettings: each topic lingers, and fills batches, as its own settings
// say, and the others as the producer's do.
func TestTopicSettings(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 1})
	p := caseProducer(t, b.Addrs(), kring.Linger(30*time.Second), kring.BatchSize(8<<10),
		kring.TopicSettings("quick", kring.TopicLinger(0)),
		kring.TopicSettings("small", kring.TopicBatchSize(200)),
		kring.TopicSettings("small", kring.TopicLinger(time.Minute)),
		kring.TopicSettings("dense", kring.TopicCompression(kring.Gzip)))
	got := newOutcomes()
	send := func(topic string, n int) {
		t.Helper()
		for i := range n {
			r := kring.Record{Topic: topic, Value: []byte(strings.Repeat(fmt.Sprint(i%10), 50))}
			if err := p.Produce(patient(t), r, got.take); err != nil {
				t.Fatal(err)
			}
		}
	}
	send("quick", 1) // leaves by itself
	got.wait(t, 1)
	send("small", 7) // three batches of two are full; nobody waits for the rest
	got.wait(t, 7)
	send("plain", 7)
	send("dense", 100)
	if n := p.Stats().Batches; n != 4 {
		t.Errorf("%d batches have left, want 4", n)
	}
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	got.wait(t, 115)
	s := p.Stats()
	if s.Batches != 7 {
		t.Errorf("%d batches, want 7", s.Batches)
	}
	if s.CompressedBytes == 0 || s.CompressedBytes*4 > s.RecordBytes || s.RecordBytes > 100*70 {
		t.Errorf("%d bytes became %d: only one topic is compressed", s.RecordBytes, s.CompressedBytes)
	}
}

// TestBulkheads: where one topic, or one broker, stands still, its callers are
// refused when their share is used up, and the others go on.
func TestBulkheads(t *testing.T) {
	for _, tc := range []struct {
		name   string
		option kring.Option
		stuck  kring.Record
		free   kring.Record
	}{
		{"topic", kring.TopicSettings("stuck", kring.TopicMemory(20<<10)), kring.Record{Topic: "stuck", Partition: kring.On(0)}, kring.Record{Topic: "free", Partition: kring.On(1)}},
		{"broker", kring.BrokerMemory(20 << 10), kring.Record{Topic: "t", Partition: kring.On(0)}, kring.Record{Topic: "t", Partition: kring.On(1)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := caseBroker(t, broker.Config{Partitions: 2, Brokers: 2})
			p := caseProducer(t, b.Addrs(), tc.option, kring.BatchSize(8<<10), kring.BufferMemory(128<<10),
				kring.Linger(30*time.Second), kring.MaxBlock(patience))
			for _, r := range []kring.Record{tc.stuck, tc.free} {
				if _, err := p.ProduceSync(patient(t), r); err != nil {
					t.Fatal(err)
				}
			}
			release := make(chan struct{})
			b.SetHook(func(info *broker.ProduceInfo) (a broker.Action) {
				if info.Node == 1 { // where partition 0 is
					a.Stall = release
				}
				return a
			})
			tc.stuck.Value, tc.free.Value = make([]byte, 5000), make([]byte, 5000)
			accepted := 0
			for ; ; accepted++ {
				if err := p.TryProduce(tc.stuck, nil); errors.Is(err, kring.ErrBufferFull) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			if accepted != 2 {
				t.Errorf("%d batches of the share were accepted, want 2", accepted)
			}
			for range 50 { // far more than what is left, if it did not leave
				if err := p.Produce(patient(t), tc.free, nil); err != nil {
					t.Fatal(err)
				}
			}
			waited := make(chan error)
			go func() { waited <- p.Produce(patient(t), tc.stuck, nil) }()
			close(release)
			if err := <-waited; err != nil {
				t.Errorf("who waited for the share: %v", err)
			}
			if err := p.Flush(patient(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBadTopicSettings: everything that is wrong is said at once, and named.
func TestBadTopicSettings(t *testing.T) {
	_, err := kring.New(kring.Brokers("127.0.0.1:1"), kring.BrokerMemory(-1), kring.BrokerMemory(1<<40),
		kring.TopicSettings("a b"), kring.TopicSettings("t", nil), kring.TopicSettings(""),
		kring.TopicSettings("u", kring.TopicLinger(-1), kring.TopicBatchSize(1<<20), kring.TopicCompression(9), kring.TopicMemory(0)))
	for _, want := range []string{
		"BrokerMemory(-1): want at least 1", "BrokerMemory(1099511627776): must be at most", `TopicSettings("a b")`, `TopicSettings(""): invalid topic`,
		`TopicSettings("t"): setting 1 of 1 is nil`, "TopicLinger(-1ns) must be 0 to", "TopicBatchSize(1048576) must be 1 to batch.size, 16384",
		"TopicCompression(9): there is no such codec", "TopicMemory(0) must be 1 to buffer.memory",
	} {
		if !errors.Is(err, kring.ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
}

// TestRecordLargerThanItsShare: the error names the bound that is too narrow.
func TestRecordLargerThanItsShare(t *testing.T) {
	for _, tc := range []struct {
		want string
		opts []kring.Option
	}{
		{"the topic's TopicMemory of 20000 bytes", []kring.Option{kring.BrokerMemory(40_000), kring.TopicSettings("t", kring.TopicMemory(20_000))}},
		{"BrokerMemory of 20000 bytes", []kring.Option{kring.BrokerMemory(20_000), kring.TopicSettings("t", kring.TopicMemory(40_000))}},
		{"BufferMemory (buffer.memory) of 64000 bytes", nil},
	} {
		t.Run(tc.want, func(t *testing.T) {
			b := caseBroker(t, broker.Config{})
			p := caseProducer(t, b.Addrs(), append(tc.opts, kring.BatchSize(8<<10), kring.BufferMemory(64_000))...)
			_, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Value: make([]byte, 70_000)})
			if !errors.Is(err, kring.ErrRecordTooLarge) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}
