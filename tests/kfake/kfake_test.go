// Package kfake tests the producer against franz-go's in-process Kafka, which
// nobody here wrote, and reads back with franz-go's consumer.
package kfake

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const partitions = 5

func start(t *testing.T, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(3), kfake.SeedTopics(partitions, "t")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func open(t *testing.T, c *kfake.Cluster, opts ...kring.Option) *kring.Producer {
	t.Helper()
	p, err := kring.New(append([]kring.Option{
		kring.Brokers(c.ListenAddrs()...), kring.RetryBackoff(time.Millisecond, 20*time.Millisecond),
		kring.ReconnectBackoff(time.Millisecond, 20*time.Millisecond),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(within(t)); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return p
}

// readBack reads n records from the beginning, by partition.
func readBack(t *testing.T, c *kfake.Cluster, n int) map[int32][]*kgo.Record {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics("t"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxBytes(64<<20), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx := within(t)
	byPartition := map[int32][]*kgo.Record{}
	for got := 0; got < n; {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("%d of %d records read: %v", got, n, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			byPartition[r.Partition] = append(byPartition[r.Partition], r)
			got++
		})
	}
	return byPartition
}

// TestModes: idempotent and plain, acks all, 1 and 0, against old and new
// versions; keys, headers, null and empty, records larger than a batch.
func TestModes(t *testing.T) {
	for name, opts := range map[string][]kring.Option{
		"idempotent": nil,
		"plain":      {kring.DisableIdempotence()},
		"acks=1":     {kring.RequireAcks(kring.AcksLeader)},
		"acks=0":     {kring.RequireAcks(kring.AcksNone)},
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t)
			p := open(t, c, opts...)
			ctx := within(t)
			const n = 500
			type sent struct {
				r kring.Record
				d kring.Delivery
			}
			all := make([]sent, n)
			for i := range all {
				r := kring.Record{Topic: "t", Partition: kring.On(int32(i % partitions)), Value: fmt.Append(nil, i), Timestamp: time.UnixMilli(int64(1e12 + i))}
				switch i % 7 {
				case 1:
					r.Key = []byte{}
				case 2:
					r.Key, r.Value = fmt.Append(nil, "key", i), nil
				case 3:
					r.Value = []byte{}
				case 4:
					r.Headers = []kring.Header{{Key: "h", Value: fmt.Append(nil, i)}, {Key: "h"}, {Key: "", Value: []byte{}}}
				case 5:
					r.Value = bytes.Repeat([]byte{byte(i)}, 5000*(i%10))
				}
				all[i].r = r
				if err := p.Produce(ctx, r, func(d kring.Delivery) { all[i].d = d }); err != nil {
					t.Fatal(err)
				}
			}
			if err := p.Flush(ctx); err != nil {
				t.Fatal(err)
			}
			log := readBack(t, c, n)
			for i := range all {
				s := &all[i]
				part, at := int32(i%partitions), i/partitions
				got := log[part][at]
				if s.d.Err != nil || name != "acks=0" && s.d.Offset != got.Offset || got.Timestamp.UnixMilli() != int64(1e12+i) {
					t.Fatalf("record %d: %+v, read back at offset %d", i, s.d, got.Offset)
				}
				if !same(got.Key, s.r.Key) || !same(got.Value, s.r.Value) || len(got.Headers) != len(s.r.Headers) {
					t.Fatalf("record %d: read back key %q, value %.20q, %d headers", i, got.Key, got.Value, len(got.Headers))
				}
				for k, h := range got.Headers {
					if h.Key != s.r.Headers[k].Key || !same(h.Value, s.r.Headers[k].Value) {
						t.Errorf("record %d: header %d is %+v", i, k, h)
					}
				}
			}
		})
	}
}

func same(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// TestKeysGoWhereFranzSendsThem: both hash as Java does.
func TestKeysGoWhereFranzSendsThem(t *testing.T) {
	c := start(t)
	p := open(t, c)
	ctx := within(t)
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.DefaultProduceTopic("t"))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for i := range 200 {
		key := []byte(strings.Repeat(fmt.Sprint(i), i%5))
		if i%50 == 0 {
			key = []byte{byte(i), 0xff, 0x80}
		}
		if len(key) == 0 {
			key = []byte{}
		}
		d, err := p.ProduceSync(ctx, kring.Record{Topic: "t", Key: key})
		if err != nil {
			t.Fatal(err)
		}
		r, err := cl.ProduceSync(ctx, &kgo.Record{Key: key}).First()
		if err != nil {
			t.Fatal(err)
		}
		if len(key) > 0 && d.Partition != r.Partition {
			t.Errorf("key %q: partition %d, franz-go's %d", key, d.Partition, r.Partition)
		}
	}
}

// TestFaults: kfake answers errors and drops connections; nothing is lost,
// doubled or reordered.
func TestFaults(t *testing.T) {
	for name, fault := range map[string]func(c *kfake.Cluster, req *kmsg.ProduceRequest) (kmsg.Response, error, bool){
		"NOT_LEADER":           answer(kerr.NotLeaderForPartition),
		"LEADER_NOT_AVAILABLE": answer(kerr.LeaderNotAvailable),
		"NOT_ENOUGH_REPLICAS":  answer(kerr.NotEnoughReplicas),
		"TIMED_OUT":            answer(kerr.RequestTimedOut),
		"connection dropped": func(*kfake.Cluster, *kmsg.ProduceRequest) (kmsg.Response, error, bool) {
			return nil, fmt.Errorf("drop the connection"), true
		},
		"leader moved": func(c *kfake.Cluster, req *kmsg.ProduceRequest) (kmsg.Response, error, bool) {
			_ = c.MoveTopicPartition("t", req.Topics[0].Partitions[0].Partition, req.Topics[0].Partitions[0].Partition%3)
			return nil, nil, false
		},
	} {
		for _, plain := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/plain=%t", name, plain), func(t *testing.T) {
				c := start(t)
				var n atomic.Int64
				c.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
					c.KeepControl()
					if n.Add(1)%3 != 0 {
						return nil, nil, false
					}
					return fault(c, req.(*kmsg.ProduceRequest))
				})
				opts := []kring.Option{kring.BatchSize(300), kring.Linger(0)}
				if plain {
					opts = append(opts, kring.DisableIdempotence(), kring.MaxInFlight(1))
				}
				p := open(t, c, opts...)
				ctx := within(t)
				records := 0
				send := func() {
					i := records
					records++
					r := kring.Record{Topic: "t", Partition: kring.On(int32(i % partitions)), Value: fmt.Append(nil, i)}
					if err := p.Produce(ctx, r, func(d kring.Delivery) {
						if d.Err != nil {
							t.Error(d.Err)
						}
					}); err != nil {
						t.Fatal(err)
					}
				}
				// However many records share a request, go on until two requests
				// met the fault.
				for records < 300 || n.Load() < 6 {
					send()
					if records%30 == 0 {
						if err := p.Flush(ctx); err != nil {
							t.Fatal(err)
						}
					}
				}
				if err := p.Flush(ctx); err != nil {
					t.Fatal(err)
				}
				for part, list := range readBack(t, c, records) {
					for k, r := range list {
						if want := fmt.Sprint(int(part) + k*partitions); string(r.Value) != want {
							t.Fatalf("partition %d record %d is %q, want %q", part, k, r.Value, want)
						}
					}
				}
			})
		}
	}
}

// answer refuses every batch with an error.
func answer(e *kerr.Error) func(*kfake.Cluster, *kmsg.ProduceRequest) (kmsg.Response, error, bool) {
	return func(_ *kfake.Cluster, req *kmsg.ProduceRequest) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		for _, rt := range req.Topics {
			topic := kmsg.NewProduceResponseTopic()
			topic.Topic, topic.TopicID = rt.Topic, rt.TopicID
			for _, rp := range rt.Partitions {
				part := kmsg.NewProduceResponseTopicPartition()
				part.Partition, part.ErrorCode, part.BaseOffset = rp.Partition, e.Code, -1
				topic.Partitions = append(topic.Partitions, part)
			}
			resp.Topics = append(resp.Topics, topic)
		}
		return resp, nil, true
	}
}
