package broker

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func fetchFrom(version int16, offset int64) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MaxBytes, req.MaxWaitMillis, req.MinBytes = version, 1<<20, 0, 1
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic = "t"
	rp := kmsg.NewFetchRequestTopicPartition()
	rp.FetchOffset, rp.PartitionMaxBytes = offset, 1<<20
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	return req
}

// fill produces batches of two records to partition 0.
func fill(t *testing.T, b *Broker, batches int) (size int) {
	t.Helper()
	createTopic(t, b, "t", 1)
	c := dial(t, b, 1)
	for i := range batches {
		batch := batchOf{count: 2, change: func(b *kmsg.RecordBatch) { b.MaxTimestamp = int64(1000 * (i + 1)) }}.bytes()
		size = len(batch)
		c.produceOne(b, "t", batch)
	}
	return size
}

func TestFetchInEveryVersion(t *testing.T) {
	b := startTest(t, Config{Keep: 1 << 20})
	size := fill(t, b, 4)
	c := dial(t, b, 1)
	for version := int16(4); version <= 12; version++ {
		t.Run(fmt.Sprintf("v%d", version), func(t *testing.T) {
			tests := []struct {
				name    string
				offset  int64
				code    int16
				batches int
			}{
				{"all", 0, errNone, 4},
				{"inside a batch", 3, errNone, 3},
				{"the last", 6, errNone, 1},
				{"the end", 8, errNone, 0},
				{"beyond the end", 9, errOffsetOutOfRange, 0},
				{"before the start", -1, errOffsetOutOfRange, 0},
			}
			for _, tc := range tests {
				resp := c.roundTrip(fetchFrom(version, tc.offset)).(*kmsg.FetchResponse)
				p := resp.Topics[0].Partitions[0]
				if p.ErrorCode != tc.code || len(p.RecordBatches) != tc.batches*size || p.HighWatermark != 8 {
					t.Errorf("%s: code %d, %d bytes, end %d; want %d, %d, 8", tc.name, p.ErrorCode, len(p.RecordBatches), p.HighWatermark, tc.code, tc.batches*size)
				}
			}
		})
	}
}

func TestFetchLimits(t *testing.T) {
	b := startTest(t, Config{Keep: 1 << 20})
	size := fill(t, b, 4)
	c := dial(t, b, 1)
	tests := []struct {
		name      string
		request   int32
		partition int32
		batches   int
	}{
		{"enough", 1 << 20, 1 << 20, 4},
		{"request", int32(2*size) + 1, 1 << 20, 2},
		{"partition", 1 << 20, int32(3 * size), 3},
		{"less than a batch", 1, 1, 1},
		{"negative", -5, -5, 1},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			req := fetchFrom(11, 0)
			req.MaxBytes, req.Topics[0].Partitions[0].PartitionMaxBytes = tc.request, tc.partition
			p := c.roundTrip(req).(*kmsg.FetchResponse).Topics[0].Partitions[0]
			if len(p.RecordBatches) != tc.batches*size {
				t.Errorf("%d bytes, want %d batches of %d", len(p.RecordBatches), tc.batches, size)
			}
		})
	}
	t.Run("unknown partition", func(t *testing.T) {
		req := fetchFrom(11, 0)
		req.Topics[0].Partitions[0].Partition = 5
		if got := c.roundTrip(req).(*kmsg.FetchResponse).Topics[0].Partitions[0].ErrorCode; got != errUnknownTopicOrPartition {
			t.Errorf("code %d, want %d", got, errUnknownTopicOrPartition)
		}
	})
	t.Run("session", func(t *testing.T) {
		req := fetchFrom(11, 0)
		req.SessionID = 3
		if got := c.roundTrip(req).(*kmsg.FetchResponse).ErrorCode; got != errFetchSessionNotFound {
			t.Errorf("code %d, want %d", got, errFetchSessionNotFound)
		}
	})
	t.Run("not the leader", func(t *testing.T) {
		if err := b.SetLeader("t", 0, -1); err != nil {
			t.Fatal(err)
		}
		if got := c.roundTrip(fetchFrom(11, 0)).(*kmsg.FetchResponse).Topics[0].Partitions[0].ErrorCode; got != errNotLeaderOrFollower {
			t.Errorf("code %d, want %d", got, errNotLeaderOrFollower)
		}
	})
}

func TestFetchWaits(t *testing.T) {
	b := startTest(t, Config{Keep: 1 << 20})
	size := fill(t, b, 1)
	t.Run("for records", func(t *testing.T) {
		c := dial(t, b, 1)
		req := fetchFrom(12, 2)
		req.MaxWaitMillis = int32(patience / time.Millisecond)
		id := c.send(req)
		eventually(t, "the wait", func() bool { return b.appends.waiting.Load() == 1 })
		dial(t, b, 1).produceOne(b, "t", batchOf{count: 2}.bytes())
		if got := len(c.receive(req, id).(*kmsg.FetchResponse).Topics[0].Partitions[0].RecordBatches); got != size {
			t.Errorf("%d bytes, want %d", got, size)
		}
	})
	t.Run("in vain", func(t *testing.T) {
		c := dial(t, b, 1)
		req := fetchFrom(12, 4)
		req.MaxWaitMillis = 1
		if got := len(c.roundTrip(req).(*kmsg.FetchResponse).Topics[0].Partitions[0].RecordBatches); got != 0 {
			t.Errorf("%d bytes, want none", got)
		}
	})
	t.Run("until Close", func(t *testing.T) {
		req := fetchFrom(12, 4)
		req.MaxWaitMillis = 1 << 30
		dial(t, b, 1).send(req)
		eventually(t, "the wait", func() bool { return b.appends.waiting.Load() == 1 })
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if got := b.appends.waiting.Load(); got != 0 {
			t.Errorf("%d requests still wait", got)
		}
	})
}

func TestNothingKeptIsEmpty(t *testing.T) {
	b := startTest(t, Config{})
	fill(t, b, 3)
	c := dial(t, b, 1)
	p := c.roundTrip(fetchFrom(12, 6)).(*kmsg.FetchResponse).Topics[0].Partitions[0]
	if p.ErrorCode != errNone || len(p.RecordBatches) != 0 || p.LogStartOffset != 6 || p.HighWatermark != 6 {
		t.Errorf("the answer is %+v, want an empty log at 6", p)
	}
	if log, err := b.Log("t", 0); err != nil || log.Start != 6 || log.End != 6 {
		t.Errorf("the log is %+v, error %v", log, err)
	}
}

func TestListOffsets(t *testing.T) {
	b := startTest(t, Config{Keep: 1 << 20})
	fill(t, b, 4) // newest timestamps 1000, 2000, 3000, 4000
	c := dial(t, b, 1)
	tests := []struct {
		name      string
		timestamp int64
		want      int64
	}{
		{"end", -1, 8},
		{"start", -2, 0},
		{"newest", -3, 6},
		{"before all", 5, 0},
		{"between", 1001, 2},
		{"exact", 3000, 4},
		{"after all", 4001, -1},
	}
	for version := int16(1); version <= 7; version++ {
		for _, tc := range tests {
			t.Run(fmt.Sprintf("v%d %s", version, tc.name), func(t *testing.T) {
				req := kmsg.NewPtrListOffsetsRequest()
				req.Version, req.ReplicaID = version, -1
				rt := kmsg.NewListOffsetsRequestTopic()
				rt.Topic = "t"
				for _, index := range []int32{0, 3} {
					rp := kmsg.NewListOffsetsRequestTopicPartition()
					rp.Partition, rp.Timestamp = index, tc.timestamp
					rt.Partitions = append(rt.Partitions, rp)
				}
				req.Topics = append(req.Topics, rt)
				parts := c.roundTrip(req).(*kmsg.ListOffsetsResponse).Topics[0].Partitions
				if parts[0].ErrorCode != errNone || parts[0].Offset != tc.want {
					t.Errorf("code %d, offset %d; want %d", parts[0].ErrorCode, parts[0].Offset, tc.want)
				}
				if parts[1].ErrorCode != errUnknownTopicOrPartition {
					t.Errorf("a missing partition: code %d", parts[1].ErrorCode)
				}
			})
		}
	}
}
