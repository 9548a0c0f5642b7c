package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// always is a hook that does the same to every request.
func always(a Action) Hook { return func(*ProduceInfo) Action { return a } }

func TestHookIsTold(t *testing.T) {
	var got *ProduceInfo
	b := startTest(t, Config{Brokers: 2, Hook: func(info *ProduceInfo) Action { got = info; return Action{} }})
	createTopic(t, b, "t", 4)
	c := dial(t, b, 2)
	for request, version := range []int16{3, 9, 13} {
		id := c.sent
		c.roundTrip(produceTo(b, version, "t", map[int32][]byte{1: batchOf{count: 3, producer: 8, epoch: 2, sequence: int32(3 * request)}.bytes()}))
		if got.Node != 2 || got.Conn != 1 || got.Request != uint64(request+1) || got.Version != version ||
			got.Correlation != id || got.ClientID != "tester" || got.Acks != -1 || len(got.Partitions) != 1 {
			t.Fatalf("v%d: the hook was told %+v", version, got)
		}
		p := got.Partitions[0]
		p.Records = nil
		if want := (PartitionInfo{Topic: "t", Partition: 1, Count: 3, ProducerID: 8, ProducerEpoch: 2, BaseSequence: int32(3 * request)}); !equalInfo(p, want) {
			t.Errorf("v%d: the hook was told %+v, want %+v", version, p, want)
		}
	}
}

func equalInfo(a, b PartitionInfo) bool {
	return a.Topic == b.Topic && a.Partition == b.Partition && a.Count == b.Count &&
		a.ProducerID == b.ProducerID && a.ProducerEpoch == b.ProducerEpoch && a.BaseSequence == b.BaseSequence
}

func TestHookErrors(t *testing.T) {
	tests := []struct {
		name     string
		errs     []PartitionError
		append   bool
		want     [2]int16 // of partitions 0 and 1
		appended int64
	}{
		{"none", nil, false, [2]int16{0, 0}, 2},
		{"one partition", []PartitionError{{Topic: "t", Partition: 1, Code: 7}}, false, [2]int16{0, 7}, 1},
		{"another topic", []PartitionError{{Topic: "u", Partition: 1, Code: 7}}, false, [2]int16{0, 0}, 2},
		{"all", []PartitionError{{Partition: AllPartitions, Code: 19}}, false, [2]int16{19, 19}, 0},
		{"the first that fits", []PartitionError{{Partition: 0, Code: 1}, {Partition: AllPartitions, Code: 2}}, false, [2]int16{1, 2}, 0},
		{"appended all the same", []PartitionError{{Partition: AllPartitions, Code: 20}}, true, [2]int16{20, 20}, 2},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			b := startTest(t, Config{Hook: always(Action{Errors: tc.errs, AppendAnyway: tc.append})})
			createTopic(t, b, "t", 2)
			batch := batchOf{count: 1}.bytes()
			resp := dial(t, b, 1).roundTrip(produceTo(b, 13, "t", map[int32][]byte{0: batch, 1: batch})).(*kmsg.ProduceResponse)
			for _, p := range resp.Topics[0].Partitions {
				if p.ErrorCode != tc.want[p.Partition] {
					t.Errorf("partition %d: code %d, want %d", p.Partition, p.ErrorCode, tc.want[p.Partition])
				}
				if p.ErrorCode != 0 && p.BaseOffset != -1 {
					t.Errorf("partition %d: offset %d beside an error", p.Partition, p.BaseOffset)
				}
			}
			if got := b.Stats().Batches; got != tc.appended {
				t.Errorf("%d batches were appended, want %d", got, tc.appended)
			}
		})
	}
}

func TestHookErrorDetails(t *testing.T) {
	b := startTest(t, Config{Brokers: 2, Hook: always(Action{ThrottleMs: 77, Errors: []PartitionError{{
		Partition: AllPartitions, Code: errNotLeaderOrFollower, Message: "moved",
		Records: []RecordError{{Index: 2, Message: "bad"}, {Index: 3}},
		Hint:    &Leader{Node: 2, Epoch: 9},
	}}})})
	createTopic(t, b, "t", 1)
	c := dial(t, b, 1)
	for version := minProduceVersion; version <= maxProduceVersion; version++ {
		resp := c.roundTrip(produceTo(b, version, "t", map[int32][]byte{0: batchOf{count: 1}.bytes()})).(*kmsg.ProduceResponse)
		p := resp.Topics[0].Partitions[0]
		if p.ErrorCode != errNotLeaderOrFollower || resp.ThrottleMillis != 77 {
			t.Errorf("v%d: code %d, throttle %d", version, p.ErrorCode, resp.ThrottleMillis)
		}
		if version >= 8 {
			r := p.ErrorRecords
			if p.ErrorMessage == nil || *p.ErrorMessage != "moved" || len(r) != 2 ||
				r[0].RelativeOffset != 2 || *r[0].ErrorMessage != "bad" || r[1].ErrorMessage != nil {
				t.Errorf("v%d: the answer is %+v", version, p)
			}
		}
		if version >= leaderHintProduce && (p.CurrentLeader.LeaderID != 2 || p.CurrentLeader.LeaderEpoch != 9 || len(resp.Brokers) != 1) {
			t.Errorf("v%d: the hint is %+v at %+v", version, p.CurrentLeader, resp.Brokers)
		}
	}
}

func TestHookDrops(t *testing.T) {
	tests := []struct {
		name     string
		action   Action
		bytes    int
		appended int64
	}{
		{"before", Action{DropBefore: true}, 0, 0},
		{"before by reset", Action{DropBefore: true, Reset: true}, 0, 0},
		{"after, no answer", Action{DropAfter: true}, 0, 1},
		{"after, part of the answer", Action{DropAfter: true, AnswerBytes: 7}, 7, 1},
		{"after, the whole answer", Action{DropAfter: true, AnswerBytes: 1 << 20}, 66, 1},
		{"after by reset", Action{DropAfter: true, Reset: true}, 0, 1},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			b := startTest(t, Config{Hook: always(tc.action)})
			createTopic(t, b, "t", 1)
			c := dial(t, b, 1)
			c.send(produceTo(b, 13, "t", map[int32][]byte{0: batchOf{count: 1}.bytes()}))
			_ = c.nc.SetReadDeadline(time.Now().Add(patience))
			got, err := io.ReadAll(c.nc)
			if reset := errors.Is(err, syscall.ECONNRESET); reset != tc.action.Reset || (err != nil && !reset) {
				t.Errorf("the connection ended with %v", err)
			}
			if len(got) != tc.bytes {
				t.Errorf("%d bytes were answered, want %d", len(got), tc.bytes)
			}
			if got := b.Stats().Batches; got != tc.appended {
				t.Errorf("%d batches were appended, want %d", got, tc.appended)
			}
		})
	}
}

func TestHookStalls(t *testing.T) {
	for _, after := range []bool{false, true} {
		name := "before applying"
		if after {
			name = "after applying"
		}
		t.Run(name, func(t *testing.T) {
			release, called := make(chan struct{}), make(chan struct{}, 1)
			action := Action{Stall: release, Wait: time.Millisecond}
			if after {
				action = Action{StallAnswer: release, WaitAnswer: time.Millisecond}
			}
			b := startTest(t, Config{Hook: func(*ProduceInfo) Action { called <- struct{}{}; return action }})
			createTopic(t, b, "t", 1)
			c := dial(t, b, 1)
			req := produceTo(b, 13, "t", map[int32][]byte{0: batchOf{count: 1}.bytes()})
			id := c.send(req)
			<-called
			if after {
				eventually(t, "the append", func() bool { return b.Stats().Batches == 1 })
			} else if got := b.Stats().Batches; got != 0 {
				t.Errorf("%d batches were appended before the release", got)
			}
			close(release)
			c.receive(req, id)
		})
	}
	t.Run("Close releases", func(t *testing.T) {
		called := make(chan struct{}, 1)
		b := startTest(t, Config{Hook: func(*ProduceInfo) Action {
			called <- struct{}{}
			return Action{Stall: make(chan struct{})}
		}})
		createTopic(t, b, "t", 1)
		c := dial(t, b, 1)
		c.send(produceTo(b, 13, "t", map[int32][]byte{0: batchOf{count: 1}.bytes()}))
		<-called
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if got := b.Stats().Batches; got != 0 {
			t.Errorf("%d batches were appended", got)
		}
	})
}

func TestHookLies(t *testing.T) {
	b := startTest(t, Config{})
	createTopic(t, b, "t", 1)
	c := dial(t, b, 1)
	req := produceTo(b, 13, "t", map[int32][]byte{0: batchOf{count: 1}.bytes()})

	b.SetHook(always(Action{CorrelationDelta: 5}))
	id := c.send(req)
	if got, _, err := c.frame(); err != nil || got != id+5 {
		t.Errorf("correlation id %d, error %v; want %d", got, err, id+5)
	}
	b.SetHook(always(Action{Rewrite: func(frame []byte) []byte {
		if int(binary.BigEndian.Uint32(frame)) != len(frame)-4 {
			t.Errorf("the frame says %d bytes and has %d", binary.BigEndian.Uint32(frame), len(frame)-4)
		}
		return []byte("\x00\x00\x00\x06liedto")
	}}))
	c.send(req)
	if _, body, err := c.frame(); err != nil || !bytes.Equal(body, []byte("to")) {
		t.Errorf("the answer is %q, error %v", body, err)
	}
	b.SetHook(always(Action{Rewrite: func([]byte) []byte { return nil }}))
	c.send(req)
	eventually(t, "the third append", func() bool { return b.Stats().Batches == 3 })
	b.SetHook(nil)
	if got := c.roundTrip(req).(*kmsg.ProduceResponse).Topics[0].Partitions[0].BaseOffset; got != 3 {
		t.Errorf("offset %d, want 3", got)
	}
}

func TestHookWithoutAcks(t *testing.T) {
	for _, tc := range []struct {
		name   string
		action Action
	}{
		{"error", Action{Errors: []PartitionError{{Partition: AllPartitions, Code: 7}}}},
		{"drop", Action{DropAfter: true, AnswerBytes: 100}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := startTest(t, Config{Hook: always(tc.action)})
			createTopic(t, b, "t", 1)
			c := dial(t, b, 1)
			req := produceTo(b, 13, "t", map[int32][]byte{0: batchOf{count: 1}.bytes()})
			req.Acks = 0
			c.send(req)
			c.closed()
		})
	}
}
