package cluster

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// checkMetadata asserts what the docs of Metadata promise.
func checkMetadata(t *testing.T, m *Metadata) {
	t.Helper()
	ids := map[int32]bool{-1: true}
	for _, b := range m.Brokers {
		if b.ID < 0 || ids[b.ID] || b.Port < 1 || b.Port > 65535 || !usableHost(b.Host) {
			t.Errorf("unusable broker %+v", b)
		}
		ids[b.ID] = true
	}
	names := make(map[string]bool)
	for _, topic := range m.Topics {
		if names[topic.Name] {
			t.Errorf("topic %q twice", topic.Name)
		}
		names[topic.Name] = true
		last := int32(-1)
		for _, p := range topic.Partitions {
			if p.Index <= last || !ids[p.Leader] || p.LeaderEpoch < -1 {
				t.Errorf("topic %q: unusable partition %+v after %d", topic.Name, p, last)
			}
			last = p.Index
		}
		if last >= PartitionLimit(len(topic.Partitions)) {
			t.Errorf("topic %q: index %d with %d partitions", topic.Name, last, len(topic.Partitions))
		}
	}
}

func brokerEntry(id int32, host string, port int32) kmsg.MetadataResponseBroker {
	b := kmsg.NewMetadataResponseBroker()
	b.NodeID, b.Host, b.Port = id, host, port
	return b
}

func partitionEntry(index, leader, epoch int32, code int16) kmsg.MetadataResponseTopicPartition {
	p := kmsg.NewMetadataResponseTopicPartition()
	p.Partition, p.Leader, p.LeaderEpoch, p.ErrorCode = index, leader, epoch, code
	return p
}

func topicEntry(name string, code int16, partitions ...kmsg.MetadataResponseTopicPartition) kmsg.MetadataResponseTopic {
	topic := kmsg.NewMetadataResponseTopic()
	topic.Topic, topic.ErrorCode, topic.Partitions = kmsg.StringPtr(name), code, partitions
	return topic
}

func TestConvertBrokers(t *testing.T) {
	tests := []struct {
		name    string
		entries []kmsg.MetadataResponseBroker
		want    []Broker
	}{
		{"good", []kmsg.MetadataResponseBroker{brokerEntry(0, "a", 1), brokerEntry(1, "::1", 65535)}, []Broker{{ID: 0, Host: "a", Port: 1}, {ID: 1, Host: "::1", Port: 65535}}},
		{"negative id", []kmsg.MetadataResponseBroker{brokerEntry(-1, "a", 1)}, nil},
		{"lowest id", []kmsg.MetadataResponseBroker{brokerEntry(math.MinInt32, "a", 1)}, nil},
		{"duplicate id", []kmsg.MetadataResponseBroker{brokerEntry(3, "a", 1), brokerEntry(3, "b", 2)}, []Broker{{ID: 3, Host: "a", Port: 1}}},
		{"port 0", []kmsg.MetadataResponseBroker{brokerEntry(1, "a", 0)}, nil},
		{"port 70000", []kmsg.MetadataResponseBroker{brokerEntry(1, "a", 70000)}, nil},
		{"negative port", []kmsg.MetadataResponseBroker{brokerEntry(1, "a", -1)}, nil},
		{"no host", []kmsg.MetadataResponseBroker{brokerEntry(1, "", 1)}, nil},
		{"host of 64 KiB", []kmsg.MetadataResponseBroker{brokerEntry(1, strings.Repeat("h", 1<<16), 1)}, nil},
		{"host with a line feed", []kmsg.MetadataResponseBroker{brokerEntry(1, "a\nERROR", 1)}, nil},
		{"host with a port in it", []kmsg.MetadataResponseBroker{brokerEntry(1, "a:80", 1)}, nil},
		{"bad among good", []kmsg.MetadataResponseBroker{brokerEntry(1, "", 1), brokerEntry(1, "a", 1)}, []Broker{{ID: 1, Host: "a", Port: 1}}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			m := kmsg.NewPtrMetadataResponse()
			m.Brokers = tc.entries
			got := convert(m, nil)
			checkMetadata(t, got)
			if !reflect.DeepEqual(got.Brokers, tc.want) {
				t.Errorf("Brokers = %+v, want %+v", got.Brokers, tc.want)
			}
			if want := len(tc.entries) - len(tc.want); got.Dropped != want {
				t.Errorf("Dropped = %d, want %d", got.Dropped, want)
			}
		})
	}
}

func TestConvertPartitions(t *testing.T) {
	type entries = []kmsg.MetadataResponseTopicPartition
	tests := []struct {
		name    string
		entries entries
		want    []Partition
	}{
		{"none", nil, []Partition{}},
		{"sorted", entries{partitionEntry(1, 1, 5, 0), partitionEntry(0, 2, 6, 0)}, []Partition{{0, 2, 6, 0}, {1, 1, 5, 0}}},
		{"code kept", entries{partitionEntry(0, -1, -1, 5)}, []Partition{{0, -1, -1, 5}}},
		{"unlisted leader", entries{partitionEntry(0, 99, 4, 0)}, []Partition{{0, -1, 4, 0}}},
		{"negative leader and epoch", entries{partitionEntry(0, -7, -7, 0)}, []Partition{{0, -1, -1, 0}}},
		{"negative index", entries{partitionEntry(-1, 1, 0, 0), partitionEntry(0, 1, 0, 0)}, []Partition{{0, 1, 0, 0}}},
		{"first duplicate counts", entries{partitionEntry(0, 1, 1, 0), partitionEntry(0, 2, 2, 0)}, []Partition{{0, 1, 1, 0}}},
		{"small gap", entries{partitionEntry(0, 1, 0, 0), partitionEntry(9, 1, 0, 0)}, []Partition{{0, 1, 0, 0}, {9, 1, 0, 0}}},
		{"huge gap", entries{partitionEntry(0, 1, 0, 0), partitionEntry(math.MaxInt32, 1, 0, 0)}, []Partition{{0, 1, 0, 0}}},
		{"index at the limit of one", entries{partitionEntry(1040, 1, 0, 0)}, []Partition{}},
		{"index below the limit of one", entries{partitionEntry(1039, 1, 0, 0)}, []Partition{{1039, 1, 0, 0}}},
		{"limit falls with the dropped", entries{partitionEntry(0, 1, 0, 0), partitionEntry(1050, 1, 0, 0), partitionEntry(5000, 1, 0, 0)}, []Partition{{0, 1, 0, 0}, {1050, 1, 0, 0}}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			m := kmsg.NewPtrMetadataResponse()
			m.Brokers = []kmsg.MetadataResponseBroker{brokerEntry(1, "a", 1), brokerEntry(2, "b", 1)}
			m.Topics = []kmsg.MetadataResponseTopic{topicEntry("t", 0, tc.entries...)}
			got := convert(m, []string{"t"})
			checkMetadata(t, got)
			if !reflect.DeepEqual(got.Topics[0].Partitions, tc.want) {
				t.Errorf("Partitions = %+v, want %+v", got.Topics[0].Partitions, tc.want)
			}
			if want := len(tc.entries) - len(tc.want); got.Dropped != want {
				t.Errorf("Dropped = %d, want %d", got.Dropped, want)
			}
		})
	}
}

func TestConvertManyDuplicates(t *testing.T) {
	var twice []kmsg.MetadataResponseTopicPartition
	for epoch := range int32(2) {
		for i := range int32(200) {
			twice = append(twice, partitionEntry(199-i, 1, epoch, 0))
		}
	}
	var m Metadata
	for i, p := range m.convertPartitions(twice, map[int32]bool{1: true}) {
		if p.Index != int32(i) || p.LeaderEpoch != 0 {
			t.Errorf("partition %d = %+v, want the first entry of it", i, p)
		}
	}
	if m.Dropped != 200 {
		t.Errorf("Dropped = %d, want 200", m.Dropped)
	}
}

func TestConvertManyPartitions(t *testing.T) {
	const extra = 100
	all := make([]kmsg.MetadataResponseTopicPartition, maxPartitions+extra)
	for i := range all {
		all[i] = partitionEntry(int32(i), 1, 0, 0)
	}
	m := kmsg.NewPtrMetadataResponse()
	m.Brokers = []kmsg.MetadataResponseBroker{brokerEntry(1, "a", 1)}
	m.Topics = []kmsg.MetadataResponseTopic{topicEntry("t", 0, all...)}
	got := convert(m, []string{"t"})
	if n := len(got.Topics[0].Partitions); n != maxPartitions || got.Dropped != extra {
		t.Errorf("%d partitions kept and %d dropped, want %d and %d", n, got.Dropped, maxPartitions, extra)
	}
}

func TestConvertTopics(t *testing.T) {
	m := kmsg.NewPtrMetadataResponse()
	m.ClusterID = kmsg.StringPtr("c")
	m.ControllerID = -9
	m.Brokers = []kmsg.MetadataResponseBroker{brokerEntry(1, "a", 1)}
	m.Brokers[0].Rack = kmsg.StringPtr("r1")
	nameless := kmsg.NewMetadataResponseTopic()
	withID := topicEntry("t", 0, partitionEntry(0, 1, 3, 0))
	withID.TopicID = [16]byte{1, 2, 3}
	m.Topics = []kmsg.MetadataResponseTopic{
		nameless, withID, topicEntry("unasked", 0), topicEntry("t", 3), topicEntry("missing", 3),
	}
	got := convert(m, []string{"t", "missing", "omitted", "t"})
	checkMetadata(t, got)
	want := &Metadata{
		ClusterID:    "c",
		ControllerID: -1,
		Brokers:      []Broker{{ID: 1, Host: "a", Port: 1, Rack: "r1"}},
		Topics: []Topic{
			{Name: "t", ID: [16]byte{1, 2, 3}, Partitions: []Partition{{0, 1, 3, 0}}},
			{Name: "missing", ErrorCode: 3, Partitions: []Partition{}},
		},
		Dropped: 3,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("convert = %+v\nwant %+v", got, want)
	}
}
