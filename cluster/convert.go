package cluster

import (
	"cmp"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// maxBrokers and maxPartitions are beyond any real cluster and any real
	// topic. What goes over them is dropped.
	maxBrokers    = 1 << 14
	maxPartitions = 1 << 20
)

// PartitionLimit bounds the indices in a topic of n partitions. Indices are
// dense in a real cluster; the slack is for a broker that omits some.
func PartitionLimit(n int) int32 { return int32(min(16*n+1024, maxPartitions)) }

// convert reduces a response to what makes sense. Entries that do not are
// dropped and counted: what the caller knew before is a better guess than they
// are.
func convert(message *kmsg.MetadataResponse, requested []string) *Metadata {
	m := &Metadata{ControllerID: max(message.ControllerID, -1)}
	if message.ClusterID != nil {
		m.ClusterID = *message.ClusterID
	}
	ids := make(map[int32]bool)
	for i := range message.Brokers {
		broker := &message.Brokers[i]
		if !usableBroker(broker) || ids[broker.NodeID] || len(m.Brokers) == maxBrokers {
			m.Dropped++
			continue
		}
		ids[broker.NodeID] = true
		m.Brokers = append(m.Brokers, Broker{ID: broker.NodeID, Host: broker.Host, Port: broker.Port})
		if broker.Rack != nil {
			m.Brokers[len(m.Brokers)-1].Rack = *broker.Rack
		}
	}
	due := make(map[string]bool, len(requested))
	for _, name := range requested {
		due[name] = true
	}
	for i := range message.Topics {
		topic := &message.Topics[i]
		if topic.Topic == nil || !due[*topic.Topic] {
			m.Dropped++
			continue
		}
		delete(due, *topic.Topic) // The first entry counts.
		m.Topics = append(m.Topics, Topic{
			Name:       *topic.Topic,
			ID:         topic.TopicID,
			ErrorCode:  topic.ErrorCode,
			Partitions: m.convertPartitions(topic.Partitions, ids),
		})
	}
	return m
}

func usableBroker(broker *kmsg.MetadataResponseBroker) bool {
	return broker.NodeID >= 0 && broker.Port >= 1 && broker.Port <= 1<<16-1 && usableHost(broker.Host)
}

// convertPartitions sorts and filters the partitions of one topic. brokers are
// the ids a leader may have.
func (m *Metadata) convertPartitions(entries []kmsg.MetadataResponseTopicPartition, brokers map[int32]bool) []Partition {
	partitions := make([]Partition, 0, len(entries))
	for i := range entries {
		entry := &entries[i]
		partition := Partition{
			Index:       entry.Partition,
			Leader:      entry.Leader,
			LeaderEpoch: max(entry.LeaderEpoch, -1),
			ErrorCode:   entry.ErrorCode,
		}
		if !brokers[partition.Leader] {
			partition.Leader = -1
		}
		if partition.Index >= 0 && partition.Index < maxPartitions {
			partitions = append(partitions, partition)
		}
	}
	slices.SortStableFunc(partitions, func(a, b Partition) int { return cmp.Compare(a.Index, b.Index) })
	partitions = slices.CompactFunc(partitions, func(a, b Partition) bool { return a.Index == b.Index })
	// Dropping from the end lowers the limit; the loop ends with the first
	// index within the limit of what is left up to it.
	for n := len(partitions); n > 0 && partitions[n-1].Index >= PartitionLimit(n); n-- {
		partitions = partitions[:n-1]
	}
	m.Dropped += len(entries) - len(partitions)
	return partitions
}
