package wire

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func ptr(s string) *string { return &s }

type responseCase struct {
	name string
	resp kmsg.ProduceResponse
}

// responses are what honest brokers send, in kmsg's terms.
func responses() []responseCase {
	topic := func(name string, partitions ...kmsg.ProduceResponseTopicPartition) kmsg.ProduceResponseTopic {
		return kmsg.ProduceResponseTopic{Topic: name, TopicID: [16]byte{1, 2, byte(len(name))}, Partitions: partitions}
	}
	partition := func(change func(p *kmsg.ProduceResponseTopicPartition)) kmsg.ProduceResponseTopicPartition {
		p := kmsg.NewProduceResponseTopicPartition()
		p.Partition, p.BaseOffset, p.LogStartOffset = 3, 1<<40, 17
		if change != nil {
			change(&p)
		}
		return p
	}
	all := []responseCase{
		{"nothing", kmsg.ProduceResponse{}},
		{"success", kmsg.ProduceResponse{ThrottleMillis: 42, Topics: []kmsg.ProduceResponseTopic{
			topic("topic", partition(nil)),
		}}},
		{"empty topic", kmsg.ProduceResponse{ThrottleMillis: -1, Topics: []kmsg.ProduceResponseTopic{
			topic(""), topic("second", partition(nil)),
		}}},
		{"record errors", kmsg.ProduceResponse{Topics: []kmsg.ProduceResponseTopic{
			topic(
				"topic",
				partition(func(p *kmsg.ProduceResponseTopicPartition) {
					p.ErrorCode, p.BaseOffset, p.LogAppendTime = 87, -1, 1_700_000_000_000
					p.ErrorMessage = ptr("one or more records have been rejected")
					p.ErrorRecords = []kmsg.ProduceResponseTopicPartitionErrorRecord{
						{RelativeOffset: 4}, {RelativeOffset: 5, ErrorMessage: ptr("")}, {RelativeOffset: -6, ErrorMessage: ptr("bad key")},
					}
				}),
				partition(func(p *kmsg.ProduceResponseTopicPartition) {
					p.ErrorMessage = ptr("")
					p.ErrorRecords = []kmsg.ProduceResponseTopicPartitionErrorRecord{{RelativeOffset: 1}}
				}),
			),
		}}},
		{"moved leader", kmsg.ProduceResponse{
			Topics: []kmsg.ProduceResponseTopic{
				topic("topic", partition(func(p *kmsg.ProduceResponseTopicPartition) {
					p.ErrorCode = 6
					p.CurrentLeader.LeaderID, p.CurrentLeader.LeaderEpoch = 2, 9
				}), partition(nil)),
			},
			Brokers: []kmsg.ProduceResponseBroker{
				{NodeID: 2, Host: "broker-2.example", Port: 9092, Rack: ptr("a")},
				{NodeID: 3, Host: "", Port: -1},
			},
		}},
		{"unknown tags", kmsg.ProduceResponse{
			UnknownTags: tagged(2, 9, 1<<32-1),
			Topics: []kmsg.ProduceResponseTopic{{
				Topic: "topic", UnknownTags: tagged(0, 1),
				Partitions: []kmsg.ProduceResponseTopicPartition{partition(func(p *kmsg.ProduceResponseTopicPartition) {
					p.UnknownTags = tagged(1, 200)
					p.CurrentLeader = kmsg.ProduceResponseTopicPartitionCurrentLeader{LeaderID: 1, LeaderEpoch: 2, UnknownTags: tagged(7)}
					p.ErrorRecords = []kmsg.ProduceResponseTopicPartitionErrorRecord{{RelativeOffset: 1, UnknownTags: tagged(3)}}
				})},
			}},
			Brokers: []kmsg.ProduceResponseBroker{{NodeID: 1, Host: "h", Port: 1, UnknownTags: tagged(5)}},
		}},
	}
	many := kmsg.ProduceResponse{}
	for i := range 20 {
		t := topic(fmt.Sprint("topic-", i))
		for range 20 {
			t.Partitions = append(t.Partitions, partition(nil))
		}
		many.Topics = append(many.Topics, t)
	}
	return append(all, responseCase{"400 partitions", many})
}

func tagged(tags ...uint32) (t kmsg.Tags) {
	for _, tag := range tags {
		t.Set(tag, fill(int(tag%50)))
	}
	return t
}

// eachResponse runs f for every response in every version, with its bytes.
func eachResponse(t *testing.T, f func(t *testing.T, version int16, resp *kmsg.ProduceResponse, body []byte)) {
	t.Helper()
	for _, tc := range responses() {
		for version := int16(MinProduceVersion); version <= MaxProduceVersion; version++ {
			t.Run(fmt.Sprintf("%s/v%d", tc.name, version), func(t *testing.T) {
				resp := tc.resp
				resp.Version = version
				f(t, version, &resp, resp.AppendTo(nil))
			})
		}
	}
}

func TestProduceResponseMatchesKmsg(t *testing.T) {
	var got ProduceResponse // One for all: it must forget the response before.
	eachResponse(t, func(t *testing.T, version int16, _ *kmsg.ProduceResponse, body []byte) {
		if err := got.Decode(version, body); err != nil {
			t.Fatal(err)
		}
		want := kmsg.NewPtrProduceResponse()
		want.Version = version
		if err := want.ReadFrom(body); err != nil {
			t.Fatal(err)
		}
		compareResponse(t, &got, want)
	})
}

// compareResponse compares everything that kmsg has read with what we have.
func compareResponse(t testing.TB, got *ProduceResponse, want *kmsg.ProduceResponse) {
	t.Helper()
	if got.ThrottleMs != want.ThrottleMillis {
		t.Errorf("throttle %d, want %d", got.ThrottleMs, want.ThrottleMillis)
	}
	i, recordErrors := 0, 0
	for _, topic := range want.Topics {
		for _, p := range topic.Partitions {
			if i == len(got.Partitions) {
				t.Fatalf("%d partitions, want more", i)
			}
			g := &got.Partitions[i]
			i++
			if string(g.Topic) != topic.Topic || (g.Topic == nil) != (want.Version >= 13) || g.TopicID != topic.TopicID {
				t.Errorf("result %d: topic %q %x, want %q %x", i, g.Topic, g.TopicID, topic.Topic, topic.TopicID)
			}
			comparePartition(t, g, &p)
			if g.FirstRecordError != recordErrors || g.RecordErrorCount != len(p.ErrorRecords) {
				t.Fatalf("result %d: record errors %d + %d, want %d + %d",
					i, g.FirstRecordError, g.RecordErrorCount, recordErrors, len(p.ErrorRecords))
			}
			for j, e := range got.RecordErrors[g.FirstRecordError:][:g.RecordErrorCount] {
				w := p.ErrorRecords[j]
				if e.BatchIndex != w.RelativeOffset || !equalString(e.Message, w.ErrorMessage) {
					t.Errorf("result %d: record error %d %q, want %d", i, e.BatchIndex, e.Message, w.RelativeOffset)
				}
			}
			recordErrors += len(p.ErrorRecords)
		}
	}
	if i != len(got.Partitions) || recordErrors != len(got.RecordErrors) || len(got.Nodes) != len(want.Brokers) {
		t.Fatalf("%d partitions, %d record errors, %d nodes, want %d, %d, %d",
			len(got.Partitions), len(got.RecordErrors), len(got.Nodes), i, recordErrors, len(want.Brokers))
	}
	for i, n := range got.Nodes {
		w := want.Brokers[i]
		if n.ID != w.NodeID || string(n.Host) != w.Host || n.Port != w.Port || !equalString(n.Rack, w.Rack) {
			t.Errorf("node %+v, want %+v", n, w)
		}
	}
}

func comparePartition(t testing.TB, g *PartitionResult, w *kmsg.ProduceResponseTopicPartition) {
	t.Helper()
	if g.Partition != w.Partition || g.ErrorCode != w.ErrorCode || g.BaseOffset != w.BaseOffset ||
		g.LogAppendTime != w.LogAppendTime || g.LogStartOffset != w.LogStartOffset ||
		g.LeaderID != w.CurrentLeader.LeaderID || g.LeaderEpoch != w.CurrentLeader.LeaderEpoch {
		t.Errorf("partition %+v, want %+v", g, w)
	}
	if !equalString(g.ErrorMessage, w.ErrorMessage) {
		t.Errorf("partition %d: error message %q", g.Partition, g.ErrorMessage)
	}
}

func equalString(got []byte, want *string) bool {
	if want == nil {
		return got == nil
	}
	return got != nil && string(got) == *want
}

// empty reports whether nothing is left of a response.
func (r *ProduceResponse) empty() bool {
	return r.ThrottleMs == 0 && len(r.Partitions)+len(r.RecordErrors)+len(r.Nodes) == 0
}

func TestProduceResponseTruncated(t *testing.T) {
	var r ProduceResponse
	eachResponse(t, func(t *testing.T, version int16, _ *kmsg.ProduceResponse, body []byte) {
		// Every byte of all but the largest one, which repeats itself.
		step := 1 + len(body)/1000
		for i := 0; i < len(body); i += step {
			if err := r.Decode(version, body[:i:i]); !errors.Is(err, ErrMalformed) || !r.empty() {
				t.Fatalf("%d of %d bytes: %v, want ErrMalformed and no partial state: %+v", i, len(body), err, r)
			}
		}
	})
}

func TestProduceResponseTrailingBytes(t *testing.T) {
	var r ProduceResponse
	eachResponse(t, func(t *testing.T, version int16, _ *kmsg.ProduceResponse, body []byte) {
		if err := r.Decode(version, append(bytes.Clone(body), 0)); !errors.Is(err, ErrMalformed) || !r.empty() {
			t.Fatalf("%v, want ErrMalformed and no partial state: %+v", err, r)
		}
		if err := r.Decode(version, body); err != nil {
			t.Fatalf("the next response: %v", err)
		}
	})
}
