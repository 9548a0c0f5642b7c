package kring_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kring-go/kring"
)

// identities lists who the batches of a partition came from, repeats left out.
func identities(list []wireBatch, partition int32) (out []string) {
	for _, x := range list {
		if x.partition != partition {
			continue
		}
		s := fmt.Sprintf("%d/%d/%d", x.producerID, x.epoch, x.sequence)
		if len(out) == 0 || out[len(out)-1] != s {
			out = append(out, s)
		}
	}
	return out
}

// TestEpochsRunOut is E31: the last epoch of a producer id is followed by a new
// id, not by an endless loop or a negative epoch.
func TestEpochsRunOut(t *testing.T) {
	b := newWireBroker(t, func(b *wireBroker) {
		b.identity = func(n int) (int64, int16, int16) {
			if n == 1 {
				return 1000, 32766, 0
			}
			return 2000, 0, 0
		}
		b.produce = func(c *wireConn, q *wireRequest) {
			if q.number <= 2 {
				c.fail(q, int16(kring.OutOfOrderSequenceNumber))
				return
			}
			c.accept(q)
		}
	})
	p := caseProducer(t, []string{b.addr()})
	syncAll(t, p, 2)
	want := "[1000/32766/0 1000/32767/0 2000/0/0 2000/0/1]"
	if got := fmt.Sprint(identities(b.seen(), 0)); got != want {
		t.Errorf("identities %s, want %s", got, want)
	}
}

// TestUnknownProducerRestartsAll is E24: one partition forgot the producer. It
// starts again at 0 under the next epoch, and so does every other partition
// with its next batch.
func TestUnknownProducerRestartsAll(t *testing.T) {
	for _, code := range []kring.KafkaError{kring.UnknownProducerID, kring.OutOfOrderSequenceNumber, kring.InvalidProducerEpoch} {
		t.Run(code.Name(), func(t *testing.T) {
			var forgot atomic.Bool
			b := newWireBroker(t, func(b *wireBroker) {
				b.produce = func(c *wireConn, q *wireRequest) {
					if forgot.CompareAndSwap(true, false) {
						c.fail(q, int16(code))
						return
					}
					c.accept(q)
				}
			})
			heard := &told{}
			p, err := kring.New(quick([]string{b.addr()}, kring.Hooks(heard))...)
			if err != nil {
				t.Fatal(err)
			}
			send := func(partition int32) {
				t.Helper()
				if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Partition: kring.On(partition)}); err != nil {
					t.Fatal(err)
				}
			}
			send(0)
			send(1)
			send(1)
			forgot.Store(true)
			send(0)
			send(1)
			send(0)
			if got, want := fmt.Sprint(identities(b.seen(), 0)), "[1001/0/0 1001/0/1 1001/1/0 1001/1/1]"; got != want {
				t.Errorf("partition 0: %s, want %s", got, want)
			}
			if got, want := fmt.Sprint(identities(b.seen(), 1)), "[1001/0/0 1001/0/1 1001/1/0]"; got != want {
				t.Errorf("partition 1: %s, want %s", got, want)
			}
			if n := p.Stats().EpochBumps; n != 1 {
				t.Errorf("%d epoch bumps, want 1", n)
			}
			closeEmpty(t, p)
			lost := eventsOf[kring.SequenceLost](heard)
			if len(lost) != 1 || p.Stats().SequencesLost != 1 {
				t.Fatalf("the hook heard %+v, and %d are counted; want one each", lost, p.Stats().SequencesLost)
			}
			want := kring.SequenceLost{At: lost[0].At, Topic: "t", Partition: 0, Broker: lost[0].Broker, Code: code, Offset: -1, LastOffset: 0, Restarts: true}
			if lost[0] != want || want.At.IsZero() {
				t.Errorf("%+v, want %+v", lost[0], want)
			}
		})
	}
}

// TestGapIsNoLoss: that a broker refuses what comes after a batch that failed says
// that the batch is not there, and nothing of what was acknowledged.
func TestGapIsNoLoss(t *testing.T) {
	b := newWireBroker(t, func(b *wireBroker) {
		var held *wireRequest
		b.produce = func(c *wireConn, q *wireRequest) {
			switch first := &q.batches[0]; {
			case first.epoch == 0 && first.sequence == 1:
				held = q
			case first.epoch == 0 && first.sequence == 2:
				if held != nil {
					c.fail(held, int16(kring.UnknownServerError))
					held = nil
				}
				c.fail(q, int16(kring.OutOfOrderSequenceNumber))
			default:
				c.accept(q)
			}
		}
	})
	p := caseProducer(t, []string{b.addr()}, oneByOne())
	got := newOutcomes()
	produceTags(t, p, 0, 0, 1, got)
	got.wait(t, 1)
	produceTags(t, p, 0, 1, 2, got)
	for i, d := range got.wait(t, 3) {
		if failed := d.Err != nil; failed != (d.Tag == 1) {
			t.Errorf("delivery %d: %+v", i, d)
		}
	}
	if s := p.Stats(); s.SequencesLost != 0 || s.EpochBumps != 1 {
		t.Errorf("%d sequences lost (want none), %d epoch bumps (want 1)", s.SequencesLost, s.EpochBumps)
	}
}

// TestSequenceLostOnce: three in flight that the broker all refuses are one loss.
func TestSequenceLostOnce(t *testing.T) {
	b := newWireBroker(t, func(b *wireBroker) {
		var held []*wireRequest
		b.produce = func(c *wireConn, q *wireRequest) {
			if first := &q.batches[0]; first.epoch > 0 || first.sequence == 0 {
				c.accept(q)
				return
			}
			if held = append(held, q); len(held) == 3 {
				for _, q := range held {
					c.fail(q, int16(kring.OutOfOrderSequenceNumber))
				}
			}
		}
	})
	p := caseProducer(t, []string{b.addr()}, oneByOne())
	got := newOutcomes()
	produceTags(t, p, 0, 0, 1, got)
	got.wait(t, 1)
	produceTags(t, p, 0, 1, 3, got)
	for i, d := range got.wait(t, 4) {
		if d.Err != nil {
			t.Errorf("delivery %d: %+v", i, d)
		}
	}
	if s := p.Stats(); s.SequencesLost != 1 || s.EpochBumps != 1 {
		t.Errorf("%d sequences lost, %d epoch bumps, want 1 each", s.SequencesLost, s.EpochBumps)
	}
}

// TestSequenceRefusedForEver is E26: a broker that refuses every sequence and
// every epoch. The record fails in time, the loss is certain and said, and
// neither requests nor epochs are burnt meanwhile.
func TestSequenceRefusedForEver(t *testing.T) {
	for _, code := range []kring.KafkaError{kring.UnknownProducerID, kring.OutOfOrderSequenceNumber, kring.InvalidProducerEpoch} {
		t.Run(code.Name(), func(t *testing.T) {
			b := newWireBroker(t, func(b *wireBroker) {
				b.produce = func(c *wireConn, q *wireRequest) { c.fail(q, int16(code)) }
			})
			p := caseProducer(t, []string{b.addr()}, kring.RetryBackoff(20*time.Millisecond, 40*time.Millisecond),
				kring.RequestTimeout(500*time.Millisecond), kring.DeliveryTimeout(600*time.Millisecond))
			got := newOutcomes()
			produceTags(t, p, 0, 0, 2, got)
			list := got.wait(t, 2)
			checkText(t, list[0].Err, kring.ErrDeliveryTimeout, code.Name(), "not in the log")
			checkText(t, list[1].Err, kring.ErrDeliveryTimeout, "not in the log")
			if n := b.count(0); n < 3 || n > 60 {
				t.Errorf("%d requests in 600 ms with a backoff of 20 to 40 ms", n)
			}
		})
	}
}

// TestFiniteRetriesEndRefusals: Retries bounds refused sequences too.
func TestFiniteRetriesEndRefusals(t *testing.T) {
	b := newWireBroker(t, func(b *wireBroker) {
		b.produce = func(c *wireConn, q *wireRequest) { c.fail(q, int16(kring.OutOfOrderSequenceNumber)) }
	})
	p := caseProducer(t, []string{b.addr()}, kring.Retries(3))
	_, err := p.ProduceSync(patient(t), kring.Record{Topic: "t"})
	checkText(t, err, kring.ErrRetriesExhausted, "4 attempts")
	if n := b.count(0); n != 4 {
		t.Errorf("%d requests, want 4", n)
	}
}

// TestNewProducerIDRefused: a fatal answer to InitProducerId is the error of the
// records, with the broker's reason.
func TestNewProducerIDRefused(t *testing.T) {
	b := newWireBroker(t, func(b *wireBroker) {
		b.identity = func(int) (int64, int16, int16) { return -1, -1, int16(kring.ClusterAuthorizationFailed) }
	})
	p := caseProducer(t, []string{b.addr()})
	_, err := p.ProduceSync(patient(t), kring.Record{Topic: "t"})
	checkText(t, err, kring.ClusterAuthorizationFailed, "never sent", "producer id", "not authorized", "not in the log")
}

// TestRecreatedTopic is E9: the topic comes back under another id. The records
// follow it, and the sequences of the new one are accepted.
func TestRecreatedTopic(t *testing.T) {
	var recreated atomic.Bool
	next := [16]byte{9, 9}
	b := newWireBroker(t, func(b *wireBroker) {
		b.metadata = func(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
			if recreated.Load() {
				resp.Topics[0].TopicID = next
				resp.Topics[0].Partitions = wirePartitions(1)
			}
		}
		b.produce = func(c *wireConn, q *wireRequest) {
			switch {
			case recreated.Load() && q.batches[0].topicID != next:
				c.fail(q, int16(kring.UnknownTopicID))
			case recreated.Load() && q.batches[0].partition > 0:
				c.fail(q, int16(kring.UnknownTopicOrPartition))
			default:
				c.accept(q)
			}
		}
	})
	p := caseProducer(t, []string{b.addr()}, kring.RequestTimeout(400*time.Millisecond), kring.DeliveryTimeout(500*time.Millisecond))
	syncAll(t, p, 3)
	recreated.Store(true)
	syncAll(t, p, 3)
	_, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Partition: kring.On(1)})
	checkText(t, err, kring.ErrDeliveryTimeout, "partition 1", "UNKNOWN_TOPIC_OR_PARTITION")
}

// TestPartitionsGrow is E11: new partitions are used within the metadata age,
// and a record that names one waits for it.
func TestPartitionsGrow(t *testing.T) {
	var n atomic.Int64
	n.Store(2)
	b := newWireBroker(t, func(b *wireBroker) {
		b.metadata = func(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
			resp.Topics[0].Partitions = wirePartitions(int(n.Load()))
		}
	})
	p := caseProducer(t, []string{b.addr()}, oneByOne(), kring.MetadataMaxAge(20*time.Millisecond))
	syncAll(t, p, 1)
	waits := make(chan error, 1)
	go func() {
		_, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Partition: kring.On(63)})
		waits <- err
	}()
	for _, partitions := range []int64{4, 64} {
		n.Store(partitions)
		until(t, "a keyless record reaches a new partition", func() bool {
			d, err := p.ProduceSync(patient(t), kring.Record{Topic: "t"})
			if err != nil {
				t.Fatal(err)
			}
			return int64(d.Partition) >= partitions/2
		})
	}
	if err := <-waits; err != nil {
		t.Error(err)
	}
}

// TestMetadataLies is C13 and C14: brokers and partitions that can not be,
// leader epochs of the past, answers that leave out what was known. Records to
// what is known go on.
func TestMetadataLies(t *testing.T) {
	node := func(id int32, host string, port int32) kmsg.MetadataResponseBroker {
		x := kmsg.NewMetadataResponseBroker()
		x.NodeID, x.Host, x.Port = id, host, port
		return x
	}
	for name, lie := range map[string]func(resp *kmsg.MetadataResponse){
		"no brokers":   func(r *kmsg.MetadataResponse) { r.Brokers, r.Topics[0].Partitions = nil, nil },
		"no topic":     func(r *kmsg.MetadataResponse) { r.Topics = nil },
		"no partition": func(r *kmsg.MetadataResponse) { r.Topics[0].Partitions = nil },
		"unknown topic": func(r *kmsg.MetadataResponse) {
			r.Topics[0].ErrorCode, r.Topics[0].Partitions = int16(kring.UnknownTopicOrPartition), nil
		},
		"impossible brokers": func(r *kmsg.MetadataResponse) {
			r.Brokers = append(r.Brokers, node(-1, "127.0.0.1", 1), node(1, "10.0.0.1", 1), node(5, "", 1),
				node(6, "127.0.0.1", 0), node(7, "127.0.0.1", 70000), node(8, string(make([]byte, 1<<16-1)), 9))
		},
		"impossible partitions": func(r *kmsg.MetadataResponse) {
			list := r.Topics[0].Partitions
			for _, index := range []int32{-1, 0, 1 << 20, 1<<31 - 1} {
				x := list[0]
				x.Partition, x.Leader = index, 2
				list = append(list, x)
			}
			r.Topics[0].Partitions = list
		},
		"older epoch": func(r *kmsg.MetadataResponse) {
			r.Brokers = append(r.Brokers, node(2, "127.0.0.1", 1))
			for i := range r.Topics[0].Partitions {
				r.Topics[0].Partitions[i].Leader, r.Topics[0].Partitions[i].LeaderEpoch = 2, 0
			}
		},
		"another topic": func(r *kmsg.MetadataResponse) { r.Topics[0].Topic = kmsg.StringPtr("other") },
	} {
		t.Run(name, func(t *testing.T) {
			var lying atomic.Bool
			b := newWireBroker(t, func(b *wireBroker) {
				b.metadata = func(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
					if lying.Load() {
						lie(resp)
					}
				}
			})
			p := caseProducer(t, []string{b.addr()}, kring.MetadataMaxAge(5*time.Millisecond),
				kring.RequestTimeout(400*time.Millisecond), kring.DeliveryTimeout(time.Second))
			syncAll(t, p, 2)
			lying.Store(true)
			before := b.count(3)
			until(t, "the lie was told", func() bool { return b.count(3) > before+3 })
			syncAll(t, p, 5)
			if n := p.Stats().Brokers; n > 2 {
				t.Errorf("%d brokers known", n)
			}
			if seen := b.seen(); len(seen) != 7 || seen[6].sequence != 6 {
				t.Errorf("%d batches, the last with sequence %d: want 7 without a restart", len(seen), seen[len(seen)-1].sequence)
			}
		})
	}
}
