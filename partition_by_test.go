package kring_test

import (
	"errors"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestCustomPartitioner: it decides for records with and without a key, is told
// the truth about the topic, and is not asked where the record says it itself.
func TestCustomPartitioner(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 3})
	var asked atomic.Int64
	last := kring.PartitionerFunc(func(r kring.Record, p kring.Partitions) int32 {
		asked.Add(1)
		if r.Topic != "t" || p.Count() != 3 || p.Available() != 3 || p.AvailableAt(1) != 1 || !p.IsAvailable(2) || p.IsAvailable(3) {
			t.Errorf("asked about %+v with %+v", r, p)
		}
		if string(r.Key) == "by key" {
			return p.ByKey(r.Key)
		}
		return p.Count() - 1
	})
	zero := kring.PartitionerFunc(func(kring.Record, kring.Partitions) int32 { return 0 })
	p := caseProducer(t, b.Addrs(), kring.PartitionBy(last), kring.PartitionTopicBy("zero", zero), kring.PartitionTopicBy("builtin", nil))
	builtin, err := p.ProduceSync(patient(t), kring.Record{Topic: "builtin", Key: []byte("by key")})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		r    kring.Record
		want int32
	}{
		{kring.Record{Topic: "t"}, 2},
		{kring.Record{Topic: "t", Key: []byte("k")}, 2},
		{kring.Record{Topic: "t", Key: []byte("by key")}, builtin.Partition},
		{kring.Record{Topic: "t", Partition: kring.On(1)}, 1},
		{kring.Record{Topic: "zero"}, 0},
	} {
		if d, err := p.ProduceSync(patient(t), c.r); err != nil || d.Partition != c.want {
			t.Errorf("%+v went to partition %d, error %v, want %d", c.r, d.Partition, err, c.want)
		}
	}
	if asked.Load() != 3 {
		t.Errorf("asked %d times, want 3", asked.Load())
	}
}

// TestWrongPartitioner is B22: what a partitioner should not do fails that
// record, and nothing else.
func TestWrongPartitioner(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 2})
	var answer func() int32
	p := caseProducer(t, b.Addrs(), kring.PartitionBy(kring.PartitionerFunc(func(kring.Record, kring.Partitions) int32 { return answer() })))
	for _, c := range []struct {
		name   string
		answer func() int32
		want   error
		text   string
	}{
		{"-1", func() int32 { return -1 }, kring.ErrInvalidPartition, "partition -1"},
		{"count", func() int32 { return 2 }, kring.ErrInvalidPartition, "2 partitions"},
		{"largest", func() int32 { return math.MaxInt32 }, kring.ErrInvalidPartition, "2147483647"},
		{"smallest", func() int32 { return math.MinInt32 + 1 }, kring.ErrInvalidPartition, "not accepted"},
		{"panic", func() int32 { panic("boom") }, kring.ErrPartitioner, "boom"},
		{"good", func() int32 { return 1 }, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer = c.answer
			called := make(chan kring.Delivery, 1)
			err := p.Produce(patient(t), kring.Record{Topic: "t", Value: []byte(c.name)}, func(d kring.Delivery) { called <- d })
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if err != nil && (!strings.HasPrefix(err.Error(), "kring: ") || !strings.Contains(err.Error(), c.text)) {
				t.Errorf("error %q, want %q in it", err, c.text)
			}
			if ferr := p.Flush(patient(t)); ferr != nil {
				t.Fatal(ferr)
			}
			if got := len(called); (got == 1) != (err == nil) {
				t.Errorf("called back %d times, Produce: %v", got, err)
			}
		})
	}
	if got := logValues(t, b, "t", 1); len(got) != 1 || got[0] != "good" {
		t.Errorf("the log has %q", got)
	}
}

// TestRoundRobinIsEven is KAFKA-9965: every partition gets the same number,
// with several topics and goroutines, and with batches of one record, where
// Java's skips every second partition.
func TestRoundRobinIsEven(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 4})
	p := caseProducer(t, b.Addrs(), kring.PartitionBy(kring.RoundRobin()), kring.BatchSize(0))
	const goroutines, each = 4, 100
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for range each {
				for _, topic := range []string{"a", "b"} { // in step: one counter would give each only half
					if err := p.Produce(patient(t), kring.Record{Topic: topic, Key: []byte("same")}, nil); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	all.Wait()
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	for _, topic := range []string{"a", "b"} {
		for partition := range int32(4) {
			if got := len(logValues(t, b, topic, partition)); got != goroutines*each/4 {
				t.Errorf("%s[%d] has %d records, want %d", topic, partition, got, goroutines*each/4)
			}
		}
	}
}

// TestRoundRobinAndRefusals: a turn whose record is refused comes back. If it
// were lost, calls that fail in step with the partitions would leave one empty.
func TestRoundRobinAndRefusals(t *testing.T) {
	rr := kring.RoundRobin().(kring.TopicPartitioner).ForTopic("t").(kring.RefusalObserver)
	p := kring.NewPartitions(2, 0, 1)
	counts := map[int32]int{}
	for i := range 100 {
		chosen := rr.Partition(kring.Record{}, p)
		if i%2 == 0 {
			rr.Refused(chosen)
			continue
		}
		counts[chosen]++
	}
	if counts[0] != 25 || counts[1] != 25 {
		t.Errorf("partitions got %v, want 25 each", counts)
	}
	// A turn of a partition that has lost its leader meanwhile is not kept.
	rr.Refused(0)
	if got := rr.Partition(kring.Record{}, kring.NewPartitions(2, 1)); got != 1 {
		t.Errorf("partition %d, want 1, the one with a leader", got)
	}
}

// TestRoundRobinSkipsLeaderless evenly: the others share what it would have had.
func TestRoundRobinSkipsLeaderless(t *testing.T) {
	for _, c := range []struct {
		p    kring.Partitions
		want map[int32]int
	}{
		{kring.NewPartitions(4, 3, 0, 1, 3), map[int32]int{0: 20, 1: 20, 3: 20}},
		{kring.NewPartitions(3), map[int32]int{0: 20, 1: 20, 2: 20}},
	} {
		rr, counts := kring.RoundRobin(), map[int32]int{}
		for range 60 {
			counts[rr.Partition(kring.Record{}, c.p)]++
		}
		for partition, want := range c.want {
			if counts[partition] != want || len(counts) != len(c.want) {
				t.Errorf("%+v: counts %v, want %v", c.p, counts, c.want)
			}
		}
	}
}

// TestRefusedTurnThroughProducer: the producer tells the partitioner.
func TestRefusedTurnThroughProducer(t *testing.T) {
	stall := make(chan struct{})
	b := caseBroker(t, broker.Config{Partitions: 2, Hook: func(*broker.ProduceInfo) broker.Action { return broker.Action{Stall: stall} }})
	watch := &refusalWatch{Partitioner: kring.RoundRobin()}
	p := caseProducer(t, b.Addrs(), kring.PartitionBy(watch), kring.BatchSize(16<<10), kring.BufferMemory(64<<10))
	if err := p.Produce(patient(t), kring.Record{Topic: "t"}, nil); err != nil {
		t.Fatal(err)
	}
	until(t, "memory is full", func() bool {
		return errors.Is(p.TryProduce(kring.Record{Topic: "t", Value: make([]byte, 10<<10)}, nil), kring.ErrBufferFull)
	})
	close(stall)
	if watch.refused.Load() != 1 {
		t.Errorf("the partitioner heard of %d refusals, want 1", watch.refused.Load())
	}
}

type refusalWatch struct {
	kring.Partitioner
	refused atomic.Int64
}

func (w *refusalWatch) Refused(partition int32) {
	w.refused.Add(1)
	w.Partitioner.(kring.RefusalObserver).Refused(partition)
}

// TestRackAware is KIP-1123: records without a key go to the leaders in the
// client's rack while there are any, and everywhere else otherwise.
func TestRackAware(t *testing.T) {
	for _, c := range []struct {
		name, rack string
		aware      bool
		last       int32  // the leader of the last partition
		want       []bool // which partitions get records
	}{
		{"near", "r1", true, 2, []bool{true, false, false}},
		{"none near", "r3", true, 2, []bool{true, true, true}},
		{"none near, one without leader", "r3", true, -1, []bool{true, true, false}},
		{"off", "r1", false, 2, []bool{true, true, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newWireBroker(t, func(b *wireBroker) {
				b.metadata = func(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
					resp.Brokers[0].Rack = kmsg.StringPtr("r1")
					far := resp.Brokers[0] // the same process under another name
					far.NodeID, far.Rack = 2, kmsg.StringPtr("r2")
					resp.Brokers = append(resp.Brokers, far)
					for i := range resp.Topics {
						resp.Topics[i].Partitions = wirePartitions(3)
						for k := 1; k < 3; k++ {
							resp.Topics[i].Partitions[k].Leader = 2
						}
						resp.Topics[i].Partitions[2].Leader = c.last
					}
				}
			})
			more := []kring.Option{kring.ClientRack(c.rack), kring.BatchSize(1)}
			if c.aware {
				more = append(more, kring.RackAware())
			}
			p := caseProducer(t, []string{b.addr()}, more...)
			got := make([]bool, 3)
			for range 30 {
				d, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Value: []byte("v")})
				if err != nil {
					t.Fatal(err)
				}
				got[d.Partition] = true
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("partition %d got records: %t, want %t", i, got[i], c.want[i])
				}
			}
			if d, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Partition: kring.On(1)}); err != nil || d.Partition != 1 {
				t.Errorf("an explicit partition: %+v, %v", d, err)
			}
		})
	}
}

// TestPipelineConfig: what can not have the effect that it promises is refused.
func TestPipelineConfig(t *testing.T) {
	for _, c := range []struct {
		name       string
		properties map[string]string
		opts       []kring.Option
		text       string // of the error; empty: none
	}{
		{"rack aware without rack", nil, []kring.Option{kring.RackAware()}, "client.rack"},
		{"the same in properties", map[string]string{"partitioner.rack.aware": "true"}, nil, "client.rack"},
		{"both", map[string]string{"partitioner.rack.aware": "true", "client.rack": "r1"}, nil, ""},
		{"not a switch", map[string]string{"partitioner.rack.aware": "yes"}, nil, "true or false"},
		{"topic", nil, []kring.Option{kring.PartitionTopicBy("a/b", nil)}, "a/b"},
		{"round robin", map[string]string{"partitioner.class": "org.apache.kafka.clients.producer.RoundRobinPartitioner"}, nil, ""},
		{"another class", map[string]string{"partitioner.class": "x.Y"}, nil, "PartitionBy"},
		{"interceptor class", map[string]string{"interceptor.classes": "x.Y"}, nil, "Interceptors"},
		{"no class", map[string]string{"interceptor.classes": "", "partitioner.class": ""}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			opt, err := kring.FromProperties(c.properties)
			if err == nil {
				var p *kring.Producer
				if p, err = kring.New(append(c.opts, kring.Brokers("127.0.0.1:1"), opt)...); err == nil {
					_ = p.Close(patient(t))
				}
			}
			if (err == nil) != (c.text == "") || err != nil && (!errors.Is(err, kring.ErrConfig) || !strings.Contains(err.Error(), c.text)) {
				t.Errorf("error %v, want %q", err, c.text)
			}
		})
	}
}

// shyPartitioner calls back from ForTopic.
type shyPartitioner struct {
	forTopic func(string) kring.Partitioner
}

func (s shyPartitioner) Partition(kring.Record, kring.Partitions) int32 { return 0 }
func (s shyPartitioner) ForTopic(topic string) kring.Partitioner        { return s.forTopic(topic) }

// TestForTopic is user code like the rest: it may panic, and may use the producer.
func TestForTopic(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 1})
	var p *kring.Producer
	p = caseProducer(t, b.Addrs(), kring.PartitionBy(shyPartitioner{func(topic string) kring.Partitioner {
		switch topic {
		case "bad":
			panic("boom")
		case "busy":
			_ = p.TryProduce(kring.Record{Topic: "other"}, nil)
		}
		return kring.RoundRobin()
	}}))
	if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "busy"}); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := p.Produce(patient(t), kring.Record{Topic: "bad"}, nil); !errors.Is(err, kring.ErrPartitioner) {
			t.Errorf("got %v, want ErrPartitioner", err)
		}
	}
}
