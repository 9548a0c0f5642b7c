package wire

import (
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestProduceResponseRandom reads responses of any shape that the format
// allows, in all versions.
func TestProduceResponseRandom(t *testing.T) {
	g := generator{newRand(t)}
	rounds := 5000
	if testing.Short() {
		rounds = 200
	}
	var got ProduceResponse
	for range rounds {
		want := g.response()
		for version := int16(MinProduceVersion); version <= MaxProduceVersion; version++ {
			want.Version = version
			body := want.AppendTo(nil)
			if err := got.Decode(version, body); err != nil {
				t.Fatalf("v%d, %x: %v", version, body, err)
			}
			// What an old version does not carry, kmsg has to forget first.
			read := kmsg.NewPtrProduceResponse()
			read.Version = version
			if err := read.ReadFrom(body); err != nil {
				t.Fatalf("v%d, %x: kmsg: %v", version, body, err)
			}
			if compareResponse(t, &got, read); t.Failed() {
				t.Fatalf("v%d, %x", version, body)
			}
		}
	}
}

// generator makes random responses.
type generator struct{ *rand.Rand }

func (g generator) response() *kmsg.ProduceResponse {
	r := &kmsg.ProduceResponse{ThrottleMillis: int32(g.Uint32()), UnknownTags: g.tags()}
	for range g.size() {
		topic := kmsg.ProduceResponseTopic{Topic: string(fill(g.size())), UnknownTags: g.tags()}
		for i := range topic.TopicID {
			topic.TopicID[i] = byte(g.Uint32())
		}
		for range g.size() {
			topic.Partitions = append(topic.Partitions, g.partition())
		}
		r.Topics = append(r.Topics, topic)
	}
	for range g.size() {
		r.Brokers = append(r.Brokers, kmsg.ProduceResponseBroker{
			NodeID: int32(g.Uint32()), Host: string(fill(g.size())), Port: int32(g.Uint32()), Rack: g.str(), UnknownTags: g.tags(),
		})
	}
	return r
}

func (g generator) partition() kmsg.ProduceResponseTopicPartition {
	p := kmsg.NewProduceResponseTopicPartition()
	p.Partition, p.ErrorCode = int32(g.Uint32()), int16(g.Uint32())
	p.BaseOffset, p.LogAppendTime, p.LogStartOffset = int64(g.Uint64()), int64(g.Uint64()), int64(g.Uint64())
	p.ErrorMessage, p.UnknownTags = g.str(), g.tags()
	if g.IntN(2) == 0 {
		p.CurrentLeader.LeaderID, p.CurrentLeader.LeaderEpoch = int32(g.Uint32()), int32(g.Uint32())
		p.CurrentLeader.UnknownTags = g.tags()
	}
	for range g.size() {
		p.ErrorRecords = append(p.ErrorRecords, kmsg.ProduceResponseTopicPartitionErrorRecord{
			RelativeOffset: int32(g.Uint32()), ErrorMessage: g.str(), UnknownTags: g.tags(),
		})
	}
	return p
}

// size is small mostly, and sometimes takes two bytes as a uvarint.
func (g generator) size() int {
	if g.IntN(50) == 0 {
		return 120 + g.IntN(20)
	}
	return g.IntN(3)
}

func (g generator) str() *string {
	if g.IntN(2) == 0 {
		return nil
	}
	return ptr(string(fill(g.size())))
}

// tags are unknown everywhere: the known ones are 0.
func (g generator) tags() (t kmsg.Tags) {
	if g.IntN(4) == 0 {
		for range g.size() {
			t.Set(max(1, g.Uint32()>>g.IntN(32)), fill(g.size()))
		}
	}
	return t
}
