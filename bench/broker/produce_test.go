package broker

import (
	"fmt"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestProduceInEveryVersion(t *testing.T) {
	b := startTest(t, Config{Verify: VerifyCount})
	createTopic(t, b, "t", 4)
	c := dial(t, b, 1)
	for version := minProduceVersion; version <= maxProduceVersion; version++ {
		t.Run(fmt.Sprintf("v%d", version), func(t *testing.T) {
			round := int64(version - minProduceVersion)
			req := produceTo(b, version, "t", map[int32][]byte{
				0: batchOf{count: 3, value: "a"}.bytes(),
				2: batchOf{count: 1, value: "b"}.bytes(),
				9: batchOf{count: 1, value: "c"}.bytes(),
			})
			resp := c.roundTrip(req).(*kmsg.ProduceResponse)
			if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 3 {
				t.Fatalf("the answer is %+v, want one topic of three partitions", resp)
			}
			rt := resp.Topics[0]
			if version < topicIDProduce && rt.Topic != "t" || version >= topicIDProduce && rt.TopicID != req.Topics[0].TopicID {
				t.Errorf("the answer is for topic %q, id %x", rt.Topic, rt.TopicID)
			}
			want := map[int32]struct {
				code   int16
				offset int64
			}{0: {errNone, 3 * round}, 2: {errNone, round}, 9: {errUnknownTopicOrPartition, -1}}
			for _, p := range rt.Partitions {
				if w := want[p.Partition]; p.ErrorCode != w.code || p.BaseOffset != w.offset {
					t.Errorf("partition %d: code %d, offset %d; want %d, %d", p.Partition, p.ErrorCode, p.BaseOffset, w.code, w.offset)
				}
				if start := min(0, p.BaseOffset); version >= 5 && p.LogStartOffset != start {
					t.Errorf("partition %d: log start %d, want %d", p.Partition, p.LogStartOffset, start)
				}
				if p.LogAppendTime != -1 {
					t.Errorf("partition %d: log append time is %d, want -1", p.Partition, p.LogAppendTime)
				}
			}
		})
	}
	if s := b.Stats(); s.Produce != 11 || s.Batches != 22 || s.Records != 44 || s.Rejected != 11 {
		t.Errorf("the counters are %+v", s)
	}
}

func TestProduceSeveralTopics(t *testing.T) {
	b := startTest(t, Config{})
	createTopic(t, b, "one", 1)
	createTopic(t, b, "two", 1)
	c := dial(t, b, 1)
	batch := map[int32][]byte{0: batchOf{count: 2}.bytes()}
	for _, version := range []int16{3, 9, 13} {
		t.Run(fmt.Sprintf("v%d", version), func(t *testing.T) {
			req := produceTo(b, version, "one", batch)
			req.Topics = append(req.Topics, produceTo(b, version, "missing", batch).Topics...)
			req.Topics = append(req.Topics, produceTo(b, version, "two", batch).Topics...)
			resp := c.roundTrip(req).(*kmsg.ProduceResponse)
			missing := errUnknownTopicOrPartition
			if version >= topicIDProduce {
				missing = errUnknownTopicID
			}
			for i, want := range []int16{errNone, missing, errNone} {
				if got := resp.Topics[i].Partitions[0].ErrorCode; got != want {
					t.Errorf("topic %d: code %d, want %d", i, got, want)
				}
			}
		})
	}
}

func TestProduceToAnotherLeader(t *testing.T) {
	b := startTest(t, Config{Brokers: 3})
	createTopic(t, b, "t", 3)
	if err := b.SetLeader("t", 0, 3); err != nil {
		t.Fatal(err)
	}
	c := dial(t, b, 1)
	for version := minProduceVersion; version <= maxProduceVersion; version++ {
		t.Run(fmt.Sprintf("v%d", version), func(t *testing.T) {
			resp := c.roundTrip(produceTo(b, version, "t", map[int32][]byte{0: batchOf{count: 1}.bytes()})).(*kmsg.ProduceResponse)
			p := resp.Topics[0].Partitions[0]
			if p.ErrorCode != errNotLeaderOrFollower {
				t.Errorf("code %d, want %d", p.ErrorCode, errNotLeaderOrFollower)
			}
			if version < leaderHintProduce {
				return
			}
			if p.CurrentLeader.LeaderID != 3 || p.CurrentLeader.LeaderEpoch != 1 {
				t.Errorf("the leader is told as %+v, want node 3, epoch 1", p.CurrentLeader)
			}
			if len(resp.Brokers) != 1 || resp.Brokers[0].NodeID != 3 {
				t.Fatalf("the endpoints are %+v, want node 3", resp.Brokers)
			}
			if got := fmt.Sprintf("%s:%d", resp.Brokers[0].Host, resp.Brokers[0].Port); got != b.Addrs()[2] {
				t.Errorf("node 3 is told to be at %s, want %s", got, b.Addrs()[2])
			}
		})
	}
	t.Run("no leader", func(t *testing.T) {
		if err := b.SetLeader("t", 0, -1); err != nil {
			t.Fatal(err)
		}
		resp := c.roundTrip(produceTo(b, 12, "t", map[int32][]byte{0: batchOf{count: 1}.bytes()})).(*kmsg.ProduceResponse)
		if p := resp.Topics[0].Partitions[0]; p.ErrorCode != errNotLeaderOrFollower || p.CurrentLeader.LeaderID != -1 || len(resp.Brokers) != 0 {
			t.Errorf("the answer is %+v", resp)
		}
	})
}

func TestProduceIdempotent(t *testing.T) {
	b := startTest(t, Config{})
	createTopic(t, b, "t", 1)
	c := dial(t, b, 1)
	steps := []struct {
		name   string
		batch  batchOf
		code   int16
		offset int64
	}{
		{"first", batchOf{count: 3, producer: 5}, errNone, 0},
		{"second", batchOf{count: 2, producer: 5, sequence: 3}, errNone, 3},
		{"first again", batchOf{count: 3, producer: 5}, errNone, 0},
		{"gap", batchOf{count: 1, producer: 5, sequence: 6}, errOutOfOrderSequence, -1},
		{"another producer", batchOf{count: 1, producer: 6, sequence: 9}, errNone, 5},
		{"third", batchOf{count: 1, producer: 5, sequence: 5}, errNone, 6},
		{"new epoch in the middle", batchOf{count: 1, producer: 5, epoch: 1, sequence: 6}, errOutOfOrderSequence, -1},
		{"new epoch", batchOf{count: 1, producer: 5, epoch: 1}, errNone, 7},
		{"old epoch", batchOf{count: 1, producer: 5, sequence: 6}, errInvalidProducerEpoch, -1},
		{"no producer", batchOf{count: 1}, errNone, 8},
	}
	for _, st := range steps {
		t.Run(st.name, func(t *testing.T) {
			p := c.produceOne(b, "t", st.batch.bytes())
			if p.ErrorCode != st.code || p.BaseOffset != st.offset {
				t.Errorf("code %d, offset %d; want %d, %d", p.ErrorCode, p.BaseOffset, st.code, st.offset)
			}
		})
	}
	if s := b.Stats(); s.DuplicateBatches != 1 || s.SequenceErrors != 2 || s.EpochErrors != 1 || s.Batches != 6 {
		t.Errorf("the counters are %+v", s)
	}
}

func TestProducePartitionTwice(t *testing.T) {
	b := startTest(t, Config{})
	createTopic(t, b, "t", 1)
	c := dial(t, b, 1)
	for range 2 { // the second request is a request of its own
		req := produceTo(b, 12, "t", map[int32][]byte{0: batchOf{count: 1}.bytes()})
		req.Topics[0].Partitions = append(req.Topics[0].Partitions, req.Topics[0].Partitions[0])
		parts := c.roundTrip(req).(*kmsg.ProduceResponse).Topics[0].Partitions
		if parts[0].ErrorCode != errNone || parts[1].ErrorCode != errInvalidRequest {
			t.Errorf("the codes are %d and %d, want %d and %d", parts[0].ErrorCode, parts[1].ErrorCode, errNone, errInvalidRequest)
		}
	}
}

func TestProduceAcks(t *testing.T) {
	b := startTest(t, Config{})
	createTopic(t, b, "t", 1)
	good := map[int32][]byte{0: batchOf{count: 1}.bytes()}

	t.Run("none is not answered", func(t *testing.T) {
		c := dial(t, b, 1)
		quiet := produceTo(b, 12, "t", good)
		quiet.Acks = 0
		c.send(quiet)
		loud := produceTo(b, 12, "t", good)
		resp := c.roundTrip(loud).(*kmsg.ProduceResponse) // checks the correlation id
		if got := resp.Topics[0].Partitions[0].BaseOffset; got != 1 {
			t.Errorf("the second batch has offset %d, want 1", got)
		}
	})
	t.Run("none and an error ends the connection", func(t *testing.T) {
		c := dial(t, b, 1)
		req := produceTo(b, 12, "t", map[int32][]byte{7: good[0]})
		req.Acks = 0
		c.send(req)
		c.closed()
	})
	t.Run("two is refused", func(t *testing.T) {
		c := dial(t, b, 1)
		req := produceTo(b, 12, "t", good)
		req.Acks = 2
		resp := c.roundTrip(req).(*kmsg.ProduceResponse)
		if got := resp.Topics[0].Partitions[0].ErrorCode; got != errInvalidRequiredAcks {
			t.Errorf("code %d, want %d", got, errInvalidRequiredAcks)
		}
	})
}

func TestProduceVersionCap(t *testing.T) {
	b := startTest(t, Config{MaxProduceVersion: 8})
	createTopic(t, b, "t", 1)
	for _, tc := range []struct {
		version int16
		ok      bool
	}{{2, false}, {3, true}, {8, true}, {9, false}} {
		t.Run(fmt.Sprintf("v%d", tc.version), func(t *testing.T) {
			c := dial(t, b, 1)
			req := produceTo(b, tc.version, "t", map[int32][]byte{0: batchOf{count: 1}.bytes()})
			if !tc.ok {
				c.send(req)
				c.closed()
				return
			}
			if got := c.roundTrip(req).(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode; got != errNone {
				t.Errorf("code %d, want none", got)
			}
		})
	}
}

// TestProduceTogether has connections write to the same partitions at once:
// every offset is given out exactly once.
func TestProduceTogether(t *testing.T) {
	const conns, rounds, partitions, count = 6, 50, 3, 4
	b := startTest(t, Config{Verify: VerifyFull})
	createTopic(t, b, "t", partitions)
	offsets := make([]map[int64]bool, partitions)
	for i := range offsets {
		offsets[i] = map[int64]bool{}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range conns {
		c := dial(t, b, 1)
		wg.Go(func() {
			for i := range rounds {
				index := int32(i % partitions)
				req := produceTo(b, 13, "t", map[int32][]byte{index: batchOf{count: count}.bytes()})
				c.nc.Write(c.formatter.AppendRequest(nil, req, int32(i)))
				_, body, err := c.frame()
				resp := kmsg.NewPtrProduceResponse()
				resp.Version = 13
				if err != nil || resp.ReadFrom(body[1:]) != nil {
					t.Errorf("no good answer: %v", err)
					return
				}
				mu.Lock()
				offsets[index][resp.Topics[0].Partitions[0].BaseOffset] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for i := range offsets {
		log, err := b.Log("t", int32(i))
		if err != nil {
			t.Fatal(err)
		}
		for offset := int64(0); offset < log.End; offset += count {
			if !offsets[i][offset] {
				t.Errorf("partition %d: nobody was told offset %d", i, offset)
			}
		}
		if got, want := int64(len(offsets[i]))*count, log.End; got != want {
			t.Errorf("partition %d: %d records were acknowledged, the log has %d", i, got, want)
		}
	}
}
